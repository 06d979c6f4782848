"""Two sites with a real broker between them, and browsers at both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import expect

from server.app import Config, running
from tests.browser.table import NAMED, Table
from tests.support.broker import Broker, open_broker

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

LOOK_S = 0.2


@contextlib.asynccontextmanager
async def two_sites(
    browser: Browser, folder: Path
) -> AsyncIterator[tuple[Broker, Table, Table]]:
    """Run a broker, a home and an edge; yield it and a table at each."""
    broker = open_broker("mosquitto", folder)
    await broker.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(broker.kill)
        tables = []
        for name in ("berlin", "lisbon"):
            config = Config(
                port=0,
                origins=NAMED,
                data=folder / name,
                broker=broker.url(),
                site=name,
            )
            node = await stack.enter_async_context(running(config))
            tables.append(Table(browser, node))
            stack.push_async_callback(tables[-1].leave)
        yield broker, *tables


async def join(table: Table, room: str) -> Page:
    """Join by phone, again and again until the site has heard of the room."""
    page = await table.sit(f"/j/{room}")
    await page.locator("#name").fill("Ada")
    lobby = page.locator("main[data-phase=lobby]")
    while not await lobby.count():
        await page.locator("button.main").click()
        await expect(lobby.or_(page.get_by_role("alert"))).to_be_visible()
        await asyncio.sleep(LOOK_S)
    return page
