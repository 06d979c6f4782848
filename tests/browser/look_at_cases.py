"""How far each case scrolls on a phone, in every moment of its round.

``python -m tests.browser.look_at_cases [--pictures FOLDER] [--seed N] [--count N]
[ID ...]`` draws cases by seed (20, seed 7). It walks each through the preview at
360 × 640, prints how many screens each moment fills, and keeps pictures if a folder
is named. A person also has to look at them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from scenarios.load import load_library
from server.app import Config, running
from server.game.rehearsal import scenes_of
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.table import NAMED, PHONE, Table

if TYPE_CHECKING:
    from playwright.async_api import Page

MOST_SCREENS = 2
SCENES = [scene.name for scene in scenes_of(load_library().case("four-hours"))]


def draw(seed: int, count: int) -> list[str]:
    """Return the ids of ``count`` cases, the same for the same seed."""
    every = sorted(load_library().cases)
    return random.Random(seed).sample(every, min(count, len(every)))


def preview_path(table: Table, case_id: str, show: str, step: int) -> str:
    """Return the path of one moment of a preview."""
    key = table.server.admin_key
    return f"/preview#admin={key}&case={case_id}&show={show}&step={step}"


async def moments(
    table: Table, case_id: str, steps: Sequence[int] = range(len(SCENES))
) -> AsyncIterator[tuple[int, Page, float]]:
    """Walk a phone through a case; yield each moment and the screens it fills."""
    page = await table.sit(preview_path(table, case_id, "phone", steps[0]), size=PHONE)
    for step in steps:
        path = preview_path(table, case_id, "phone", step)
        await page.evaluate("path => location.replace(path)", path)
        await page.locator(f"[data-scene='{SCENES[step]}'] main h1").first.wait_for()
        height = await page.evaluate("document.documentElement.scrollHeight")
        yield step, page, height / PHONE["height"]


async def look(ids: Sequence[str], folder: Path | None) -> bool:
    """Print the measures of each case; return whether all keep to the most screens."""
    is_good = True
    async with (
        running(Config(port=0, origins=NAMED)) as server,
        async_playwright() as play,
    ):
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for case_id in ids:
            table = Table(chromium, server)
            screens = []
            async for step, page, fills in moments(table, case_id):
                screens.append(fills)
                if folder is not None and step in (1, 13, 15):
                    picture = folder / f"{case_id}-{step}.png"
                    await page.screenshot(path=picture, full_page=True)
            is_good = is_good and max(screens) <= MOST_SCREENS
            print(f"{case_id:32}", " ".join(f"{fills:.1f}" for fills in screens))
            await table.leave()
        await chromium.close()
    return is_good


def main() -> None:
    """Read the options, and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("ids", nargs="*")
    asked = parser.parse_args()
    if asked.pictures is not None:
        asked.pictures.mkdir(parents=True, exist_ok=True)
    ids = asked.ids or draw(asked.seed, asked.count)
    if not asyncio.run(look(ids, asked.pictures)):
        raise SystemExit(f"A moment fills more than {MOST_SCREENS} screens.")


if __name__ == "__main__":
    main()
