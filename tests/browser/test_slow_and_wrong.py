"""Devices and lines as they are: slow joins, wrong clocks, a server that slept."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.staff import staff
from tests.browser.table import PROJECTOR, Table
from tests.browser.test_game import join
from tests.support.node import Node

if TYPE_CHECKING:
    from playwright.async_api import Browser

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOW_LINE = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
PRESS_THREE_TIMES = """() => {
  const join = document.querySelector("form button.main");
  for (let i = 0; i < 3; i += 1) setTimeout(() => join.click(), i * 60);
}"""
OFF_BY = {"two hours ahead": 7_200_000, "a day behind": -86_400_000, "in 1970": None}
SHIFT = """(by) => {
  const now = Date.now.bind(Date);
  const start = now();
  Date.now = () => (by === null ? now() - start : now() + by);
}"""


async def test_three_presses_of_join_on_a_slow_line_make_one_player(
    table: Table,
) -> None:
    room = await table.open_room(length=1)
    page = await table.sit(f"/j/{room}")
    await page.get_by_label("Your name").fill("Ada")
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send("Network.emulateNetworkConditions", SLOW_LINE)
    await page.evaluate(PRESS_THREE_TIMES)
    await expect(page.locator("main").get_by_text("You’re in, Ada")).to_be_visible(
        timeout=30_000
    )
    wall = await table.sit(table.screen_path(room), size=PROJECTOR)
    await expect(wall.get_by_text(re.compile("^Ada"))).to_have_count(1)
    await join(table, room, "Ben")
    await expect(wall.get_by_text("Ben", exact=True)).to_be_visible()
    await expect(wall.get_by_text(re.compile("^Ada"))).to_have_count(1)


@pytest.mark.parametrize("clock", OFF_BY)
async def test_a_phone_whose_clock_is_wrong_shows_the_time_that_is_left(
    table: Table, clock: str
) -> None:
    room = await table.open_room(length=1)
    profile = await table.context(size={"width": 390, "height": 844})
    by = OFF_BY[clock]
    await profile.add_init_script(f"({SHIFT})({'null' if by is None else by})")
    right = await join(table, room, "Right")
    wrong = await table.sit(f"/j/{room}", profile=profile)
    await wrong.get_by_label("Your name").fill("Wrong")
    await wrong.get_by_role("button", name="Join", exact=True).click()
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        left = []
        for page in (right, wrong):
            await page.locator("button.gap").first.wait_for()
            timer = page.get_by_role("timer").first
            minutes, seconds = (await timer.inner_text()).split()[0].split(":")
            left.append(60 * int(minutes) + int(seconds))
            # it counts silently: nothing is read aloud each second
            assert await timer.get_attribute("aria-live") is None
            assert await timer.locator("xpath=ancestor::*[@aria-live]").count() == 0
    assert left[0] > 30
    assert abs(left[0] - left[1]) < 15, left


async def test_a_vote_during_the_servers_sleep_is_recorded_when_it_wakes(
    browser: Browser, tmp_path: Path
) -> None:
    node = Node(tmp_path)
    ready = await node.start()
    profile = await browser.new_context()
    try:
        async with staff(ready.port, "host", ready.key, ready.room) as host:
            page = await profile.new_page()
            await page.goto(f"{node.url}/j/{ready.room}")
            await page.get_by_label("Your name").fill("Ada")
            await page.get_by_role("button", name="Join", exact=True).click()
            await page.locator("main").get_by_text("You’re in, Ada").wait_for()
            await host.ask("open_round")
            await host.ask("open_vote")
            await page.locator("button.gap").first.wait_for()
            os.kill(ready.pid, signal.SIGSTOP)
            try:
                await page.locator("button.gap.outer").click()
                kept = page.get_by_text("Saved on this device")
                await expect(kept).to_be_visible(timeout=60_000)
            finally:
                os.kill(ready.pid, signal.SIGCONT)
            recorded = page.locator(".state.recorded")
            await expect(recorded).to_be_visible(timeout=60_000)
    finally:
        await profile.close()
        await node.kill()
