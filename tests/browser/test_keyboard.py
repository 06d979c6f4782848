"""A whole game by keyboard alone: neither player nor host has a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.table import LAPTOP, Table, show_private

if TYPE_CHECKING:
    from playwright.async_api import Page

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

HAS_FOCUS = "selector => document.activeElement.matches(selector)"
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


async def go_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, and see that the focus shows."""
    await page.locator(selector).first.wait_for()
    for _ in range(40):
        if await page.evaluate(HAS_FOCUS, selector):
            assert await page.evaluate(OUTLINE) != "none"
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reached {selector}")


async def press(page: Page, selector: str, key: str = "Enter") -> None:
    """Go to a control by Tab, and use it."""
    await go_to(page, selector)
    await page.keyboard.press(key)


async def lead(host: Page, then: str, key: str = " ") -> None:
    """Press a key of the console, and wait for what the big button offers then."""
    await host.locator(".big[aria-disabled=false]").wait_for()
    await host.keyboard.press(key)
    await expect(host.locator(".big[aria-disabled=false]")).to_have_text(then)


async def all_in(player: Page, host: Page) -> None:
    """Wait until the vote is recorded, and the console has heard of it."""
    await is_recorded(player)
    await host.locator(".big.ready").wait_for()


async def is_in(player: Page, phase: str) -> None:
    """Wait until the player's page is in a phase."""
    await expect(player.locator("main")).to_have_attribute("data-phase", phase)


async def is_recorded(player: Page) -> None:
    """Wait until the page says that the vote is stored."""
    said = player.get_by_role("status").filter(has_text="Recorded")
    await expect(said).to_be_visible()


async def test_a_whole_game_by_keyboard(table: Table) -> None:
    admin = await table.sit(table.admin_path(), size=LAPTOP)
    length = admin.locator("select").first
    await expect(length.locator("option").nth(1)).to_contain_text("minutes")
    await go_to(admin, "select")
    await admin.keyboard.press("ArrowDown")
    await expect(length).to_have_value("1")
    await press(admin, "summary")
    await go_to(admin, 'select:has(option[value="false"])')
    await admin.keyboard.press("End")  # votes are closed by the host alone
    await press(admin, "button.open")
    host = admin
    await expect(host.locator(".big")).to_have_text("Opening minute")
    room = await host.get_by_role("heading", level=1).first.inner_text()

    player = await table.sit("/")
    await go_to(player, "#code")
    await player.keyboard.type(room)
    await go_to(player, "#name")
    await player.keyboard.press("Control+A")
    await player.keyboard.type("Ada")
    await player.keyboard.press("Enter")
    await is_in(player, "lobby")

    await host.locator(".big[aria-disabled=false]").wait_for()
    await host.keyboard.press(" ")
    await is_in(player, "opening")
    await host.locator(".big[aria-disabled=false]").wait_for()
    await host.keyboard.press(" ")
    await press(player, "button.gap.outer")
    await is_recorded(player)
    # The minute goes on without a key; with one, it is left for the first case.
    await expect(
        player.locator("main").get_by_text("You said: Outer. Right.")
    ).to_be_visible()
    await host.locator(".big[aria-disabled=false]").wait_for()
    await press(host, ".others > .button:not(.plain)")
    await expect(host.locator(".big[aria-disabled=false]")).to_have_text("Open voting")
    await is_in(player, "read")
    await press(player, "button.open")
    await press(player, "dialog .choices .button:nth-child(2)")
    await player.keyboard.press("Escape")
    await lead(host, "Close voting")
    await press(player, "button.gap.inner")
    await press(player, ".chips button:nth-child(5)", "Space")
    await go_to(player, "#reason")
    await player.keyboard.type("Only the place had changed.")
    await player.keyboard.press("Enter")
    await is_recorded(player)

    # What only the host may see, and a reason for the class once the vote is closed.
    await show_private(host)
    await press(host, "aside .button[aria-pressed=false]")
    await expect(host.get_by_text("Will show after the vote.")).to_be_visible()
    await show_private(host, is_shown=False)
    await leave_buttons(host)

    await lead(host, "Reveal")
    await is_in(player, "vote_closed")
    await expect(
        player.get_by_text("Only the place had changed.").first
    ).to_be_visible()
    await lead(host, "Vote again", "d")
    await is_in(player, "discuss")
    await lead(host, "Close voting")
    await is_in(player, "revote")
    await press(player, "button.gap.outer")
    await all_in(player, host)
    await lead(host, "Reveal")
    await lead(host, "Next step", "r")
    await is_in(player, "reveal")
    for _ in range(3):
        await host.keyboard.press(" ")
        await host.locator(".big[aria-disabled=false]").wait_for()
    await press(host, ".others .plain")  # all steps together
    await expect(
        player.locator("main").get_by_text("How an expert would say it")
    ).to_be_visible()
    await press(player, "details:last-of-type > summary")
    await expect(player.get_by_role("table").first).to_be_visible()
    await leave_buttons(host)

    await expect(host.locator(".big")).to_have_text("Ask for the repair")
    await lead(host, "Close voting")
    await is_in(player, "fix")
    await press(player, ".option:nth-child(2)")
    await all_in(player, host)
    await lead(host, "Transfer case")
    await lead(host, "Close voting")
    await is_in(player, "transfer")
    await press(player, "button.gap.inner", "Space")
    await press(player, ".chips button:nth-child(1)")
    await all_in(player, host)
    await lead(host, "Show a case to talk about")
    await is_in(player, "transfer_reveal")
    await lead(host, "Show a case to talk about")
    await lead(host, "Show a case to talk about")
    await lead(host, "Finish the game")
    await host.keyboard.press(" ")
    await is_in(player, "finished")
    await go_to(player, "main .button.main")
    async with player.expect_download() as download:
        await player.keyboard.press("Enter")
    assert "Ada" in (await (await download.value).path()).read_text(encoding="utf-8")
    assert table.complaints() == []


async def leave_buttons(host: Page) -> None:
    """Move the focus off buttons: on one, space is the button's own."""
    await go_to(host, ".stage .body")
