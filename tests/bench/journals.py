"""Votes on PostgreSQL beside SQLite, in one run: ``python -m tests.bench.journals``.

Durable votes a second: eight rooms append votes, a hundred an append, as fast as each
journal commits. A class: 300 players of a server in a process of its own vote within
three seconds; how long until each vote is recorded. Prints figures and judges nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from client import Label, Player, connect, host
from server.game.answers import GapAnswer
from server.game.commands import OpenRound, OpenVote
from server.game.events import VoteCast
from server.game.ids import RoomCode
from server.game.phases import Phase
from server.journal.opening import open_store
from server.journal.store import EventStore
from tests.journal.test_contract import played
from tests.support.cases import opened
from tests.support.fleet import NodeProcess
from tests.support.node import Node
from tests.support.postgres import postgres
from tests.support.until import until

ROOMS, EACH, SECONDS = 8, 100, 5.0
VOTERS, WITHIN_S = 300, 3.0
ROUNDS = 3
"""Each figure is measured this many times, in turns, and the best is printed."""


async def votes_a_second(store: EventStore, turn: int) -> float:
    """Append votes for some seconds; return how many were stored a second."""
    vote = next(event for event in played() if isinstance(event, VoteCast))
    batch = [replace(vote, counter=number) for number in range(EACH)]
    until_s, stored = time.monotonic() + SECONDS, 0

    async def write(code: RoomCode) -> int:
        await store.append(code, 0, [replace(opened(), code=code)])
        version = 1
        while time.monotonic() < until_s:
            await store.append(code, version, batch)
            version += EACH
        return version - 1

    codes = [RoomCode(f"T{turn}R{number:03d}") for number in range(ROOMS)]
    began_s = time.monotonic()
    for count in await asyncio.gather(*map(write, codes)):
        stored += count
    return stored / (time.monotonic() - began_s)


async def class_ms(url: str, room: str, key: str) -> list[float]:
    """Let a class vote; return how many milliseconds each vote took, in order."""
    chance, waits = random.Random(7), list[float]()

    async def vote(player: Player) -> None:
        await until(lambda: player.view.phase is Phase.VOTE)
        await asyncio.sleep(chance.uniform(0, WITHIN_S))
        began_s = time.monotonic()
        recorded = await player.vote(Label.OUTER, 80, to=player.view)
        assert isinstance(recorded.answer, GapAnswer)
        waits.append(1000 * (time.monotonic() - began_s))

    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, room, key))
        players = [
            await stack.enter_async_context(connect(url, room, f"P {number}"))
            for number in range(VOTERS)
        ]
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await asyncio.gather(*map(vote, players))
    return sorted(waits)


async def measure_votes(folder: Path, database: str) -> None:
    """Measure both journals in turns and print how many votes each stored a second."""
    best = {"sqlite": 0.0, "postgresql": 0.0}
    where = {"sqlite": f"sqlite:{folder / 'bench.sqlite'}", "postgresql": database}
    for turn in range(ROUNDS):
        for kind, address in where.items():
            async with open_store(address) as store:
                found = await votes_a_second(store, turn)
            best[kind] = max(best[kind], found)
    ratio = best["postgresql"] / best["sqlite"]
    print(
        f"durable votes/s: SQLite {best['sqlite']:,.0f}, PostgreSQL "
        f"{best['postgresql']:,.0f}, ratio {ratio:.2f}"
    )


async def measure_classes(folder: Path, database: str) -> None:
    """Print how long the votes of a class took, with a new journal of each kind."""
    alone = Node(folder / "alone")
    ready = await alone.start()
    show("SQLite", await class_ms(alone.url, ready.room, ready.key))
    await alone.stop()
    node = NodeProcess(folder, "ada", database)
    (room,) = await node.start(1)
    show("PostgreSQL", await class_ms(node.url, room.room, room.key))
    await node.stop()


def show(kind: str, waits: list[float]) -> None:
    """Print how long votes took."""
    p50, p99 = waits[len(waits) // 2], waits[int(0.99 * len(waits))]
    print(
        f"{kind}: {len(waits)} votes within {WITHIN_S:g} s, vote to recorded p50 "
        f"{p50:.1f} ms, p99 {p99:.1f} ms"
    )


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as folder:
        for measure in (measure_votes, measure_classes):
            with postgres() as server:  # a new one: the other still writes to its disk
                asyncio.run(measure(Path(folder), server.create("bench")))


if __name__ == "__main__":
    main()
