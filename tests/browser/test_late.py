"""A part of a page that does not come through: it says so, tries on, and heals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.table import LAPTOP, PHONE, Table, violations

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_phone_without_the_games_part_says_so(table: Table) -> None:
    profile = await table.context(size=PHONE)
    await profile.route("**/assets/late-*", lambda route: route.abort())
    room = await table.open_room(length=1)
    page = await table.sit(f"/j/{room}", profile=profile)
    await page.locator("#name").fill("Ada")
    await page.locator("button.main").click()
    await says_so(page)
    assert await violations(page) == []
    await page.get_by_role("button", name="Reload the page").click()
    await says_so(page)
    await profile.unroute("**/assets/late-*")  # it tries again without the button
    await expect(page.locator("main").get_by_text("You’re in, Ada")).to_be_visible()
    async with table.host(room) as host:
        await host.ask("open_round")
        await expect(page.get_by_text("Read the story.").last).to_be_visible()


async def test_a_console_that_is_on_its_way_says_so(table: Table) -> None:
    profile = await table.context(size=LAPTOP)
    await profile.route("**/assets/Console-*.js", lambda route: route.abort())
    room = await table.open_room(length=1)
    page = await table.sit(table.host_path(room), profile=profile)
    await says_so(page)
    async with page.expect_event("load"):
        await page.get_by_role("button", name="Reload the page").click()
    await says_so(page)
    await profile.unroute("**/assets/Console-*.js")  # it tries again on its own
    await expect(page.locator(".big")).to_be_visible()


async def test_a_page_whose_script_is_missing_is_not_blank(table: Table) -> None:
    async def refuse(route: Route) -> None:
        await route.abort()

    profile = await table.context(size=PHONE)
    await profile.route("**/assets/*.js", refuse)
    page = await table.sit("/", profile=profile)
    await expect(page.get_by_text("Two Gaps is loading")).to_be_visible()


async def says_so(page: Page) -> None:
    """Wait until a page says that a part of it is still on its way."""
    await expect(page.get_by_text("loaded yet. Trying again")).to_be_visible()
