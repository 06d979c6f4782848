"""All can play: by keyboard, with a screen reader, enlarged, in any colors.

A game is walked through phase by phase; on each page in each phase axe must find
nothing, and nothing may stick out sideways at 320 px or at twice the text size.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

from server.app import Running
from tests.browser.layout import longest_moments, opened
from tests.browser.layout import settle as settled
from tests.browser.staff import Staff
from tests.browser.table import LAPTOP, PROJECTOR, Table, violations
from tests.browser.test_layout_open import ANSWERS, LOOK, Opener, moment_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

NARROW = {"width": 320, "height": 640}
SMALL = {"width": 360, "height": 640}

WALK: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("read", "open_round", {}),
    ("vote", "open_vote", {}),
    ("vote_closed", "close_votes", {"override": True}),
    ("contrast", "contrast", {}),
    ("discuss", "discuss", {}),
    ("revote", "revote", {}),
    ("revote_closed", "close_votes", {"override": True}),
    ("tallies", "reveal", {}),
    ("intended", "next_step", {}),
    ("breakdown", "next_step", {"all": True}),
    ("fix", "ask_fix", {}),
    ("fix_reveal", "close_votes", {"override": True}),
    ("transfer", "transfer", {}),
    ("transfer_reveal", "close_votes", {"override": True}),
    ("finished", "finish", {}),
)


async def walk(host: Staff, players: list[Page]) -> AsyncIterator[str]:
    """Lead a game through all its phases; players vote if there is a vote."""
    yield "lobby"
    for phase, command, fields in WALK:
        await host.ask(command, **fields)
        for page in players:
            await settle(page, phase)
        yield phase


async def settle(page: Page, phase: str) -> None:
    """Wait until a player's page shows a phase, and answer what it asks."""
    kind = "reveal" if phase in ("tallies", "intended", "breakdown") else phase
    await expect(page.locator("main")).to_have_attribute("data-phase", kind)
    if phase in ("vote", "transfer"):
        await page.locator("button.gap.outer").click()
        await page.locator(".chips button").nth(3).click()


async def join(table: Table, room: str, **context: Any) -> Page:
    """Join as a player."""
    page = await table.sit(f"/j/{room}", **context)
    await page.locator("#name").fill("Ada")
    await page.locator("button.main").click()
    await expect(page.locator("main")).to_have_attribute("data-phase", "lobby")
    return page


async def sticks_out(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    wide = "document.scrollingElement.scrollWidth - innerWidth"
    return int(await page.evaluate(wide))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page_in_any_phase(
    table: Table, scheme: str
) -> None:
    colours = {"color_scheme": scheme, "reduced_motion": "reduce"}
    room = await table.open_room(length=1)
    start = await table.sit("/", **colours)
    assert await violations(start) == []
    player = await join(table, room, **colours)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR, **colours)
    console = await table.sit(table.host_path(room), size=LAPTOP, **colours)
    await expect(console.locator(".big")).to_be_visible()
    async with table.host(room) as host:
        async for phase in walk(host, [player]):
            found = {
                name: await violations(page)
                for name, page in (
                    ("player", player),
                    ("screen", screen),
                    ("console", console),
                )
            }
            assert not any(found.values()), (phase, found)
    assert table.complaints() == []


class Judge(Opener):
    """Opens what a page has, and lets axe look at each."""

    async def measure(self, name: str, root: str) -> None:
        """Look at the page with what is open on it now."""
        self.opened.append(name)
        if found := await violations(self.page):
            self.wrong[name] = found


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", ["host", "player"])
async def test_axe_finds_nothing_in_what_opens(
    browser: Browser, server: Running, role: str, scheme: Literal["light", "dark"]
) -> None:
    size = (1280, 800) if role == "host" else (390, 844)
    script = ANSWERS + LOOK
    async with opened(browser, server, role, size, "en-GB", script=script) as page:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await settled(page, moment_of("vote"), role)
        judge = Judge(page)
        if role == "host":
            await page.locator("footer").wait_for()
            await judge.menu("header details.menu")
            await judge.menu("footer details.more")
            await judge.dialogs("header nav > button")
        else:
            await page.locator("header button.open").wait_for()
            await judge.dialogs("header > button")
    assert len(judge.opened) >= (8 if role == "host" else 2), judge.opened
    assert judge.wrong == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_where_rooms_are_opened_and_plans_are_long(
    table: Table, scheme: str
) -> None:
    colours = {"color_scheme": scheme, "reduced_motion": "reduce"}
    admin = await table.sit(table.admin_path(), size=LAPTOP, **colours)
    await admin.locator("button.open").wait_for()
    unfold = (
        "() => document.querySelectorAll('details').forEach((d) => (d.open = true))"
    )
    await admin.evaluate(unfold)
    assert await violations(admin) == []
    room = await table.open_room("hard")
    small = {"width": 1024, "height": 600}
    console = await table.sit(table.host_path(room), size=small, **colours)
    plan = console.get_by_role("complementary", name="Plan")
    await plan.wait_for()
    assert await plan.evaluate("at => at.scrollHeight > at.clientHeight")
    assert await violations(console) == []


async def test_nothing_sticks_out_when_narrow_or_enlarged(table: Table) -> None:
    room = await table.open_room(length=1)
    narrow = await join(table, room, size=NARROW)
    large = await join(table, room, size=SMALL)
    german = await join(table, room, size=NARROW, locale="de-DE")
    console = await table.sit(table.host_path(room), size=NARROW)
    players = [narrow, large, german]
    await large.evaluate("document.documentElement.style.fontSize = '200%'")
    async with table.host(room) as host:
        async for phase in walk(host, players):
            for page in (*players, console):
                assert await sticks_out(page) <= 0, (phase, page.url)


async def test_a_vote_by_keyboard_alone(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await table.sit(f"/j/{room}")
    await press_till(page, "#name")
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_have_attribute("data-phase", "lobby")
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await press_till(page, "button.gap.inner")
        await page.keyboard.press("Enter")
        await press_till(page, ".chips button:nth-child(5)")
        await page.keyboard.press("Space")
        await press_till(page, "#reason")
        await page.keyboard.type("Only the place had changed.")
        await page.keyboard.press("Enter")
        said = page.get_by_role("status").filter(has_text="Recorded")
        await expect(said).to_be_visible()
        await expect(page.locator(".ballot [aria-pressed=true]")).to_have_count(2)


async def press_till(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, and see that the focus shows."""
    await page.locator(selector).wait_for()
    has_focus = "selector => document.activeElement.matches(selector)"
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate(has_focus, selector):
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) != "none"
            return
    raise AssertionError(f"Tab never reached {selector}")


async def test_forced_colors_keep_the_choice_visible(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room, forced_colors="active")
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await page.locator("button.gap.outer").click()
        await expect(page.locator(".state.recorded")).to_be_visible()
        paint = "node => getComputedStyle(node).backgroundColor"
        chosen = await page.locator("button.gap.outer").evaluate(paint)
        other = await page.locator("button.gap.inner").evaluate(paint)
        assert chosen != other


async def test_each_step_of_a_reveal_is_announced(
    browser: Browser, server: Running
) -> None:
    steps = [m for m in longest_moments() if m.phase.startswith("reveal.")]
    steps = steps[: next(i for i, m in enumerate(steps) if m.phase == "reveal.say") + 1]
    said = []
    async with opened(browser, server, "player", (390, 844), "en-GB") as page:
        await settled(page, steps[0], "player")
        for version, step in enumerate(steps, start=2):
            await page.evaluate("([f, v]) => show(f, v)", [list(step.player), version])
            said.append((await page.locator("#news").inner_text()).strip())
    assert said[0].startswith("What the class said: First vote: Outer ")
    assert said[1].startswith("What we meant: ")
    assert said[4].startswith(("The ", "Both", "Neither", "Contested"))
    assert all(said)
    assert len(set(said)) == len(said)


async def test_a_change_of_phase_is_announced(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room)
    async with table.host(room) as host:
        for command, says in (
            ("open_round", "Read the story"),
            ("open_vote", "Which gap broke?"),
            ("close_votes", "Voting is closed"),
            ("discuss", "Talk to your neighbors"),
        ):
            await host.ask(command)
            said = page.get_by_role("status").filter(has_text=says)
            await expect(said).to_have_count(1)
