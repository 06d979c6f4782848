"""Sites side by side on the projector, the console and a phone."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from server.game.ids import RoomCode
from server.game.phases import Ballot
from tests.browser.table import LAPTOP, PROJECTOR, Table, violations
from tests.support.crowd import crowd, vote

if TYPE_CHECKING:
    from playwright.async_api import Locator

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES = {"berlin": 30, "lisbon": 20, "oslo": 2, "madrid": 9}


async def texts(found: Locator) -> list[str]:
    """Return what each of the four sites says, in one line."""
    await expect(found).to_have_count(len(SIZES))
    return [" ".join(text.split()) for text in await found.all_inner_texts()]


async def test_every_page_shows_the_sites_side_by_side(table: Table) -> None:
    room = await table.open_room(length=1)
    live = table.server.directory.running(RoomCode(room))
    assert live is not None
    sites = {name: await crowd(live, name, n) for name, n in SIZES.items()}
    screen = await table.sit(table.screen_path(room), size=PROJECTOR)
    console = await table.sit(table.host_path(room), size=LAPTOP, locale="de-DE")
    phone = await table.sit(f"/j/{room}", size={"width": 320, "height": 640})
    for page in (screen, console, phone):  # axe must not see half of a fade
        await page.emulate_media(reduced_motion="reduce")
    await phone.locator("#name").fill("Ada")
    await phone.locator("button.main").click()
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        for i, links in enumerate(sites.values()):
            vote(live, links, Ballot.VOTE, 0.5 + i / 10, int(time.time() * 1000))
        await host.ask("close_votes", override=True)
        await host.ask("reveal")
        for page in (screen, console, phone):
            found = page.locator("table:has(th:text-is('berlin'), .name)").last
            # On a phone, the figures are under the name.
            lines = await texts(found.locator("tbody" if page is phone else "tbody tr"))
            assert re.search(r"berlin (n = )?30\b", lines[0])
            percent = " %" if page is console else "%"  # as German has it
            assert f"50{percent} (33" in lines[0]
            assert f"60{percent} (39" in lines[1]
            assert "%" not in lines[2]  # two people are too few to show
            assert "%" not in lines[3]  # nine cover them
            assert await violations(page) == []
            if page is console:
                assert "zu wenige" in lines[2]
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert await phone.evaluate(wide)
        await host.ask("finish")
        on_phone = phone.locator("table:has(.name) tbody tr")
        on_wall = screen.get_by_role("list", name="Site by site").get_by_role(
            "listitem"
        )
        for page, found in ((phone, on_phone), (screen, on_wall)):
            await expect(found).to_have_count(4)
            assert await violations(page) == []
    assert table.complaints() == []
