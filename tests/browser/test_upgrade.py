"""A page as the console while its room moves: in an upgrade, there and back."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client import Label, Player, connect, host
from server.app import WEB
from server.game.commands import OpenRound, OpenVote
from tests.browser.table import LAPTOP, Seat, Table
from tests.browser.test_game import must_show
from tests.support.fleet import FrontDoor, NodeProcess
from tests.support.next_version import ROOT, next_version
from tests.support.until import until
from tests.support.voters import BY_HAND

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, WebSocketRoute

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = ("ada", "bob")
LEASE_S = 20.0
"""Longer than this machine can be too busy for: rooms move in order alone."""

WATCH = """() => {
  const refused = ".said:not([aria-hidden]) span:not(.visually-hidden)";
  const bad = `${refused}, section .bad, main.lost, main.bye`;
  window.errors = [];
  const look = () => {
    const shown = Array.from(document.querySelectorAll(bad), (one) => one.innerText);
    window.errors.push(...shown);
  };
  const changes = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.body, changes);
}"""
"""Notes what a console shows when a command is refused, or when its room is lost."""


async def open_console(browser: Browser, url: str, room: str, key: str) -> Seat:
    """Open the console of a room in a profile of its own, and watch it for errors."""
    context = await browser.new_context(viewport=LAPTOP, locale="en-GB")
    page = await context.new_page()
    seat = Seat(page)
    page.on("console", seat.hear)
    page.on("pageerror", lambda error: seat.complaints.append(str(error)))
    await page.goto(f"{url}/host#room={room}&key={key}")
    await page.locator("button.big").wait_for()
    await page.evaluate(WATCH)
    return seat


async def restart(door: FrontDoor, node: NodeProcess, root: Path) -> None:
    """Stop a node in order, and start it again with the program in a folder."""
    door.down.add(node.name)
    assert await node.stop() == 0
    node.root = root
    await node.start()
    door.down.discard(node.name)


async def vote(player: Player, label: Label, page: Page) -> None:
    """Vote, and see the console back."""
    await until(lambda: player.view.phase == "vote", 60)
    recorded = await player.vote(label, 80, to=player.view)
    assert recorded.answer.label is label
    await page.locator("button.big:enabled").wait_for()
    await must_show(page, "Answered 1 of 1")


class Busy:
    """A server that refuses the second hello of a page, as one whose room moves."""

    def __init__(self) -> None:
        self.hellos = 0
        self._page: WebSocketRoute | None = None

    def stand_between(self, page: WebSocketRoute) -> None:
        """Take a socket of the page; refuse the hello on the second one."""
        self._page = page
        self.hellos += 1
        if self.hellos != 2:
            page.connect_to_server()
            return
        refused = {"type": "refused", "code": "busy", "detail": "It is at bob."}
        none = dict.fromkeys(
            ("retry_ms", "ref", "round", "ballot", "client", "counter")
        )
        page.on_message(lambda _: page.send(json.dumps({**refused, **none})))

    async def drop(self) -> None:
        """Close the page's socket."""
        assert self._page is not None
        await self._page.close()


async def test_a_hello_that_is_refused_for_now_is_no_failed_command(
    table: Table,
) -> None:
    busy = Busy()
    room = await table.open_room(length=1)
    profile = await table.context(size=LAPTOP)
    await profile.route_web_socket(re.compile("/ws$"), busy.stand_between)
    page = await table.sit(table.host_path(room), profile=profile)
    await page.locator("button.big:enabled").wait_for()
    await page.evaluate(WATCH)
    await busy.drop()
    await until(lambda: busy.hellos == 3, 60)
    await page.locator("button.big:enabled").wait_for()
    assert await page.evaluate("() => window.errors") == []
    assert table.complaints() == []


@pytest.mark.full
@pytest.mark.fault
async def test_the_console_shows_no_error_in_an_upgrade_there_and_back(
    browser: Browser, postgresql: str, tmp_path: Path
) -> None:
    new = next_version(tmp_path / "next")
    shutil.copytree(WEB, new / WEB.relative_to(ROOT))
    nodes = [NodeProcess(tmp_path, name, postgresql, LEASE_S) for name in NAMES]
    door = FrontDoor(nodes)
    try:
        async with door:
            (opened,) = await nodes[0].start(rooms=1)
            await nodes[1].start()
            async with host(door.url, opened.room, opened.key) as teacher:
                for command in (BY_HAND, OpenRound(), OpenVote()):
                    await teacher.send(command)
            seat = await open_console(browser, door.url, opened.room, opened.key)
            async with connect(door.url, opened.room, "Ann") as ann:
                for root in (new, ROOT):
                    for node, label in zip(nodes, Label, strict=False):
                        await restart(door, node, root)
                        await vote(ann, label, seat.page)
            await seat.page.locator(".big:enabled[aria-disabled=false]").wait_for()
            await seat.page.keyboard.press(" ")
            await must_show(seat.page, "Reveal")
            assert await seat.page.evaluate("() => window.errors") == []
            assert seat.complaints == []
            await seat.page.context.close()
    finally:
        for node in nodes:
            await node.stop()
