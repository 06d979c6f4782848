"""A whole lesson in a browser: a class that plays as newcomers do, led by one button.

The host presses the console's big button, and once "Let them say it", after which the
host shows a sentence to everyone. Four phones have
pages: one that answers everything, one that writes too, one that joins late, and
one that never answers. The others of the class have no page.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.async_api import expect

from client import session
from client.player import Player
from client.practice_mind import REASONS
from scenarios.model import Label
from server.game.answers import FixAnswer
from server.game.views.stage_types import (
    ExampleView,
    FinishedView,
    FixView,
    OpeningView,
    RevealView,
    SayView,
    StageView,
    StoryView,
    TransferView,
)
from server.protocol.client_messages import TapOpening
from tests.browser.console import big
from tests.browser.screenshots import NAMES
from tests.browser.table import Table

if TYPE_CHECKING:
    from playwright.async_api import Page

WALL = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}
CONSOLE = {"width": 1280, "height": 800}

FIRST_PHONES = ("Noor", "Leo", "Ines")
"""Answers everything; answers and gives reasons; never answers."""
LATE_PHONE = "Samir"
REST = NAMES[:18]
"""The rest of the class."""

CHIPS = (50, 60, 70, 80, 90)
SAID = "It was paid for targets, so it went for targets and forgot the race."


NO_FULL_SCREEN = "document.documentElement.requestFullscreen = null"
"""The window keeps its size, as a picture of it has to."""


SAY_AT = (1, "reveal-verdict")
"""Round and moment at which the host presses another button, once in the lesson."""
LOST_AT = (2, "vote")
"""Round and vote with enough wrong answers for advice to show a contrast."""
LAST_OF_OPENING = "opening-2-shown"
"""Until then a step has ten times its time: none may end while it is looked at."""


def moment_of(view: StageView) -> str:
    """Return what a moment is called: its phase, and the step that is shown."""
    if isinstance(view, RevealView):
        return f"reveal-{view.shown[-1].key if view.shown else 'tallies'}"
    if isinstance(view, OpeningView):
        if view.case is None:
            return "opening-line"
        return f"opening-{view.case + 1}" + ("-shown" if view.gap else "")
    if isinstance(view, ExampleView):
        return "example-square" if view.square else f"example-{view.index + 1}"
    return view.phase


@dataclass
class Lesson:
    """A room that is played, and the pages that look at it."""

    table: Table
    room: str
    console: Page
    wall: Page
    phones: dict[str, Page]
    pupils: list[Player]
    presses: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(7))

    async def moments(self) -> AsyncIterator[str]:
        """Play to the closing page; yield what each moment is called.

        An open vote is yielded twice: as it opens, and ``-answered``.
        """
        while True:
            view = self.pupils[0].view
            yield moment_of(view)
            if isinstance(view, FinishedView):
                return
            if await self._answer(view):
                yield f"{moment_of(view)}-answered"
            if view.phase == "opening" and moment_of(view) == LAST_OF_OPENING:
                async with self.table.host(self.room) as host:
                    await host.ask("change_settings", change={"time_factor": 1})
            if view.phase == "vote_closed" and LATE_PHONE not in self.phones:
                self.phones[LATE_PHONE] = await join(self.table, self.room, LATE_PHONE)
            await self._press(self.pupils[0].view)

    async def _press(self, view: StageView) -> None:
        """Press the big button, and see that the class sees something else."""
        button = big(self.console)
        await button.wait_for()  # a press that comes too early does nothing
        if (view.room.round, moment_of(view)) == SAY_AT:
            button = self.console.get_by_role("button", name="Let them say it")
        await button.click()
        self.presses += 1
        sure = self.console.locator("dialog[open] button.main")
        while self.pupils[0].view == view:
            if await sure.count():
                await sure.click()
                self.presses += 1
            await asyncio.sleep(0.05)

    async def _answer(self, view: StageView) -> bool:
        """Let all but one answer what is asked; return whether anything was."""
        if isinstance(view, OpeningView):
            if view.case is None or view.gap is not None:
                return False
            gap = Label.OUTER if view.case == 0 else Label.INNER
            taps = (
                one.ask(TapOpening(case=view.case, gap=self._either(gap, 0.8)))
                for one in self.pupils
            )
            await asyncio.gather(*taps)
            for page in self._answering():
                await page.locator(f"button.gap.{gap.value}").click()
            return True
        if isinstance(view, SayView):
            box = self.phones["Noor"].locator("main textarea")
            await box.fill(SAID)
            await self.phones["Noor"].locator("form button").click()
            show = self.console.get_by_role("button", name="Show to everyone")
            await show.click()
            await expect(self.wall.get_by_text(SAID)).to_be_visible()
            async for seen in self.pupils[0].views():
                if seen != view:
                    break
            return True
        if isinstance(view, FixView) and view.phase == "fix":
            votes = (
                one.answer(FixAnswer(option=self._chance.randrange(3)), to=view)
                for one in self.pupils
            )
            await asyncio.gather(*votes)
            for i, page in enumerate(self._answering()):
                await page.locator(".option").nth(i).click()
            return True
        if isinstance(view, StoryView | TransferView) and view.phase in (
            "vote",
            "revote",
            "transfer",
        ):
            await self._vote(view)
            return True
        return False

    async def _vote(self, view: StoryView | TransferView) -> None:
        """Vote: more are right the second time, and with a twin."""
        right = self._right(view.story.title)
        share = 0.8 if view.phase != "vote" else 0.55
        if (view.room.round, view.phase) == LOST_AT:
            share = 0.15
        async with asyncio.TaskGroup() as group:
            for i, one in enumerate(self.pupils):
                is_right = 7 * i % len(self.pupils) < share * len(self.pupils)
                label = self._either(right, float(is_right))
                reason = self._reason(label) if i % 4 == 0 else ""
                voting = one.vote(label, self._chance.choice(CHIPS), reason, to=view)
                group.create_task(voting, name="vote")
        for i, page in enumerate(self._answering()):
            label = right if i % 2 == 0 else self._either(right, 0.5)
            await page.locator(f"button.gap.{label.value}").click()
            await page.locator(".chips button").nth(3 - i).click()
            if i == 1 and await page.locator("#reason").count():
                await page.locator("#reason").fill(self._reason(label))
                await page.locator("#reason").press("Enter")
            await expect(page.get_by_text("Recorded").first).to_be_visible()

    def _answering(self) -> list[Page]:
        return [page for name, page in self.phones.items() if name != "Ines"]

    def _either(self, right: Label, share: float) -> Label:
        wrong = Label.INNER if right is Label.OUTER else Label.OUTER
        return right if self._chance.random() < share else wrong

    def _reason(self, label: Label) -> str:
        return self._chance.choice(REASONS[label.value])

    def _right(self, title: str) -> Label:
        cases = self.table.server.library.cases.values()
        case = next(one for one in cases if one.title == title)
        return Label.OUTER if case.truth.outer else Label.INNER


async def join(table: Table, room: str, name: str) -> Page:
    """Join with a phone."""
    page = await table.sit(f"/j/{room}", size=PHONE)
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.locator("main[data-phase]").wait_for()
    return page


@contextlib.asynccontextmanager
async def lesson(
    table: Table, deck: str = "first-class", *, podium: bool = False
) -> AsyncIterator[Lesson]:
    """Open a room that never moves on automatically, and seat the class."""
    room = await table.open_room(
        deck, settings={"minute": None, "podium": podium, "time_factor": 10}
    )
    console = await table.sit(table.host_path(room), size=CONSOLE)
    wall = await table.sit(table.screen_path(room), size=WALL)
    await wall.evaluate(NO_FULL_SCREEN)
    await wall.locator(".begin button").click()
    async with contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{table.server.port}"
        pupils = [
            await stack.enter_async_context(session.running(Player(url, room, name)))
            for name in REST
        ]
        phones = {name: await join(table, room, name) for name in FIRST_PHONES}
        yield Lesson(table, room, console, wall, phones, pupils)
