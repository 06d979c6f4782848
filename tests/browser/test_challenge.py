"""Challenging a label: on phones after the verdict, for the host, and in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.table import LAPTOP, PROJECTOR, Table, show_private, violations
from tests.browser.test_card import join

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = "The score never paid for the loop."
LINK = "I disagree with this label"


async def challenge(page: Page, text: str) -> None:
    """Open the field and send a sentence; wait until it stands."""
    await page.get_by_role("button", name=LINK).click()
    await page.get_by_label("Why is the label wrong?").fill(text)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".said q")).to_have_text(text)
    await expect(page.get_by_label("Why is the label wrong?")).to_have_count(0)


async def test_a_label_is_challenged_on_the_phone_and_read_by_the_host(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    ann = await join(table, room, "Ann")
    bob = await join(table, room, "Bob")
    wall = await table.sit(table.screen_path(room), size=PROJECTOR)
    console = await table.sit(table.host_path(room), size=LAPTOP)
    async with table.host(room) as host:
        for command in ("open_round", "open_vote", "close_votes", "reveal"):
            await host.ask(command)
        for _ in range(3):
            await host.ask("next_step")
        await expect(ann.get_by_role("heading", level=1)).to_have_text(
            "What the class said"
        )
        await expect(ann.get_by_role("button", name=LINK)).to_have_count(0)
        await host.ask("next_step")
        await expect(ann.get_by_text("Facts: ")).to_be_visible()
        await challenge(ann, SAID)
        assert await violations(ann) == []
        await ann.get_by_role("button", name="Change or take back").click()
        field = ann.get_by_label("Why is the label wrong?")
        await expect(field).to_have_value(SAID)
        await field.fill("Unsent.")
        assert await violations(ann) == []
        await ann.reload()
        await expect(field).to_have_value("Unsent.")
        await ann.get_by_role("button", name="Cancel").click()
        await challenge(bob, "Bob says no.")
        await bob.get_by_role("button", name="Change or take back").click()
        await bob.get_by_role("button", name="Take it back").click()
        await expect(bob.locator(".said")).to_have_count(0)

        await show_private(console)
        told = console.locator("section", has_text="Challenges to this label")
        await expect(told).to_contain_text(SAID)
        await expect(told).to_contain_text("Ann")
        await expect(told).not_to_contain_text("Bob")
        await challenge(console, "Rule 4 decides.")
        assert await violations(console) == []
        await console.get_by_text("Your notes on this case").click()
        await expect(console.get_by_text("Evidence: ")).to_be_visible()
        for page in (wall, bob):
            await expect(page.locator("body")).not_to_contain_text(SAID)
        await expect(wall.locator("body")).not_to_contain_text(LINK)
        await host.ask("finish")
    await expect(ann.locator(".card-of .said q")).to_have_text(SAID)
    await expect(bob.get_by_role("button", name=LINK)).to_be_visible()
    report = await table.sit(
        table.host_path(room).replace("/host", "/report"), size=LAPTOP
    )
    fold = report.locator("summary", has_text="Statistics")
    await fold.click()
    await expect(
        report.get_by_role("heading", name="Challenged labels")
    ).to_be_visible()
    body = report.locator("main")
    await expect(body).to_contain_text("2 people disagree")
    await expect(body).to_contain_text(SAID)
    await expect(body).to_contain_text("Rule 4 decides.")
    await expect(body).to_contain_text("confirmed in source")
    assert await violations(report) == []
    assert table.complaints() == []


async def test_there_is_no_link_in_practice(table: Table) -> None:
    room = await table.open_room(length=1)
    ann = await join(table, room, "Ann")
    async with table.host(room) as host:
        for command in ("open_round", "open_vote", "close_votes", "reveal"):
            await host.ask(command)
        await host.ask("next_step", all=True)
        await expect(ann.get_by_role("button", name=LINK)).to_be_visible()
        for command in ("play_again", "open_vote", "close_votes", "reveal"):
            await host.ask(command)
        await host.ask("next_step", all=True)
        await expect(ann.get_by_text("Facts: ")).to_be_visible()
        await expect(ann.get_by_role("button", name=LINK)).to_have_count(0)
