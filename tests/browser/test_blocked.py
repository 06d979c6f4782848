"""A network that lets the pages through but no websocket: every page says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from tests.browser.table import LAPTOP, PHONE, PROJECTOR, Table, open_menu, violations
from tests.support.obstacles import Kind, obstacle
from tests.support.until import until

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, WebSocket

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAUSES: dict[Kind, tuple[str, str]] = {
    "forbids": ("blocks live connections", "Turn off the VPN"),
    "redirects": ("blocks live connections", "hotspot"),
    "hangs": ("blocks live connections", "allow WebSocket connections to http://"),
    "strips": ("drops the Upgrade header", "nginx and Caddy"),
    "renames": ("server as internal.test", "--public-url http://class.test:"),
}
WITHIN_MS = 10_000
"""How soon a page says what is wrong, on its own clock."""
ANSWER_MS = 3_000
"""How long it waits for an answer to why."""
SOCKETS: list[WebSocket] = []
"""Every connection of the pages of a test."""
MACHINE_S = 30
"""How long the machine may take for it, while that clock stands still."""


def _keep(socket: WebSocket) -> None:
    SOCKETS.append(socket)


async def still(table: Table, size: dict[str, int]) -> BrowserContext:
    """Return a browser whose clock stands still until :func:`pass_time` moves it."""
    profile = await table.context(size=size)
    profile.on("page", lambda page: page.on("websocket", _keep))
    now = datetime.now(UTC)
    await profile.clock.install(time=now)
    await profile.clock.pause_at(now + timedelta(minutes=1))
    return profile


async def sit(table: Table, path: str, port: int, size: dict[str, int]) -> Page:
    """Open a page in a browser of its own, whose clock stands still."""
    return await table.sit(path, port=port, profile=await still(table, size))


async def pass_time(pages: Sequence[Page]) -> None:
    """Let time pass on the clocks of pages until they must have asked why.

    What is left of WITHIN_MS is theirs to wait for the answer. It comes over the
    network, whose time is the machine's, so the clocks stand still meanwhile.
    """
    for page in pages:
        await page.clock.run_for(WITHIN_MS - ANSWER_MS)


async def are_cut(pages: Sequence[Page]) -> None:
    """Wait until pages know that their connections are gone."""
    await until(lambda: all(socket.is_closed() for socket in SOCKETS), MACHINE_S)
    for page in pages:
        await page.evaluate("0")  # comes after what the browser has told the page


async def wait_on(page: Page, text: str) -> None:
    """Let a page that was connected try again, as often as a busy machine makes it.

    Its tries end in the machine's time, and the next begins on its own clock.
    """
    for _ in range(60):
        if text in await page.inner_text("body"):
            return
        await page.clock.run_for(500)
        await asyncio.sleep(0.5)  # no less, or an answer comes too late for the page


async def says(page: Page, *texts: str) -> None:
    """Wait until the page's alert says these texts."""
    shown = (
        "texts => texts.every(text => [...document.querySelectorAll('[role=alert]')]"
    )
    shown += ".some(node => node.innerText.includes(text)))"
    await page.wait_for_function(shown, arg=list(texts), timeout=MACHINE_S * 1000)


@pytest.mark.parametrize("kind", CAUSES)
async def test_every_page_says_what_blocks_its_connection(
    table: Table, kind: Kind
) -> None:
    room = await table.open_room(length=1)
    async with obstacle(kind, table.server.port) as between:
        port = between.port
        screen = await sit(table, table.screen_path(room), port, PROJECTOR)
        console = await sit(table, table.host_path(room), port, LAPTOP)
        link = table.host_path(room).replace("/host", "/report")
        report = await sit(table, link, port, LAPTOP)
        phone = await sit(table, f"/j/{room}", port, PHONE)
        await phone.get_by_label("Your name").fill("Ada")
        await phone.get_by_role("button", name="Join", exact=True).click()
        pages = (phone, screen, console, report)
        await pass_time(pages)
        await asyncio.gather(*(says(page, *CAUSES[kind]) for page in pages))
        await open_menu(console)
        assert await console.get_by_role("button", name="Lock the room").is_disabled()
        if kind == "forbids":
            for page in pages:
                await page.clock.resume()  # axe takes its time
                assert await violations(page) == []


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["forbids", "strips"])
async def test_pages_that_were_connected_say_what_blocks_them_now(
    table: Table, kind: Kind
) -> None:
    SOCKETS.clear()  # a closed page may not say that its connection is gone
    room = await table.open_room(length=1)
    async with obstacle("passes", table.server.port) as between:
        port = between.port
        report_path = table.host_path(room).replace("/host#", "/report#")
        screen = await sit(table, table.screen_path(room), port, PROJECTOR)
        console = await sit(table, table.host_path(room), port, LAPTOP)
        report = await sit(table, report_path, port, LAPTOP)
        phone = await sit(table, f"/j/{room}", port, PHONE)
        await phone.get_by_label("Your name").fill("Ada")
        await phone.get_by_role("button", name="Join", exact=True).click()
        await phone.locator("main").get_by_text("You’re in, Ada").wait_for()
        await console.locator(".big").wait_for()
        await report.get_by_role("heading", level=1).first.wait_for()
        pages = (phone, screen, console, report)
        await between.turn(kind)
        await are_cut(pages)
        await pass_time(pages)
        for page in pages:
            await wait_on(page, CAUSES[kind][-1])
        await asyncio.gather(*(says(page, *CAUSES[kind]) for page in pages))
        for page in pages:
            await page.clock.resume()  # axe takes its time
            assert await violations(page) == []
        await (
            phone.locator("main").get_by_text("You’re in, Ada").wait_for()
        )  # what was there stays
        await between.turn("passes")
        for page in pages:
            await page.get_by_text("t connect to the game").wait_for(state="detached")


async def test_a_question_that_gets_no_answer_costs_three_seconds_more(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    async with obstacle("forbids", table.server.port) as between:
        profile = await still(table, PROJECTOR)
        await profile.route("**/why.json*", lambda _: None)  # never answered
        path = table.screen_path(room)
        screen = await table.sit(path, port=between.port, profile=profile)
        async with screen.expect_request("**/why.json*", timeout=MACHINE_S * 1000):
            await pass_time([screen])
        assert "responding" not in await screen.inner_text("body")
        await screen.clock.run_for(ANSWER_MS)
        await says(screen, "The server isn’t responding", "still running")


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
