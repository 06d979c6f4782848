"""The terminal player: one question at a time, and the true status of each vote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from rich.console import Console
from rich.text import Text

from client.connection import Link
from client.errors import ClientError, VoteSuperseded
from client.player import Player, connect
from client.terminal import private
from client.terminal.forms import Form, Lines, Misread, Question
from client.terminal.teller import Teller, asked
from client.terminal.words import answer_words
from server.game.answers import Answer
from server.game.commands import Percent
from server.game.views.stage_types import FinishedView, StageView
from server.protocol.client_messages import PlayerWish

HELP = (
    "Answer the question that is asked; Enter skips what may be left open.\n"
    "/say SENTENCE: the case as an expert would say it, when you are asked\n"
    "/challenge SENTENCE: why the label of the case is wrong; alone: take it back.\n"
    "/time 150, /time 200, /time 0 (no limit): more time for you alone, from now on\n"
    "/team NAME: move to another team    /quit: leave; /help: this"
)
QUIET_S = 0.3
"""A vote that is stored within this time is not shown as "sending" first (seconds)."""

LAST_VOTE_S = 1.0
"""How long to wait for a vote still in flight when the game is over, in seconds."""

CARD_S = 3.0
"""How long to wait for the player's own card on the closing page, in seconds."""


async def play(
    url: str, code: str, name: str, console: Console, lines: Lines | None = None
) -> int:
    """Play a whole game in this terminal; return the exit code, 0 if it ends normally.

    Raises :class:`ClientError` if the room cannot be joined.
    """
    async with connect(url, code, name) as player:
        console.print(
            Text(f"You're in, {player.name}. Type /help to see what you can do.")
        )
        return await Seat(player, console, lines or Lines()).sit()


class Seat:
    """One player at one terminal."""

    def __init__(self, player: Player, console: Console, lines: Lines) -> None:
        self._player = player
        self._console = console
        self._lines = lines
        self._teller = Teller(console)
        self._form: Form | Question | None = None
        self._asked_in = player.view
        self._asked = asyncio.Event()
        self._done = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._told: set[tuple[int | None, str]] = set()
        self._is_warned = False
        self._terms = (player.you.percent, player.you.team)

    async def sit(self) -> int:
        """Follow the game until it ends or the player leaves; return the exit code."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            works = [
                group.create_task(self._watch(), name="seat: watch"),
                group.create_task(self._mind_the_line(), name="seat: line"),
                group.create_task(self._listen(), name="seat: listen"),
            ]
            await self._done.wait()
            if self._sending:
                await asyncio.wait(self._sending, timeout=LAST_VOTE_S)
            for work in (*works, *self._sending):
                work.cancel()
        cause = self._player.cause
        if cause is not None:
            self._say(str(cause), "bold")
            return 1
        return 0

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), highlight=False)

    # --- what comes from the server --------------------------------------------------

    async def _watch(self) -> None:
        async for _ in self._player.news.follow():
            view = self._player.view
            self._show(view)
            self._show_own()
            if isinstance(view, FinishedView):
                await self._show_card()
                break
        self._done.set()

    def _show(self, view: StageView) -> None:
        if not self._teller.tell(view):
            return
        self._is_warned = False
        self._form, self._asked_in = asked(view), view
        self._ask()

    def _show_own(self) -> None:
        """Show the player's own results, and warn before a vote closes; each once."""
        you = self._player.you
        for line in private.results(you):
            if (you.round, line) not in self._told:
                self._told.add((you.round, line))
                self._say(line, "bold")
        if you.warned_ms is not None and not self._is_warned:
            self._is_warned = True
            self._say(f"Voting closes in {round(you.warned_ms / 1000)} s.", "bold")
        if (terms := (you.percent, you.team)) != self._terms:
            self._terms = terms
            self._say(private.terms(you), "dim")

    async def _show_card(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CARD_S):
                await self._player.news.until(lambda _: self._has_card())
        you = self._player.you
        if you.card:
            self._console.print(private.card(you), private.points(you), highlight=False)

    def _has_card(self) -> bool:
        return bool(self._player.you.card)

    async def _mind_the_line(self) -> None:
        """Say when the connection has dropped, and when it is open again."""
        is_away = False
        async for link in self._player.states():
            if link is Link.OPEN:
                if is_away:
                    self._say("Back in the room.", "dim")
                is_away = False
            elif link is Link.WAITING and not is_away:
                is_away = True
                kept = "; your answer is kept" if self._player.unrecorded else ""
                self._say(f"The connection dropped. Trying again{kept} …", "dim")

    # --- what comes from the keyboard ------------------------------------------------

    async def _listen(self) -> None:
        while True:
            if not self._lines.is_typed:
                await self._asked.wait()  # a script answers only when asked
            line = await self._lines.next()
            if line is None:
                return
            if line.startswith("/"):
                self._obey(line)
            elif self._form is None:
                if line:
                    self._say("There is no question right now.", "dim")
            else:
                self._answer(self._form, line)

    def _answer(self, form: Form | Question, line: str) -> None:
        try:
            form.take(line)
        except Misread as exc:
            self._say(str(exc), "dim")
            return
        if isinstance(form, Question):
            if form.wish is not None:
                self._start(partial(self._wish, form.wish))
        elif form.answer is not None:
            to = self._asked_in
            self._start(partial(self._send, form.answer, form.reason, to))
        self._ask()

    def _ask(self) -> None:
        form = self._form
        if form is None or form.is_complete:
            self._asked.clear()
            return
        self._asked.set()
        self._say(form.question, "bold")

    def _start(self, send: Callable[[], Awaitable[None]]) -> None:
        """Send something in the background, and show an error if that fails."""
        task = self._group.create_task(self._try(send), name="seat: send")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _try(self, send: Callable[[], Awaitable[None]]) -> None:
        try:
            await send()
        except VoteSuperseded:
            pass  # the newer answer is shown when it is stored
        except ClientError as exc:
            self._say(str(exc), "bold")

    async def _send(self, answer: Answer, reason: str, to: StageView) -> None:
        loop = asyncio.get_running_loop()
        slow = loop.call_later(QUIET_S, self._say, "sending …", "dim")
        try:
            recorded = await self._player.answer(answer, reason, to=to)
        finally:
            slow.cancel()
        late = " (too late to score)" if recorded.is_late else ""
        self._say(f"recorded ✓ {answer_words(recorded.answer)}{late}", "green")

    async def _wish(self, wish: PlayerWish) -> None:
        await self._player.ask(wish)
        self._say("recorded ✓ You can still change it.", "green")

    async def _challenge(self, text: str) -> None:
        case = self._player.view.room.round or 0
        await self._player.challenge(text, case)
        kept = "recorded ✓ The host reads it." if text else "Taken back."
        self._say(kept, "green")

    def _obey(self, line: str) -> None:
        word, _, rest = line[1:].partition(" ")
        match word, rest.strip():
            case "quit" | "q", _:
                self._done.set()
            case "time", "100" | "150" | "200" | "0" as percent:
                self._start(partial(self._player.ask_time, _PERCENTS[percent]))
            case "say", text if text:
                case = self._player.view.room.round or 0
                self._start(partial(self._player.say, text, case))
            case "challenge", text:
                self._start(partial(self._challenge, text))
            case "team", team if team:
                self._start(partial(self._player.choose_team, team))
            case _:
                self._say(HELP, "dim")


_PERCENTS: dict[str, Percent] = {"100": 100, "150": 150, "200": 200, "0": 0}
