"""A phone at another site than its room: what it says while the line there is cut.

A proxy between the page and the server plays the other site.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.table import Table

if TYPE_CHECKING:
    from playwright.async_api import Page, WebSocketRoute

play = pytest.importorskip("playwright.async_api", reason="pip install playwright")
expect = play.expect
pytestmark = pytest.mark.asyncio(loop_scope="session")


class Site:
    """Passes frames on, and says of a vote only that it was received."""

    def __init__(self) -> None:
        self._page: WebSocketRoute | None = None
        self._held: list[str] = []
        self._is_cut = False

    def stand_between(self, page: WebSocketRoute) -> None:
        """Take the page's socket, and open one to the server."""
        self._page = page
        server = page.connect_to_server()
        server.on_message(self._from_server)

    def _from_server(self, frame: str | bytes) -> None:
        text = str(frame)
        message = json.loads(text)
        if not self._is_cut or message["type"] not in ("recorded", "you"):
            self._say(text)
            return
        self._held.append(text)
        if message["type"] == "recorded":
            keys = ("round", "ballot", "client", "counter")
            got = {key: message[key] for key in keys}
            self._say(json.dumps({"type": "received", **got}))

    def cut(self) -> None:
        """Lose the line to the room's home, and say so."""
        self._is_cut = True
        self._notify("site_cut")

    def restore(self) -> None:
        """Have the line back, and let through what waited."""
        self._is_cut = False
        self._notify("site_back")
        for text in self._held:
            self._say(text)

    def _notify(self, code: str) -> None:
        self._say(json.dumps({"type": "notice", "code": code, "detail": ""}))

    def _say(self, text: str) -> None:
        assert self._page is not None
        self._page.send(text)


async def join_at(table: Table, room: str, site: Site) -> Page:
    """Join through another site."""
    profile = await table.context(size={"width": 360, "height": 640})
    await profile.route_web_socket(re.compile("/ws$"), site.stand_between)
    page = await table.sit(f"/j/{room}", profile=profile)
    await page.locator("#name").fill("Ada")
    await page.locator("button.main").click()
    await expect(page.locator("main")).to_have_attribute("data-phase", "lobby")
    return page


async def test_a_vote_is_shown_at_the_site_until_it_is_recorded(
    table: Table,
) -> None:
    site = Site()
    room = await table.open_room(length=1)
    page = await join_at(table, room, site)
    async with table.host(room) as host:
        await host.ask("open_round")
        await host.ask("open_vote")
        bar = page.locator(".bar")
        await expect(bar).to_be_empty()
        site.cut()
        await expect(bar).to_contain_text("The other site can’t be reached")
        await page.locator("button.gap.outer").click()
        state = page.locator(".ballot .state")
        await expect(state).to_have_text("Saved at your site and on its way.")
        site.restore()
        await expect(bar).to_contain_text("Connection restored")
        await expect(state).to_contain_text("Recorded ✓")
        await expect(bar).to_be_empty()
    assert table.complaints() == []
