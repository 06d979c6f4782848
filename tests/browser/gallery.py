"""Plays a whole lesson and pictures every page in every phase, at every size.

``python -m tests.browser.gallery [FOLDER]`` writes a folder of pictures for each moment
to FOLDER (default build/gallery), one contact sheet for each moment to
docs/pictures/gallery, and docs/gallery.md, which shows them. Not a test: look at the
pictures.
"""

from __future__ import annotations

import asyncio
import base64
import html
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from scenarios.load import load_library
from server.app import Config, Running, running
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.lesson import Lesson, lesson
from tests.browser.screenshots import ADDRESS, OUT, STILL
from tests.browser.table import NAMED, Table
from tests.browser.test_layout import opened, settle
from tests.browser.test_wall import PODIUM
from tests.support.shown import Look, moments

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

SHEETS = OUT / "gallery"
PAGE = OUT.parent / "gallery.md"
SINGLE = Path(__file__).parents[2] / "build" / "gallery"


@dataclass(frozen=True)
class View:
    """One picture of a moment: whose page, how large, light or dark."""

    who: str
    width: int
    height: int
    is_dark: bool = False

    @property
    def name(self) -> str:
        """What the picture is called."""
        return f"{self.who}-{self.width}x{self.height}" + "-dark" * self.is_dark


VIEWS = (
    View("wall", 1920, 1080),
    View("wall", 1024, 768),
    View("wall", 1280, 720),
    View("wall", 1280, 720, is_dark=True),
    View("wall", 3840, 2160),
    View("phone", 390, 844),
    View("phone", 360, 640),
    View("phone", 360, 640, is_dark=True),
    View("phone", 640, 360),
    View("phone", 768, 1024),
    View("phone", 1366, 768),
    View("phone-silent", 390, 844),
    View("phone-late", 390, 844),
    View("console", 1280, 800),
    View("console", 1024, 768),
    View("console", 390, 844),
    View("console", 1280, 800, is_dark=True),
)

WALL = VIEWS[0]
AFTER = (
    View("report", 1280, 900),
    View("report", 390, 844),
    View("report", 1280, 900, is_dark=True),
    View("admin", 1280, 900),
    View("admin", 390, 844),
)

SLOW = {"opening-line": 6, "reveal-tallies": 3, "finished": 3}
"""Moments in which something moves, and for how many seconds."""


@dataclass
class Gallery:
    """Two folders: the single pictures of each moment, and its contact sheet."""

    chromium: Browser
    single: Path
    sheets: Path
    names: list[str] = field(default_factory=list)

    async def add(self, moment: str, pictures: Mapping[str, bytes]) -> None:
        """Add the pictures of a moment, by the names of their files."""
        name = f"{len(self.names) + 1:02}-{moment}"
        self.names.append(name)
        keep(self.single / name, pictures)
        keep(self.sheets, {f"{name}.webp": await sheet(self.chromium, pictures)})


def keep(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


async def main(single: Path, sheets: Path) -> list[str]:
    """Play, take the pictures, put them together, and return what they are called."""
    config = Config(port=0, origins=NAMED, public_url=ADDRESS)
    async with running(config) as server, async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        gallery = Gallery(chromium, single, sheets)
        table = Table(chromium, server, host_name="127.0.0.1")
        async with lesson(table) as played:
            seen: set[str] = set()
            async for moment in played.moments():
                if moment not in seen:
                    seen.add(moment)
                    await gallery.add(moment, await take(played, moment))
            await gallery.add("after", await after(table, played))
        await gallery.add("crowds", await crowds(chromium, server))
        print(f"{played.presses} presses, {len(gallery.names)} moments")
        print(*table.complaints(), sep="\n")
        await chromium.close()
    return gallery.names


async def take(played: Lesson, moment: str) -> dict[str, bytes]:
    """Return the pictures of one moment of a lesson."""
    await played.wall.bring_to_front()  # a page that cannot be seen draws nothing
    await asyncio.sleep(SLOW.get(moment, 0))
    taken: dict[str, bytes] = {}
    for look in VIEWS:
        page = page_of(played, look.who)
        if page is not None:
            taken[f"{look.name}.png"] = await picture(page, look)
    for who in ("wall", "phone", "console"):
        page, first = page_of(played, who), next(one for one in VIEWS if one.who == who)
        assert page is not None
        await page.set_viewport_size({"width": first.width, "height": first.height})
    return taken


async def after(table: Table, played: Lesson) -> dict[str, bytes]:
    """Return pictures of what a host has of a lesson afterwards."""
    path = table.host_path(played.room).replace("/host", "/report")
    report = await table.sit(path)
    await report.locator(".sentence, .next-cases, main h2").first.wait_for()
    admin = await table.sit(table.admin_path())
    await admin.locator("main h2").first.wait_for()
    pages = {"report": report, "admin": admin}
    return {f"{look.name}.png": await picture(pages[look.who], look) for look in AFTER}


LEAST_SHOWN = 5
"""Smaller numbers of people who changed sides are not told."""


async def crowds(chromium: Browser, server: Running) -> dict[str, bytes]:
    """Return the wall of small and large classes at the reveal, and a podium."""
    library = load_library()
    found = list(moments(library.deck("first-class"), library, Look(pins=0)))
    reveal = next(one for one in found if one.phase == "reveal.tallies")
    taken: dict[str, bytes] = {}
    async with opened(chromium, server, "screen", (1920, 1080), "en-GB") as page:
        await settle(page, reveal, "screen")
        for number, n in enumerate((5, 30, 300, 3000), start=2):
            view = reveal.screen[0]["view"]
            view["before"] = {
                "n": n,
                "options": {"outer": n * 2 // 5, "inner": n - n * 2 // 5},
            }
            view["after"] = {
                "n": n,
                "options": {"outer": n * 4 // 5, "inner": n - n * 4 // 5},
            }
            over = (
                view["after"]["options"]["outer"] - view["before"]["options"]["outer"]
            )
            n_over = over if over >= LEAST_SHOWN else None
            view["moves"] = [{"before": "inner", "after": "outer", "n": n_over}]
            await page.evaluate("([f, v]) => show(f, v)", [list(reveal.screen), number])
            taken[f"wall-{n}-people.png"] = await picture(page, WALL)
        found[-1].screen[0]["view"]["podium"] = PODIUM
        await page.evaluate("f => show(f, 9)", list(found[-1].screen))
        taken["wall-podium.png"] = await picture(page, WALL)
    return taken


async def picture(page: Page, view: View) -> bytes:
    """Return a picture of a page of this size that has come to rest."""
    await page.emulate_media(color_scheme="dark" if view.is_dark else "light")
    await page.evaluate(  # what fills the screen has no other size
        "() => document.fullscreenElement && document.exitFullscreen()"
    )
    await page.set_viewport_size({"width": view.width, "height": view.height})
    await page.wait_for_load_state("networkidle")
    await page.evaluate(STILL)
    return await page.screenshot()


def page_of(played: Lesson, who: str) -> Page | None:
    """Return the page that a picture is of; None if it has not come yet."""
    pages: dict[str, Page | None] = {
        "wall": played.wall,
        "console": played.console,
        "phone": played.phones["Noor"],
        "phone-silent": played.phones["Ines"],
        "phone-late": played.phones.get("Samir"),
    }
    return pages[who]


async def sheet(chromium: Browser, pictures: Mapping[str, bytes]) -> bytes:
    """Return a moment's pictures on one sheet, in WebP."""
    context = await chromium.new_context(viewport={"width": 1320, "height": 900})
    page = await context.new_page()
    await page.set_content("".join(_sheet(pictures)))
    await page.wait_for_function(
        "() => [...document.images].every((one) => one.complete)"
    )
    height = await page.evaluate("document.documentElement.scrollHeight")
    cdp = await context.new_cdp_session(page)
    shot = await cdp.send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": 42,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": 1320, "height": height, "scale": 1},
        },
    )
    await context.close()
    return base64.b64decode(shot["data"])


STYLE = """<style>
  body { margin: 16px; background: #8a8a8a; font: 13px sans-serif; color: #fff; }
  section { display: flex; flex-wrap: wrap; gap: 12px; align-items: start; }
  section + section { margin-top: 12px; }
  figure { margin: 0; }
  figcaption { margin-bottom: 3px; }
  img { display: block; height: var(--h); }
</style>"""
HEIGHTS = {"wall": 190, "phone": 270, "console": 190, "report": 300, "admin": 300}
"""How high pictures are on a sheet, in pixels."""


def _sheet(pictures: Mapping[str, bytes]) -> Iterator[str]:
    yield STYLE
    for kind, height in HEIGHTS.items():
        yield f'<section style="--h: {height}px">'
        for name, content in pictures.items():
            if name.startswith(kind):
                data = base64.b64encode(content).decode()
                yield f"<figure><figcaption>{html.escape(Path(name).stem)}"
                yield f'</figcaption><img src="data:image/png;base64,{data}"></figure>'
        yield "</section>"


INTRO = """# A lesson in pictures

A class of 22 plays *First class* from the lobby to the report. One phone answers
everything, one never answers, and one joins after the first vote. The host presses the
big button throughout, and *Let them say it* once, where the host also shows a sentence
to everyone. Each picture is a contact sheet of one moment. It shows the wall, the
phones and the console at every size that the tests measure, in light and dark mode.
`make gallery` plays the lesson again and writes this page.
"""
SECTIONS = {
    "Before the first case": ("lobby", "opening"),
    "Two votes, and the discussion between them": (
        "read",
        "vote",
        "vote_closed",
        "contrast",
        "discuss",
        "revote",
        "revote_closed",
    ),
    "The reveal": ("reveal", "say"),
    "The repair, and a twin": ("fix", "fix_reveal", "transfer", "transfer_reveal"),
    "The end": ("example", "finished"),
    "Afterwards, and classes of other sizes": ("after", "crowds"),
}
"""Sections of the page, with the phases in each."""


def page_of_sheets(names: Sequence[str]) -> str:
    """Return docs/gallery.md: every sheet once, by its file's name without ending."""
    parts = [INTRO]
    for title, phases in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        parts += [
            f"![{name[3:]}](pictures/gallery/{name}.webp)"
            for name in names
            if name.split("-")[1] in phases
        ]
    return "\n".join(parts) + "\n"


def write(single: Path) -> None:
    """Write the pictures, the sheets and the page; what was there before goes."""
    for old in SHEETS.glob("*.webp"):
        old.unlink()
    names = asyncio.run(main(single, SHEETS))
    PAGE.write_text(page_of_sheets(names), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else SINGLE)
