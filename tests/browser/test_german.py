"""No English sentence reaches a German page, in any phase, on any page.

The pages render views that the server's own functions made (``tests.support.shown``).
What is reported is what the page says outside of case texts and typed text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from server.app import Running
from tests.browser.english import english_on, english_pieces
from tests.browser.layout import (
    PHONES,
    WALLS,
    longest_of_each_phase,
    opened,
    settle,
)
from tests.browser.table import show_private, violations
from tests.support.tiers import Tier, chosen_tier

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytest.importorskip("playwright.async_api", reason="pip install playwright")
pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES = {"screen": WALLS[0], "player": PHONES[1], "host": (1280, 800)}


@pytest.mark.sampled
@pytest.mark.parametrize("role", SIZES)
async def test_german_pages_say_nothing_in_english(
    browser: Browser, server: Running, role: str
) -> None:
    found = longest_of_each_phase()
    if chosen_tier() is Tier.FAST:
        found = found[::3]
    english: dict[str, set[str]] = {}
    async with opened(browser, server, role, SIZES[role], "de-DE") as page:
        await settle(page, found[-1], role)
        if role == "host":
            await show_private(page)
        for number, moment in enumerate(found, start=2):
            said: list[Any] = list(getattr(moment, role))
            await page.evaluate("([f, v]) => show(f, v)", [said, number])
            if texts := await english_on(page):
                english.setdefault(moment.phase, set()).update(texts)
    assert english == {}


async def test_english_is_found(browser: Browser, server: Running) -> None:
    assert "Which gap broke?" in english_pieces()
    moment = next(m for m in longest_of_each_phase() if m.phase == "vote")
    async with opened(browser, server, "player", PHONES[1], "de-DE") as page:
        await settle(page, moment, "player")
        assert await english_on(page) == []
        heading = page.locator("#asked")
        for said in ("Which gap broke?", "Many of them left"):
            await heading.evaluate("(at, said) => (at.textContent = said)", said)
            assert await english_on(page) == [said]
        await heading.evaluate("at => (at.lang = 'en')")
        assert await english_on(page) == []


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", ["screen", "player"])
async def test_axe_finds_nothing_on_german_pages(
    browser: Browser, server: Running, role: str, scheme: Literal["light", "dark"]
) -> None:
    found = longest_of_each_phase()[::3]
    wrong: dict[str, list[str]] = {}
    async with opened(browser, server, role, SIZES[role], "de-DE") as page:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await settle(page, found[-1], role)
        for number, moment in enumerate(found, start=2):
            said: list[Any] = list(getattr(moment, role))
            await page.evaluate("([f, v]) => show(f, v)", [said, number])
            if violated := await violations(page):
                wrong[moment.phase] = violated
    assert wrong == {}
