"""Every phase of every deck fits its page: nothing overlaps, is cut, or is too small.

The pages render views that the server's own functions made (``tests.support.shown``),
so no game is played. A page stays open and is shown one moment after another. The fast
tier takes the longest texts of each phase and a seeded sample, at a few sizes; the full
tier takes them at every size in both languages. The campaign takes every moment of
every deck at both shapes of a wall in one of the two.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from scenarios.load import load_library
from server.app import Running
from tests.support.figures import Figure
from tests.support.shown import CODE, Look, Shown, longest, moments, replaced
from tests.support.tiers import Tier, chosen_tier, seed

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
KEY = "0" * 32
PATHS = {
    "screen": f"/screen#room={CODE}&key={KEY}",
    "host": f"/host#room={CODE}&key={KEY}",
    "player": f"/j/{CODE}",
}

WALLS = ((1920, 1080), (1024, 768), (1280, 720), (3840, 2160))
PHONES = ((360, 640), (390, 844), (640, 360), (768, 1024), (1366, 768), (683, 384))
"""The last is a laptop of 1366 x 768 at 200 %."""
CONSOLES = ((1280, 800), (1024, 768), (390, 844))

READ_PX = 48
"""Least size on a wall of 1080 pixels, of what the class has to read."""
ASIDE_PX = 35
"""The same for the address, the clock, and where a story comes from."""


def sizes(*cases: tuple[object, ...], fast: int, tier: str = "full") -> list[object]:
    """Return the cases of a test; all but the first ``fast`` are of the full tier."""
    return [
        pytest.param(*case, marks=() if number < fast else getattr(pytest.mark, tier))
        for number, case in enumerate(cases)
    ]


LOCALES = ("en-GB", "de-DE")

ON_WALLS = sizes(
    (WALLS[0], "en-GB"),
    (WALLS[1], "de-DE"),
    *((size, "en-GB") for size in WALLS[1:]),
    *((size, "de-DE") for size in (WALLS[0], *WALLS[2:])),
    fast=2,
)
ON_PHONES = sizes(
    (PHONES[0], "de-DE"),
    (PHONES[2], "en-GB"),
    (PHONES[0], "en-GB"),
    *((size, "en-GB") for size in (PHONES[1], *PHONES[3:])),
    *((size, "de-DE") for size in PHONES[1:]),
    fast=2,
)
ON_PAGES = sizes(
    ("host", CONSOLES[1], "de-DE"),
    ("player", PHONES[0], "en-GB"),
    ("player", PHONES[4], "en-GB"),
    *(("host", at, "en-GB") for at in CONSOLES),
    *(("player", at, "de-DE") for at in (PHONES[0], PHONES[4])),
    *(("host", at, "de-DE") for at in (CONSOLES[0], CONSOLES[2])),
    fast=1,
)


def _unlike(found: Sequence[Shown]) -> list[Shown]:
    return list({moment.key: moment for moment in found}.values())


@cache
def longest_moments() -> list[Shown]:
    """Return the longest texts of each phase, with the longest names and reasons."""
    library = load_library()
    one = longest(library, two_link=False)
    two = longest(library, two_link=True)
    return _unlike(
        [
            *moments(one, library, Look()),
            *moments(one, library, Look(is_drawn=True)),
            *moments(two, library, Look(two_link=True)),
        ]
    )


@cache
def all_moments() -> list[Shown]:
    """Return every moment of every deck, with names long and short, and no reasons."""
    library = load_library()
    return _unlike(
        [
            moment
            for deck in library.decks.values()
            for look in LOOKS
            for moment in moments(deck, library, look)
        ]
    )


LOOKS = (
    Look(),
    Look(is_long=False, pins=0),
    Look(two_link=True),
    Look(pins=0, has_people=False),
    Look(is_drawn=True),
)

LONGEST = 3
"""Moments of each phase in the fast tier: those with most text."""
SAMPLE = 25
"""Moments of one deck that the fast tier also takes, by the seed."""


@cache
def longest_of_each_phase() -> list[Shown]:
    """Return the few moments of each phase that have most to say."""
    phases: dict[str, list[Shown]] = {}
    for moment in longest_moments():
        phases.setdefault(moment.phase, []).append(moment)
    return [
        moment
        for found in phases.values()
        for moment in sorted(found, key=lambda one: -one.length)[:LONGEST]
    ]


@cache
def sample_of_a_deck() -> list[Shown]:
    """Return some moments of one deck and one kind of room, both by the seed."""
    library, chance = load_library(), random.Random(seed())
    deck = chance.choice(list(library.decks.values()))
    found = list(moments(deck, library, chance.choice(LOOKS)))
    return chance.sample(found, SAMPLE)


EVERY = {WALLS[0]: 2, WALLS[1]: 2, PHONES[0]: 4}
"""At these sizes the campaign takes one moment of so many in each language, in turns:
on both shapes of a wall every moment is seen in one of the two."""
EIGHT = 8
"""At all other sizes it takes one of eight."""


def chosen(size: tuple[int, int], locale: str, role: str) -> list[Shown]:
    """Return what is looked at in this tier on a page of this size and language."""
    if chosen_tier() is not Tier.CAMPAIGN:
        return _unlike([*longest_of_each_phase(), *sample_of_a_deck()])
    if role == "host":  # its stage is the wall's, which has been looked at
        return _unlike([*longest_of_each_phase(), *all_moments()[:: 5 * EIGHT]])
    turn, step = LOCALES.index(locale), EVERY.get(size, EIGHT)
    return _unlike([*longest_moments(), *all_moments()[turn::step]])


@asynccontextmanager
async def opened(
    browser: Browser,
    server: Running,
    role: str,
    size: tuple[int, int],
    locale: str,
    motion: Literal["reduce", "no-preference"] = "reduce",
    script: str = "",
) -> AsyncIterator[Page]:
    """Open a page whose socket says what the test wants it to say."""
    profile = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=locale,
        reduced_motion=motion,
    )
    await profile.add_init_script(MEASURE + script)
    await profile.add_init_script(
        f"localStorage.setItem('two-gaps token {CODE}', '{KEY}')"
    )
    page = await profile.new_page()
    await page.goto(f"http://127.0.0.1:{server.port}{PATHS[role]}")
    await page.wait_for_function("() => window.isWelcome")
    yield page
    await profile.close()


AT_ONCE = 200
"""Moments that a page is given in one message."""


async def sweep(
    page: Page, found: Sequence[Shown], role: str, limits: dict[str, Any]
) -> dict[str, list[str]]:
    """Show moments one after another; return what is wrong, by the moment's name."""
    frames = [
        [moment.name, list(getattr(moment, role)), number]
        for number, moment in enumerate(found, start=2)
    ]
    wrong: dict[str, list[str]] = {}
    for start in range(0, len(frames), AT_ONCE):
        given = [frames[start : start + AT_ONCE], limits]
        wrong |= await page.evaluate(
            "([moments, limits]) => sweep(moments, limits)", given
        )
    return wrong


async def settle(page: Page, moment: Shown, role: str) -> None:
    """Show a first moment, and wait till its parts and fonts have come in."""
    await page.evaluate("f => show(f, 1)", list(getattr(moment, role)))
    await page.wait_for_function("() => !document.querySelector('.late, .loading')")
    if role == "screen":  # as in class: the one button is pressed, and is gone
        await page.locator(".begin button").click()
        await expect(page.locator(".begin")).to_have_count(0)
    await page.evaluate("document.fonts.ready")


@pytest.mark.sampled
@pytest.mark.parametrize(("size", "locale"), ON_WALLS)
async def test_the_wall_fits(
    browser: Browser,
    server: Running,
    figure: Figure,
    size: tuple[int, int],
    locale: str,
) -> None:
    found = chosen(size, locale, "screen")
    async with opened(browser, server, "screen", size, locale) as page:
        await settle(page, found[-1], "screen")
        limits = {
            "small": READ_PX * size[1] / 1080,
            "aside": ASIDE_PX * size[1] / 1080,
            "isWall": True,
        }
        wrong = await sweep(page, found, "screen", limits)
        figure(f"wall {size[0]} x {size[1]}, {locale}: {len(found)} moments fit")
    assert wrong == {}


@pytest.mark.sampled
@pytest.mark.parametrize(("size", "locale"), ON_PHONES)
async def test_the_answers_are_in_view_and_stay_where_they_are(
    browser: Browser, server: Running, size: tuple[int, int], locale: str
) -> None:
    asked = [m for m in longest_moments() if m.phase in ("vote", "revote", "transfer")]
    unseen: dict[str, list[str]] = {}
    async with opened(browser, server, "player", size, locale) as page:
        await settle(page, asked[0], "player")
        for number, moment in enumerate(asked[:: len(asked) // 8], start=2):
            shown = unanswered(moment)
            await page.evaluate("([f, v]) => show(f, v)", [shown, number])
            if found := await page.evaluate("unseen('button.gap')"):
                unseen[moment.name] = found
            before = await page.evaluate("places('button.gap')")
            await page.locator("button.gap").first.click()
            assert await page.evaluate("places('button.gap')") == before, moment.name
            await page.evaluate("() => sessionStorage.clear()")
    assert unseen == {}


def unanswered(moment: Shown) -> list[dict[str, Any]]:
    """Return what a player is told who has not answered the open ballot."""
    told = [dict(frame) for frame in moment.player]
    for frame in told:
        if frame["type"] == "you":
            votes = [v for v in frame["you"]["votes"] if v["ballot"] != moment.phase]
            frame["you"] = {**frame["you"], "votes": votes}
    return told


@pytest.mark.sampled
@pytest.mark.parametrize(("role", "size", "locale"), ON_PAGES)
async def test_no_text_lies_on_another_or_beside_the_page(
    browser: Browser,
    server: Running,
    figure: Figure,
    role: str,
    size: tuple[int, int],
    locale: str,
) -> None:
    found = chosen(size, locale, role)
    async with opened(browser, server, role, size, locale) as page:
        await settle(page, found[-1], role)
        wrong = await sweep(page, found, role, {"isWall": False})
        figure(f"{role} {size[0]} x {size[1]}, {locale}: {len(found)} moments fit")
    assert wrong == {}


async def test_a_longer_line_or_a_smaller_letter_is_found(
    browser: Browser, server: Running
) -> None:
    moment = next(m for m in longest_moments() if m.phase == "vote")
    story = moment.screen[0]["view"]["story"]["text"]
    longer = replaced(moment, story, f"{story} {story}")
    limits = {"small": READ_PX, "aside": ASIDE_PX, "isWall": True}
    async with opened(browser, server, "screen", WALLS[0], "en-GB") as page:
        await settle(page, moment, "screen")

        async def wrong(shown: Shown, version: int) -> str:
            await page.evaluate("([f, v]) => show(f, v)", [list(shown.screen), version])
            return "\n".join(await page.evaluate("limits => findings(limits)", limits))

        assert await wrong(moment, 2) == ""
        assert "the stage scrolls" in await wrong(longer, 3)
        await page.evaluate("document.querySelector('li p').style.fontSize = '40px'")
        assert "small: 40.0 < 48.0 px" in await wrong(moment, 4)
        heading = page.locator("h2")
        await heading.evaluate(
            "h2 => (h2.style.cssText = 'position:relative;top:-3em')"
        )
        assert "overlap" in await wrong(moment, 5)
