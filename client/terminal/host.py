"""The terminal host: Enter gives the advised command, letters all the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from rich.console import Console
from rich.text import Text

from client.connection import Link
from client.errors import ClientError, CommandRefused
from client.staff import Host, host
from client.terminal import private
from client.terminal.draw import final_table
from client.terminal.forms import Lines
from client.terminal.teller import Teller, place
from client.terminal.words import LETTERS, command_words, named, typed_lines
from scenarios.prose import plural
from server.game.commands import (
    CloseVotes,
    Finish,
    HostCommand,
    Kick,
    KickRecent,
    LetBack,
    Lock,
    NameRoom,
    NextStep,
    OpenRound,
    PinReason,
    PlayAgain,
    ReorderPlan,
    Reveal,
    ShowAgain,
    Unlock,
)
from server.game.phases import Place
from server.game.views.role_types import HostPanel, HostView

STAYING = ("give_time", "stop_clock", "start_clock")
"""Commands that do not move the game to another place."""

SETTLE_S = 2.0
"""How long to wait for the view that a command leads to, in seconds."""

ENOUGH = 0.8
"""Share of answers below which closing a vote has to be confirmed."""

GUARD_S = 0.7
"""How long after a new phase Enter is ignored: it was meant for the previous one."""


async def run_host(
    url: str,
    room: str,
    key: str,
    console: Console,
    lines: Lines | None = None,
    guard_s: float = GUARD_S,
) -> int:
    """Host a room in this terminal; return the exit code, 0 if the game ends normally.

    For ``guard_s`` seconds after each new phase, an Enter that is typed is ignored.

    Raises :class:`ClientError` if the room cannot be hosted.
    """
    async with host(url, room, key) as leader:
        return await Desk(leader, console, lines or Lines(), guard_s).work()


class Desk:
    """One host at one terminal."""

    def __init__(
        self, host: Host, console: Console, lines: Lines, guard_s: float = GUARD_S
    ) -> None:
        """``guard_s`` is how long after a new phase a typed Enter is ignored."""
        self._host = host
        self._console = console
        self._lines = lines
        self._teller = Teller(console)
        self._done = asyncio.Event()
        self._offered = ""
        self._is_closing = False
        """Whether the latest figures said that a vote closes automatically."""
        self._guard_s = guard_s
        self._asked: Place | None = None
        """The place at which the host was asked to confirm closing a vote early."""
        self._changed_s = -guard_s
        """When the room last moved to another phase or step (the loop's clock)."""

    async def work(self) -> int:
        """Follow the game until it is over or the host leaves; return the exit code."""
        async with asyncio.TaskGroup() as group:
            works = [
                group.create_task(self._watch(), name="desk: watch"),
                group.create_task(self._figures(), name="desk: figures"),
                group.create_task(self._mind_the_line(), name="desk: line"),
                group.create_task(self._listen(), name="desk: listen"),
            ]
            await self._done.wait()
            for work in works:
                work.cancel()
        cause = self._host.cause
        if cause is not None:
            self._say(str(cause), "bold")
            return 1
        return 0

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), highlight=False)

    # --- what comes from the server --------------------------------------------------

    async def _watch(self) -> None:
        async for view in self._host.views():
            if self._teller.tell(view.stage):
                self._offered = ""
                self._changed_s = asyncio.get_running_loop().time()
                if view.stage.phase == "finished":
                    joined = self._host.panel.joined
                    self._console.print(final_table(view.standings, joined))
                    break
                self._offer()
        self._done.set()

    async def _figures(self) -> None:
        """Offer the next step whenever the figures change the advice."""
        async for panel in self._host.panels():
            if panel.warned_ms is not None:
                self._say(f"Closes in {round(panel.warned_ms / 1000)} s.", "dim")
            if panel.closes_in_ms is not None and not self._is_closing:
                in_s = round(panel.closes_in_ms / 1000)
                self._say(f"All have answered. Closes in {in_s} s.", "dim")
            self._is_closing = panel.closes_in_ms is not None
            self._offer()

    def _offer(self) -> None:
        """Say what Enter does if that has changed."""
        panel, view = self._host.panel, self._host.view
        if panel.advised not in view.commands:
            return  # the figures lag behind the view; the next ones will match it
        is_ready = "" if panel.is_ready else " (not all have answered)"
        offered = f"Enter: {command_words(panel.advised)}{is_ready}   ?: help"
        if offered == self._offered:
            return
        self._offered = offered
        if panel.advice is not None:
            self._console.print(private.advice(panel), highlight=False)
        self._console.print(self._who_is_here(), highlight=False)
        self._say(offered, "bold")

    def _who_is_here(self) -> Text:
        is_voting = "close_votes" in self._host.view.commands
        return private.figures(self._host.panel, is_voting)

    async def _mind_the_line(self) -> None:
        is_away = False
        async for link in self._host.states():
            if link is Link.OPEN:
                if is_away:
                    self._say("Back in the room; nothing is lost.", "dim")
                is_away = False
            elif link is Link.WAITING and not is_away:
                is_away = True
                self._say("The connection dropped. Trying again …", "dim")

    # --- what comes from the keyboard ------------------------------------------------

    async def _listen(self) -> None:
        while (line := await self._lines.next()) is not None:
            try:
                await self._obey(line)
            except CommandRefused as exc:
                self._say(exc.detail, "bold")
            except ClientError as exc:
                self._say(str(exc), "bold")
        if not self._lines.is_typed:
            self._done.set()  # a script leaves the room when it ends

    async def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word.casefold(), rest.strip():
            case "", _ if self._is_guarded:
                self._say("Just changed; press Enter again to continue.", "dim")
            case "", _:
                await self._give(named(await self._advised()))
            case "a", _:
                await self._give(NextStep(all=True))
            case "w", _:
                await self._give(CloseVotes(override=True))
            case "g", _:
                await self._go_on()
            case "i", _:
                self._inform(self._host.panel)
            case "p", search:
                page = await self._host.roster(search=search)
                self._console.print(private.people(page.people, page.total))
            case "pin", number if number.isdecimal():
                await self._pin(int(number))
            case "lock", _:
                await self._give(Lock(), is_moving=False)
            case "unlock", _:
                await self._give(Unlock(), is_moving=False)
            case "kick", "new":
                await self._give(KickRecent(), is_moving=False)
            case "kick", name if name:
                await self._kick(name)
            case "again", number if number.isdecimal():
                await self._give(PlayAgain(round=int(number) - 1))
            case "plan" | "open" | "move" | "look" | "add" | "name" as what, rest:
                await self._steer(what, rest)
            case "challenge", text:
                await self._host.challenge(text, self._host.view.stage.room.round or 0)
                self._say("Done.", "dim")
            case "back", name:
                await self._let_back(name)
            case "newlink", _:
                key = await self._host.call_back_link()
                self._say(
                    f"The new host link ends in #room={self._host.code}&key={key}"
                )
            case "q", _:
                self._done.set()
            case letter, _:
                await self._by_letter(letter, self._host.view)

    @property
    def _is_guarded(self) -> bool:
        """Whether a typed Enter may still be meant for the previous phase."""
        since_s = asyncio.get_running_loop().time() - self._changed_s
        return self._lines.is_typed and since_s < self._guard_s

    async def _by_letter(self, letter: str, view: HostView) -> None:
        for name in LETTERS.get(letter, (letter,)):
            if name in view.commands:
                await self._give(named(name), is_moving=name not in STAYING)
                return
        if letter in LETTERS:
            self._say("Not now. Type ? for help.", "dim")
        else:
            self._say(typed_lines(view.commands))

    async def _advised(self) -> str:
        """Return the advised command, as soon as the figures match the view."""
        panel = await self._host.until(
            lambda panel: panel.advised in self._host.view.commands
        )
        return panel.advised

    def _is_early(self, command: HostCommand) -> bool:
        """Ask once before a vote is closed early; return whether the host was asked."""
        is_plain = isinstance(command, CloseVotes) and not command.override
        answered, expected = self._host.panel.answered, self._host.panel.expected
        is_early = is_plain and answered < ENOUGH * expected and self._lines.is_typed
        asked, self._asked = self._asked, self._host.view.place if is_early else None
        if not is_early or asked == self._host.view.place:
            self._asked = None
            return False
        self._changed_s = asyncio.get_running_loop().time()
        self._say(f"{answered} of {expected} have answered. Repeat to close.", "bold")
        return True

    async def _give(self, command: HostCommand, *, is_moving: bool = True) -> None:
        if self._is_early(command):
            return
        before = place(self._host.view.stage)
        if not await self._is_done(command):
            return
        if not is_moving:
            self._say("Done.", "dim")
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                async for view in self._host.views():
                    if place(view.stage) != before:
                        break

    async def _is_done(self, command: HostCommand) -> bool:
        """Give a command; return False if it is still waiting for other sites."""
        sending = asyncio.create_task(self._host.send(command), name="desk: command")
        held = asyncio.create_task(self._host.until(_is_held), name="desk: held")
        try:
            await asyncio.wait((sending, held), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await sending
                return True
        finally:
            held.cancel()
        self._say(private.waiting(self._host.panel), "bold")
        sending.add_done_callback(_forget)
        return False

    async def _go_on(self) -> None:
        """Continue without the sites that a command is waiting for."""
        held = self._host.panel.held
        if held is None:
            self._say("Nothing is waiting for another site.", "dim")
        elif held.command == "reveal":
            await self._give(Reveal(without=True))
        elif held.command == "finish":
            await self._give(Finish(without=True))
        else:
            await self._give(CloseVotes(without=True))

    # --- the plan ----------------------------------------------------------------

    async def _steer(self, what: str, rest: str) -> None:
        numbers = [int(word) - 1 for word in rest.split() if word.isdecimal()]
        match what, numbers:
            case "open", [number]:
                await self._give(OpenRound(round=number))
            case "look", [number]:
                await self._give(ShowAgain(round=number))
            case "look", _:
                await self._give(ShowAgain())
            case "move", [number, place]:
                await self._move(number, place)
            case "add", _ if rest:
                await self._host.add_case(rest)
                self._say("Done.", "dim")
            case "add", _:
                self._console.print(private.cases(await self._host.cases()))
            case "name", _:
                await self._give(NameRoom(name=rest), is_moving=False)
            case _:
                self._console.print(private.plan(self._host.view.plan))

    async def _move(self, number: int, place: int) -> None:
        """Move a case that has not been played yet to another place in the plan."""
        order = [one.index for one in self._host.view.plan if one.status == "to come"]
        if number not in order or place not in order:
            self._say("Only cases that are still to come can be moved.", "dim")
            return
        to = order.index(place)
        order.remove(number)
        order.insert(to, number)
        await self._give(ReorderPlan(order=tuple(order)), is_moving=False)

    # --- people and reasons ----------------------------------------------------------

    def _inform(self, panel: HostPanel) -> None:
        self._console.print(
            self._who_is_here(),
            private.sites(panel),
            private.advice(panel),
            private.reasons(panel, names=True),
            private.sentences(panel),
            private.challenges(panel),
            highlight=False,
        )

    async def _pin(self, number: int) -> None:
        """Show a reason (or, while they are written, a sentence) or hide it."""
        is_say = self._host.view.stage.phase == "say"
        heard = self._host.panel.sentences if is_say else self._host.panel.reasons
        if not 1 <= number <= len(heard):
            n = plural(len(heard), "sentence" if is_say else "reason")
            self._say(f"{n} so far; i shows them.", "dim")
            return
        command = private.toggled(heard[number - 1])
        await self._give(command, is_moving=False)
        phase = self._host.view.stage.phase
        if isinstance(command, PinReason) and phase == command.ballot.phase:
            self._say("The class sees it after the vote.", "dim")

    async def _kick(self, name: str) -> None:
        page = await self._host.roster(search=name)
        found = [p for p in page.people if p.name.casefold() == name.casefold()]
        if len(found) == 1:
            await self._give(Kick(player=found[0].player), is_moving=False)
        else:
            self._say("Type the whole name; p shows who is here.", "dim")

    async def _let_back(self, name: str) -> None:
        page = await self._host.roster(search=name, removed=True)
        found = [p for p in page.people if p.name.casefold() == name.casefold()]
        if len(found) == 1:
            await self._give(LetBack(player=found[0].player), is_moving=False)
        elif page.total:
            self._console.print(private.people(page.people, page.total))
        else:
            self._say("No player of this name was removed.", "dim")


def _is_held(panel: HostPanel) -> bool:
    return panel.held is not None


def _forget(sending: asyncio.Task[None]) -> None:
    """Discard the result of a command that was waiting; the next view shows it."""
    if not sending.cancelled():
        sending.exception()
