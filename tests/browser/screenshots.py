"""Plays a game and writes the README's pictures.

``python -m tests.browser.screenshots`` takes a folder (default docs/pictures). Not a
test: look at the pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from client import session
from client.player import Player
from scenarios.model import Label
from server.app import Config, running
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.table import LAPTOP, PHONE, PROJECTOR, Table

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


async def main(out: Path) -> None:
    """Play one round and take the pictures."""
    chance = random.Random(4)
    async with (
        running(Config(port=0)) as server,
        async_playwright() as play,
        contextlib.AsyncExitStack() as stack,
    ):
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        table = Table(chromium, server)
        room = await table.open_room(length=3)
        url = f"http://127.0.0.1:{server.port}"
        players = [
            await stack.enter_async_context(session.running(Player(url, room, name)))
            for name in NAMES
        ]
        pages = await seats(table, room)
        host = await stack.enter_async_context(table.host(room))
        await take(out, "lobby", pages, "screen")

        await host.ask("open_round")
        await host.ask("open_vote")
        phone = pages["phone"]
        await phone.locator("button.gap.outer").wait_for()
        await take(out, "vote", pages, "phone")
        await asyncio.gather(*(vote(p, 0.55, chance) for p in players))
        await phone.locator("button.gap.outer").click()
        await phone.locator(".chips button").nth(3).click()
        await pages["console"].keyboard.press("p")
        await take(out, "sure", pages, "phone")
        await host.ask("close_votes", override=True)
        await take(out, "console", pages, "console")

        await host.ask("discuss")
        await host.ask("revote")
        await phone.get_by_role("button", name="I stick with mine").click()
        await asyncio.gather(*(vote(p, 0.8, chance) for p in players[:18]))
        await host.ask("close_votes", override=True)
        await host.ask("reveal")
        await take(out, "tallies", pages, "screen")
        for _ in range(4):
            await host.ask("next_step")
        await take(out, "reveal", pages, "screen", "phone")
        await chromium.close()


async def seats(table: Table, room: str) -> dict[str, Page]:
    """Open a phone, the console and the projector, light and dark."""
    phone = await table.sit(f"/j/{room}", size=PHONE, device_scale_factor=2)
    await phone.locator("#name").fill("Noor")
    await phone.locator("button.main").click()
    screen, console = table.screen_path(room), table.host_path(room)
    dark: dict[str, Any] = {"color_scheme": "dark"}
    return {
        "phone": phone,
        "console": await table.sit(console, size=LAPTOP),
        "screen": await table.sit(screen, size=PROJECTOR),
        "screen-dark": await table.sit(screen, size=PROJECTOR, **dark),
    }


async def vote(player: Player, share: float, chance: random.Random) -> None:
    """Answer the open vote; ``share`` of the class is right."""
    is_right = chance.random() < share
    label = Label.OUTER if is_right else Label.INNER
    reason = REASONS[not is_right] if chance.random() < 0.3 else ""
    await player.vote(label, chance.choice([50, 60, 70, 80, 90]), reason)


async def take(out: Path, name: str, pages: dict[str, Page], *which: str) -> None:
    """Write a picture of these pages, and of their dark fellows."""
    for key, page in pages.items():
        if key.removesuffix("-dark") in which:
            await page.wait_for_load_state("networkidle")
            await page.evaluate(STILL)
            await page.screenshot(path=out / f"{name}-{key}.png")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder))
