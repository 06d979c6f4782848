"""Presses that come too soon or from a presenter's remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from playwright.async_api import expect

from tests.browser.console import big, in_vote, stop_clock, vote
from tests.browser.table import LAPTOP, PROJECTOR, Table
from tests.browser.test_game import must_show

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def with_all_votes(table: Table) -> Page:
    """Return the console of a room in which everyone has voted."""
    host, _, player = await in_vote(table)
    await vote(player, "Outer")
    await must_show(host, "Answered 1 of 1")
    return host


async def is_dark(screen: Page, *, wanted: bool) -> None:
    """Wait until the projector's page is black, or no longer."""
    await expect(screen.locator(".dark")).to_have_count(int(wanted))


@pytest.mark.parametrize("gap_ms", [20, 150, 400])
@pytest.mark.parametrize("way", ["key", "click"])
async def test_a_double_press_counts_once(table: Table, way: str, gap_ms: int) -> None:
    host = await with_all_votes(table)
    await stop_clock(host)  # however busy the machine is, the gap is the same
    for _ in range(2):
        if way == "key":
            await host.keyboard.press("PageDown" if gap_ms == 150 else " ")
        else:
            await host.mouse.move(*await middle(host))
            await host.mouse.down()
            await host.mouse.up()
        await host.clock.run_for(gap_ms)
    await host.clock.resume()
    await expect(big(host)).to_have_text("Reveal")
    await host.wait_for_timeout(300)  # a second command would have changed it by now
    await expect(big(host)).to_have_text("Reveal")


async def middle(host: Page) -> tuple[float, float]:
    """Return where the middle of the big button is."""
    box = await host.locator(".big").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("key", ["PageDown", "ArrowRight", "ArrowDown", "Enter"])
async def test_a_remote_leads_on_from_the_console(table: Table, key: str) -> None:
    host = await with_all_votes(table)
    await host.keyboard.press(key)
    await expect(big(host)).to_have_text("Reveal")


async def test_a_remote_leads_on_from_the_projector_of_the_same_browser(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    laptop = await table.context(size=PROJECTOR)
    host = await table.sit(table.host_path(room), profile=laptop)
    second = await table.sit(table.host_path(room), profile=laptop)
    screen = await table.sit(table.screen_path(room), profile=laptop)
    elsewhere = await table.sit(table.screen_path(room), size=LAPTOP)
    await expect(big(host)).to_have_text("Open the next case")
    await expect(big(second)).to_have_text("Open the next case")
    await must_show(screen, "Join at")
    await screen.bring_to_front()
    await screen.keyboard.press("PageDown")
    await expect(big(host)).to_have_text("Open voting")
    await screen.keyboard.press("PageUp")
    await elsewhere.keyboard.press("PageDown")
    await screen.keyboard.press("b")
    await is_dark(screen, wanted=True)
    await screen.keyboard.press("PageDown")
    await is_dark(screen, wanted=False)
    await host.bring_to_front()
    await host.keyboard.press("b")
    await is_dark(screen, wanted=True)
    await is_dark(elsewhere, wanted=False)
    await expect(big(host)).to_have_text("Open voting")
    assert table.complaints() == []


async def test_the_way_out_of_a_question_keeps_its_word_whole(table: Table) -> None:
    host, _, _ = await in_vote(table)
    await host.get_by_text("More", exact=True).click()
    await host.get_by_role("button", name="Finish the game").click()
    way_out = host.get_by_role("dialog").get_by_role("button", name="Close", exact=True)
    lines = await way_out.evaluate(
        "node => { const range = document.createRange();"
        " range.selectNodeContents(node);"
        " return new Set([...range.getClientRects()].map(r => r.top)).size; }"
    )
    assert lines == 1
