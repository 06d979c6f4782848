"""The host's page: opening a room, running it by keys, what only the host may see."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zxingcpp

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PHONE, PROJECTOR, Table, open_menu, violations

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN_ONLY_TO_THE_HOST = "Sure and wrong"


def big(host: Page) -> Locator:
    """Return the one big button, once it waits for nothing."""
    return host.locator("[aria-keyshortcuts=Space][aria-disabled=false]")


async def join(table: Table, room: str, name: str) -> Page:
    """Join as a player."""
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await expect(page.get_by_text(f"You are in, {name}.")).to_be_visible()
    return page


async def vote(player: Page, gap: str, reason: str = "") -> None:
    """Choose a gap, perhaps with a reason, and see it recorded."""
    await player.get_by_role("button", name=re.compile(f"^{gap}")).click()
    if reason:
        await player.get_by_label("Which fact decides it?").fill(reason)
        await player.get_by_role("button", name="Send", exact=True).click()
    await expect(player.get_by_text("Recorded")).to_be_visible()


async def in_vote(table: Table) -> tuple[Page, Page, Page]:
    """Return console, projector and one player of a room whose vote is open."""
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    player = await join(table, room, "Ada")
    await expect(big(host)).to_have_text("Open the next case")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Open the vote")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Close the vote")
    return host, screen, player


async def must_be_accessible(page: Page) -> None:
    """Let axe look at a page, light and dark."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await violations(page) == [], scheme


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
    await expect(player.get_by_text("Short break")).to_be_visible()


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
    await expect(lost.get_by_text("This link does not open a room")).to_be_visible()
    await must_be_accessible(lost)


async def test_the_private_panel_starts_hidden_and_leaks_nothing(table: Table) -> None:
    host, screen, player = await in_vote(table)
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
    await expect(screen.get_by_text("The vote is closed").first).to_be_visible()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_hidden()
    await host.get_by_role("button", name="Pin to the screen").click()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_visible()
    await host.get_by_role("button", name="Take down").click()
    await expect(screen.get_by_text("It wanted to circle.")).to_be_hidden()
    await host.keyboard.press("p")
    await expect(host.get_by_text(SHOWN_ONLY_TO_THE_HOST)).to_be_hidden()
    assert table.complaints() == []


async def test_a_round_by_keys_alone(table: Table) -> None:
    host, _, player = await in_vote(table)
    await vote(player, "Outer")
    await host.keyboard.press("?")
    await expect(host.get_by_role("dialog", name="Keys")).to_be_visible()
    await must_be_accessible(host)
    await host.keyboard.press(" ")  # belongs to the dialog's own button
    await expect(host.get_by_role("dialog")).to_be_hidden()
    await expect(big(host)).to_have_text("Close the vote")
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
    await (
        host.get_by_role("dialog").get_by_role("button", name="Close the vote").click()
    )
    await expect(big(host)).to_have_text("Reveal")
    await host.get_by_text("More", exact=True).click()
    await host.get_by_role("button", name="Reopen the vote").click()
    await expect(big(host)).to_have_text("Close the vote")
    await host.keyboard.press("p")
    await expect(host.get_by_text("its tally has been seen")).to_be_visible()
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


async def test_a_player_is_renamed_and_removed(table: Table) -> None:
    host, _, player = await in_vote(table)
    await host.get_by_role("button", name="People").click()
    people = host.get_by_role("dialog", name="People")
    await people.get_by_role("button", name="Rename: Ada").click()
    await people.get_by_label("New name").fill("Ada L.")
    await people.get_by_role("button", name="Save").click()
    await people.get_by_role("button", name="Remove: Ada L.").click()
    await must_be_accessible(host)
    await people.get_by_role("button", name="Remove", exact=True).click()
    await expect(player.get_by_text("has removed you").first).to_be_visible()
    await expect(people.get_by_text("0 of 0")).to_be_visible()


async def test_all_who_have_just_joined_are_removed_together(table: Table) -> None:
    host, _, player = await in_vote(table)
    await host.get_by_role("button", name="People").click()
    people = host.get_by_role("dialog", name="People")
    await people.get_by_role("button", name="Remove newcomers").click()
    await must_be_accessible(host)
    await people.get_by_role("button", name="5 minutes").click()
    await expect(player.get_by_text("has removed you").first).to_be_visible()
    await expect(people.get_by_text("0 of 0")).to_be_visible()


async def test_a_locked_room_admits_no_new_players(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(host)
    await host.get_by_role("button", name="Lock the room").click()
    await expect(host.get_by_role("button", name="Unlock the room")).to_be_visible()
    late = await table.sit(f"/j/{room}")
    await late.get_by_label("Your name").fill("Late")
    await late.get_by_role("button", name="Join", exact=True).click()
    await expect(late.get_by_role("alert")).to_be_visible()


async def test_own_time_is_overridden_only_after_a_question(table: Table) -> None:
    host, _, player = await in_vote(table)
    await player.get_by_role("button", name=re.compile("Menu|More")).first.click()
    await player.get_by_text("2 ×", exact=True).click()
    await player.keyboard.press("Escape")
    await host.keyboard.press(" ")
    few = host.get_by_role("dialog", name="0 of 1 have answered. Close?")
    await few.get_by_role("button", name="Close the vote").click()
    question = host.get_by_role("dialog", name="Some players with extra time")
    await expect(question).to_be_visible()
    await question.get_by_role("button", name="Warn, then close").click()
    await expect(player.get_by_text("The vote closes in").first).to_be_visible()
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
    await settings.get_by_label("Close votes automatically").check()
    await settings.get_by_label("Show the best three").check()
    await must_be_accessible(host)
    await host.keyboard.press("Escape")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Open the vote")
    await host.keyboard.press(" ")
    await expect(big(host)).to_have_text("Close the vote")
    await expect(host.get_by_role("timer")).to_have_count(0)

    again = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(again)
    await again.get_by_role("button", name="Settings").click()
    settings = again.get_by_role("dialog", name="Settings")
    await expect(settings.get_by_label("Timers")).to_have_value("off")
    for name in ("Close votes automatically", "Show the best three"):
        await expect(settings.get_by_label(name)).to_be_checked()
    await expect(settings.get_by_label("Show names")).not_to_be_checked()


async def test_a_player_is_moved_to_another_team(table: Table) -> None:
    room = await table.open_room(length=1, settings={"teams": ["Red", "Blue"]})
    host = await table.sit(table.host_path(room), size=LAPTOP)
    player = await join(table, room, "Ada")
    await host.get_by_role("button", name="People").click()
    await host.get_by_label("Team of Ada").select_option("Blue")
    chosen = player.get_by_role("button", name="Blue", exact=True)
    await expect(chosen).to_have_attribute("aria-pressed", "true")
    await must_be_accessible(host)


async def test_the_console_moves_to_a_phone(table: Table) -> None:
    host, _, _ = await in_vote(table)
    await open_menu(host)
    await host.get_by_role("button", name="Other device").click()
    link = await host.get_by_role("textbox").input_value()
    await must_be_accessible(host)
    await host.keyboard.press("Escape")
    phone = await table.sit(link[link.index("/host") :], size=PHONE)
    await expect(big(phone)).to_have_text("Close the vote")
    await big(phone).click()
    asked = phone.get_by_role("dialog", name="0 of 1 have answered. Close?")
    await asked.get_by_role("button", name="Close the vote").click()
    await expect(big(host)).to_have_text("Reveal")
    await must_be_accessible(phone)


@pytest.mark.parametrize("width", [320, 360])
async def test_it_reflows(table: Table, width: int) -> None:
    size = {"width": width, "height": 640}
    room = await table.open_room(length=1)
    for path in (table.admin_path(), table.host_path(room), "/report"):
        page = await table.sit(path, size=size)
        await expect(page.get_by_role("heading", level=1).first).to_be_visible()
        reach = await page.evaluate("document.documentElement.scrollWidth")
        assert reach <= width, path


PIXELS = """
async (svg) => {
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", 400);
  copy.setAttribute("height", 400);
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(copy.outerHTML);
  await image.decode();
  const canvas = new OffscreenCanvas(400, 400).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const red = canvas.getImageData(0, 0, 400, 400).data.filter((_, i) => i % 4 === 0);
  return btoa(String.fromCharCode(...red.slice(0, 80000)))
    + " " + btoa(String.fromCharCode(...red.slice(80000)));
}
"""
"""Draws a QR code of 400 x 400 pixels; returns its gray values, in two halves."""


async def test_the_code_for_another_device_holds_the_consoles_own_link(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    host = await table.sit(table.host_path(room), size=LAPTOP)
    await open_menu(host)
    await host.get_by_role("button", name="Other device").click()
    dialog = host.get_by_role("dialog", name="Move to another device")
    link = await dialog.get_by_role("textbox").input_value()
    assert link.endswith(table.host_path(room)), link
    halves = await dialog.locator("svg[role=img]").evaluate(PIXELS)
    grey = b"".join(map(base64.b64decode, halves.split()))
    pixels = np.frombuffer(grey, np.uint8).reshape(400, 400)
    assert [code.text for code in zxingcpp.read_barcodes(pixels)] == [link]


async def test_the_host_link_is_called_back_and_the_class_plays_on(
    table: Table,
) -> None:
    host, screen, player = await in_vote(table)
    old = host.url[host.url.index("/host") :]
    room = old.partition("room=")[2].partition("&")[0]
    other = await table.sit(old, size=LAPTOP)
    await expect(big(other)).to_have_text("Close the vote")
    await open_menu(host)
    await host.get_by_role("button", name="Other device").click()
    dialog = host.get_by_role("dialog")
    link = dialog.get_by_role("textbox")
    before = await link.input_value()
    await dialog.get_by_role("button", name="Call it back").click()
    await must_be_accessible(host)
    await dialog.get_by_role("button", name="Call it back", exact=True).click()
    await expect(dialog.get_by_text("This is the new one")).to_be_visible()
    after = await link.input_value()
    assert after != before
    await dialog.get_by_role("button", name="Close").click()

    await expect(other.get_by_text("was called back").first).to_be_visible()
    late = await table.sit(old, size=LAPTOP)
    await expect(late.get_by_text("called this link back").first).to_be_visible()
    await vote(player, "Outer")
    await big(host).click()
    await expect(big(host)).to_have_text("Reveal")
    await expect(screen.get_by_text("The vote is closed").first).to_be_visible()
    await host.reload()
    await expect(big(host)).to_have_text("Reveal")
    again = await table.sit("/host#" + after.partition("#")[2], size=LAPTOP)
    await expect(big(again)).to_have_text("Reveal")

    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await admin.get_by_role("link", name=room).click()
    await expect(big(admin)).to_have_text("Reveal")
    assert table.complaints() == []


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
    await expect(big(host)).to_have_text("Close the vote")
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
    await expect(plan.get_by_role("button", name="Play again")).to_have_count(2)
    await must_be_accessible(host)
    await plan.get_by_role("button", name="Play again").first.click()
    await host.get_by_role("dialog").get_by_role("button", name="Play again").click()
    await expect(player.get_by_text("Practice: case 1 again").first).to_be_visible()
    await expect(plan.get_by_role("button", name="Play again")).to_have_count(0)
    assert table.complaints() == []
