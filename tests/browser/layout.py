"""Pages that show what a test wants them to show, and how they are measured.

No game is played: ``tests.support.shown`` makes the views, and ``measure.js`` shows
them and finds text that overlaps, is cut, scrolls or is too small. Which moments are
looked at on which page is decided here too: see ``every_moment``.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from scenarios.load import load_library
from server.app import Running
from tests.support.longest import longest
from tests.support.shown import CODE, LONG_SITES, Look, Shown, moments
from tests.support.tiers import Tier, chosen_tier, seed

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

Size = tuple[int, int]

WALLS: tuple[Size, ...] = ((1920, 1080), (1024, 768), (1280, 720), (3840, 2160))
PHONES: tuple[Size, ...] = (
    (360, 640),
    (390, 844),
    (640, 360),
    (768, 1024),
    (1366, 768),
    (683, 384),
)
"""The last is a laptop of 1366 x 768 at 200%."""
CONSOLES: tuple[Size, ...] = ((1280, 800), (1024, 768), (390, 844))
SIZES = {"screen": WALLS, "player": PHONES, "host": CONSOLES}
LOCALES = ("en-GB", "de-DE")

READ_PX = 48
"""Least size on a wall of 1080 pixels, of what the class has to read."""
ASIDE_PX = 35
"""The same for the address, the clock, and where a story comes from."""

MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
KEY = "0" * 32
PATHS = {
    "screen": f"/screen#room={CODE}&key={KEY}",
    "host": f"/host#room={CODE}&key={KEY}",
    "player": f"/j/{CODE}",
}


def pages(*first: tuple[str, Size, str], roles: Iterable[str]) -> list[object]:
    """Return each role, size and language; those that come first are of all tiers.

    The pages of a language are tested one after another, in one process.
    """
    every = [
        (role, size, locale)
        for locale in LOCALES
        for role in roles
        for size in SIZES[role]
    ]
    assert set(first) <= set(every)
    return [
        pytest.param(*one, marks=_marks(one[2], is_first=one in first))
        for one in sorted(every, key=lambda one: one not in first)
    ]


def _marks(locale: str, *, is_first: bool) -> list[pytest.MarkDecorator]:
    """Return the markers of a page; one process makes the moments for all of them."""
    together = pytest.mark.xdist_group(f"layout in {locale}")
    return [together] if is_first else [together, pytest.mark.full]


# --- which moments are looked at -----------------------------------------------------

PRODUCT = tuple(
    Look(is_long=is_long, pins=pins) for is_long in (True, False) for pins in (3, 0)
)
"""Names long and short, each with three reasons of the longest kind and with none."""
OTHER_ROOMS = (
    Look(is_drawn=True),
    Look(two_link=True),
    Look(pins=0, has_people=False),
)
SITES = (
    Look(sites=2),
    Look(sites=8, two_link=True),
    Look(sites=3),
    Look(sites=6),
    Look(sites=8),
    Look(sites=2, two_link=True),
    Look(sites=3, two_link=True),
    Look(sites=2, min_cell=4),
    Look(sites=3, min_cell=3),
    Look(sites=6, min_cell=2, two_link=True),
    Look(sites=2, is_long=False),
)
"""Rooms whose people play at several sites, with figures shown and hidden."""
COMPARING = ("reveal.tallies", "finished")
"""What looks different if several sites play."""

LONGEST = 3
"""Moments of each phase that a test takes: those with most text."""
SAMPLE = 25
"""Moments of one deck that the fast tier also takes, by the seed."""


def unlike(found: Iterable[Shown]) -> list[Shown]:
    """Return moments without those that look like another one on a wall."""
    return list({moment.key: moment for moment in found}.values())


@cache
def long_moments(look: Look) -> list[Shown]:
    """Return every moment of a deck of the library's longest texts."""
    library = load_library()
    return unlike(moments(longest(library, two_link=look.two_link), library, look))


USUAL = (PRODUCT[0], Look(is_drawn=True), Look(two_link=True))


@cache
def longest_moments() -> list[Shown]:
    """Return the moments of the longest texts, with long names and reasons."""
    return unlike(moment for look in USUAL for moment in long_moments(look))


def longest_of_each_phase(*looks: Look) -> list[Shown]:
    """Return the few moments of each phase, in these rooms, that have most to say."""
    phases: dict[str, list[Shown]] = {}
    for look in looks or USUAL:
        for moment in long_moments(look):
            phases.setdefault(moment.phase, []).append(moment)
    return unlike(
        moment
        for found in phases.values()
        for moment in sorted(found, key=lambda one: -one.length)[:LONGEST]
    )


@cache
def comparing(*looks: Look) -> list[Shown]:
    """Return the moments that compare the sites, those with most to say."""
    found = unlike(one for look in looks for one in longest_of_each_phase(look))
    return [one for one in found if one.phase in COMPARING]


@cache
def every_moment() -> list[list[Shown]]:
    """Return what every deck shows: each list is one moment under several looks.

    A case that several decks share is in it once. One moment of a vote, that in
    which reasons are shown, exists only under looks that have reasons.
    """
    library = load_library()
    units: dict[str, dict[Look, Shown]] = {}
    for deck in library.decks.values():
        for look in PRODUCT:
            for moment in moments(deck, library, replace(look, two_link=deck.two_link)):
                units.setdefault(moment.unit, {}).setdefault(look, moment)
    return [list(looks.values()) for looks in units.values()]


@cache
def every_wall() -> list[Shown]:
    """Return what every deck shows on a wall, under every look."""
    return unlike(moment for looks in every_moment() for moment in looks)


def one_of_each(turn: int) -> list[Shown]:
    """Return what every deck shows, each moment under one look.

    Neighbors have different looks, and so has each moment in four turns.
    """
    return [
        looks[(number + turn) % len(looks)]
        for number, looks in enumerate(every_moment())
    ]


def turn_of(role: str, size: Size, locale: str) -> int:
    """Return the turn of a page: different at four sizes, and in both languages."""
    return SIZES[role].index(size) + 2 * LOCALES.index(locale)


@cache
def sample_of_a_deck() -> list[Shown]:
    """Return some moments of one deck and one kind of room, both by the seed.

    So are the sites of which those moments are added that compare them.
    """
    library, chance = load_library(), random.Random(seed())
    deck = chance.choice(list(library.decks.values()))
    look = chance.choice((*PRODUCT, *OTHER_ROOMS))
    found = chance.sample(list(moments(deck, library, look)), SAMPLE)
    return [*found, *comparing(*SITES[:2], chance.choice(SITES[2:]))]


def chosen(role: str, size: Size, locale: str) -> list[Shown]:
    """Return what this tier looks at on a page of this size and language."""
    if chosen_tier() is Tier.FAST:
        return unlike([*longest_of_each_phase(), *sample_of_a_deck()])
    rooms = (*PRODUCT, *OTHER_ROOMS)
    long = unlike(one for look in rooms for one in longest_of_each_phase(look))
    long += comparing(*SITES)
    if role == "screen":
        return unlike([*long, *every_wall()])
    if role == "host":  # its panel, too, names the sites
        long += longest_of_each_phase(SITES[0])
    return [*long, *one_of_each(turn_of(role, size, locale))]


# --- pages ---------------------------------------------------------------------------


@asynccontextmanager
async def opened(
    browser: Browser,
    server: Running,
    role: str,
    size: Size,
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
    here = f"window.site = {json.dumps(LONG_SITES[0])};"
    await profile.add_init_script(MEASURE + here + script)
    await profile.add_init_script(
        f"localStorage.setItem('two-gaps token {CODE}', '{KEY}')"
    )
    page = await profile.new_page()
    await page.goto(f"http://127.0.0.1:{server.port}{PATHS[role]}")
    await page.wait_for_function("() => window.isWelcome")
    yield page
    await profile.close()


async def settle(page: Page, moment: Shown, role: str) -> None:
    """Show a first moment, and wait until its parts and fonts have loaded."""
    await page.evaluate("f => show(f, 1)", list(getattr(moment, role)))
    if role == "screen":  # as in class: the one button is pressed, and is gone
        await page.locator(".begin button").click()
        await page.locator(".begin").wait_for(state="detached")
    await page.evaluate("document.fonts.ready")


def limits(role: str, size: Size) -> dict[str, Any]:
    """Return what holds on a page: only on a wall does it depend on the size."""
    if role != "screen":
        return {"isWall": False}
    small, aside = (px * size[1] / 1080 for px in (READ_PX, ASIDE_PX))
    return {"small": small, "aside": aside, "isWall": True}


AT_ONCE = 200
"""Moments that a page is given in one message."""


async def sweep(
    page: Page, found: Sequence[Shown], role: str, *more: object, by: str = "findings"
) -> dict[str, list[str]]:
    """Show moments one after another; return what is wrong, by the moment's name.

    `by` names the function of ``measure.js`` that is asked about each moment; `more`
    are its arguments.
    """
    wrong: dict[str, list[str]] = {}
    for start in range(0, len(found), AT_ONCE):
        # As text: Playwright takes long over what is nested.
        given = [[one.name, one.told[role]] for one in found[start : start + AT_ONCE]]
        wrong |= await page.evaluate(
            "([moments, by, more]) => sweep(moments, by, more)",
            [given, by, list(more)],
        )
    return wrong
