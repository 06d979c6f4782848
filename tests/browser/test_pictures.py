"""A case's picture: an <img> on wall, phone and card, in the colors of its surface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from scenarios.load import load_library
from server.app import Running
from tests.browser.layout import opened, settle, sweep
from tests.browser.table import PROJECTOR, Table, violations
from tests.support.shown import Look, moments

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALT = "A speedboat with a burning stern"
LOOKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"color_scheme": "light"}, "#191d25"),
    ({"color_scheme": "dark"}, "#f3f1ec"),
    ({"forced_colors": "active"}, "#000000"),
)


async def drawn(page: Page) -> str:
    """Wait for the picture; return its text as the browser shows it."""
    image = page.get_by_role("img", name=ALT)
    await expect(image).to_be_visible()
    await page.wait_for_function("() => document.querySelector('picture img').complete")
    assert await image.evaluate("one => one.naturalWidth") > 0, "it is drawn"
    source = str(await image.evaluate("one => one.currentSrc"))
    assert source.startswith("data:image/svg+xml,")
    return unquote(source)


@pytest.mark.parametrize(("look", "ink"), LOOKS)
async def test_wall_and_phone_show_it_with_the_story(
    table: Table, look: dict[str, Any], ink: str
) -> None:
    room = await table.open_room(length=1)
    wall = await table.sit(table.screen_path(room), size=PROJECTOR, **look)
    phone = await table.sit(f"/j/{room}", size={"width": 390, "height": 844}, **look)
    await phone.get_by_label("Your name").fill("Ada")
    await phone.get_by_role("button", name="Join", exact=True).click()
    async with table.host(room) as host:
        await host.ask("open_round")
        for page in (wall, phone):
            assert f'fill="{ink}"' in await drawn(page)
            shapes = "main :is(path, ellipse)[fill=gray], main svg path[d^='M58 60']"
            assert await page.locator(shapes).count() == 0, "never in the page itself"
            assert await violations(page) == []
        for command in ("open_vote", "close_votes", "reveal"):
            await host.ask(command)
        await expect(wall.locator(".tally")).to_be_visible()
        for page in (wall, phone):
            await expect(page.get_by_role("img", name=ALT)).to_have_count(0)
    assert table.complaints() == []


async def test_the_card_and_its_file_show_it(table: Table, tmp_path: Path) -> None:
    room = await table.open_room(length=1)
    dark = {"color_scheme": "dark", "accept_downloads": True}
    phone = await table.sit(f"/j/{room}", size={"width": 390, "height": 844}, **dark)
    await phone.get_by_label("Your name").fill("Ada")
    await phone.get_by_role("button", name="Join", exact=True).click()
    async with table.host(room) as host:
        for command in ("open_round", "open_vote"):
            await host.ask(command)
        await phone.locator("button.gap").first.click()
        for command in ("close_votes", "reveal"):
            await host.ask(command, override=True) if command == "close_votes" else (
                await host.ask(command)
            )
        await host.ask("finish")
    assert 'fill="#f3f1ec"' in await drawn(phone)
    async with phone.expect_download() as download:
        await phone.get_by_role("button", name="Save as a file").click()
    file = tmp_path / "card.html"
    await (await download.value).save_as(file)
    kept = await table.browser.new_page()
    await kept.goto(file.as_uri())
    assert 'fill="#191d25"' in await drawn(kept), "on the file's own light paper"
    await kept.close()


async def test_where_the_story_needs_the_room_the_wall_leaves_it_out(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    wall = await table.sit(table.screen_path(room), size=PROJECTOR)
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        await drawn(wall)
        await wall.set_viewport_size({"width": 1024, "height": 768})
        await expect(wall.get_by_role("img", name=ALT)).to_be_hidden()
        await expect(wall.locator("p.text")).to_be_visible()
        await wall.set_viewport_size({"width": 1920, "height": 1080})
        await expect(wall.get_by_role("img", name=ALT)).to_be_visible()


async def test_a_wall_of_16_to_9_has_room_for_every_picture(
    browser: Browser, server: Running
) -> None:
    library = load_library()
    found = [
        moment
        for deck in library.decks.values()
        for moment in moments(deck, library, Look(pins=0))
        if '"picture":{' in moment.told["screen"]
    ]
    assert {"vote", "revote", "discuss", "transfer"} <= {one.phase for one in found}
    async with opened(browser, server, "screen", (1920, 1080), "en-GB") as page:
        await settle(page, found[0], "screen")
        left_out = await sweep(page, found, "screen", by="undrawn")
    assert left_out == {}
