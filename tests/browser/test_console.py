"""The host's page: opening a room, running it by keys, what only the host may see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from scenarios.load import load_library
from tests.browser.console import (
    big,
    in_vote,
    join,
    must_be_accessible,
    vote,
)
from tests.browser.table import LAPTOP, PROJECTOR, Table, open_menu, show_private

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN_ONLY_TO_THE_HOST = "Sure but wrong"


def room_of(host: Page) -> str:
    """Return the code of a console's room, from its address."""
    return host.url.partition("room=")[2].partition("&")[0]


async def test_an_admin_opens_a_room_as_wished(table: Table) -> None:
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await admin.get_by_label("Cases to play").select_option("2")
    await admin.get_by_text("More settings").click()
    await admin.get_by_label("Teams, separated by commas").fill("Red, Blue")
    await admin.get_by_label("Ask about each link separately").check()
    await expect(admin.get_by_label("Scoring").locator("option")).to_have_count(2)
    await must_be_accessible(admin)
    await admin.get_by_role("button", name="Open the room").click()
    await expect(admin.get_by_role("complementary", name="Plan")).to_be_visible()
    items = admin.get_by_role("complementary", name="Plan").get_by_role("listitem")
    await expect(items).to_have_count(2)
    room = await admin.get_by_role("heading", level=1).first.inner_text()

    again = await table.sit(table.admin_path(), size=LAPTOP)
    await again.get_by_role("link", name=f"Open console {room}").click()
    await expect(big(again)).to_have_text("Opening minute")
    assert table.complaints() == []


async def test_the_console_speaks_german(table: Table) -> None:
    admin = await table.sit(table.admin_path(), size=LAPTOP, locale="de-DE")
    await expect(admin.get_by_role("heading", name="Raum öffnen")).to_be_visible()
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP, locale="de-AT")
    await expect(host.get_by_role("button", name="Personen")).to_be_visible()
    await host.get_by_role("button", name="English").click()
    await expect(host.get_by_role("button", name="People")).to_be_visible()


async def test_rare_commands_fold_away(table: Table) -> None:
    host, _, player = await in_vote(table)
    await host.get_by_text("More", exact=True).click()
    await host.get_by_role("button", name="Pause in the lobby").click()
    await expect(player.locator("main").get_by_text("Short break")).to_be_visible()


async def test_the_library_can_be_looked_through(table: Table) -> None:
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await admin.get_by_role("heading", name="Library").click()
    await admin.get_by_label("Find a case").fill("lagoon")
    await admin.get_by_role("button", name="The boat that preferred").click()
    dialog = admin.get_by_role("dialog", name="The boat that preferred")
    await expect(dialog.get_by_text("The fact that decides it")).to_be_visible()
    await must_be_accessible(admin)
    await admin.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def test_a_wrong_key_opens_nothing_and_says_so(table: Table) -> None:
    stranger = await table.sit(f"/host#admin={'0' * 32}", size=LAPTOP)
    await expect(stranger.get_by_text("This page needs its full link")).to_be_visible()
    lost = await table.sit(f"/host#room=ZZZZZZ&key={'0' * 32}", size=LAPTOP)
    await expect(lost.get_by_text("This link doesn’t open a room")).to_be_visible()
    await must_be_accessible(lost)


async def test_the_private_panel_starts_hidden_and_leaks_nothing(table: Table) -> None:
    host, screen, player = await in_vote(table, is_one_browser=True)
    await vote(player, "Inner", "It wanted to circle.")
    await expect(host.get_by_text("Answered 1 of 1").first).to_be_visible()
    shown = await host.inner_text("body")
    assert SHOWN_ONLY_TO_THE_HOST not in shown
    assert "It wanted to circle." not in shown
    assert "outer gap: we wrote" not in shown.lower()

    await host.keyboard.press("p")
    await expect(host.get_by_text(SHOWN_ONLY_TO_THE_HOST)).to_be_visible()
    await expect(host.get_by_text("It wanted to circle.")).to_be_visible()
    await must_be_accessible(host)
    await big(host).click()
    await expect(screen.get_by_text("Voting is closed").first).to_be_visible()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_hidden()
    await host.get_by_role("button", name="Pin to the screen").click()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_visible()
    await host.get_by_role("button", name="Unpin").click()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_hidden()
    await host.keyboard.press("p")
    await expect(host.get_by_text(SHOWN_ONLY_TO_THE_HOST)).to_be_hidden()
    assert table.complaints() == []


async def test_a_reason_of_an_open_vote_is_shown_after_it(table: Table) -> None:
    host, screen, player = await in_vote(table)
    await vote(player, "Inner", "It wanted to circle.")
    await show_private(host)
    await host.get_by_role("button", name="Show after the vote").click()
    taken = host.get_by_role("button", name="Unpin")
    await expect(taken).to_have_attribute("aria-pressed", "true")
    await expect(host.get_by_text("Will show after the vote.")).to_be_visible()
    await must_be_accessible(host)
    late = await join_in_vote(table, room_of(host), "Bea")
    await expect(late.get_by_text("It wanted to circle.")).to_have_count(0)
    await expect(screen.get_by_text("It wanted to circle.")).to_have_count(0)
    await vote(late, "Outer")
    await expect(host.get_by_text("Answered 2 of 2").first).to_be_visible()
    await big(host).click()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_visible()
    await expect(late.get_by_text("It wanted to circle.")).to_be_visible()
    await expect(host.get_by_text("Will show after the vote.")).to_have_count(0)
    await taken.click()
    await expect(host.get_by_role("button", name="Pin to the screen")).to_be_visible()
    await big(host).click()
    await expect(host.get_by_text("It wanted to circle.")).to_be_visible()
    await expect(host.get_by_role("button", name="Pin to the screen")).to_have_count(0)
    assert table.complaints() == []


async def test_a_round_by_keys_alone(table: Table) -> None:
    host, _, player = await in_vote(table)
    await vote(player, "Outer")
    await host.keyboard.press("?")
    await expect(host.get_by_role("dialog", name="Keys")).to_be_visible()
    await must_be_accessible(host)
    await host.keyboard.press(" ")  # belongs to the dialog's own button
    await expect(host.get_by_role("dialog")).to_be_hidden()
    await expect(big(host)).to_have_text("Close voting")
    await host.keyboard.press("t")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Reveal")
    await host.keyboard.press("d")
    await expect(player.get_by_text("Talk to your neighbors").first).to_be_visible()
    await expect(big(host)).to_have_text("Vote again")
    await host.keyboard.press("r")
    await expect(big(host)).to_have_text("Next step")


async def test_a_close_is_taken_back_and_a_case_played_again(table: Table) -> None:
    host, screen, player = await in_vote(table)
    await big(host).click()
    await host.get_by_role("dialog").get_by_role("button", name="Close voting").click()
    await expect(big(host)).to_have_text("Reveal")
    await host.get_by_role("button", name="Reopen voting").click()
    await expect(big(host)).to_have_text("Close voting")
    await show_private(host)
    await expect(host.get_by_text("already seen its tally")).to_be_visible()
    await vote(player, "Outer")
    await host.locator(".big.ready").wait_for()
    await big(host).click()
    await expect(big(host)).to_have_text("Reveal")
    await big(host).click()
    await expect(big(host)).to_have_text("Next step")
    await host.get_by_text("More", exact=True).click()
    await host.get_by_role("button", name="Play this case again").click()
    for page in (player, screen):
        await expect(page.get_by_text("Practice: case 1 again").first).to_be_visible()
    assert table.complaints() == []


async def test_own_time_is_overridden_only_after_a_question(table: Table) -> None:
    host, _, player = await in_vote(table)
    await player.get_by_role("button", name=re.compile("Menu|More")).first.click()
    await player.get_by_text("2 ×", exact=True).click()
    await player.keyboard.press("Escape")
    await host.keyboard.press(" ")
    few = host.get_by_role("dialog", name="0 of 1 have answered. Close?")
    await few.get_by_role("button", name="Close voting").click()
    question = host.get_by_role("dialog", name="Some players with extra time")
    await expect(question).to_be_visible()
    await question.get_by_role("button", name="Warn, then close").click()
    await expect(player.get_by_text("Voting closes in").first).to_be_visible()
    await expect(host.get_by_text(re.compile(r"Closes in \d+ s"))).to_be_visible()


async def test_settings_change_while_the_game_runs(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    await join(table, room, "Ada")
    await expect(screen.get_by_text("Ada", exact=True)).to_be_visible()
    await open_menu(host)
    await host.get_by_role("button", name="Settings").click()
    settings = host.get_by_role("dialog", name="Settings")
    await settings.get_by_label("Show names").uncheck()
    await expect(screen.get_by_text("Ada", exact=True)).to_be_hidden()
    await settings.get_by_label("Timers").select_option("off")
    await settings.get_by_label("Voting closes").select_option("true")
    await settings.get_by_label(re.compile("^Flow")).select_option("quick")
    await settings.get_by_label("Show the top three").check()
    await must_be_accessible(host)
    await host.keyboard.press("Escape")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Open voting")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Close voting")
    await expect(host.get_by_role("timer")).to_have_count(0)

    again = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(again)
    await again.get_by_role("button", name="Settings").click()
    settings = again.get_by_role("dialog", name="Settings")
    await expect(settings.get_by_label("Timers")).to_have_value("off")
    await expect(settings.get_by_label("Voting closes")).to_have_value("true")
    await expect(settings.get_by_label(re.compile("^Flow"))).to_have_value("quick")
    await expect(settings.get_by_label("Show the top three")).to_be_checked()
    await expect(settings.get_by_label("Show names")).not_to_be_checked()


@pytest.mark.parametrize("width", [320, 360])
async def test_it_reflows(table: Table, width: int) -> None:
    size = {"width": width, "height": 640}
    room = await table.open_room(length=1)
    for path in (table.admin_path(), table.host_path(room), "/report"):
        page = await table.sit(path, size=size)
        await expect(page.get_by_role("heading", level=1).first).to_be_visible()
        reach = await page.evaluate("document.documentElement.scrollWidth")
        assert reach <= width, path


async def join_in_vote(table: Table, room: str, name: str) -> Page:
    """Join while a vote is open."""
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.get_by_role("button", name=re.compile("^Outer")).wait_for()
    return page


async def test_the_question_about_an_early_close_is_live_and_answers_itself(
    table: Table,
) -> None:
    host, _, ada = await in_vote(table)
    room = host.url.partition("room=")[2].partition("&")[0]
    ben = await join_in_vote(table, room, "Ben")
    await expect(host.get_by_text("Answered 0 of 2").first).to_be_visible()
    await big(host).click()
    asked = host.get_by_role("dialog", name="0 of 2 have answered. Close?")
    await expect(asked).to_be_visible()
    await vote(ada, "Outer")
    await expect(
        host.get_by_role("dialog", name="1 of 2 have answered")
    ).to_be_visible()
    await vote(ben, "Outer")
    await expect(host.get_by_role("dialog")).to_have_count(0)

    await join_in_vote(table, room, "Cleo")
    await join_in_vote(table, room, "Dora")
    await expect(big(host)).to_have_text("Close voting")
    await expect(host.get_by_text("Answered 2 of 4").first).to_be_visible()
    await big(host).click()
    await expect(
        host.get_by_role("dialog", name="2 of 4 have answered")
    ).to_be_visible()
    async with table.host(room) as other:
        await other.ask("close_votes")
    await expect(host.get_by_role("dialog")).to_have_count(0)
    await expect(big(host)).to_have_text("Reveal")
    assert table.complaints() == []


async def test_the_host_chooses_which_case_is_played_again(table: Table) -> None:
    room = await table.open_room(length=3)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    player = await join(table, room, "Ada")
    async with table.host(room) as leader:
        for _ in range(2):
            for command in ("open_round", "open_vote", "close_votes", "reveal"):
                await leader.ask(command)
    plan = host.get_by_role("complementary", name="Plan")
    await plan.locator("button.title").nth(1).click()
    await expect(plan.get_by_role("button", name="Play again")).to_have_count(1)
    await must_be_accessible(host)
    await plan.locator("button.title").first.click()
    await plan.get_by_role("button", name="Play again").click()
    await host.get_by_role("dialog").get_by_role("button", name="Play again").click()
    await expect(player.get_by_text("Practice: case 1 again").first).to_be_visible()
    await expect(plan.get_by_role("button", name="Play again")).to_have_count(0)
    assert table.complaints() == []


async def test_a_finished_game_offers_its_report(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    async with table.host(room) as one:
        await one.ask("finish")
    await expect(host.get_by_role("button", name="Next lesson")).to_be_visible()
    await expect(host.locator("button.big")).to_have_count(0)
    link = host.locator("footer").get_by_role("link", name="Report")
    await expect(link).to_have_attribute("href", re.compile("^/report#room=" + room))
    await must_be_accessible(host)


async def test_a_phone_tells_the_host_how_many_are_here(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size={"width": 390, "height": 844})
    await join(table, room, "Ada")
    people = host.get_by_role("button", name="People")
    await expect(people.get_by_text("1 joined")).to_be_visible()


async def test_a_room_is_opened_without_scrolling_and_listed_in_words(
    table: Table,
) -> None:
    for size in (LAPTOP, {"width": 390, "height": 844}):
        admin = await table.sit(table.admin_path(), size=size)
        await admin.get_by_text("Ten cases, one vote each").first.wait_for()
        box = await admin.get_by_role("button", name="Open the room").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size["height"]
    await expect(admin.get_by_text("Form A: a class before")).to_be_visible()
    await expect(admin.get_by_text("Form B: the same class")).to_be_visible()
    room = await table.open_room(length=1)
    async with table.host(room) as one:
        await one.ask("finish")
    await admin.reload()
    said = admin.get_by_role("link", name=f"Open console {room}").locator(".eyebrow")
    await expect(said).to_contain_text("0 joined · That’s the end of the game.")


async def test_a_deck_shows_its_cases(table: Table) -> None:
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await admin.locator("input[name=deck][value=quick-five]").check(force=True)
    inside = admin.locator(".inside")
    await inside.get_by_text("What’s in it").click()
    cases = load_library().deck("quick-five").rounds
    await expect(inside.get_by_role("listitem")).to_have_count(len(cases))
    title = load_library().case(cases[0].case).title
    await must_be_accessible(admin)
    await inside.get_by_role("button", name=title).click()
    await expect(admin.get_by_role("dialog", name=title)).to_be_visible()
    assert table.complaints() == []
