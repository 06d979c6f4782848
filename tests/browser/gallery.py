"""Pictures of every phase at every size, light and dark, with all that is long or many.

``python -m tests.browser.gallery FOLDER``. Not a test: a person has to look at them.
Three rooms are played: a crowd of 300 with long names and the longest stories, a room
that asks about each link separately, and one without players.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from client import session
from client.player import Player
from scenarios.load import load_library
from scenarios.model import Case, Label
from server.app import Config, running
from server.game.answers import FixAnswer, LinkAnswer, LinksAnswer
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.screenshots import STILL
from tests.browser.staff import Staff
from tests.browser.table import LAPTOP, NAMED, PHONE, PROJECTOR, Table, show_private

if TYPE_CHECKING:
    from playwright.async_api import Page

CROWD = 300
LONG_NAME = "Wilhelmine-Maximiliane W"
REASON = (
    "The score in the game counted targets along the lagoon and never the place in the "
    "race, so going round in circles for ever was exactly what it had been paid for; "
    "no one who reads that objective can call it a mistake of the learner, however odd "
    "the boat looks while it burns."
)
STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("1-read", "open_round", {}),
    ("2-vote", "open_vote", {}),
    ("3-closed", "close_votes", {"override": True}),
    ("4-contrast", "contrast", {}),
    ("5-discuss", "discuss", {}),
    ("6-revote", "revote", {}),
    ("6-revote-closed", "close_votes", {"override": True}),
    ("7-tallies", "reveal", {}),
    ("8-drawing", "next_step", {}),
    ("8-learned", "next_step", {}),
    ("8-verdict", "next_step", {}),
    ("9-why-not", "next_step", {}),
    ("9-whole", "next_step", {"all": True}),
    ("a-fix", "ask_fix", {}),
    ("b-fix-reveal", "close_votes", {"override": True}),
    ("c-transfer", "transfer", {}),
    ("d-transfer-reveal", "close_votes", {"override": True}),
)


BESIDE = (
    ("green-goal", "youtube-clicks"),
    ("cleaning-robot", "coinrun-runs-past-coin"),
)
"""Contrast and transfer case of each round."""


def longest(cases: Sequence[Case]) -> str:
    """Return the case with the longest story."""
    return max(cases, key=lambda case: len(case.story)).id


def decks() -> dict[str, list[str]]:
    """Return what each room plays: long and contested; both gaps and neither."""
    cases = list(load_library().cases.values())
    plain = [c for c in cases if not c.contested]
    one = [c for c in plain if c.truth.outer != c.truth.inner]
    both = [c for c in plain if c.truth.outer and c.truth.inner]
    neither = [c for c in plain if not c.truth.outer and not c.truth.inner]
    contested = [c for c in cases if c.contested]
    return {
        "crowd": [longest(one), longest(contested)],
        "links": [longest(both), longest(neither)],
        "empty": [longest(one)],
    }


def write_decks(folder: Path) -> None:
    """Write the rooms' decks, each round with a contrast and a transfer case."""
    for name, cases in decks().items():
        lines = [
            f'id = "{name}"\nversion = 1\ntitle = "Everything that is long, in a row"',
            'audience = "People who look at pictures."\nminutes = 30\norder = "fixed"',
            'teaches = "How the pages look."',
        ]
        lines += [
            f'[[rounds]]\ncase = "{case}"\ncontrast = "{contrast}"\n'
            f'transfer = "{transfer}"'
            for case, (contrast, transfer) in zip(cases, BESIDE, strict=False)
        ]
        deck = folder / "decks" / f"{name}.toml"
        deck.parent.mkdir(exist_ok=True)
        deck.write_text("\n".join(lines) + "\n")


async def main(out: Path) -> None:
    """Play the rooms and take the pictures."""
    with tempfile.TemporaryDirectory() as cases:
        write_decks(Path(cases))
        config = Config(port=0, origins=NAMED, cases=(Path(cases),))
        async with running(config) as server, async_playwright() as play:
            chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            for name in decks():
                table = Table(chromium, server)
                await play_room(table, name, out)
                await table.leave()
            await chromium.close()


async def play_room(table: Table, name: str, out: Path) -> None:
    """Play a whole game in one room, and look at every phase."""
    settings: dict[str, Any] = {"two_link": name == "links"}
    if name == "crowd":
        settings |= {"podium": True, "teams": ["Team Ring", "Team Dot"]}
    room = await table.open_room(deck=name, settings=settings)
    size = {"crowd": CROWD, "links": 12, "empty": 0}[name]
    async with contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{table.server.port}"
        players = [
            await stack.enter_async_context(
                session.running(Player(url, room, f"{LONG_NAME[: 8 + i % 17]}"))
            )
            for i in range(size)
        ]
        pages = await seats(table, room, bool(size))
        host = await stack.enter_async_context(table.host(room))
        await take(out, f"{name}-0-lobby", pages)
        for round_ in range(len(decks()[name])):
            for step, command, fields in STEPS:
                try:
                    await host.ask(command, **fields)
                except AssertionError as refused:
                    print(name, round_, step, refused)
                    continue
                await take(out, f"{name}-{round_}-{step}", pages)
                if step[2:] in ("vote", "revote", "transfer", "fix"):
                    await answer(players, pages, step[2:])
                    await asyncio.sleep(0.5)
                    await take(out, f"{name}-{round_}-{step}-answered", pages)
                if (round_, step) == (0, "2-vote") and players:
                    await pin(host, pages)
        await host.ask("finish")
        await take(out, f"{name}-z-finished", pages)


async def pin(host: Staff, pages: dict[str, Page]) -> None:
    """Show the private panel and pin one reason."""
    for key in ("console", "console-dark", "console-phone"):
        await show_private(pages[key])
        button = pages[key].get_by_role("button", name="Show after the vote").first
        if key == "console":
            await button.click()


async def seats(table: Table, room: str, has_players: bool) -> dict[str, Page]:
    """Open every page at its sizes, light and dark."""
    dark: dict[str, Any] = {"color_scheme": "dark"}
    screen, console = table.screen_path(room), table.host_path(room)
    pages = {
        "console": await table.sit(console, size=LAPTOP),
        "console-dark": await table.sit(console, size=LAPTOP, **dark),
        "console-phone": await table.sit(console, size=PHONE),
        "screen": await table.sit(screen, size=PROJECTOR),
        "screen-dark": await table.sit(screen, size=PROJECTOR, **dark),
        "screen-laptop": await table.sit(screen, size=LAPTOP),
    }
    if has_players:
        for key, look in (("phone", {}), ("phone-dark", dark)):
            pages[key] = await table.sit(f"/j/{room}", **look)
            await pages[key].locator("#name").fill(LONG_NAME)
            await pages[key].locator("button.main").click()
    return pages


async def answer(players: list[Player], pages: dict[str, Page], ballot: str) -> None:
    """Let all players answer, and one phone press its buttons."""
    chance = random.Random(len(ballot))
    votes = (vote(p, ballot, chance, not i % 5) for i, p in enumerate(players))
    await asyncio.gather(*votes)
    for key in ("phone", "phone-dark"):
        page = pages.get(key)
        if page is None:
            continue
        for choice in ("button.gap.inner", ".two button", ".option"):
            for i in range(await page.locator(choice).count()):
                if choice != ".two button" or i % 2 == 0:
                    await page.locator(choice).nth(i).click()
        if await page.locator("#reason").count():
            await page.locator("#reason").fill(REASON)


async def vote(
    player: Player, ballot: str, chance: random.Random, has_reason: bool
) -> None:
    """Answer as chance will have it."""
    reason, seen = REASON if has_reason else "", player.view
    sure = chance.choice([50, 60, 80, 100])
    if ballot == "fix":
        await player.answer(FixAnswer(option=chance.randrange(3)), to=seen)
    elif seen.room.two_link:
        outer = LinkAnswer(broke=chance.random() < 0.7, confidence=sure)
        inner = LinkAnswer(broke=chance.random() < 0.5, confidence=sure)
        await player.answer(LinksAnswer(outer=outer, inner=inner), reason, to=seen)
    else:
        label = Label.OUTER if chance.random() < 0.6 else Label.INNER
        await player.vote(label, sure, reason, to=seen)


async def take(out: Path, name: str, pages: dict[str, Page]) -> None:
    """Write a picture of each page; of phones the whole length."""
    await asyncio.gather(*(_take(out, name, key, pages[key]) for key in pages))


async def _take(out: Path, name: str, key: str, page: Page) -> None:
    await page.wait_for_load_state("networkidle")
    await page.evaluate(STILL)
    await page.screenshot(path=out / f"{key}-{name}.png")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder))
