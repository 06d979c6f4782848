"""Pages on this machine's own address name the one that phones can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.app import Config, running
from tests.browser.table import LAPTOP, NAMED, PROJECTOR, Table, open_menu

if TYPE_CHECKING:
    from playwright.async_api import Browser

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

PUBLIC = "http://192.0.2.7:8000"


async def test_a_page_on_loopback_names_the_public_address(browser: Browser) -> None:
    async with running(Config(port=0, origins=NAMED, public_url=PUBLIC)) as server:
        table = Table(browser, server, host_name="127.0.0.1")
        room = await table.open_room(length=1)
        screen = await table.sit(table.screen_path(room), size=PROJECTOR)
        await expect(screen.get_by_text("Join at 192.0.2.7:8000")).to_be_visible()
        async with table.host(room) as one:
            await one.ask("open_round")
        await expect(screen.locator(".join")).to_contain_text("192.0.2.7:8000")

        host = await table.sit(table.host_path(room), size=LAPTOP)
        await open_menu(host)
        await host.get_by_role("button", name="Other device").click()
        link = await host.get_by_role("textbox").input_value()
        assert link == PUBLIC + table.host_path(room)
        await host.keyboard.press("Escape")
        await open_menu(host)
        await host.get_by_role("button", name="Join page").click()
        test_link = host.get_by_role("link", name="Test link")
        await expect(test_link).to_have_attribute("href", f"{PUBLIC}/j/{room}")
        await expect(host.get_by_text("192.0.2.7:8000", exact=True)).to_be_visible()

        admin = await table.sit(table.admin_path(), size=LAPTOP)
        await expect(admin.get_by_text("192.0.2.7:8000", exact=True)).to_be_visible()
        assert table.complaints() == []
        await table.leave()


async def test_without_an_answer_a_page_names_its_own_address(
    browser: Browser,
) -> None:
    async with running(Config(port=0, origins=NAMED, public_url=PUBLIC)) as server:
        table = Table(browser, server, host_name="127.0.0.1")
        room = await table.open_room(length=1)
        profile = await table.context(size=PROJECTOR)
        await profile.route("**/where.json", lambda route: route.abort())
        screen = await table.sit(table.screen_path(room), profile=profile)
        own = f"127.0.0.1:{server.port}"
        await expect(screen.get_by_text(f"Join at {own}")).to_be_visible()
        await table.leave()


async def test_a_page_on_another_address_keeps_to_it(table: Table) -> None:
    room = await table.open_room(length=1)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    own = f"{table.host_name}:{table.server.port}"
    await expect(screen.get_by_text(f"Join at {own}")).to_be_visible()


async def test_the_host_chooses_another_address_and_the_projector_follows(
    browser: Browser,
) -> None:
    wifi, vpn = "http://192.168.1.20:8000", "http://10.8.0.6:8000"
    answer = {"url": wifi, "urls": [wifi, vpn], "used": [vpn]}
    async with running(Config(port=0, origins=NAMED)) as server:
        table = Table(browser, server, host_name="127.0.0.1")
        room = await table.open_room(length=1)
        profile = await table.context(size=LAPTOP)
        await profile.route("**/where.json", lambda route: route.fulfill(json=answer))
        screen = await table.sit(table.screen_path(room), profile=profile)
        await expect(screen.get_by_text("Join at 192.168.1.20:8000")).to_be_visible()
        host = await table.sit(table.host_path(room), profile=profile)
        await open_menu(host)
        await host.get_by_role("button", name="Join page").click()
        got_through = host.get_by_text("Another device got through: 10.8.0.6:8000")
        await expect(got_through).to_be_visible()
        await host.get_by_label("10.8.0.6:8000").check()
        test_link = host.get_by_role("link", name="Test link")
        await expect(test_link).to_have_attribute("href", f"{vpn}/j/{room}")
        await expect(screen.get_by_text("Join at 10.8.0.6:8000")).to_be_visible()
        image = screen.locator('img[src^="/qr/"]')
        at = f"/qr/{room}.svg?at=10.8.0.6%3A8000"
        await expect(image).to_have_attribute("src", at)
        await table.leave()
