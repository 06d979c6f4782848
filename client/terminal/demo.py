"""The demo: hosts a whole game automatically and prints it as it progresses.

It acts like a host who follows the panel's advice. It closes a vote only after every
practice player has answered, so that the same seed produces the same final table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from client.connection import Link
from client.errors import PASSING, CommandRefused, ConnectionLost
from client.staff import Host
from client.terminal import draw
from client.terminal.private import advice, reasons
from client.terminal.teller import Teller, place
from client.terminal.words import named
from server.game.commands import CloseVotes, HostCommand, NextStep, onward
from server.game.phases import OPEN_BALLOT, Phase
from server.game.views.role_types import HostPanel, HostView
from server.game.views.stage_types import Standing

AGAIN_S = 0.5
"""How long to wait after a temporary refusal, in seconds."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the demo waits at each step, in seconds; votes wait for all answers."""

    read: float = 6
    discuss: float = 5
    step: float = 3
    look: float = 4

    def before(self, command: str) -> float:
        """Return how long to wait before giving a command."""
        match command:
            case "open_vote" | "show_example" | "show_opening":
                return self.read
            case "next_step":
                return self.step
            case "revote":
                return self.discuss
            case _:
                return self.look


UNPACED = Pace(0, 0, 0, 0)


async def run_demo(
    host: Host,
    *,
    players: int,
    fast: bool,
    console: Console,
    sleep: Sleep = asyncio.sleep,
) -> tuple[Standing, ...]:
    """Host and print a whole game; return the final table (at most 50 lines).

    Waits for ``players`` to join and, in each vote, to answer. Follows the room's flow.
    In the full flow, the first vote is always discussed, so that the demo includes a
    second vote. Raises the connection's cause if it ends before the game does.
    """
    pace = UNPACED if fast else Pace()
    return await _Demo(host, players, pace, console, sleep).run()


class _Demo:
    def __init__(
        self, host: Host, players: int, pace: Pace, console: Console, sleep: Sleep
    ) -> None:
        self._host = host
        self._players = players
        self._pace = pace
        self._console = console
        self._sleep = sleep
        self._teller = Teller(console)
        self._has_discussed = False

    async def run(self) -> tuple[Standing, ...]:
        view = self._host.view
        self._teller.tell(view.stage)
        await self._everyone("joined", _joined)
        while view.stage.phase != "finished":
            view = await self._give(view, await self._next(view))
            self._teller.tell(view.stage)
        joined = self._host.panel.joined
        self._console.print(draw.final_table(view.standings, joined), highlight=False)
        return view.standings

    # --- what to do next -------------------------------------------------------------

    async def _next(self, view: HostView) -> HostCommand:
        phase = Phase(view.stage.phase)
        if phase in OPEN_BALLOT:
            await self._everyone("answered", _answered)
            return CloseVotes()
        if phase is Phase.VOTE_CLOSED and view.flow != "test":
            name = await self._advised(view)
        else:
            course = onward(view.flow, phase)
            name = next(one.type for one in course if one.type in view.commands)
        if name == "next_step" and self._pace is UNPACED:
            return NextStep(all=True)
        await self._pause(self._pace.before(name))
        return named(name)

    async def _advised(self, view: HostView) -> str:
        """Return what the panel advises after a vote, and show why."""
        found = await self._host.until(lambda panel: _fits(panel, view))
        self._console.print(advice(found), reasons(found), highlight=False)
        name = found.advised
        if name == "reveal" and view.flow == "full" and not self._has_discussed:
            self._say("This time they discuss it anyway, because it is a demo.")
            name = "discuss"
        self._has_discussed = True
        return name

    async def _pause(self, seconds: float) -> None:
        if seconds:
            await self._sleep(seconds)

    def _say(self, text: str) -> None:
        self._console.print(Text(text, style="dim"), highlight=False)

    # --- waiting for everyone -------------------------------------------------------

    async def _everyone(self, did: str, count: Callable[[HostPanel], int]) -> None:
        """Wait until all players have joined or answered, and show how many have.

        The panel of a new phase arrives before the answer to the command that led to
        it, so it is never about the previous vote.
        """
        with self._progress() as progress:
            bar = progress.add_task(did, total=self._players)
            async for panel in self._host.panels():
                progress.update(bar, completed=min(count(panel), self._players))
                if did == "joined":
                    is_ready = panel.joined >= self._players
                else:
                    is_ready = _enough(_figures(panel), self._players)
                if is_ready:
                    break
            else:
                raise self._host.cause or ConnectionLost("The figures have ended.")
        self._say(f"{count(panel)} {did}.")

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(40),
            MofNCompleteColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    # --- giving commands -------------------------------------------------------------

    async def _give(self, view: HostView, command: HostCommand) -> HostView:
        """Give a command and return the view that it leads to.

        If the command may not have been carried out, or another host was quicker,
        return the current view, from which the next command is then chosen.
        """
        try:
            await self._host.send(command)
        except ConnectionLost:
            await self._back()
            return self._host.view
        except CommandRefused as exc:
            return await self._refused(view, command, exc)
        return await self._after(view)

    async def _refused(
        self, view: HostView, command: HostCommand, exc: CommandRefused
    ) -> HostView:
        if exc.code in PASSING:
            await self._sleep(AGAIN_S)
            return self._host.view
        if exc.code == "time_needed":
            if isinstance(command, CloseVotes) and not command.override:
                return await self._give(view, CloseVotes(override=True))
            return await self._after(view)
        if exc.code == "wrong_phase":
            return self._host.view
        raise exc

    async def _after(self, view: HostView) -> HostView:
        """Return the first view that shows a different place than ``view``."""
        before = place(view.stage)
        async for now in self._host.views():
            if place(now.stage) != before:
                return now
        raise self._host.cause or ConnectionLost("The views have ended.")

    async def _back(self) -> None:
        """Wait until the connection is open again and has received view and panel."""
        async for link in self._host.states():
            if link is Link.OPEN:
                with suppress(ConnectionLost):
                    await self._host.ping()  # the answer arrives after the view
                    return
        raise self._host.cause or ConnectionLost("The connection has been closed.")


Figures = tuple[int, int, int]
"""Numbers of people: who have answered, who are expected to, and who are connected."""


def _figures(panel: HostPanel) -> Figures:
    return panel.answered, panel.expected, panel.connected


def _enough(figures: Figures, players: int) -> bool:
    """Return whether all players who are still connected have answered."""
    answered, expected, connected = figures
    return answered >= players or (connected < players and 0 < answered == expected)


def _joined(panel: HostPanel) -> int:
    return panel.joined


def _answered(panel: HostPanel) -> int:
    return panel.answered


def _fits(panel: HostPanel, view: HostView) -> bool:
    return panel.advice is not None and panel.advised in view.commands
