"""A co-host at the other site, by the link that the host's page gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.game.ids import RoomCode
from tests.browser.table import LAPTOP, violations
from tests.browser.test_upgrade import WATCH, Busy
from tests.support.until import until

if TYPE_CHECKING:
    from playwright.async_api import Browser

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.fault]


async def test_a_cohost_locks_gives_time_and_removes_at_the_own_site(
    browser: Browser, tmp_path: Path
) -> None:
    from tests.browser.sites import join, two_sites

    async with two_sites(browser, tmp_path) as (_, berlin, lisbon):
        room = await berlin.open_room(length=1)
        console = await berlin.sit(berlin.host_path(room), size=LAPTOP)
        phone = await join(lisbon, room)
        live = berlin.server.directory.running(RoomCode(room))
        assert live is not None
        await console.get_by_role("button", name="Sites").click()
        card = console.locator("li", has=console.get_by_role("heading", name="lisbon"))
        await card.get_by_text("Invite a co-host").click()
        link = await card.get_by_label("Invite a co-host: lisbon").input_value()
        assert link.startswith(f"/host#room={room}&cohost=")
        await card.get_by_text("Site projector page").click()
        shown = await card.get_by_label("Site projector page: lisbon").input_value()
        assert shown.startswith(f"/screen#room={room}&key=")
        html = await console.content()  # no address that another site names
        assert str(lisbon.server.port) not in html
        assert await violations(console) == []

        busy, profile = Busy(), await lisbon.context(size=LAPTOP)
        await profile.route_web_socket(re.compile("/ws$"), busy.stand_between)
        path = "/host#" + link.partition("#")[2]
        page = await lisbon.sit(path, profile=profile)
        await expect(
            page.get_by_role("heading", name=re.compile("Co-host of lisbon"))
        ).to_be_visible()
        await expect(page.get_by_text("Ada", exact=False).first).to_be_visible()
        async with berlin.host(room) as host:
            await host.ask("open_round")
            await host.ask("open_vote")
            await page.get_by_role("button", name="Give them 30 s").click()
            await expect(
                page.get_by_text(re.compile("Your people have"))
            ).to_be_visible()
            await expect(phone.get_by_text("your time")).to_be_visible()
            await page.get_by_role("button", name="Lock this site").click()
            await expect(page.get_by_text("New players can’t join")).to_be_visible()
            assert live.state.locked_sites == {"lisbon"}
            assert await violations(page) == []
            await page.evaluate(WATCH)
            await busy.drop()
            await until(lambda: busy.hellos == 3, 60)
            await page.locator("section button:enabled").first.wait_for()
            assert await page.evaluate("() => window.errors") == []
            await page.get_by_role("button", name="Remove: Ada").click()
            await page.get_by_role("button", name="Remove", exact=True).click()
            await expect(phone.locator("h1").first).to_contain_text("removed you")
        thief = await berlin.sit(path, size=LAPTOP)
        await expect(thief.get_by_text("This link doesn’t open")).to_be_visible()
        assert [*berlin.complaints(), *lisbon.complaints()] == []
