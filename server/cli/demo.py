"""``twogaps demo``: the newcomer's first minute, a whole game in one terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from client.errors import ClientError
from client.practice import PracticeSettings, knowledge_of, run_practice
from client.staff import host
from client.terminal.demo import run_demo
from scenarios.library import ScenarioError
from server.app import Config, running
from server.cli.console import fail, out
from server.cli.logs import set_up_logging
from server.game.errors import Refused
from server.game.settings import RoomSettings
from server.game.views.stage_types import Standing
from server.protocol.client_messages import OpenRoom

NO_PAUSE = (0.0, 0.0)
CLASS_PACE = (1.0, 8.0)
"""Seconds that a practice player thinks."""


def demo(
    players: Annotated[
        int, typer.Option("--players", "-n", min=1, max=2000, help="Practice players.")
    ] = 30,
    seed: Annotated[int, typer.Option(help="Same seed, same game.")] = 7,
    fast: Annotated[bool, typer.Option("--fast", help="No pauses.")] = False,
    deck: Annotated[str, typer.Option(help="Which deck to play.")] = "first-class",
    length: Annotated[
        int | None,
        typer.Option(min=1, help="Number of rounds (default: all)."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder to keep the journal in.  [default: nothing is kept]"),
    ] = None,
) -> None:
    """Watch a whole game in this terminal: a server, a room and practice players.

    Everything is real but the people: sockets, votes, tallies, the breakdown with the
    two-gaps diagram, the final table.
    """
    set_up_logging("warning")
    try:
        game = play_demo(players, seed, fast=fast, deck=deck, length=length, data=data)
        room, _ = asyncio.run(game)
    except* (Refused, ClientError, ScenarioError) as group:
        first = group.exceptions[0]
        raise fail(getattr(first, "detail", str(first))) from first
    if data is not None:
        out.print(f"The journal of room {room} is in {data}.", highlight=False)


async def play_demo(
    players: int,
    seed: int,
    *,
    fast: bool,
    deck: str,
    length: int | None = None,
    data: Path | None = None,
) -> tuple[str, tuple[Standing, ...]]:
    """Play a game over real sockets; return the room's code and the final table."""
    pause = NO_PAUSE if fast else CLASS_PACE
    practice = PracticeSettings(n=players, seed=seed, delay_s=pause)
    async with running(Config(port=0, data=data)) as server:
        settings = RoomSettings(
            simulated=True,
            podium=True,
            time_factor=None,
            max_players=players,
            two_link=server.library.deck(deck).two_link,
        )
        order = OpenRoom(deck=deck, length=length, seed=seed, settings=settings)
        room, key = await server.admin.open_room(order)
        knowledge = knowledge_of(server.library.cases.values())
        async with asyncio.TaskGroup() as group:
            crowd = run_practice(server.local_url, room, practice, knowledge)
            group.create_task(crowd, name="practice")
            async with host(server.local_url, room, key) as teacher:
                table = await run_demo(teacher, players=players, fast=fast, console=out)
    return room, table
