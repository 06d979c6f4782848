"""A phone's browser through nginx and Caddy with TLS: pages, policy and socket.

Also through two addresses, of which one is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from server.app import Config, running
from tests.browser.table import PHONE, Seat, Table
from tests.browser.test_game import join, must_show, say
from tests.browser.wire import wire_to
from tests.support.broker import free_port
from tests.support.proxies import KINDS, Kind, Proxy

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_phone_joins_over_tls(
    table: Table, browser: Browser, tmp_path: Path, kind: Kind
) -> None:
    made = trustme.CA().issue_cert("localhost")
    (tmp_path / "cert.pem").write_bytes(made.cert_chain_pems[0].bytes())
    (tmp_path / "key.pem").write_bytes(made.private_key_pem.bytes())
    proxy = Proxy.of_server(kind, tmp_path, table.server.port)
    await proxy.start()
    room = await table.open_room()
    context = await browser.new_context(ignore_https_errors=True, viewport=PHONE)
    try:
        page = await context.new_page()
        seat = Seat(page)
        page.on("console", seat.hear)
        await page.goto(f"https://localhost:{proxy.port}/j/{room}")
        await page.get_by_label("Your name").fill("Ann")
        await page.get_by_role("button", name="Join", exact=True).click()
        await must_show(page, "You’re in, Ann")
        assert await page.evaluate("isSecureContext") is True
        assert seat.complaints == []
    finally:
        await context.close()
        await proxy.stop()


async def test_a_phone_continues_at_the_other_public_address(browser: Browser) -> None:
    """Each stands for a load balancer; the one that the page came from is lost."""
    port = free_port()
    async with wire_to(port) as one, wire_to(port) as other:
        public = f"http://127.0.0.1:{one.port},http://127.0.0.1:{other.port}"
        async with running(Config(port=port, public_url=public)) as server:
            table = Table(browser, server, host_name="127.0.0.1")
            room = await table.open_room(length=1, settings={"auto_close": False})
            phone = await join(table, room, "Ann", one.port)
            one.cut()
            async with table.host(room) as host:
                await host.ask("open_round")
                await host.ask("open_vote")
            await say(phone, "outer", 80)
            assert table.complaints() == []
            await table.leave()
