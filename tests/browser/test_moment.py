"""A page that opens, reloads or reconnects while the phase changes shows the new one.

Found in others: a subscription opened around a change learned of it 30 s later.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

import pytest

from tests.browser.table import Table
from tests.browser.wire import Wire, wire_to

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = 8
CHANGES = 25
"""Together 200 tries."""

CYCLE = (
    ("open_round", "Voting opens in a moment"),
    ("open_vote", "Which gap broke?"),
    ("back_to_lobby", "you’re in"),
)
SHOWS = "text => document.body.innerText.toLowerCase().includes(text.toLowerCase())"


async def test_no_page_misses_a_change(table: Table) -> None:
    chance = random.Random(7)
    async with contextlib.AsyncExitStack() as stack:
        room = await table.open_room()
        wires = [
            await stack.enter_async_context(wire_to(table.server.port))
            for _ in range(PAGES)
        ]
        pages = [await _join(table, room, i, wire) for i, wire in enumerate(wires)]
        host = await stack.enter_async_context(table.host(room))
        for change in range(CHANGES):
            command, shows = CYCLE[change % len(CYCLE)]
            async with asyncio.TaskGroup() as group:
                for page, wire in zip(pages, wires, strict=True):
                    group.create_task(_disturb(page, wire, chance), name="disturb")
                await asyncio.sleep(chance.uniform(0, 0.15))
                await host.ask(command)
            await asyncio.gather(*(_must_show(page, shows) for page in pages))


async def _join(table: Table, room: str, i: int, wire: Wire) -> Page:
    page = await table.sit(f"/j/{room}", port=wire.port)
    await page.get_by_label("Your name").fill(f"Player {i}")
    await page.get_by_role("button", name="Join", exact=True).click()
    await _must_show(page, "you’re in")
    return page


async def _disturb(page: Page, wire: Wire, chance: random.Random) -> None:
    """Reload the page, open it again, or cut its line, a little sooner or later."""
    way = chance.choice(("reload", "reload", "open", "cut"))
    await asyncio.sleep(chance.uniform(0, 0.15))
    if way == "reload":
        await page.reload()
    elif way == "open":
        address = page.url
        await page.goto("about:blank")
        await page.goto(address)
    else:
        wire.cut()
        wire.restore()


async def _must_show(page: Page, text: str) -> None:
    await page.wait_for_function(SHOWS, arg=text)
