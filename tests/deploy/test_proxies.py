"""Proxies in front, with TLS, as deploy/ has them: clients through them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from websockets.exceptions import InvalidStatus

from client import Label, Player, connect, host
from server.cli.fleet.proxies import PROXIES, Door, program_of, proxy
from server.game.commands import OpenRound, OpenVote
from server.net.addresses import routed
from tests.support.broker import free_port
from tests.support.http import get
from tests.support.missing import need
from tests.support.program import Program
from tests.support.proxies import KINDS, Proxy
from tests.support.voters import BY_HAND
from tests.support.wire import wire

GUARD_S = 40


@dataclass(frozen=True, slots=True)
class Site:
    """A server behind a proxy."""

    program: Program
    proxy: Proxy
    trusting: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://localhost:{self.proxy.port}"

    def wire(self, **options: object):  # type: ignore[no-untyped-def] # as wire() has it
        """Open a socket through the proxy."""
        address = f"wss://localhost:{self.proxy.port}/ws"
        return wire(self.proxy.port, address, ssl=self.trusting, **options)


def certify(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Make a certificate in a folder, which this process trusts."""
    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1", routed() or "127.0.0.2")
    (folder / "cert.pem").write_bytes(
        b"".join(part.bytes() for part in made.cert_chain_pems)
    )
    (folder / "key.pem").write_bytes(made.private_key_pem.bytes())
    authority.cert_pem.write_to_path(folder / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    return ssl.create_default_context(cafile=str(folder / "authority.pem"))


@pytest.fixture(params=KINDS)
async def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    trusting = certify(tmp_path, monkeypatch)
    program = Program(tmp_path, "--data", str(tmp_path / "data"))
    await program.start("--room", "first-class", "--limit", "sockets_address=2")
    proxy = Proxy.of_server(request.param, tmp_path, program.port)
    await proxy.start()
    yield Site(program, proxy, trusting)
    await proxy.stop()
    await program.kill()


async def test_a_class_plays_through_it_and_comes_back_after_a_restart(
    site: Site,
) -> None:
    room, key = site.program.room
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(site.url, room, key))
        ann = await stack.enter_async_context(connect(site.url, room, "Ann"))
        await teacher.send(BY_HAND)
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        async for view in ann.views():
            if view.phase == "vote":
                break
        assert (await ann.vote(Label.OUTER, 80, to=ann.view)).counter
        assert (await site.program.stop()).code == 0
        voting = asyncio.create_task(ann.vote(Label.INNER, 60, to=ann.view))
        await site.program.start()
        async with asyncio.timeout(GUARD_S):
            assert (await voting).answer.label is Label.INNER


async def test_all_comes_through_and_nothing_that_should_not(site: Site) -> None:
    """One server for the three: starting it is what takes time."""
    await _pages_health_and_policy_come_through(site)
    await _only_its_own_pages_may_open_a_socket(site)
    await _addresses_are_the_clients_and_no_invention_of_theirs(site)


async def _pages_health_and_policy_come_through(site: Site) -> None:
    port, tls = site.proxy.port, site.trusting
    page = await get(port, "/", tls=tls, name="localhost")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    well = await get(port, "/healthz", tls=tls, name="localhost")
    assert json.loads(well.body)["ok"] is True
    again = {"If-None-Match": page.headers["etag"]}
    assert (await get(port, "/", tls=tls, name="localhost", **again)).status == 304
    assert (await get(port, "/metrics", tls=tls, name="localhost")).status == 404
    assert (await get(port, "/no", tls=tls, name="localhost")).status == 404


async def _only_its_own_pages_may_open_a_socket(site: Site) -> None:
    async with site.wire(origin=site.url) as own:
        await own.join(site.program.room[0])
    for stranger in ("https://evil.example", "https://localhost", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with site.wire(origin=stranger):
                pass
        assert refused.value.response.status_code == 403


async def _addresses_are_the_clients_and_no_invention_of_theirs(
    site: Site,
) -> None:
    """Two sockets an address are allowed here; a made-up header buys no third."""
    here = routed()
    need(here, "a network")
    invented = [{"X-Forwarded-For": f"203.0.113.{i}"} for i in range(3)]
    async with contextlib.AsyncExitStack() as stack:
        for headers in invented[:2]:
            await stack.enter_async_context(
                site.wire(host=here, additional_headers=headers)
            )
        third = await stack.enter_async_context(
            site.wire(host=here, additional_headers=invented[2])
        )
        assert (await third.until("bye"))["code"] == "full"
        local = await stack.enter_async_context(site.wire())
        await local.join(site.program.room[0])  # of another address, and let in


# --- several nodes -------------------------------------------------------------------


async def _is_up(front: Proxy, trusting: ssl.SSLContext) -> None:
    """Wait until it has found a node: its checks have begun when it listens."""
    async with asyncio.timeout(GUARD_S):
        while True:
            answer = await get(front.port, "/readyz", tls=trusting, name="localhost")
            if answer.status == 200:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("kind", PROXIES)
async def test_a_class_continues_when_one_of_two_nodes_is_gone(
    kind: str, postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node with the room is killed: through the same address all come back."""
    trusting = certify(tmp_path, monkeypatch)
    options = ("--public-url", "https://localhost", "--lease", "3")
    nodes: list[Program] = []
    for name in ("ada", "bob"):
        (tmp_path / name).mkdir()
        data = ("--site", name, "--data", str(tmp_path / name / "data"))
        nodes.append(
            Program(tmp_path / name, *data, *options, TWOGAPS_JOURNAL=postgresql)
        )
    async with contextlib.AsyncExitStack() as stack:
        for node in nodes:
            node.port = free_port()
            stack.push_async_callback(node.kill)
        await nodes[0].start("--room", "first-class")
        await nodes[1].start()
        front = Proxy.of_fleet(kind, tmp_path, [node.port for node in nodes])
        stack.push_async_callback(front.stop)
        await front.start()
        await _is_up(front, trusting)
        url, (room, key) = f"https://localhost:{front.port}", nodes[0].room
        teacher = await stack.enter_async_context(host(url, room, key))
        players = [
            await stack.enter_async_context(connect(url, room, name))
            for name in ("Ann", "Bob", "Cy")
        ]
        for command in (BY_HAND, OpenRound(), OpenVote()):
            await teacher.send(command)
        for label in (Label.OUTER, Label.INNER):
            for player in players:
                await _vote(player, label)
            await nodes[0].kill()


async def _vote(player: Player, label: Label) -> None:
    async with asyncio.timeout(GUARD_S):
        async for view in player.views():
            if view.phase == "vote":
                break
        recorded = await player.vote(label, 80, to=player.view)
    assert recorded.answer.label is label


@pytest.mark.parametrize("kind", PROXIES)
def test_a_proxy_without_a_certificate_is_on_loopback_alone(
    kind: str, tmp_path: Path
) -> None:
    """As ``twogaps fleet up`` starts it; each program finds its file right."""
    need(program_of(kind), f"{kind} (apt-get install {kind})")
    made = proxy(kind, tmp_path / kind, Door(8000, ["127.0.0.1:1", "127.0.0.1:2"]))
    text = (tmp_path / kind / PROXIES[kind]).read_text()
    assert "10.0.0." not in text
    assert "gaps.school.example" not in text
    assert "127.0.0.1:1" in text
    assert "127.0.0.1:2" in text
    check = {"haproxy": ["-c"], "nginx": ["-t"], "caddy": []}[kind]
    command = [*made.command, *check]
    if kind == "caddy":
        command[1] = "validate"
    done = subprocess.run(command, capture_output=True, text=True, env=made.environment)
    assert done.returncode == 0, done.stderr
