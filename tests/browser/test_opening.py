"""The opening minute in real browsers: host, wall, phones, and again on every page."""

from __future__ import annotations

import pytest

from tests.browser.console import stop_clock
from tests.browser.table import LAPTOP, PROJECTOR, Table, violations
from tests.browser.test_game import advance, join, must_show

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST = "We give a treat each time the barking stops"
SECOND = "Each treat is for ignoring the doorbell"
SCORES_WELL = "Barking scores well under the rule we wrote"
NEVER_SCORED = "Barking never scored under the rule we wrote"


async def test_a_class_sees_the_two_gaps_and_taps_before_its_first_case(
    table: Table,
) -> None:
    room = await table.open_room(length=1, minute=True, settings={"time_factor": None})
    host = await table.sit(table.host_path(room), size=LAPTOP)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    ada, ben = await join(table, room, "Ada"), await join(table, room, "Ben")
    phones = [ada, ben]
    await must_show(host, "Opening minute")
    await advance(host, "The two gaps, in a minute")
    for page in (*phones, screen):
        await must_show(page, "Ignoring the doorbell brings treats", "Outer gap")

    await advance(host, FIRST)
    for page in (*phones, screen):
        await must_show(page, FIRST, "Which gap broke?")
    await ada.locator("button.gap.inner").click()
    await must_show(ada, "Recorded. This isn’t scored.")
    await ada.locator("button.gap.outer").click()
    await ben.locator("button.gap.inner").click()
    await must_show(screen, "Answered 2 of 2")
    await ada.reload()
    await expect(ada.locator("button.gap.outer")).to_have_attribute(
        "aria-pressed", "true"
    )

    await advance(host, SCORES_WELL)
    await must_show(ada, "Right", SCORES_WELL, "broke here")
    await must_show(ben, "Not this time", SCORES_WELL)
    await must_show(screen, "broke here", "What the class said")
    assert await violations(screen) == []
    assert await violations(ada) == []

    cleo = await join_in(table, room)
    await advance(host, SECOND)
    for page in (ada, ben, cleo):
        await must_show(page, SECOND)
        await expect(page.locator("button.gap[aria-pressed=true]")).to_have_count(0)
    await cleo.locator("button.gap.inner").click()
    await must_show(screen, "Answered 1 of 3")
    await advance(host, NEVER_SCORED)
    await must_show(cleo, "Right", NEVER_SCORED)
    for page in (ada, ben):
        await must_show(page, NEVER_SCORED)
        await expect(page.locator("main")).not_to_contain_text("You said")
    await advance(host, "Case 1 of 1")
    for page in (ada, ben, cleo):
        await must_show(page, "Case 1 of 1")
    async with table.host(room) as staff:
        people = (await staff.ask("get_roster"))["people"]
    assert [(one["points"], one["rounds"]) for one in people] == [(0, 0)] * 3
    assert table.complaints() == []


async def join_in(table: Table, room: str) -> play.Page:
    """Join while the minute runs."""
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill("Cleo")
    await page.get_by_role("button", name="Join", exact=True).click()
    await must_show(page, SCORES_WELL)
    return page


async def test_it_runs_automatically_and_the_host_can_skip_it(table: Table) -> None:
    room = await table.open_room(length=1, minute=True)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    ada = await join(table, room, "Ada")
    await advance(host, "The two gaps, in a minute")
    await advance(host, FIRST)
    await ada.locator("button.gap.outer").click()
    await must_show(ada, SCORES_WELL)  # 2 s after the last tap, without a press
    await host.locator(".big[aria-disabled=false]").wait_for()
    await host.get_by_role("button", name="Open the next case").click()
    await must_show(ada, "Case 1 of 1")


@pytest.mark.parametrize("where", ["join", "phone", "screen", "host"])
async def test_every_page_shows_it_again_to_itself_alone(
    table: Table, where: str
) -> None:
    room = await table.open_room(length=1)
    if where == "phone":
        page = await join(table, room, "Ada")
    else:
        path = {
            "join": f"/j/{room}",
            "screen": table.screen_path(room),
            "host": table.host_path(room),
        }[where]
        page = await table.sit(path, size=PROJECTOR if where == "screen" else LAPTOP)
    if where == "screen":
        await must_show(page, room)
        await page.keyboard.press("?")
    else:
        await page.get_by_role("button", name="What are the two gaps?").click()
    dialog = page.get_by_role("dialog", name="The two gaps, in a minute")
    await expect(dialog).to_contain_text("Two links can break.")
    await dialog.get_by_role("button", name="Next").click()
    await expect(dialog).to_contain_text(FIRST)
    await dialog.locator("button.gap.inner").click()
    await expect(dialog).to_contain_text("Not this time")
    await dialog.get_by_role("button", name="Next").click()
    await dialog.locator("button.gap.inner").click()
    await expect(dialog).to_contain_text(NEVER_SCORED)
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_have_count(0)


async def test_the_line_is_drawn_without_motion_if_the_system_asks_for_that(
    table: Table,
) -> None:
    room = await table.open_room(length=1, minute=True)
    ada = await join(table, room, "Ada")
    await ada.emulate_media(reduced_motion="reduce")
    await stop_clock(ada)  # what is drawn now takes no time
    async with table.host(room) as staff:
        await staff.ask("show_opening", automatic=False)
    await expect(ada.locator(".stop.drawn")).to_have_count(3)
