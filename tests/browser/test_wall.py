"""What the wall draws of a class: its dots at rest, and its podium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scenarios.load import load_library
from server.app import Running
from tests.browser.table import PROJECTOR, Table
from tests.browser.test_layout import add_rule, opened, settle
from tests.browser.test_pace import WATCH_FRAMES
from tests.support.shown import Look, Shown, moments, replaced

if TYPE_CHECKING:
    from playwright.async_api import Browser

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = (1280, 720)
PAPER = "() => getComputedStyle(document.body).backgroundColor"
NAMES = ("Ada", "Edsger", "Katherine", "Wilhelmine", "Radia")
PODIUM = [
    {"rank": 1, "name": "Ada", "points": 489.5, "mean": 97.9, "rounds": 5},
    {"rank": 1, "name": "Ben", "points": 489.5, "mean": 97.9, "rounds": 5},
    {"rank": 3, "name": "Cleo", "points": 471, "mean": 99, "rounds": 4},
]


def first_class() -> list[Shown]:
    """Return every moment of a lesson with a podium."""
    library = load_library()
    return list(moments(library.deck("first-class"), library, Look(pins=0)))


async def test_dots_that_have_gone_over_stay_there_on_another_size(
    browser: Browser, server: Running
) -> None:
    reveal = next(one for one in first_class() if one.phase == "reveal.tallies")
    async with opened(
        browser,
        server,
        "screen",
        SIZE,
        "en-GB",
        motion="no-preference",
        script=WATCH_FRAMES,
    ) as page:
        await settle(page, reveal, "screen")
        await page.wait_for_function("() => frames.done > 10 && !frames.isPending()")
        width = await page.evaluate("document.querySelector('canvas').width")
        await page.evaluate("() => document.exitFullscreen()")
        await page.wait_for_function("() => !document.fullscreenElement")
        await page.evaluate("frames.done = 0")
        await page.set_viewport_size({"width": 1024, "height": 768})
        await page.wait_for_function(
            "before => document.querySelector('canvas').width !== before", arg=width
        )
        assert not await page.evaluate("frames.isPending()"), "they go over once more"
        for joined in (30, 31):
            news = {"type": "progress", "answered": 0, "expected": 9, "joined": joined}
            await page.evaluate("f => show([f], 3)", {**news, "closes_in_ms": None})
        assert not await page.evaluate("frames.isPending()"), "figures begin it again"


async def test_a_wall_says_once_whether_it_can_be_heard(table: Table) -> None:
    room = await table.open_room(length=1)
    profile = await table.context(size={"width": SIZE[0], "height": SIZE[1]})
    page, told = await profile.new_page(), list[str]()
    page.on("websocket", lambda ws: ws.on("framesent", lambda sent: told.append(sent)))
    await page.goto(table.url(table.screen_path(room)))
    await page.get_by_text(room).first.wait_for()
    async with table.host(room) as host:
        for command in ("open_round", "open_vote", "back_to_lobby"):
            await host.ask(command)
    player = await table.sit(f"/j/{room}")
    await player.locator("form button.main").click()
    await expect(page.get_by_text("1 here")).to_be_visible()
    said = [frame for frame in told if "tell_sound" in frame]
    assert len(said) == 1, said
    await profile.close()


async def test_the_podium_prints_the_points_that_it_ranks_by(
    browser: Browser, server: Running
) -> None:
    end = first_class()[-1]
    end.screen[0]["view"]["podium"] = PODIUM
    async with opened(browser, server, "screen", SIZE, "en-GB") as page:
        await settle(page, end, "screen")
        await expect(page.locator(".block span")).to_have_text(
            ["489.5 points", "471 points"]
        )
        await expect(page.locator(".step-1 .names p:visible")).to_have_text(
            ["Ada", "Ben"]
        )


async def test_all_of_a_class_of_thirty_see_their_names_and_of_sixty_as_many_as_fit(
    browser: Browser, server: Running
) -> None:
    lobby = first_class()[0]
    view = lobby.screen[0]["view"]
    async with opened(browser, server, "screen", SIZE, "en-GB") as page:
        for version, n in enumerate((8, 30, 60), start=1):
            view["names"] = [f"{NAMES[i % 5]} {i}" for i in range(n)]
            view["joined"] = 2 * n
            for frame in lobby.screen:
                if frame["type"] == "progress":
                    frame["joined"] = 2 * n
            if version == 1:
                await settle(page, lobby, "screen")
            await page.evaluate("([f, v]) => show(f, v)", [list(lobby.screen), version])
            shown = page.locator(".who li:not(.rest)")
            if n < 60:
                await expect(shown).to_have_count(n)
                await expect(page.locator(".rest")).to_have_text(f"and {n} more")
                continue
            await expect(page.locator(".rest")).not_to_have_text("and 60 more")
            fitting = await shown.count()
            assert 30 < fitting < 60
            await expect(page.locator(".rest")).to_have_text(
                f"and {120 - fitting} more"
            )


async def test_a_wall_without_room_for_a_name_shows_names_once_it_has_some(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    phone = await table.sit(f"/j/{room}")
    await phone.locator("#name").fill("Ada")
    await phone.locator("button.main").click()
    await expect(phone.locator("main")).to_have_attribute("data-phase", "lobby")
    wall = await table.sit(table.screen_path(room), size=PROJECTOR)
    ada = wall.get_by_text("Ada", exact=True)
    await expect(ada).to_be_visible()
    rule = ".who { height: 0; min-height: 0 !important }"
    await add_rule(wall, rule)  # as in a console, while its picture has no size
    await wall.wait_for_function(
        "() => document.querySelector('.who').clientHeight < 30"
    )
    await wall.evaluate("() => new Promise(requestAnimationFrame)")
    await wall.evaluate("() => document.styleSheets[0].deleteRule(0)")
    await expect(ada).to_be_visible()


async def test_a_wall_is_dark_or_light_as_its_switch_says(table: Table) -> None:
    room = await table.open_room(length=1)
    wall = await table.sit(table.screen_path(room), size=PROJECTOR)
    dark = wall.get_by_role("button", name="Dark colors")
    await expect(dark).to_have_attribute("aria-pressed", "false")
    light_paper = await wall.evaluate(PAPER)
    await dark.click()
    await expect(dark).to_have_attribute("aria-pressed", "true")
    dark_paper = await wall.evaluate(PAPER)
    assert light_paper != dark_paper
    await wall.reload()
    await expect(dark).to_have_attribute("aria-pressed", "true")
    assert await wall.evaluate(PAPER) == dark_paper
    await wall.emulate_media(color_scheme="dark")
    await dark.click()
    await expect(dark).to_have_attribute("aria-pressed", "false")
    assert await wall.evaluate(PAPER) == light_paper


async def test_the_wall_shows_the_story_above_its_repairs_if_all_of_it_fits(
    browser: Browser, server: Running
) -> None:
    repair = next(one for one in first_class() if one.phase == "fix")
    told = repair.screen[0]["view"]["story"]["text"]
    longer = replaced(repair, told, f"{told} {told}")
    async with opened(browser, server, "screen", (1920, 1080), "en-GB") as page:
        await settle(page, repair, "screen")
        await expect(page.get_by_text(told)).to_be_visible()
        await page.evaluate("f => show(f)", list(longer.screen))
        await expect(page.get_by_text(told)).to_be_hidden()
        await expect(page.get_by_role("listitem").first).to_be_visible()
