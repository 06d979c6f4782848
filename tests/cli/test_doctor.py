"""The doctor: what it finds, what it tells to do, and its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.cli.console import Finding
from server.cli.doctor import machine, network
from server.folder import is_served
from server.net.operations import LOW_BYTES
from tests.cli.test_cli import run
from tests.support.broker import free_port, shipped_broker
from tests.support.server import hall

MB = 1024 * 1024


@pytest.fixture
def port() -> int:
    return free_port()


def told(*words: str) -> tuple[int, str]:
    """Run the doctor; return its exit code and its words."""
    code, text = run("doctor", "--host", "127.0.0.1", *words)
    return code, " ".join(text.split())


def test_a_sound_machine_is_well(tmp_path: Path, port: int) -> None:
    code, text = told("--data", str(tmp_path / "new"), "--port", str(port))
    assert code == 0, text
    assert "Ready for class" in text
    assert "will be created" in text
    assert f"{port} is free" in text
    assert not (tmp_path / "new").exists()  # looking changes nothing


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port of another program, which hangs up on every connection."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        thread = threading.Thread(target=_hang_up, args=(taken,))
        thread.start()
        yield taken.getsockname()[1]
        taken.shutdown(socket.SHUT_RDWR)
        thread.join()


def _hang_up(taken: socket.socket) -> None:
    with contextlib.suppress(OSError):  # raised when the fixture ends
        while True:
            taken.accept()[0].close()


def test_a_port_of_another_program_is_a_failure(tmp_path: Path, stranger: int) -> None:
    code, text = told("--data", str(tmp_path), "--port", str(stranger))
    assert code == 1
    assert "cannot be used" in text
    assert "another port with --port" in text
    assert "1 problem to fix" in text


async def test_a_running_server_is_recognized(tmp_path: Path) -> None:
    async with hall(data=tmp_path) as at:
        found = await asyncio.to_thread(network.port_of, "127.0.0.1", at.port)
        assert (found.verdict, "a Two Gaps server" in found.says) == ("good", True)
        assert is_served(tmp_path)
        held = ("--port", str(at.port), "--data", str(tmp_path))
        code, text = await asyncio.to_thread(
            told, *held, "--broker", "mqtt://x:y@127.0.0.1:1"
        )
        assert code == 0
        assert "the running server is healthy" in text  # and no one was disconnected
    assert not is_served(tmp_path)


@pytest.mark.parametrize(
    ("finding", "verdict", "says"),
    [
        (machine.open_files(65_536, 12_000), "good", "12000 phones"),
        (machine.open_files(4_096, 12_000), "note", "is enough for"),
        (machine.open_files(256, 12_000), "bad", "is enough for"),
        (machine.clock(0.0), "bad", "1970"),
        (machine.pages(Path("/nonexistent")), "bad", "not built"),
        (machine.space(LOW_BYTES - 1), "bad", "15 MB"),
        (machine.space(100 * MB), "note", "100 MB"),
        (machine.space(10_000 * MB), "good", "10,000 MB"),
        (machine.syncing(3.0), "good", "3.0 ms"),
        (machine.syncing(80.0), "note", "80.0 ms"),
        (machine.syncing(900.0), "bad", "900.0 ms"),
        (machine.kind("ext4"), "good", "ext4"),
        (machine.kind("nfs4"), "bad", "on a network"),
        (machine.kind("tmpfs"), "note", "lost when"),
        (network.address((), None, "0.0.0.0"), "bad", "not on a network"),
        (network.address((), "169.254.3.4", "0.0.0.0"), "bad", "assigned no address"),
        (network.address((), "192.168.1.7", "0.0.0.0"), "good", "192.168.1.7"),
        (network.address((), None, "127.0.0.1"), "note", "only this machine"),
    ],
)
def test_what_is_found_is_judged(finding: Finding, verdict: str, says: str) -> None:
    assert finding.verdict == verdict
    assert says in finding.says
    assert bool(finding.remedy) == (verdict != "good")


def test_a_case_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "broken.toml").write_text("id = ")
    found = machine.library((tmp_path,))
    assert found.verdict == "bad"
    assert "broken" in found.says


def test_a_damaged_journal_and_a_clock_gone_back(tmp_path: Path) -> None:
    async def make() -> None:
        async with hall(data=tmp_path):
            pass

    asyncio.run(make())
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        (latest,) = db.execute("SELECT max(updated_ms) FROM rooms").fetchone()
    db.close()
    assert machine.journal(tmp_path, latest).verdict == "good"
    assert "was set back" in machine.journal(tmp_path, latest - 3_600_000).says
    ahead = machine.journal(tmp_path, latest + 200 * machine.DAY_MS)
    assert ahead.verdict == "note"
    assert "the last change was 200 days ago" in ahead.says
    assert machine.rights(tmp_path).verdict in ("good", "note")
    tmp_path.chmod(0o700)
    assert machine.rights(tmp_path).verdict == "good"
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET body = replace(body, 'deck', 'kced')")
    db.close()
    changed = machine.journal(tmp_path, latest)
    assert "1 of 1 room damaged" in changed.says
    assert "twogaps journal salvage" in changed.remedy
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    found = machine.journal(tmp_path, latest)
    assert found.verdict == "bad"
    assert "twogaps journal restore" in found.remedy


async def test_a_phone_that_gets_through_is_heard(port: int) -> None:
    waiting = asyncio.create_task(network.phone("127.0.0.1", port, "http://x/"))
    async with asyncio.timeout(20):
        while not waiting.done():
            for source in ("127.0.0.1", "127.0.0.9"):  # the first is this machine
                await asyncio.to_thread(_open, source, port)
    assert (await waiting).says == "127.0.0.9 gets through"


def _open(source: str, port: int) -> None:
    try:
        phone = socket.create_connection(("127.0.0.1", port), 5, (source, 0))
    except OSError:
        return  # not listening yet
    with phone:
        phone.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        phone.recv(1000)


async def test_no_phone_gets_through(port: int) -> None:
    found = await network.phone("127.0.0.1", port, "http://x/", wait_s=0.05)
    assert found.verdict == "bad"
    assert "client isolation" in found.remedy


async def test_the_broker_is_tried_for_real(tmp_path: Path) -> None:
    server, urls = await asyncio.to_thread(
        shipped_broker, "mosquitto", tmp_path, {"lisbon": False}
    )
    await server.start()
    try:
        good = await network.look_at_broker(urls["lisbon"], None, None)
        assert good.verdict == "good", good.says
        wrong = await network.look_at_broker(
            server.url("lisbon", "no"), None, None, 1.5
        )
        assert wrong.verdict == "bad"
        assert "rejects the user 'lisbon'" in wrong.says
        other = await network.look_at_broker(urls["lisbon"], "berlin", None, 1.5)
        assert "does not forward its messages" in other.says
    finally:
        await server.kill()
    gone = await network.look_at_broker(urls["lisbon"], None, None, 1.5)
    assert gone.verdict == "bad"
    assert (await network.look_at_broker("http://x", None, None)).verdict == "bad"
