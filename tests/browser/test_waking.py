"""A phone that wakes up: its socket died while it slept, and no one told it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PROJECTOR, Table
from tests.browser.test_game import join, must_show
from tests.support.cuttable import cuttable
from tests.support.figures import Figure

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNASKED_S = 15
"""When a page that nothing woke would first ask whether its line is alive."""

TOOK_MS = """([event, shows]) => new Promise((resolve) => {
  const start = performance.now();
  const look = () => {
    if (document.querySelector(shows)) return resolve(performance.now() - start);
    setTimeout(look, 20);
  };
  const target = event === "visibilitychange" ? document : window;
  target.dispatchEvent(new Event(event));
  look();
})"""
"""Fires an event; returns how long it took until a selector was found, in ms."""


COUNT_SOCKETS = """() => {
  window.opened = 0;
  const Real = WebSocket;
  window.WebSocket = class extends Real {
    constructor(...all) { super(...all); window.opened += 1; }
  };
}"""


async def wakes_in_s(page: Page, event: str, shows: str) -> float:
    """Wake a page up by an event; return the seconds until it shows a selector."""
    return float(await page.evaluate(TOOK_MS, [event, shows])) / 1000


@pytest.mark.parametrize("event", ["visibilitychange", "online", "pageshow"])
async def test_every_page_is_in_the_right_phase_soon_after_it_wakes(
    table: Table, figure: Figure, event: str
) -> None:
    room = await table.open_room(length=1)
    async with cuttable(table.server.port) as line, table.host(room) as host:
        phone = await join(table, room, "Ada", line.port)
        path = table.screen_path(room)
        screen = await table.sit(path, size=PROJECTOR, port=line.port)
        await must_show(screen, "Ada")
        path = table.host_path(room)
        console = await table.sit(path, size=LAPTOP, port=line.port)
        await must_show(console, "Ada")
        line.swallow()
        await host.ask("open_round", round=None)
        await host.ask("open_vote")
        took_s = {
            "phone": await wakes_in_s(phone, event, "button.gap"),
            "screen": await wakes_in_s(screen, event, ".foot .count"),
            "console": await wakes_in_s(console, event, ".foot .count"),
        }
        figure(
            f"right again after {event}: "
            + ", ".join(f"{page} {s:.1f} s" for page, s in took_s.items())
        )
        assert max(took_s.values()) < UNASKED_S, took_s


async def test_a_vote_that_nothing_answers_finds_another_way(table: Table) -> None:
    room = await table.open_room(length=1)
    async with cuttable(table.server.port) as line, table.host(room) as host:
        phone = await join(table, room, "Ada", line.port)
        await host.ask("open_round", round=None)
        await host.ask("open_vote")
        await phone.locator("button.gap.outer").wait_for()
        line.swallow()
        await phone.locator("button.gap.outer").click()
        await expect(phone.locator(".state.sending")).to_be_visible()
        recorded = phone.locator(".state.recorded")
        await expect(recorded).to_be_visible(timeout=UNASKED_S * 1000)


async def test_a_line_that_answers_is_kept(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room, "Ada")
    await page.evaluate(COUNT_SOCKETS)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.wait_for_timeout(2500)  # longer than a line may take to answer
    assert await page.evaluate("window.opened") == 0
