"""Asks what a view asks as a dialog: one question at a time, one line per answer. Pure.

A ballot is a form; everything else is a single question. A form keeps track of what to
ask next and what has been answered so far. An answer can be sent before its form is
finished, so that a vote counts even without a confidence or a reason.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TextIO, TypeVar

from client.terminal.words import BUTTONS, INNER_LINK, OUTER_LINK, SIGNS, WHICH_FACT
from scenarios.model import Label
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.scoring import Chip
from server.protocol.client_messages import PlayerWish

Part = Literal["choice", "outer", "outer sure", "inner", "inner sure", "sure", "reason"]

T = TypeVar("T")

_GAPS = {"o": Label.OUTER, "outer": Label.OUTER, "i": Label.INNER, "inner": Label.INNER}
_YES = {"y": True, "yes": True, "n": False, "no": False}


class Misread(Exception):  # noqa: N818 - not an error of the program
    """The line does not answer the question; the message says what would."""


@dataclass
class Form:
    """The questions of one ballot, and the answers given so far."""

    parts: tuple[Part, ...]
    chips: tuple[Chip, ...] = ()
    options: int = 0
    at: int = 0
    label: Label | None = None
    sure: int | None = None
    fix: int | None = None
    outer: LinkAnswer | None = None
    inner: LinkAnswer | None = None
    reason: str = ""

    @property
    def part(self) -> Part | None:
        """The part that is asked now, or None if everything has been asked."""
        return self.parts[self.at] if self.at < len(self.parts) else None

    @property
    def is_complete(self) -> bool:
        """Whether everything has been asked."""
        return self.part is None

    @property
    def answer(self) -> Answer | None:
        """The answer given so far, or None if it cannot be sent yet."""
        if self.fix is not None:
            return FixAnswer(self.fix)
        if self.label is not None:
            return GapAnswer(self.label, self.sure)
        if self.outer is not None and self.inner is not None:
            return LinksAnswer(self.outer, self.inner)
        return None

    @property
    def question(self) -> str:
        """What to ask now, in plain text."""
        match self.part:
            case "choice" if self.options:
                return f"Which repair? 1 to {self.options}"
            case "choice":
                return "\n".join(
                    f"  {key[0]}  {SIGNS[key]} {words}"
                    for key, words in BUTTONS.items()
                )
            case "outer":
                return f"{SIGNS['outer']} {OUTER_LINK} y or n"
            case "inner":
                return f"{SIGNS['inner']} {INNER_LINK} y or n"
            case "sure" | "outer sure" | "inner sure":
                return self._how_sure()
            case "reason":
                return f"{WHICH_FACT} One line (Enter: none)"
            case None:
                return "To change your answer, answer again before voting closes."

    def take(self, line: str) -> None:
        """Take a line as the answer to the current part.

        A form that is finished starts again with a new line, unless the line is empty.
        Raises :class:`Misread` if the line is not an answer.
        """
        if self.is_complete:
            if not line:
                raise Misread(self.question)
            at, self.at = self.at, 0
            try:
                self._take(line)
            except Misread:
                self.at = at
                raise
            return
        self._take(line)

    def _take(self, line: str) -> None:
        match self.part:
            case "choice" if self.options:
                self.fix = self._number(line)
            case "choice":
                self.label, self.sure = _look_up(_GAPS, line, "o or i"), None
            case "outer":
                self.outer = LinkAnswer(_look_up(_YES, line, "y or n"))
            case "outer sure" if self.outer is not None:
                self.outer = LinkAnswer(self.outer.broke, self._confidence(line))
            case "inner":
                self.inner = LinkAnswer(_look_up(_YES, line, "y or n"))
            case "inner sure" if self.inner is not None:
                self.inner = LinkAnswer(self.inner.broke, self._confidence(line))
            case "sure":
                self.sure = self._confidence(line)
            case "reason":
                self.reason = line
            case None:
                return
        self.at += 1

    def _number(self, line: str) -> int:
        if line.isdecimal() and 1 <= int(line) <= self.options:
            return int(line) - 1
        raise Misread(f"Please type a number from 1 to {self.options}.")

    def _confidence(self, line: str) -> int | None:
        if not line:
            return None
        number = line.removesuffix("%").strip()
        levels = [chip.confidence for chip in self.chips]
        if number.isdecimal() and int(number) in levels:
            return int(number)
        raise Misread(f"Please type one of {', '.join(map(str, levels))}, or Enter.")

    def _how_sure(self) -> str:
        levels = "  ".join(str(chip.confidence) for chip in self.chips)
        if self.label is None:
            return f"How sure, in %? {levels} (Enter: leave it open)"
        offers = "  ".join(
            f"{chip.confidence} ({chip.right:g}/{chip.wrong:g})" for chip in self.chips
        )
        return f"How sure, in %? (points if right/wrong; Enter: later)\n  {offers}"


def votes(two_link: bool, chips: Sequence[Chip]) -> Form:
    """Return the form of a vote on a case."""
    parts: tuple[Part, ...]
    if two_link:
        parts = ("outer", "outer sure", "inner", "inner sure", "reason")
    else:
        parts = ("choice", "sure", "reason")
    asked = tuple(p for p in parts if chips or not p.endswith("sure"))
    return Form(asked, tuple(chips))


def _look_up(known: dict[str, T], line: str, expected: str) -> T:
    found = known.get(line.casefold())
    if found is None:
        raise Misread(f"Please type {expected}.")
    return found


@dataclass
class Question:
    """One question other than a vote. Each line is an answer; the latest one counts.

    ``wish_of`` turns a line into a request to the room, or raises :class:`Misread`.
    """

    question: str
    wish_of: Callable[[str], PlayerWish]
    wish: PlayerWish | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it has been answered."""
        return self.wish is not None

    def take(self, line: str) -> None:
        """Take a line as the answer. Raises :class:`Misread` if it is not an answer."""
        self.wish = self.wish_of(line)


# --- lines that are typed ------------------------------------------------------------


class Lines:
    """The lines of a stream, in order, with a read-ahead of at most one line.

    A daemon thread waits for them, because an event loop cannot wait for terminals,
    pipes and files on every system. A thread from the loop's default executor would
    keep the program from exiting until someone presses Enter.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin
        self._wanted = threading.Semaphore(0)
        self._came: asyncio.Queue[str | None] = asyncio.Queue(1)
        self._is_asked = False
        self._thread: threading.Thread | None = None

    @property
    def is_typed(self) -> bool:
        """Whether the lines are typed at a keyboard."""
        return self._stream.isatty()

    async def next(self) -> str | None:
        """Return the next line, stripped, or None at the end of the stream.

        If cancelled, the line that it was waiting for goes to the next call.
        """
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(
                target=self._read, args=(loop,), name="lines", daemon=True
            )
            self._thread.start()
        if not self._is_asked:
            self._is_asked = True
            self._wanted.release()
        line = await self._came.get()
        self._is_asked = False
        return line

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            self._wanted.acquire()
            line = self._stream.readline()
            said = line.strip() if line else None
            with suppress(RuntimeError):  # the loop is closed, and no one is reading
                loop.call_soon_threadsafe(self._came.put_nowait, said)
            if said is None:
                return
