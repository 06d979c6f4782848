"""TLS on the main port: a whole game over it, renewed certificates, wrong files."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from server.cli.doctor import network
from server.cli.serve import practice_bringer
from server.config import Config
from server.folder import CannotStart
from server.listening import Certificate, certificate_of
from server.protocol.client_messages import OpenRoom
from tests.cli.test_cli import run
from tests.support.http import get
from tests.support.program import Program
from tests.support.server import hall
from tests.support.wire import Wire, wire

NAME = "school.test"


class Files:
    """A certificate for a name, in files, by an authority that may sign another."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.sign()

    def sign(self) -> None:
        """Write a fresh certificate and key."""
        made = self._authority.issue_cert(NAME)
        self.cert.write_bytes(b"".join(b.bytes() for b in made.cert_chain_pems))
        self.key.write_bytes(made.private_key_pem.bytes())

    @property
    def trusting(self) -> ssl.SSLContext:
        """What a browser that knows the authority accepts."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    def open(self, port: int) -> AbstractAsyncContextManager[Wire]:
        """Open a socket by the name, over TLS."""
        url = f"wss://{NAME}:{port}/ws"
        return wire(port, url, ssl=self.trusting, host="127.0.0.1", port=port)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def _seen(port: int, trusting: ssl.SSLContext) -> bytes:
    """Return the certificate that is shown."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting, server_hostname=NAME
    )
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(shown)


async def test_a_round_over_wss_and_the_pages_over_https(files: Files) -> None:
    async with hall(tls_cert=files.cert, tls_key=files.key) as at:
        assert at.server.local_url == f"https://127.0.0.1:{at.port}"
        async with files.open(at.port) as host, files.open(at.port) as ann:
            await host.prove("host", at.room, at.key)
            await ann.join(at.room)
            await host.do("open_round", "open_vote")
            assert (await ann.vote())["type"] == "recorded"
            await host.do("close_votes", "reveal")
            await ann.phase("reveal")
        assert await asyncio.to_thread(
            network.is_ours, at.port
        )  # the doctor's question
        page = await get(at.port, "/healthz", tls=files.trusting, name=NAME)
        assert page.status == 200


async def test_who_does_not_know_the_authority_or_speaks_plainly_gets_nothing(
    files: Files,
) -> None:
    async with hall(tls_cert=files.cert, tls_key=files.key) as at:
        with pytest.raises(ssl.SSLCertVerificationError):
            await get(at.port, "/", tls=ssl.create_default_context(), name=NAME)
        old = files.trusting
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert (await get(at.port, "/", tls=old, name=NAME)).status == 200
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await get(at.port, "/")


@pytest.fixture
async def program(files: Files, tmp_path: Path) -> AsyncIterator[Program]:
    tls = ("--tls-cert", str(files.cert), "--tls-key", str(files.key))
    made = Program(tmp_path, *tls, "--memory", "--room", "first-class")
    yield made
    await made.kill()


@pytest.mark.posix
async def test_a_renewed_certificate_is_used_after_a_hangup_and_no_game_is_cut(
    program: Program, files: Files
) -> None:
    await program.start()
    room, _ = program.room
    first = await _seen(program.port, files.trusting)
    async with files.open(program.port) as ann:
        await ann.join(room)
        files.sign()
        program.signal(signal.SIGHUP)
        await program.says("certificate was reloaded")
        assert await _seen(program.port, files.trusting) != first
        second = await _seen(program.port, files.trusting)
        files.key.write_text("no key at all")
        program.signal(signal.SIGHUP)
        await program.says("was not reloaded")
        assert await _seen(program.port, files.trusting) == second
        await ann.send("ping", ref=1)
        await ann.until("pong", ref=1)
    assert (await program.stop()).code == 0


async def test_practice_players_come_in_beside_the_certificate(files: Files) -> None:
    setup = {"tls_cert": files.cert, "tls_key": files.key}
    async with hall(bring_practice=practice_bringer, **setup) as at:
        order = OpenRoom(deck="first-class", length=1, practice=3)
        room, _ = await at.server.admin.open_room(order)
        found = at.server.directory.running(room)
        assert found is not None
        async with files.open(at.port) as host:
            await host.prove("host", room, found.key_of("host"))
            await host.until("progress", joined=3)


def test_unusable_files_are_reported(files: Files, tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    for cert, key in ((missing, files.key), (files.cert, missing), (files.key, None)):
        with pytest.raises(CannotStart, match="certificate cannot be used"):
            Certificate(cert, key)
    with pytest.raises(CannotStart, match="needs --tls-cert"):
        certificate_of(Config(tls_key=files.key))
    both = tmp_path / "both.pem"
    both.write_bytes(files.cert.read_bytes() + files.key.read_bytes())
    assert Certificate(both, None).context


def _encrypted(key: bytes) -> bytes:
    private = load_pem_private_key(key, None)
    lock = BestAvailableEncryption(b"secret")
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def test_an_encrypted_key_is_refused_and_never_asked_about(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    served = Certificate(files.cert, files.key)
    files.key.write_bytes(_encrypted(files.key.read_bytes()))
    with pytest.raises(
        CannotStart, match=r"the private key is encrypted.*openssl pkey"
    ):
        Certificate(files.cert, files.key)
    served.reload()
    assert "was not reloaded: the private key is encrypted" in caplog.text


def test_the_command_line_says_so(tmp_path: Path) -> None:
    code, text = run("serve", "--port", "0", "--memory", "--tls-cert", "/none.pem")
    assert code == 1
    assert "Traceback" not in text
