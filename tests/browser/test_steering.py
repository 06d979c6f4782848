"""What a host steers beside the flow: plan, earlier reveals, the clock, the end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PROJECTOR, Table, open_menu, violations

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, WebSocketRoute

pytestmark = pytest.mark.asyncio(loop_scope="session")

POCKET = {"width": 390, "height": 844}

ROUND = ("open_round", "open_vote", "close_votes", "reveal")


async def must_show(found: Locator, text: str | re.Pattern[str]) -> None:
    await expect(found).to_contain_text(text)


async def visible(found: Locator) -> Locator:
    await found.wait_for()
    return found


async def joined(table: Table, room: str, name: str = "Ada") -> Page:
    page = await table.sit(f"/j/{room}")
    await (await visible(page.get_by_label("Your name"))).fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await visible(page.locator("main").get_by_text(f"You’re in, {name}."))
    return page


async def console_of(table: Table, room: str, **more: Any) -> Page:
    host = await table.sit(table.host_path(room), **{"size": LAPTOP, **more})
    await visible(host.get_by_role("complementary", name="Plan"))
    return host


async def wrong(page: Page) -> list[str]:
    """Return what axe finds wrong once nothing moves any more."""
    await page.emulate_media(reduced_motion="reduce")
    return await violations(page)


def plan_of(host: Page) -> Locator:
    return host.get_by_role("complementary", name="Plan")


async def titles(host: Page) -> list[str]:
    return await plan_of(host).locator("button.title").all_inner_texts()


async def choose(host: Page, number: int) -> None:
    """Open the tools of a case, by its place in the plan (1-based)."""
    await plan_of(host).locator("li").nth(number - 1).locator("button.title").click()


async def play(table: Table, room: str, *commands: str) -> None:
    async with table.host(room) as leader:
        for command in commands:
            await leader.ask(command)


# --- the plan --------------------------------------------------------------------


async def test_the_plan_is_reordered_by_keyboard_and_a_case_opened_from_it(
    table: Table,
) -> None:
    room = await table.open_room(length=4)
    host = await console_of(table, room)
    player = await joined(table, room)
    before = await titles(host)
    await choose(host, 3)
    earlier = plan_of(host).get_by_role("button", name=f"Play earlier: {before[2]}")
    await visible(earlier)
    await host.keyboard.press("Tab")  # from here on, Enter belongs to buttons
    await earlier.focus()
    await expect(earlier).to_be_enabled()  # on a quick machine, the console is new
    await host.keyboard.press("Enter")
    moved = [before[0], before[2], before[1], before[3]]
    await expect(plan_of(host).locator("button.title")).to_have_text(moved)
    await expect(earlier).to_be_focused()
    await host.keyboard.press("Enter")
    moved = [before[2], before[0], before[1], before[3]]
    await expect(plan_of(host).locator("button.title")).to_have_text(moved)
    later = plan_of(host).get_by_role("button", name=f"Play later: {before[2]}")
    await expect(later).to_be_focused()
    assert await wrong(host) == []
    await choose(host, 4)
    await plan_of(host).get_by_role("button", name=f"Open now: {before[3]}").click()
    await must_show(player.locator("main"), before[3])
    await must_show(plan_of(host).locator("[aria-current=step]"), before[3])
    await choose(host, 2)  # and away from it again: nothing was voted on yet
    await plan_of(host).get_by_role("button", name=f"Open now: {before[0]}").click()
    await must_show(player.locator("main"), before[0])
    await must_show(plan_of(host).locator("li").nth(3), "left open")
    assert table.complaints() == []


async def test_a_button_of_the_plan_keeps_the_focus_while_the_controls_change(
    table: Table,
) -> None:
    """It waits a moment, like all the controls, but does not throw its user out."""
    room = await table.open_room(length=3)
    host = await console_of(table, room)
    await choose(host, 3)
    title = (await titles(host))[2]
    earlier = plan_of(host).get_by_role("button", name=f"Play earlier: {title}")
    await expect(earlier).to_be_enabled()
    await earlier.focus()
    await host.evaluate(
        """() => {
          const seen = { attributeFilter: ["disabled", "aria-disabled"] };
          window.waiting = new Promise((wait) =>
            new MutationObserver(wait).observe(document.activeElement, seen));
        }"""
    )
    await play(table, room, "open_round")
    await host.evaluate("async () => { await window.waiting }")
    await expect(earlier).to_be_focused()
    await expect(earlier).to_be_enabled()


async def test_a_new_order_that_is_refused_says_why(table: Table) -> None:
    """The plan was changed elsewhere, and this console has not heard of it yet."""
    is_late = False

    def stand_between(page: WebSocketRoute) -> None:
        def pass_on(frame: str | bytes) -> None:
            if not (is_late and json.loads(frame)["type"] == "host_view"):
                page.send(frame)

        page.connect_to_server().on_message(pass_on)

    room, profile = await table.open_room(length=3), await table.context(size=LAPTOP)
    await profile.route_web_socket(re.compile("/ws$"), stand_between)
    host = await console_of(table, room, profile=profile)
    await choose(host, 3)
    earlier = plan_of(host).get_by_role("button", name=re.compile("^Play earlier"))
    await expect(earlier).to_be_enabled()
    is_late = True
    async with table.host(room) as leader:
        await leader.ask("reorder_plan", order=[2, 1, 0])
    await earlier.click()
    await must_show(host.locator("footer"), re.compile("Command failed: .+"))


async def test_two_consoles_that_change_the_plan_together(table: Table) -> None:
    """The second one gets a message; then both see the same plan."""
    room = await table.open_room(length=3)
    async with table.host(room) as leader:
        view = {"round": None, "phase": "lobby", "step": 0, "plan": 0}
        await leader.ask("reorder_plan", order=[2, 1, 0], seen=view)
        with pytest.raises(AssertionError, match="stale"):
            await leader.ask("reorder_plan", order=[1, 0, 2], seen=view)
    one, two = [await console_of(table, room) for _ in range(2)]
    assert await titles(one) == await titles(two)


async def test_a_case_is_added_and_played(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await console_of(table, room)
    player = await joined(table, room)
    first = (await titles(host))[0]
    await plan_of(host).get_by_role("button", name="Add a case").click()
    dialog = host.get_by_role("dialog", name="Add a case")
    await must_show(dialog, re.compile(r"Plan so far: \d outer, \d inner"))
    add = dialog.get_by_role("button", name=re.compile("^Add: "))
    await visible(add.first)
    assert not await dialog.get_by_role("button", name=f"Add: {first}").count()
    assert await wrong(host) == []
    name = (await add.nth(3).get_attribute("aria-label") or "").removeprefix("Add: ")
    await dialog.get_by_label("Find a case").fill(name)
    await dialog.get_by_role("button", name=f"Add: {name}", exact=True).click()
    await must_show(dialog.get_by_role("status"), f"Added: {name}")
    await host.keyboard.press("Escape")
    await expect(plan_of(host).locator("button.title")).to_have_text([first, name])
    await play(table, room, *ROUND, "open_round")
    await must_show(player.locator("main"), name)
    await must_show(player.locator("header"), "Case 2 of 2")
    assert table.complaints() == []


# --- an earlier reveal ----------------------------------------------------------


async def test_an_earlier_reveal_comes_back_and_goes_again(table: Table) -> None:
    room = await table.open_room(length=2)
    host = await console_of(table, room)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    player = await joined(table, room)
    first, second = await titles(host)
    async with table.host(room) as leader:
        await leader.ask("open_round")
        await leader.ask("open_vote")
        await player.get_by_role("button", name=re.compile("^Outer")).click()
        await visible(player.get_by_text("Recorded"))
        for command in ("close_votes", "reveal"):
            await leader.ask(command)
        await leader.ask("next_step", all=True)
        await leader.ask("open_round")
    await must_show(screen.locator(".stage"), second)
    await choose(host, 1)
    await plan_of(host).get_by_role("button", name=f"Show its reveal: {first}").click()
    await must_show(screen.locator(".strip"), "shown again")
    await must_show(screen.locator(".strip"), "Case 1 of 2")
    await must_show(player.locator("main"), re.compile("Right|Wrong"))
    await must_show(player.locator("main"), "shown again")
    big = host.locator(".big")
    await expect(big).to_have_text("Back to the lesson")
    await must_show(plan_of(host).locator("[aria-current=step]"), second)
    for page in (host, screen, player):
        assert await wrong(page) == []
    await expect(big).to_have_attribute("aria-disabled", "false")
    await host.keyboard.press("PageDown")
    await must_show(screen.locator(".strip"), "Case 2 of 2")
    await must_show(player.locator("main"), second)
    await expect(big).to_have_text("Open voting")
    assert table.complaints() == []


# --- the clock ------------------------------------------------------------------


async def test_the_clock_stops_on_every_page_and_runs_again(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await console_of(table, room)
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    player = await joined(table, room)
    await play(table, room, "open_round", "open_vote")
    pages = (host, screen, player)
    clocks = [page.get_by_role("timer").first for page in pages]
    for clock in clocks:
        await visible(clock)
    await expect(host.locator(".big")).to_have_text("Close voting")
    await host.keyboard.press("k")
    for clock in clocks:
        await must_show(clock, "stopped")
    shown = [await clock.inner_text() for clock in clocks]
    assert len(set(shown)) == 1
    await player.reload()
    await must_show(clocks[2], "stopped")
    assert await clocks[2].inner_text() == shown[0], "it stood still"
    assert await wrong(host) == []
    await host.get_by_role("button", name="Start the clock again").click()
    for clock in clocks:
        await expect(clock).not_to_contain_text("stopped")
    await visible(host.get_by_role("button", name="Stop the clock"))
    assert table.complaints() == []


async def test_a_close_is_taken_back_by_a_key(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await console_of(table, room)
    await play(table, room, "open_round", "open_vote", "close_votes")
    await visible(host.get_by_role("button", name="Reopen voting"))
    await expect(host.locator(".big")).to_have_attribute("aria-disabled", "false")
    await host.keyboard.press("u")
    await expect(host.locator(".big")).to_have_text("Close voting")


# --- what only the host sees -----------------------------------------------------


async def test_the_private_panel_opens_where_the_wall_is_another_device(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    host = await console_of(table, room)
    toggle = host.locator("[aria-keyshortcuts=P]")
    await expect(toggle).to_have_attribute("aria-expanded", "false")
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    await screen.context.close()
    table.seats.pop()
    await expect(toggle).to_have_attribute("aria-expanded", "false")
    await host.keyboard.press("p")
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    await host.reload()
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    await host.keyboard.press("p")
    await table.sit(table.screen_path(room), size=PROJECTOR)
    await visible(host.locator(".big"))
    await expect(toggle).to_have_attribute("aria-expanded", "false")


async def test_the_reason_of_the_advice_is_beside_the_button(table: Table) -> None:
    room = await table.open_room(length=1)
    host = await console_of(table, room)
    players = [await joined(table, room, f"P{number}") for number in range(5)]
    async with table.host(room) as leader:
        await leader.ask("open_round")
        await leader.ask("open_vote")
        for number, player in enumerate(players):
            gap = "Inner" if number % 2 else "Outer"
            await player.get_by_role("button", name=re.compile(f"^{gap}")).click()
            await visible(player.get_by_text("Recorded"))
        await leader.ask("close_votes")
    why = host.locator("footer .why")
    await expect(host.locator(".big")).to_be_enabled()
    await expect(why).to_have_count(0)
    await host.keyboard.press("p")
    await must_show(why, re.compile(r"\d+ ?%"))


async def test_on_a_phone_the_console_is_for_a_teacher_who_walks_about(
    table: Table,
) -> None:
    room = await table.open_room(length=2)
    phone = await console_of(table, room, size=POCKET)
    player = await joined(table, room)
    _, second = await titles(phone)
    async with table.host(room) as leader:
        await leader.ask("open_round")
        await leader.ask("open_vote")
    await player.get_by_role("button", name=re.compile("^Outer")).click()
    await player.get_by_label("Which fact decides it?").fill("It was paid for.")
    await player.get_by_role("button", name="Send", exact=True).click()
    await must_show(phone.locator("main"), "Answered 1 of 1")
    await must_show(phone.locator("main"), f"Next case: {second}")
    pin = phone.get_by_role("button", name="Show after the vote")
    await (await visible(pin)).scroll_into_view_if_needed()
    await visible(phone.get_by_text("Your notes on this case"))
    await expect(phone.locator(".box")).to_be_hidden()
    big = phone.locator(".big")
    await expect(big).to_be_in_viewport()
    await pin.click()
    await visible(phone.get_by_role("button", name="Unpin"))
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert await wrong(phone) == []
    await big.click()
    await expect(big).to_have_text(re.compile("Reveal|Discuss"))


# --- names, and the end -----------------------------------------------------------


async def test_a_room_is_named_when_it_is_opened_and_later(table: Table) -> None:
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    await (await visible(admin.get_by_label("Room name"))).fill("9b, Tuesday")
    await admin.get_by_role("button", name="Open the room").click()
    await must_show(admin.locator("header .name"), "9b, Tuesday")
    await open_menu(admin)
    await admin.get_by_role("button", name="Settings").click()
    dialog = admin.get_by_role("dialog", name="Settings")
    field = dialog.get_by_label("Room name")
    await expect(field).to_have_value("9b, Tuesday")
    await field.fill("<b>9c</b>")
    await dialog.get_by_role("button", name="Save").click()
    await must_show(admin.locator("header .name"), "<b>9c</b>")
    assert await wrong(admin) == []
    room = await admin.locator("h1.code").inner_text()
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    await must_show(screen.locator(".brand"), "<b>9c</b>")
    player = await joined(table, room)
    await must_show(player.locator("main"), "<b>9c</b>")
    lists = await table.sit(table.admin_path(), size=LAPTOP)
    line = lists.locator("li").filter(has_text=room)
    await must_show(line, "<b>9c</b>, First class")
    report = await table.sit(table.host_path(room).replace("/host", "/report"))
    await must_show(report.locator("main"), "<b>9c</b>")
    assert table.complaints() == []


async def test_at_the_end_come_the_report_again_and_the_next_lesson(
    table: Table,
) -> None:
    room = await table.open_room(length=2, name="9b", settings={"podium": True})
    host = await console_of(table, room)
    player = await joined(table, room)
    before = await titles(host)
    async with table.host(room) as leader:
        await leader.ask("reorder_plan", order=[1, 0])
        await leader.ask("open_round")
        await leader.ask("open_vote")
        await player.get_by_role("button", name=re.compile("^Outer")).click()
        await visible(player.get_by_text("Recorded"))
        for command in ("close_votes", "reveal", "finish"):
            await leader.ask(command)
    ended = await visible(host.locator("footer .ended"))
    await expect(host.locator(".big")).to_have_count(0)
    report = ended.get_by_role("link", name="Report")
    assert f"/report#room={room}" in (await report.get_attribute("href") or "")
    assert await wrong(host) == []
    await ended.get_by_role("button", name="Next lesson").click()
    go = await visible(ended.get_by_role("link", name=re.compile("Go to room")))
    lesson = await go.get_attribute("href")
    await ended.get_by_role("button", name="Close").click()
    await ended.get_by_role("button", name="Again, for another class").click()
    await (await visible(go)).click()
    await expect(host.locator("h1.code")).not_to_have_text(room)
    await expect(plan_of(host).locator("button.title")).to_have_text(before[::-1])
    await expect(host.locator("header .name")).to_have_count(0)
    await open_menu(host)
    await host.get_by_role("button", name="Settings").click()
    await expect(host.get_by_label("Show the top three at the end")).to_be_checked()
    assert lesson is not None
    twins = await table.sit(lesson, size=LAPTOP)
    await visible(plan_of(twins))
    assert not {*before} & {*await titles(twins)}, "nothing the class has seen"
    await must_show(twins.locator("header .name"), "9b")
    assert table.complaints() == []
