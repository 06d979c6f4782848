"""Two sites and a real broker between them, which is stopped and started.

A phone at one site and the console at the other: what they say while the line is cut,
when it heals, and of a vote that came too late.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.game.ids import RoomCode
from server.game.phases import Phase
from tests.browser.sites import join, two_sites
from tests.browser.table import LAPTOP

if TYPE_CHECKING:
    from playwright.async_api import Browser

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.fault]

CUT = "The other site can’t be reached"


async def test_votes_wait_for_the_line_and_late_ones_are_marked(
    browser: Browser, tmp_path: Path
) -> None:
    async with two_sites(browser, tmp_path) as (broker, berlin, lisbon):
        room = await berlin.open_room(length=2)
        console = await berlin.sit(berlin.host_path(room), size=LAPTOP)
        phone = await join(lisbon, room)
        bar, state = phone.locator("p.bar"), phone.locator(".ballot .state")
        big = console.locator("button.big")
        live = berlin.server.directory.running(RoomCode(room))
        assert live is not None
        async with berlin.host(room) as host:
            await host.ask("open_round")
            await host.ask("open_vote")
            await expect(phone.locator("button.gap.outer")).to_be_visible()
            await broker.kill()
            await expect(bar).to_contain_text(CUT)
            await phone.locator("button.gap.outer").click()
            await expect(state).to_have_text("Saved at your site and on its way.")
            await expect(
                console.get_by_role("button", name="Sites: 1 down")
            ).to_be_visible()
            await host.ask("close_votes", override=True)
            await expect(console.get_by_role("button", name="Reveal")).to_be_visible()
            await console.locator(".big[aria-disabled=false]").wait_for()
            await console.keyboard.press("r")
            waiting = console.get_by_text("Waiting for lisbon")
            await expect(waiting).to_be_visible()
            assert live.state.phase is Phase.VOTE_CLOSED

            await broker.start()
            await expect(bar).to_contain_text("Connection restored")
            await expect(phone.locator("main")).to_have_attribute(
                "data-phase", "reveal"
            )
            await expect(waiting).to_be_hidden()
            await host.ask("next_step", all=True)
            await expect(phone.locator("main").get_by_text("You said")).to_be_visible()

            await host.ask("open_round")
            await host.ask("open_vote")
            await expect(phone.locator("button.gap.outer")).to_be_visible()
            await broker.kill()
            await expect(bar).to_contain_text(CUT)
            await phone.locator("button.gap.outer").click()
            await expect(state).to_have_text("Saved at your site and on its way.")
            await host.ask("close_votes", override=True)
            await expect(console.get_by_role("button", name="Reveal")).to_be_visible()
            await console.locator(".big[aria-disabled=false]").wait_for()
            await console.keyboard.press("r")
            await console.get_by_role("button", name="Continue without").click()
            await expect(big).to_contain_text("Next step")
            assert live.state.phase is Phase.REVEAL

            await broker.start()
            late = phone.get_by_text("after the reveal, so not scored")
            await expect(late).to_be_visible()
            await console.get_by_role("button", name="Sites").click()
            await expect(
                console.get_by_text("1 vote came too late").first
            ).to_be_visible()
        assert live.state.late == {"lisbon": 1}
        assert [*berlin.complaints(), *lisbon.complaints()] == []
