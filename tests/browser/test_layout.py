"""Every phase of every deck fits its page: nothing overlaps, is cut, or is too small.

The fast tier takes the longest texts of each phase and a seeded sample, at a few sizes.
The full tier takes every moment of every deck at every size in both languages: on walls
with names long and short, each with three pinned reasons and with none, on phones and
consoles with one of these four in turns.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from server.app import Running
from server.federation.topics import is_site
from tests.browser.layout import (
    ASIDE_PX,
    PHONES,
    PRODUCT,
    WALLS,
    Size,
    chosen,
    comparing,
    every_moment,
    limits,
    long_moments,
    longest_moments,
    opened,
    pages,
    settle,
    sweep,
)
from tests.support.figures import Figure
from tests.support.shown import LONG_SITES, Look, Shown, replaced
from tests.support.tiers import Tier, chosen_tier

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Route

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERY_PAGE = pages(
    ("screen", (1920, 1080), "en-GB"),
    ("screen", (1024, 768), "de-DE"),
    ("player", (360, 640), "de-DE"),
    ("host", (1024, 768), "de-DE"),
    roles=("screen", "player", "host"),
)
EVERY_PHONE = pages(
    ("player", (360, 640), "de-DE"), ("player", (640, 360), "en-GB"), roles=("player",)
)


def first(phase: str) -> Shown:
    """Return the first of the longest moments in a phase."""
    return next(moment for moment in longest_moments() if moment.phase == phase)


def said(wrong: dict[str, list[str]]) -> str:
    """Return what is wrong, a line for each moment."""
    return "\n".join(f"{name}: {'; '.join(found)}" for name, found in wrong.items())


@pytest.mark.sampled
@pytest.mark.timeout(900)  # thousands of moments, perhaps on a busy machine
@pytest.mark.parametrize(("role", "size", "locale"), EVERY_PAGE)
async def test_every_moment_fits(
    browser: Browser,
    server: Running,
    figure: Figure,
    role: str,
    size: Size,
    locale: str,
) -> None:
    found = chosen(role, size, locale)
    async with opened(browser, server, role, size, locale) as page:
        await settle(page, first("vote"), role)
        began_s = time.monotonic()
        wrong = await sweep(page, found, role, limits(role, size))
        took_s = time.monotonic() - began_s
    figure(
        f"{role} {size[0]} x {size[1]}, {locale}: {len(found) - len(wrong)} of "
        f"{len(found)} moments fit, {took_s:.1f} s"
    )
    assert not wrong, said(wrong)


@cache
def asked() -> list[Shown]:
    """Return open ballots as those see them who have not answered.

    Two in a row are never the same ballot: a page remembers the last frame it got.
    """
    found = longest_moments()
    if chosen_tier() is not Tier.FAST:
        found = [*found, *(looks[0] for looks in every_moment())]
    open_now = [one for one in found if one.phase in ("vote", "revote", "transfer")]
    before = [None, *(one.phase for one in open_now)]
    open_now = [
        one for one, at in zip(open_now, before, strict=False) if one.phase != at
    ]
    if chosen_tier() is Tier.FAST:
        open_now = open_now[:: len(open_now) // 8]
    return [unanswered(moment) for moment in open_now]


def unanswered(moment: Shown) -> Shown:
    """Return a moment without the player's answer to the open ballot."""
    frames = moment.player
    for frame in frames:
        if frame["type"] == "you":
            votes = [v for v in frame["you"]["votes"] if v["ballot"] != moment.phase]
            frame["you"]["votes"] = votes
    return replace(moment, told={**moment.told, "player": json.dumps(frames)})


async def moved(page: Page, found: Sequence[Shown]) -> dict[str, list[str]]:
    """Return which ballots have answers out of view, or answers that move."""
    after = first("read").told["player"]
    return await sweep(page, found, "player", after, by="moved")


@pytest.mark.sampled
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("role", "size", "locale"), EVERY_PHONE)
async def test_the_answers_are_in_view_and_stay_where_they_are(
    browser: Browser,
    server: Running,
    figure: Figure,
    role: str,
    size: Size,
    locale: str,
) -> None:
    async with opened(browser, server, role, size, locale) as page:
        await settle(page, asked()[0], role)
        unseen = await moved(page, asked())
    figure(f"answers {size[0]} x {size[1]}, {locale}: {len(asked())} ballots in view")
    assert not unseen, said(unseen)


async def test_a_longer_line_or_a_smaller_letter_is_found(
    browser: Browser, server: Running
) -> None:
    moment = first("vote")
    story = moment.screen[0]["view"]["story"]["text"]
    longer = replaced(moment, story, f"{story} {story}")
    at_most = limits("screen", WALLS[0])
    async with opened(browser, server, "screen", WALLS[0], "en-GB") as page:
        await settle(page, moment, "screen")

        async def wrong(shown: Shown) -> str:
            return said(await sweep(page, [shown], "screen", at_most))

        assert await wrong(moment) == ""
        assert "the stage scrolls" in await wrong(longer)
        await page.evaluate("document.querySelector('li p').style.fontSize = '40px'")
        assert "small: 40.0 < 48.0 px" in await wrong(moment)
        heading = page.locator("h2")
        await heading.evaluate(
            "h2 => (h2.style.cssText = 'position:relative;top:-3em')"
        )
        assert "overlap" in await wrong(moment)


async def test_a_part_that_comes_late_is_waited_for_and_makes_room_for_itself(
    browser: Browser, server: Running
) -> None:
    moment = comparing(Look(sites=6))[0]
    asked, given = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await given.wait()
        await route.continue_()

    async with opened(browser, server, "screen", WALLS[0], "de-DE") as page:
        await page.route("**/assets/wall-*.js", hold)
        await settle(page, first("vote"), "screen")
        await add_rule(page, "caption { font-size: 20px }")
        measured = asyncio.create_task(
            sweep(page, [moment], "screen", limits("screen", WALLS[0]))
        )
        await asked.wait()
        given.set()
        wrong = said(await measured)
        size = await page.locator(".tally").get_attribute("data-size")
    assert f"small: 20.0 < {ASIDE_PX:.1f} px: 95-%-Intervall" in wrong
    assert "the stage scrolls" not in wrong
    assert size == "low"


async def test_the_sites_have_the_longest_names_there_are() -> None:
    assert all(is_site(name) and not is_site(f"{name}x") for name in LONG_SITES)


async def test_answers_that_are_out_of_view_or_move_are_found(
    browser: Browser, server: Running
) -> None:
    found = [unanswered(first(phase)) for phase in ("vote", "revote")]
    async with opened(browser, server, "player", PHONES[0], "en-GB") as page:
        await settle(page, found[0], "player")
        assert await moved(page, found) == {}
        await add_rule(page, "button.gap[aria-pressed=true] { margin-top: 40px }")
        wrong = await moved(page, found)
        assert said(wrong).count("the answers move") == len(found)
        await add_rule(page, "button.gap { translate: 0 100vh }")
        wrong = await moved(page, found)
        assert said(wrong).count("Outer") == len(found)


async def add_rule(page: Page, rule: str) -> None:
    """Add a rule to a page's style."""
    await page.evaluate("rule => document.styleSheets[0].insertRule(rule)", rule)


async def test_a_result_of_another_round_is_not_shown_as_that_of_this_one(
    browser: Browser, server: Running
) -> None:
    deck = long_moments(PRODUCT[0])
    verdicts = [one for one in deck if one.phase == "reveal.verdict"]
    of = [one.player[0]["view"]["room"]["round"] for one in verdicts]
    first, second = verdicts[of.index(0)], verdicts[of.index(1)]
    async with opened(browser, server, "player", (390, 844), "en-GB") as page:
        await settle(page, first, "player")
        result = page.locator(".result")
        await expect(result).to_contain_text("First vote")
        view, *own = second.player
        await page.evaluate("f => show(f)", [view])  # what is mine is still on its way
        await expect(page.locator("main")).to_contain_text(
            view["view"]["story"]["title"]
        )
        await expect(result).to_have_text("")
        await page.evaluate("f => show(f)", own)
        await expect(result).to_contain_text("First vote")
