"""A console in a browser: its big button, and a room of one player around it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PROJECTOR, Table, violations

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page


def big(host: Page) -> Locator:
    """Return the one big button, once it waits for nothing."""
    return host.locator("[aria-keyshortcuts=Space][aria-disabled=false]")


async def join(table: Table, room: str, name: str) -> Page:
    """Join as a player."""
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await expect(
        page.locator("main").get_by_text(f"You’re in, {name}.")
    ).to_be_visible()
    return page


async def vote(player: Page, gap: str, reason: str = "") -> None:
    """Choose a gap, perhaps with a reason, and see it recorded."""
    await player.get_by_role("button", name=re.compile(f"^{gap}")).click()
    if reason:
        await player.get_by_label("Which fact decides it?").fill(reason)
        await player.get_by_role("button", name="Send", exact=True).click()
    await expect(player.get_by_text("Recorded")).to_be_visible()


async def in_vote(
    table: Table, *, is_one_browser: bool = False
) -> tuple[Page, Page, Page]:
    """Return console, projector and one player of a room whose vote is open.

    ``is_one_browser``: the projector's page is another window of the console's browser.
    """
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    profile = host.context if is_one_browser else None
    screen = await table.sit(table.screen_path(room), size=PROJECTOR, profile=profile)
    await screen.set_viewport_size({"width": 1920, "height": 1080})
    player = await join(table, room, "Ada")
    await expect(big(host)).to_have_text("Open the next case")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Open voting")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Close voting")
    return host, screen, player


async def stop_clock(page: Page) -> None:
    """Let time pass on a page only when a test says so."""
    now = datetime.now(UTC)
    await page.clock.install(time=now)
    await page.clock.pause_at(now + timedelta(seconds=1))


async def must_be_accessible(page: Page) -> None:
    """Let axe look at a page, light and dark."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = await violations(page)
        assert found == [], (scheme, found)
