"""A network that lets the pages through but no websocket: every page says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from tests.browser.table import LAPTOP, PROJECTOR, Table, open_menu, violations
from tests.support.obstacles import Kind, obstacle

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAUSES: dict[Kind, tuple[str, str]] = {
    "forbids": ("blocks live connections", "Switch the VPN off"),
    "redirects": ("blocks live connections", "hotspot"),
    "hangs": ("blocks live connections", "allow WebSocket connections to http://"),
    "strips": ("drops the Upgrade header", "nginx and Caddy"),
    "renames": ("asked for internal.test", "--public-url http://class.test:"),
}
WITHIN_S = 30
"""A page says what is wrong after 5 to 6 s, and later on a machine under load."""


async def says(page: Page, *texts: str) -> None:
    """Wait until the page's alert says these texts."""
    shown = (
        "texts => texts.every(text => [...document.querySelectorAll('[role=alert]')]"
    )
    shown += ".some(node => node.innerText.includes(text)))"
    await page.wait_for_function(shown, arg=list(texts), timeout=WITHIN_S * 1000)


@pytest.mark.parametrize("kind", CAUSES)
async def test_every_page_says_what_blocks_its_connection(
    table: Table, kind: Kind
) -> None:
    room = await table.open_room(length=1)
    async with obstacle(kind, table.server.port) as between:
        port = between.port
        screen = await table.sit(table.screen_path(room), size=PROJECTOR, port=port)
        console = await table.sit(table.host_path(room), size=LAPTOP, port=port)
        link = table.host_path(room).replace("/host", "/report")
        report = await table.sit(link, size=LAPTOP, port=port)
        phone = await table.sit(f"/j/{room}", port=port)
        await phone.get_by_label("Your name").fill("Ada")
        await phone.get_by_role("button", name="Join", exact=True).click()
        pages = (phone, screen, console, report)
        await asyncio.gather(*(says(page, *CAUSES[kind]) for page in pages))
        await open_menu(console)
        assert await console.get_by_role("button", name="Lock the room").is_disabled()
        if kind == "forbids":
            for page in pages:
                assert await violations(page) == []


@pytest.mark.parametrize("kind", ["forbids", "strips"])
async def test_pages_that_were_connected_say_what_blocks_them_now(
    table: Table, kind: Kind
) -> None:
    room = await table.open_room(length=1)
    async with obstacle("passes", table.server.port) as between:
        port = between.port
        report_path = table.host_path(room).replace("/host#", "/report#")
        screen = await table.sit(table.screen_path(room), size=PROJECTOR, port=port)
        console = await table.sit(table.host_path(room), size=LAPTOP, port=port)
        report = await table.sit(report_path, size=LAPTOP, port=port)
        phone = await table.sit(f"/j/{room}", port=port)
        await phone.get_by_label("Your name").fill("Ada")
        await phone.get_by_role("button", name="Join", exact=True).click()
        await phone.get_by_text("You are in, Ada").wait_for()
        await console.locator(".big").wait_for()
        await report.get_by_role("heading", level=1).first.wait_for()
        await between.turn(kind)
        pages = (phone, screen, console, report)
        await asyncio.gather(*(says(page, *CAUSES[kind]) for page in pages))
        for page in pages:
            assert await violations(page) == []
        await phone.get_by_text("You are in, Ada").wait_for()  # what was there stays
        await between.turn("passes")
        for page in pages:
            await page.get_by_text("t connect to the game").wait_for(state="detached")


async def test_the_report_says_what_blocks_its_first_connection(table: Table) -> None:
    room = await table.open_room(length=1)
    async with obstacle("strips", table.server.port) as between:
        path = table.host_path(room).replace("/host#", "/report#")
        report = await table.sit(path, size=LAPTOP, port=between.port)
        await says(report, "drops the Upgrade header")


async def test_a_page_gets_in_once_nothing_is_in_the_way(table: Table) -> None:
    room = await table.open_room(length=1)
    async with obstacle("strips", table.server.port) as between:
        port = between.port
        screen = await table.sit(table.screen_path(room), size=PROJECTOR, port=port)
        await says(screen, "drops the Upgrade header")
        await screen.goto(table.url(table.screen_path(room)))
        await screen.get_by_text("Join at").wait_for()
