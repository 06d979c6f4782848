"""What a learner hears, says and keeps: the group, their sentence, the card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PROJECTOR, Table, show_private, violations

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = "It was paid for targets, so the author of the score has to change it."


async def join(table: Table, room: str, name: str) -> Page:
    """Join as a player."""
    page = await table.sit(f"/j/{room}")
    await page.locator("#name").fill(name)
    await page.locator("button.main").click()
    await expect(page.locator("main")).to_have_attribute("data-phase", "lobby")
    return page


async def test_talking_saying_and_the_card_to_keep(
    table: Table, tmp_path: Path
) -> None:
    room = await table.open_room(length=1)
    ann = await join(table, room, "Ann")
    bob = await join(table, room, "Bob")
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await ann.locator("button.gap.outer").click()
        await ann.locator(".chips button").nth(4).click()
        await host.ask("close_votes")
        await host.ask("discuss")
        await expect(ann.locator("main").get_by_text("Talk to Bob.")).to_be_visible()
        await expect(bob.locator("main").get_by_text("Group 1")).to_be_visible()
        await expect(screen.locator("main")).not_to_contain_text("Bob")
        await host.ask("reveal")
        for _ in range(4):
            await host.ask("next_step")
        await host.ask("ask_say")
        await expect(screen.get_by_role("heading").first).to_contain_text(
            "as an expert"
        )
        assert await violations(screen) == []
        await ann.get_by_label("Say it as an expert would").fill(SAID)
        await ann.get_by_role("button", name="Send").click()
        await expect(ann.get_by_text("Recorded. You can still")).to_be_visible()
        assert await violations(ann) == []
        await ann.reload()
        box = ann.get_by_label("Say it as an expert would")
        await expect(box).to_have_value(SAID)
        await host.ask("next_step")
        await expect(ann.get_by_text("An expert would say", exact=True)).to_be_visible()
        await expect(ann.get_by_text(SAID)).to_be_visible()
        await host.ask("finish")
    await the_card(ann, tmp_path)
    await bob.get_by_text("Say it", exact=True).click()
    await bob.get_by_label("Say it as an expert would").fill("The score was wrong.")
    await bob.get_by_role("button", name="Send").click()
    await expect(bob.get_by_text("You said", exact=True).last).to_be_visible()
    assert table.complaints() == []


async def test_the_host_shows_a_sentence_to_everyone_without_its_author(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    ann = await join(table, room, "Ann")
    bob = await join(table, room, "Bob")
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    desk = await table.sit(table.host_path(room), size=LAPTOP)
    async with table.host(room) as host:
        for command in ("open_round", "open_vote", "close_votes", "reveal"):
            await host.ask(command)
        for _ in range(4):
            await host.ask("next_step")
        await host.ask("ask_say")
    await show_private(desk)
    await expect(desk.get_by_text("No sentences yet.")).to_be_visible()
    await expect(ann.get_by_text("may show it to everyone")).to_be_visible()
    await ann.get_by_label("Say it as an expert would").fill(SAID)
    await ann.get_by_role("button", name="Send").click()
    await expect(desk.get_by_text(SAID)).to_be_visible()
    await expect(screen.locator("main")).to_contain_text("1 of 2")
    await expect(screen.locator("main")).not_to_contain_text(SAID)
    await desk.get_by_role("button", name="Show to everyone").click()
    for page in (screen, bob):
        await expect(page.get_by_text(SAID)).to_be_visible()
        await expect(page.locator("main")).not_to_contain_text("Ann")
        assert await violations(page) == []
    assert await violations(desk) == []
    await ann.get_by_label("Say it as an expert would").fill(f"{SAID} Or not.")
    await ann.get_by_role("button", name="Send").click()
    for page in (screen, bob):
        await expect(page.get_by_text(SAID)).not_to_be_visible()
    await desk.get_by_role("button", name="Show to everyone").click()
    await expect(screen.get_by_text(f"{SAID} Or not.")).to_be_visible()
    await desk.get_by_role("button", name="Unpin").click()
    await expect(screen.get_by_text(SAID)).not_to_be_visible()
    assert table.complaints() == []


async def the_card(page: Page, folder: Path) -> None:
    """See that the card says it all, and that its file needs no server."""
    card = page.locator(".keep")
    await expect(card.locator("h2").first).to_have_text("Ann’s card")
    await expect(card).to_contain_text("90%: you were right")
    await expect(card.locator(".story").first).to_be_visible()
    await expect(card.locator(".two-gaps")).to_have_count(1)
    await expect(card.locator(".sources a").first).to_have_attribute(
        "href", re.compile("^https?://")
    )
    await expect(card).to_contain_text(SAID)
    await expect(card.get_by_text("Six to come back to")).to_be_visible()
    stories = card.locator("section ol > li")
    assert await stories.count() == 6
    answer = stories.first.locator("details details p")
    await expect(answer).to_be_hidden()
    await stories.first.locator("summary").first.click()
    await expect(answer).to_be_hidden()
    await stories.first.locator("summary", has_text=re.compile("^The answer$")).click()
    await expect(answer).to_be_visible()
    assert await violations(page) == []
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Add the date to a calendar").click()
    assert (await download.value).suggested_filename == "two-gaps.ics"
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Save as a file").click()
    saved = folder / "card.html"
    await (await download.value).save_as(saved)
    text = saved.read_text(encoding="utf-8")
    assert SAID in text
    assert text.count("<summary") >= 12
    own = re.sub('src="data:image/svg[^"]*"', "", text.split("Read more")[0])
    for gone in ("<script", "<button", "<textarea", "<form", "src=", "url("):
        assert gone not in own, gone
    hrefs = re.findall(r'href="([^"]*)"', text)
    assert hrefs
    assert all(href.startswith(("https://", "http://")) for href in hrefs)
    own = text.split("Six to come back to")[0]  # stories may speak of ranks
    assert not re.search(r"rank|place \d", own)


async def test_votes_are_named_and_shares_are_those_of_the_people_counted(
    table: Table,
) -> None:
    """Two vote first, one of them again, and a third only in the second vote."""
    room = await table.open_room(length=1)
    ann = await join(table, room, "Ann")
    bob = await join(table, room, "Bob")
    cy = await join(table, room, "Cy")
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    console = await table.sit(table.host_path(room), size=PROJECTOR)

    async def tap(page: Page, gap: str) -> None:
        await page.locator(f"button.gap.{gap}").click()
        await expect(page.get_by_text("Recorded").first).to_be_visible()

    async with table.host(room) as host:
        for command in ("open_round", "open_vote"):
            await host.ask(command)
        await tap(ann, "outer")
        await tap(bob, "inner")
        for command in ("close_votes", "discuss", "revote"):
            await host.ask(command)
        await tap(ann, "outer")
        await tap(cy, "outer")
        for command in ("close_votes", "reveal"):
            await host.ask(command)
        await expect(screen.locator(".carried")).to_have_text(
            "1 first vote carried over"
        )
        await show_private(console)
        await expect(console.locator("p.share")).to_have_text("67% right n = 3")
        for _ in range(9):
            await host.ask("next_step")
        await host.ask("transfer")
        await tap(ann, "outer")
        for command in ("close_votes", "finish"):
            await host.ask(command)
    cells = screen.locator("tbody tr").first.locator("td")
    await expect(cells).to_have_text(["50% → 67%"])
    said = ann.locator(".cases li p.vote")
    await expect(said).to_have_count(3)
    for at, name in enumerate(("First vote:", "Second vote:", "On the twin case:")):
        await expect(said.nth(at)).to_contain_text(name)
    twin = ann.locator("summary", has_text="The twin case:")
    await expect(twin).to_be_visible()
    assert table.complaints() == []
