"""nginx and Caddy in front, with TLS, as deploy/ has them: clients through them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from websockets.exceptions import InvalidStatus

from client import Label, connect, host
from server.game.commands import OpenRound, OpenVote
from server.net.addresses import routed
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


@pytest.fixture(params=KINDS)
async def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1", routed() or "127.0.0.2")
    (tmp_path / "cert.pem").write_bytes(
        b"".join(part.bytes() for part in made.cert_chain_pems)
    )
    (tmp_path / "key.pem").write_bytes(made.private_key_pem.bytes())
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    program = Program(tmp_path, "--data", str(tmp_path / "data"))
    await program.start("--room", "first-class", "--limit", "sockets_address=2")
    proxy = Proxy(request.param, tmp_path, program.port)
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
