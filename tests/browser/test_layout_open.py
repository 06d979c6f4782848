"""Every dialog and menu, open: it is inside its window, and no text overlaps.

Pages show recorded views, as in test_layout. What can be opened is found on the page
itself, so that a new menu item or dialog is looked at without being named here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from server.app import Running
from server.game.ids import PlayerId
from server.game.views.role_types import PersonCard
from server.protocol.codec import encode_server
from server.protocol.server_messages import Roster
from tests.browser.layout import (
    CONSOLES,
    LOCALES,
    PHONES,
    WALLS,
    Size,
    longest_moments,
    opened,
    settle,
)
from tests.browser.table import show_private
from tests.support.figures import Figure
from tests.support.shown import LONG_NAMES, LONG_TEAMS, Shown

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytest.importorskip("playwright.async_api", reason="pip install playwright")
pytestmark = pytest.mark.asyncio(loop_scope="session")

CONSOLE_SIZES = [*CONSOLES, PHONES[0], PHONES[4], PHONES[5]]


def sizes(*first: Size, of: Sequence[Size]) -> list[object]:
    """Return each size in each language; those that come first, in German, are fast."""
    every = [(size, locale) for locale in reversed(LOCALES) for size in of]
    is_fast = [size in first and locale != LOCALES[0] for size, locale in every]
    return [
        pytest.param(*one, marks=() if fast else pytest.mark.full)
        for one, fast in zip(every, is_fast, strict=True)
    ]


ON_CONSOLES = sizes(CONSOLES[0], of=CONSOLE_SIZES)
ON_PHONES = sizes(PHONES[0], of=PHONES)
ON_WALLS = sizes(of=WALLS)


def people() -> str:
    """Return the roster of a class with long names, as the server would send it."""
    cards = tuple(
        PersonCard(
            player=PlayerId(f"p-{number}"),
            name=name,
            team=LONG_TEAMS[number % 2],
            is_practice=number == 0,
            is_connected=number % 3 > 0,
            is_kicked=False,
            has_answered=number % 2 > 0,
            percent=(100, 150, 200, 0)[number % 4],
            points=83.25,
            rounds=7,
        )
        for number, name in enumerate(LONG_NAMES)
    )
    roster = Roster(ref=None, offset=0, total=len(cards), people=cards)
    return json.dumps(json.loads(encode_server(roster)))


ANSWERS = f"""
const hear = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {{
  const {{ type, ref }} = JSON.parse(text);
  if (type === "get_roster") this.say({{ ...{people()}, ref }});
  else hear.call(this, text);
}};
"""
"""A page that asks for the roster gets it."""

LOOK = """
window.isOpen = () => Boolean(document.querySelector("dialog[open]"));

/** Wait for what a press has opened, and for the parts that it fetches. */
window.pressed = async (button) => {
  button.click();
  for (let i = 0; i < 3; i += 1) {
    await complete();
    if (!isOpen()) await new Promise((done) => setTimeout(done, 5));
  }
};
"""


class Opener:
    """Opens what a page has, one after another, and measures each."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: dict[str, list[str]] = {}
        self.opened: list[str] = []

    async def measure(self, name: str, root: str) -> None:
        """Measure what is open now, which `root` selects."""
        self.opened.append(name)
        found = await self.page.evaluate("root => inWindow(root)", root)
        limits = {"isWall": False, "root": root}
        found += await self.page.evaluate("limits => findings(limits)", limits)
        if found:
            self.wrong[name] = found

    async def menu(self, selector: str) -> None:
        """Open a menu, and after it each of the dialogs that its items lead to."""
        menu = self.page.locator(selector)
        if not await menu.count():
            return
        await menu.evaluate("menu => (menu.open = true)")
        await self.measure(selector, f"{selector} .card")
        await self.dialogs(f"{selector} .card button", selector)

    async def dialogs(
        self, selector: str, menu: str | None = None, *, each: bool = False
    ) -> None:
        """Press each of these buttons, and measure the dialogs that open.

        `each` says that every one opens a dialog, and is waited for.
        """
        if each:
            await self.page.locator(selector).first.wait_for(state="attached")
        for number in range(await self.page.locator(selector).count()):
            if menu is not None:
                await self.page.locator(menu).evaluate("menu => (menu.open = true)")
            button = self.page.locator(selector).nth(number)
            name = (await button.inner_text()).strip() or f"{selector} {number}"
            await button.evaluate("button => pressed(button)")
            if each:
                await self.page.wait_for_function("() => isOpen()")
            if not await self.page.evaluate("isOpen()"):
                continue
            await self.unfold("dialog[open]")
            await self.measure(name, "dialog[open]")
            await self.page.keyboard.press("Escape")
            await self.page.wait_for_function("() => !isOpen()")

    async def unfold(self, root: str) -> None:
        """Open all that can be unfolded inside something, but no menu."""
        await self.page.evaluate(
            "async root => {"
            " for (const one of document.querySelectorAll(`${root} details`))"
            "  if (!one.matches('.menu, .more')) one.open = true;"
            " await breath(); await breath(); }",
            root,
        )


def moment_of(phase: str) -> Shown:
    """Return the moment of a phase that has most to say."""
    return max(
        (one for one in longest_moments() if one.phase == phase),
        key=lambda one: one.length,
    )


async def show(page: Page, moment: Shown, role: str, version: int) -> None:
    """Show another moment on a page that is open."""
    given = [list(getattr(moment, role)), version]
    await page.evaluate("([frames, version]) => show(frames, version)", given)


@pytest.mark.sampled
@pytest.mark.parametrize(("size", "locale"), ON_CONSOLES)
async def test_what_a_console_opens_fits(
    browser: Browser,
    server: Running,
    figure: Figure,
    size: Size,
    locale: str,
) -> None:
    script = ANSWERS + LOOK
    async with opened(browser, server, "host", size, locale, script=script) as page:
        await settle(page, moment_of("vote"), "host")
        opener = Opener(page)
        await page.locator("footer").wait_for()
        await opener.menu("header details.menu")
        await opener.menu("footer details.more")
        await opener.dialogs("header nav > button")
        await opener.dialogs("header .both > button", each=True)
        await opener.dialogs("aside li button")
        await show_private(page)
        for version, phase in enumerate(("vote", "vote_closed", "reveal.say"), start=5):
            await show(page, moment_of(phase), "host", version)
            await opener.unfold("body")
            await opener.measure(f"all unfolded, {phase}", "body")
    figure(f"console {size[0]} x {size[1]}, {locale}: {len(opener.opened)} open")
    assert len(opener.opened) > 8, opener.opened
    assert opener.wrong == {}


@pytest.mark.sampled
@pytest.mark.parametrize(("size", "locale"), ON_PHONES)
async def test_what_a_phone_opens_fits(
    browser: Browser,
    server: Running,
    figure: Figure,
    size: Size,
    locale: str,
) -> None:
    async with opened(browser, server, "player", size, locale, script=LOOK) as page:
        await settle(page, moment_of("vote"), "player")
        opener = Opener(page)
        await page.locator("header button.open").wait_for()
        await opener.dialogs("header > button", each=True)
        for version, phase in enumerate(UNFOLDED, start=5):
            await show(page, moment_of(phase), "player", version)
            await opener.unfold("body")
            await opener.measure(f"all unfolded, {phase}", "body")
    figure(f"phone {size[0]} x {size[1]}, {locale}: {len(opener.opened)} open")
    assert len(opener.opened) >= 2 + len(UNFOLDED), opener.opened
    assert opener.wrong == {}


UNFOLDED = ("vote", "revote", "transfer", "reveal.verdict", "reveal.say", "finished")


@pytest.mark.sampled
@pytest.mark.parametrize(("size", "locale"), ON_WALLS)
async def test_what_a_wall_opens_fits(
    browser: Browser, server: Running, size: Size, locale: str
) -> None:
    async with opened(browser, server, "screen", size, locale, script=LOOK) as page:
        await settle(page, moment_of("vote"), "screen")
        opener = Opener(page)
        await opener.dialogs("nav.corner .both > button", each=True)
    assert opener.opened
    assert opener.wrong == {}


async def test_a_dialog_that_is_too_wide_is_found(
    browser: Browser, server: Running
) -> None:
    size, script = PHONES[0], ANSWERS + LOOK
    async with opened(browser, server, "player", size, "en-GB", script=script) as page:
        await settle(page, moment_of("vote"), "player")
        opener = Opener(page)
        await page.locator("header button.open").wait_for()
        await opener.dialogs("header button.open", each=True)
        assert opener.wrong == {}
        style = {"minWidth": "500px", "maxWidth": "none"}
        await page.evaluate(
            "style => Object.assign(document.querySelector('header ~ dialog, dialog')"
            ".style, style)",
            style,
        )
        await opener.dialogs("header button.open", each=True)
    assert "out of the window" in json.dumps(opener.wrong)
