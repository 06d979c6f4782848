"""A whole game in real browsers: host, projector and phones, and what befalls them.

In the middle the host's page and the projector reload, a phone loses its line with a
vote unsent, and a player comes late. Nothing may be lost, and no console may complain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.table import LAPTOP, PROJECTOR, Table, violations
from tests.browser.wire import wire_to

if TYPE_CHECKING:
    from playwright.async_api import Page

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWS = "text => document.body.innerText.toLowerCase().includes(text.toLowerCase())"


async def must_show(page: Page, *texts: str) -> None:
    """Wait until a page shows these texts, in any case of letters."""
    for text in texts:
        try:
            await page.wait_for_function(SHOWS, arg=text)
        except play.TimeoutError as exc:
            shown = await page.inner_text("body")
            raise AssertionError(f"no {text!r} in:\n{shown}") from exc


async def join(table: Table, room: str, name: str, port: int | None = None) -> Page:
    """Join as a player who followed the link."""
    page = await table.sit(f"/j/{room}", port=port)
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await must_show(page, f"You’re in, {name}")
    return page


async def say(page: Page, gap: str, confidence: int) -> None:
    """Vote by thumb, and see it recorded."""
    await page.locator(f"button.gap.{gap}").click()
    await page.locator(".chips button", has_text=f"{confidence}").first.click()
    await must_show(page, "Recorded")


async def press(host: Page, key: str = " ") -> None:
    """Press a key once the console listens: not while a phase is on its way."""
    await host.locator(".big[aria-disabled=false]").wait_for()
    await host.keyboard.press(key)


async def advance(host: Page, shows: str, key: str = " ") -> None:
    """Press a key of the console and wait for what the class then sees."""
    await press(host, key)
    await must_show(host, shows)


async def test_a_whole_game(table: Table) -> None:
    room = await table.open_room(length=1)
    async with wire_to(table.server.port) as wire:
        host = await table.sit(table.host_path(room), size=LAPTOP)
        screen = await table.sit(table.screen_path(room), size=PROJECTOR)
        ada = await join(table, room, "Ada")
        ben = await join(table, room, "Ben", wire.port)
        cleo = await join(table, room, "Cleo")
        phones = [ada, ben, cleo]
        await must_show(screen, room, "Ada", "Ben", "Cleo")

        await advance(host, "True story, 2016")
        await advance(host, "Answered 0 of 3")
        await say(ada, "outer", 80)
        await say(cleo, "inner", 90)

        # A phone without a line keeps its vote and sends it when it is back.
        wire.cut()
        await must_show(ben, "Connection lost")
        await ben.locator("button.gap.inner").click()
        await must_show(ben, "Saved on this device")
        assert "Recorded" not in await ben.inner_text("body")
        wire.restore()
        await must_show(ben, "Recorded")

        await host.reload()
        await screen.reload()
        await must_show(host, "Answered 3 of 3")
        await must_show(screen, "Answered 3 of 3")
        assert "%" not in await screen.inner_text(".foot")

        dora = await join_late(table, room)
        phones.append(dora)
        await say(dora, "outer", 60)
        await must_show(host, "Answered 4 of 4")
        await advance(host, "Voting is closed")
        await advance(host, "against the other", key="d")
        await must_show(ada, "Talk to your neighbors")
        await advance(host, "Vote again")
        await ada.get_by_role("button", name="Keep my answer").click()
        await say(ben, "outer", 70)
        await must_show(screen, "Answered 2 of 4")

        await close(host, then="Reveal")
        await advance(host, "50 → 75%")
        await must_show(screen, "2 first votes carried over")
        await press(host)
        for page in (host, screen):
            await expect(page.locator(".captions li.drawn")).to_have_count(3)
        await advance(host, "The fact that decides it")
        for page in (*phones, screen):
            await must_show(page, "The outer gap", "The fact that decides it")
        await must_show(ada, "Right, 96 points")
        await must_show(cleo, "Not this time, 19 points")
        for step in (
            "Why not the other gap",
            "The smallest change that flips it",
            "The repair that fits",
            "What it doesn’t solve",
        ):
            await advance(host, step, key="e")
            await must_show(screen, step)
        await advance(host, "How an expert would say it")
        await must_show(screen, "How an expert would say it")

        await advance(host, "Answered 0 of 4")
        await ada.locator(".option").first.click()
        await must_show(ada, "Recorded")
        await close(host, then="Transfer case")
        await must_show(ada, "repairs this gap")

        await advance(host, "One more, on your own")
        await say(cleo, "outer", 100)
        await close(host, then="Show a case to talk about")
        await must_show(cleo, "What the class said")
        await advance(host, "Talking point 1 of 2")
        await advance(host, "Talking point 2 of 2")
        await advance(host, "Each link can break alone")

        await press(host)
        for phone in phones:
            await must_show(phone, "That’s the end of the game", "card")
        await must_show(screen, "Thank you for playing", "Class mean")
        async with ada.expect_download() as download:
            await ada.get_by_role("button", name="Save as a file").click()
        card = (await (await download.value).path()).read_text(encoding="utf-8")
        assert "Ada" in card
        assert "<script" not in card
        for page in (*phones, screen, host):
            assert await violations(page) == []
    assert table.complaints() == []


async def join_late(table: Table, room: str) -> Page:
    """Join while a vote is open, and see it immediately."""
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill("Dora")
    await page.get_by_role("button", name="Join", exact=True).click()
    await must_show(page, "Which gap broke?")
    return page


async def close(host: Page, then: str) -> None:
    """Close the open vote by the big button's key; wait for what it offers next.

    Fewer than 80% have answered: the console asks first.
    """
    await press(host)
    await host.get_by_role("dialog").locator("button.main").click()
    await expect(host.locator(".big")).to_have_text(then)


async def test_a_second_device_takes_over(table: Table) -> None:
    room = await table.open_room(length=1)
    first = await join(table, room, "Ada")
    state = await first.context.storage_state()
    second = await table.sit(f"/j/{room}", storage_state=state)
    await must_show(second, "You’re in, Ada")
    await must_show(first, "playing on another device")
    await first.get_by_role("button", name="Use this device").click()
    await must_show(first, "You’re in, Ada")
    await must_show(second, "playing on another device")


async def test_a_wrong_code_says_so(table: Table) -> None:
    page = await table.sit("/")
    await page.get_by_label("Room code").fill("XXXXXX")
    await page.get_by_role("button", name="Join", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert table.complaints() == []


async def test_a_draft_survives_a_reload_and_ends_with_its_phase(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room, "Ada")
    line = page.get_by_label("Which fact decides it?")
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await page.get_by_role("button", name=re.compile("^Outer")).click()
        await line.fill("Points were pa")
        await page.reload()
        await expect(line).to_have_value("Points were pa")
        await line.fill("Points were paid.")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_text("Recorded")).to_be_visible()
        await line.fill("Points were paid, and m")
        await page.reload()
        await expect(line).to_have_value("Points were paid, and m")
        await host.ask("close_votes")
        await must_show(page, "Voting is closed")
        await host.ask("revote")
        await page.get_by_role("button", name=re.compile("^Outer")).click()
        await expect(line).to_have_value("")
        await page.reload()
        await expect(line).to_have_value("")


async def test_who_answers_last_has_time_for_their_words(table: Table) -> None:
    """A vote closes automatically, but not before a line that is written is in."""
    room = await table.open_room(length=1, settings={"auto_close": True})
    host = await table.sit(table.host_path(room), size=LAPTOP)
    page = await join(table, room, "Ada")
    await must_show(host, "Ada")
    async with table.host(room) as staff:
        await staff.ask("open_round")
        await staff.ask("open_vote")
    await page.get_by_role("button", name=re.compile("^Outer")).click()
    await page.get_by_role("button", name=re.compile("^fairly")).click()
    in_seconds = re.compile(r"Everyone has answered\. Closes in \d+ s\.")
    await expect(host.get_by_text(in_seconds)).to_be_visible()
    closes = page.get_by_text(re.compile(r"Voting closes in \d+ s\."))
    await expect(closes).to_be_visible()
    line = page.get_by_label("Which fact decides it?")
    await line.fill("Points were paid, and m")
    await expect(page.locator("main").get_by_text("Voting is closed")).to_be_visible()
    await expect(page.get_by_text("Points were paid, and m")).to_be_visible()
    await expect(page.locator("main .recorded")).to_be_visible()
    assert table.complaints() == []


async def test_what_is_being_written_when_the_host_closes_still_counts(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room, "Ada")
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await page.get_by_role("button", name=re.compile("^Outer")).click()
        await page.get_by_label("Which fact decides it?").fill("Points were paid, and")
        await host.ask("close_votes")
    await expect(page.locator("main").get_by_text("Voting is closed")).to_be_visible()
    await expect(page.locator("main .recorded")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Points were paid, and")).to_be_visible()


async def test_a_sentence_of_ones_own_survives_a_reload(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await join(table, room, "Ada")
    async with table.host(room) as host:
        for command in ("open_round", "open_vote", "close_votes", "reveal", "finish"):
            await host.ask(command)
        box = page.get_by_label(re.compile("^Say it as an expert would")).first
        case = page.locator("details:has(textarea) > summary").first
        await case.click()
        await box.fill("It was paid for p")
        await page.reload()
        await case.click()
        await expect(box).to_have_value("It was paid for p")
        await box.fill("It was paid for points.")
        await page.get_by_role("button", name="Send", exact=True).first.click()
        await expect(page.get_by_text("Recorded. You can still")).to_be_visible()
    assert (
        await page.evaluate("localStorage.getItem('two-gaps draft sentence')") is None
    )


async def test_a_typed_name_survives_a_reload_until_it_is_used(table: Table) -> None:
    room = await table.open_room(length=1)
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill("Miriam")
    await page.reload()
    await expect(page.get_by_label("Your name")).to_have_value("Miriam")
    await page.get_by_role("button", name="Join", exact=True).click()
    await must_show(page, "You’re in, Miriam")
    kept = "localStorage.getItem('two-gaps typed name')"
    assert await page.evaluate(kept) is None
