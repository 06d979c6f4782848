"""Plays a game and writes the README's pictures.

``python -m tests.browser.screenshots`` takes a folder (default docs/pictures). Not a
test: look at the pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from client import session
from client.player import Player
from scenarios.model import Label
from server.app import Config, running
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.table import LAPTOP, NAMED, PHONE, PROJECTOR, Table, show_private

if TYPE_CHECKING:
    from playwright.async_api import Page

OUT = Path(__file__).parents[2] / "docs" / "pictures"
NAMES = (
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Margaret",
    "Tim",
    "Radia",
    "Linus",
    "Katherine",
    "Claude",
    "Hedy",
    "Dennis",
    "Joan",
    "Guido",
    "Frances",
    "Ken",
    "Shafi",
    "Leslie",
    "Maryam",
    "Sofia",
    "Emmy",
)
REASONS = (
    "The score counted targets, so circling was what it was paid for.",
    "It did not care for the race because it had never learned to.",
)


STILL = """async () => {
  await document.fonts.ready;
  await new Promise((done) => setTimeout(done, 300));
  await Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {})));
}"""
"""Fonts have come, and what moves has arrived."""


ADDRESS = "http://192.168.1.20:8000"
"""What a class would see on the projector; nothing is there."""


async def main(out: Path) -> None:
    """Play one round and take the pictures."""
    async with (
        running(Config(port=0, origins=NAMED, public_url=ADDRESS)) as server,
        async_playwright() as play,
        contextlib.AsyncExitStack() as stack,
    ):
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        table = Table(chromium, server, host_name="127.0.0.1")
        room = await table.open_room(length=3)
        url = f"http://127.0.0.1:{server.port}"
        players = [
            await stack.enter_async_context(session.running(Player(url, room, name)))
            for name in NAMES
        ]
        phone, console, screen = await seats(table, room)
        host = await stack.enter_async_context(table.host(room))
        await take(out / "lobby.png", screen)

        await host.ask("open_round")
        await host.ask("open_vote")
        await vote(players, right=13)
        await phone.locator("button.gap.outer").click()
        await phone.locator(".chips button").nth(3).click()
        await show_private(console)
        await console.get_by_role("button", name="Show after the vote").first.wait_for()
        await take(out / "vote.png", phone)
        await host.ask("close_votes", override=True)
        await take(out / "console.png", console)

        await host.ask("discuss")
        await host.ask("revote")
        await vote(players, right=19)
        await host.ask("close_votes", override=True)
        await host.ask("reveal")
        for _ in range(4):
            await host.ask("next_step")
        await take(out / "reveal.png", screen)
        await chromium.close()


async def seats(table: Table, room: str) -> tuple[Page, Page, Page]:
    """Open a phone, the console and the projector."""
    phone = await table.sit(f"/j/{room}", size=PHONE, device_scale_factor=2)
    await phone.locator("#name").fill("Noor")
    await phone.locator("button.main").click()
    console = await table.sit(table.host_path(room), size=LAPTOP)
    return phone, console, await table.sit(table.screen_path(room), size=PROJECTOR)


async def vote(players: list[Player], right: int) -> None:
    """Answer the open vote; ``right`` of the players are right."""
    sure = (60, 80, 90, 70, 50)
    async with asyncio.TaskGroup() as group:
        for i, player in enumerate(players):
            label = Label.OUTER if i < right else Label.INNER
            reason = REASONS[i >= right] if i % 4 == 1 else ""
            voting = player.vote(label, sure[i % 5], reason, to=player.view)
            group.create_task(voting, name="vote")


async def take(path: Path, page: Page) -> None:
    """Write a picture of a page that has come to rest."""
    await page.wait_for_load_state("networkidle")
    await page.evaluate(STILL)
    await page.screenshot(path=path)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder))
