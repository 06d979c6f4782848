"""Takes pictures of the reports of four known classes.

``python -m tests.browser.report_pictures`` takes a folder (default docs/pictures). Not
a test: look at the pictures.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from server.app import Config, running
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.screenshots import OUT, take
from tests.browser.table import NAMED, Table
from tests.support.cases import SECRET
from tests.support.known_classes import CLASSES, store_classes

SIZE = {"width": 1000, "height": 1240}
NAMES = {
    "KX2222": "all-outer",
    "KX3333": "guessing",
    "KX4444": "expert",
    "KX5555": "split",
}


async def main(out: Path, whole: bool) -> None:
    """Open each report and take its picture: the first page, or the whole of it."""
    with tempfile.TemporaryDirectory() as folder:
        await store_classes(Path(folder))
        config = Config(port=0, origins=NAMED, data=Path(folder), keep_days=0)
        async with running(config) as server, async_playwright() as play:
            chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            table = Table(chromium, server)
            for code in CLASSES:
                page = await table.sit(f"/report#room={code}&key={SECRET}", size=SIZE)
                await page.locator(".sentence").wait_for()
                if whole:
                    await page.screenshot(path=out / f"{code}.png", full_page=True)
                    await page.pdf(path=out / f"{code}.pdf", prefer_css_page_size=True)
                else:
                    await take(out / f"report-{NAMES[code]}.png", page)
            await chromium.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder, whole="--whole" in sys.argv))
