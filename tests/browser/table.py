"""The table a game is played at: a server, its rooms, and pages that look at them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server.app import Running
from server.protocol.keys import host_key, screen_key
from tests.browser.staff import Staff, staff

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

HOST_NAME = "class.test"
NAMED = (f"http://{HOST_NAME}",)
"""The server's setting for the name that the browser knows it by."""
"""Not localhost: a page on plain HTTP there has no secure context, as in a class."""

PATIENCE_MS = 60_000
"""How long a page may take to do or show what a test waits for, on a busy machine."""

AXE = Path(__file__).parents[2] / "client/web/node_modules/axe-core/axe.min.js"

PHONE = {"width": 360, "height": 640}
LAPTOP = {"width": 1280, "height": 800}
PROJECTOR = {"width": 1920, "height": 1080}

_UNAVOIDABLE = ("WebSocket connection to", "net::ERR_")
"""What Chromium itself writes when a connection is cut; no page can prevent it."""


@dataclass
class Seat:
    """One page and what its console said."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep errors and warnings of the console."""
        is_bad = message.type in ("error", "warning")
        if is_bad and not any(sign in message.text for sign in _UNAVOIDABLE):
            self.complaints.append(message.text)


@dataclass
class Table:
    """Opens rooms and pages of one running server."""

    browser: Browser
    server: Running
    host_name: str = HOST_NAME
    seats: list[Seat] = field(default_factory=list)

    def url(self, path: str, port: int | None = None) -> str:
        """Return the address of a path as a device in the class would use it."""
        return f"http://{self.host_name}:{port or self.server.port}{path}"

    def admin_path(self) -> str:
        """Return the path of the admin page, with its key."""
        return f"/host#admin={self.server.admin_key}"

    def host_path(self, room: str) -> str:
        """Return the path of a room's console, with its key."""
        return f"/host#room={room}&key={self._host_key(room)}"

    def screen_path(self, room: str) -> str:
        """Return the path of a room's projector page, with its key."""
        return f"/screen#room={room}&key={screen_key(self._host_key(room))}"

    def _host_key(self, room: str) -> str:
        assert self.server.admin_key is not None
        return host_key(self.server.admin_key, room)

    async def open_room(
        self, deck: str = "first-class", *, minute: bool = False, **settings: Any
    ) -> str:
        """Open a room on a deck and return its code; without the opening minute."""
        if deck in ("first-class", "quick-five"):  # those that have one
            chosen = settings.get("settings") or {}
            settings["settings"] = {"minute": minute, **chosen}
        assert self.server.admin_key is not None
        async with staff(self.server.port, "admin", self.server.admin_key) as admin:
            answer = await admin.ask("open_room", deck=deck, **settings)
        return str(answer["room"])

    @contextlib.asynccontextmanager
    async def host(self, room: str) -> AsyncIterator[Staff]:
        """Be the room's host, without a page."""
        async with staff(self.server.port, "host", self._host_key(room), room) as one:
            yield one

    async def sit(
        self,
        path: str,
        *,
        size: dict[str, int] | None = None,
        port: int | None = None,
        profile: BrowserContext | None = None,
        **context: Any,
    ) -> Page:
        """Open a page in a browser profile of its own, or in the one given."""
        profile = profile or await self.context(size=size or PHONE, **context)
        page = await profile.new_page()
        seat = Seat(page)
        page.on("console", seat.hear)
        page.on("pageerror", lambda error: seat.complaints.append(str(error)))
        self.seats.append(seat)
        await page.goto(self.url(path, port))
        return page

    async def context(self, *, size: dict[str, int], **more: Any) -> BrowserContext:
        """Return a new browser profile: a device of its own."""
        profile = await self.browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            **{"locale": "en-GB", **more},
        )
        profile.set_default_timeout(PATIENCE_MS)
        return profile

    def complaints(self) -> list[str]:
        """Return everything that any page's console complained about."""
        return [text for seat in self.seats for text in seat.complaints]

    async def leave(self) -> None:
        """Close every page."""
        for seat in self.seats:
            await seat.page.context.close()
        self.seats.clear()


async def open_menu(console: Page) -> None:
    """Open the menu on top of the console, if it is not open yet."""
    menu = console.locator("header details.menu")
    if await menu.get_attribute("open") is None:
        await menu.locator("summary").click()


async def show_private(console: Page, is_shown: bool = True) -> None:
    """Show what only the host sees, or hide it; it may have opened automatically."""
    toggle = console.locator("[aria-keyshortcuts=P]")
    await toggle.wait_for()
    wanted = str(is_shown).lower()
    while await toggle.get_attribute("aria-expanded") != wanted:
        await console.keyboard.press("p")


AT_REST = """async () => {
  const moving = document.getAnimations().filter(
    (one) => one.playState === "running"
      && one.effect.getComputedTiming().endTime !== Infinity
  );
  const ended = Promise.all(moving.map((one) => one.finished.catch(() => {})));
  await Promise.race([ended, new Promise((done) => setTimeout(done, 3000))]);
}"""


async def violations(page: Page) -> list[str]:
    """Return what axe finds wrong on a page, a line each, once nothing moves on it.

    A text that is fading in has no contrast yet.
    """
    await page.evaluate(AT_REST)
    if not await page.evaluate("typeof axe !== 'undefined'"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {node['target']} {node.get('failureSummary', '')}"
        for found in result["violations"]
        for node in found["nodes"]
    ]
