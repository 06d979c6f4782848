"""A whole round with a screen reader: what docs/accessibility.md says, it says."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from tests.browser.reader import READER, Reader
from tests.browser.staff import Staff
from tests.browser.table import LAPTOP, Table
from tests.support.missing import need

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.full

DOC = Path(__file__).parents[2] / "docs/accessibility.md"
WAIT_S = 20.0
SECONDS = re.compile(r"\d+ s\b|\d:\d\d")
"""A clock: to be read when it is asked for, never announced."""

PRESSES = {
    "outer": "button.gap.outer",
    "inner": "button.gap.inner",
    "quite": ".chips button:nth-child(4)",
    "stick": ".first button",
    "B": ".option:nth-child(2)",
}
"""What a pupil presses, by its name in the transcript."""


@dataclass
class Step:
    """What someone does, and what readers say then."""

    does: str
    heard: list[tuple[str, str]] = field(default_factory=list)


def transcript() -> Iterator[Step]:
    """Return the steps of the transcript in the documentation."""
    block = DOC.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    step: Step | None = None
    for line in block.splitlines():
        if not line.startswith(" "):
            if step is not None:
                yield step
            step = Step(line)
        elif step is not None:
            who, says = line.split(maxsplit=1)
            step.heard.append((who, says))
    if step is not None:
        yield step


def is_said(says: str, heard: str) -> bool:
    """Whether a line of the transcript is what was heard."""
    begin, dots, _ = says.partition(" …")
    return heard.startswith(begin) if dots else heard.rstrip(" ✓") == says


@dataclass
class Lesson:
    """Two pupils and a teacher; one pupil and the teacher have a screen reader."""

    table: Table
    room: str
    host: Staff
    readers: dict[str, Reader] = field(default_factory=dict)
    pupils: dict[str, Page] = field(default_factory=dict)

    async def begins(self) -> None:
        """Ben is there, the teacher too; Ada has the page in front of her."""
        await self._joins("Ben")
        console = await self.table.sit(self.table.host_path(self.room), size=LAPTOP)
        await console.locator(".big").wait_for()
        self.readers["console"] = await Reader.of(console)
        page = await self.table.sit(f"/j/{self.room}")
        await page.get_by_label("Your name").fill("Ada")
        self.readers["phone"] = await Reader.of(page)
        self.pupils["Ada"] = page

    async def _joins(self, name: str) -> None:
        page = await self.table.sit(f"/j/{self.room}")
        await page.get_by_label("Your name").fill(name)
        await page.get_by_role("button", name="Join", exact=True).click()
        await page.get_by_role("heading", name=f"You’re in, {name}.").wait_for()
        self.pupils[name] = page

    async def does(self, what: str) -> None:
        """Do what a step says, by keyboard."""
        who, _, does = what.partition(": ")
        if who == "host":
            await self.host.ask(does)
        elif does:
            button = self.pupils[who].locator(PRESSES[does]).first
            await button.wait_for()
            await button.focus()
            await button.press("Enter")
        else:
            await self.pupils["Ada"].locator("button.main").press("Enter")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.skipif(not READER.is_file(), reason="npm ci in client/web")
async def test_a_round_is_heard_as_the_documentation_says(table: Table) -> None:
    room = await table.open_room(length=1, settings={"auto_close": False})
    async with table.host(room) as host:
        lesson = Lesson(table, room, host)
        await lesson.begins()
        wrong = [step for step in transcript() if not await is_heard(lesson, step)]
    assert wrong == [], {who: one.said for who, one in lesson.readers.items()}
    for reader in lesson.readers.values():
        clocks = [phrase for phrase in reader.said if SECONDS.search(phrase)]
        assert clocks == []
    assert table.complaints() == []


async def is_heard(lesson: Lesson, step: Step) -> bool:
    """Do a step; return whether the page then says everything, and nothing twice."""
    await lesson.does(step.does)
    is_right = True
    for who, reader in lesson.readers.items():
        says = [says for at, says in step.heard if at == who]
        heard = await hears(reader, says)
        heard += await reader.looks_again()
        is_right &= is_in_order(says, heard) and len(heard) == len(set(heard))
    return is_right and await has_focus_in_page(lesson.readers["phone"])


async def hears(reader: Reader, says: list[str]) -> list[str]:
    """Wait until a reader has said some lines in this order; return all it says."""
    heard: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT_S):
            while not is_in_order(says, heard):
                heard += await reader.news()
                await asyncio.sleep(0.05)
    return heard


def is_in_order(says: list[str], heard: list[str]) -> bool:
    """Whether all lines were heard, one after the other."""
    rest = iter(heard)
    return all(any(is_said(line, one) for one in rest) for line in says)


async def has_focus_in_page(reader: Reader) -> bool:
    """Whether the focus is on something, or at the start of the phase."""
    at = "document.activeElement.closest('main, header') !== null"
    return bool(await reader.page.evaluate(at))


def test_the_transcript_has_all_parts_of_a_round() -> None:
    need(DOC.is_file(), "docs/accessibility.md")
    done = [step.does for step in transcript()]
    assert len(done) > 20
    assert all(step.heard for step in transcript())
    assert not is_said("Which gap broke?", "Which gap")
    assert is_said("What we wrote: …", "What we wrote: points.")
    assert not is_in_order(["a", "b"], ["b", "a"])
