"""Three nodes on one PostgreSQL, killed, paused and stopped while classes vote.

Every player comes by a load balancer, so that most are at a node that is not the home
of their room. No recorded vote is lost, none counts twice, and a room goes on at
another node by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from client import connect, host
from server.game.commands import OpenRound, OpenVote
from server.game.ids import RoomCode
from server.journal.postgres import PostgresStore
from tests.support.figures import Figure
from tests.support.fleet import FrontDoor, NodeProcess, Opened
from tests.support.tiers import scaled, seed
from tests.support.voters import Acks, Voter, all_again, check_events

NAMES = ("ada", "bob", "eve")
LEASE_S = 3.0
ROOMS, PLAYERS = scaled(2, 3, 6), scaled(8, 15, 50)
KINDS = ("kill", "stop", "pause")
FAULTS = scaled(1, 6, 100)
GUARD_S = 120


@dataclass
class Classes:
    """The rooms, their voters, and when a vote of each room was last recorded."""

    rooms: list[Opened]
    voters: dict[str, list[Voter]] = field(default_factory=dict)
    acks: dict[str, Acks] = field(default_factory=dict)

    async def again(self) -> None:
        """Wait until every voter has been heard once more."""
        for room, voters in self.voters.items():
            await all_again(voters, self.acks[room])


class Fleet:
    """Three nodes, and what is done to them."""

    def __init__(self, folder: Path, journal: str) -> None:
        self.journal = journal
        self.nodes = {
            name: NodeProcess(folder, name, journal, LEASE_S) for name in NAMES
        }
        self.door = FrontDoor(list(self.nodes.values()))

    async def start(self) -> list[Opened]:
        """Start all nodes; the first opens the rooms."""
        opened = []
        for number, node in enumerate(self.nodes.values()):
            opened += await node.start(ROOMS if number == 0 else 0)
        return opened

    def homes(self) -> dict[str, str]:
        """Return the node of each room."""
        with psycopg.connect(self.journal, autocommit=True) as db:
            return dict(db.execute("SELECT code, node FROM rooms").fetchall())

    async def rooms_at(self, name: str, *, at_least: int = 1) -> list[str]:
        """Wait until a node has rooms; return them."""
        async with asyncio.timeout(GUARD_S):
            while True:
                found = [code for code, node in self.homes().items() if node == name]
                if len(found) >= at_least:
                    return found
                await asyncio.sleep(0.1)

    def said(self, pattern: str) -> int:
        """Return how many lines of the nodes' logs match."""
        text = "".join(node.log.read_text() for node in self.nodes.values())
        return len(re.findall(pattern, text))

    async def stop(self) -> None:
        """Stop all nodes."""
        await asyncio.gather(*(node.stop() for node in self.nodes.values()))


@pytest.fixture
async def fleet(tmp_path: Path, postgresql: str) -> AsyncIterator[Fleet]:
    made = Fleet(tmp_path, postgresql)
    async with made.door:
        yield made
    await made.stop()


@contextlib.asynccontextmanager
async def voting(fleet: Fleet, classes: Classes) -> AsyncIterator[None]:
    """Let every class vote all the time while the block lasts."""
    url = fleet.door.url
    async with contextlib.AsyncExitStack() as stack:
        for number, room in enumerate(classes.rooms):
            teacher = await stack.enter_async_context(host(url, room.room, room.key))
            await teacher.send(OpenRound())
            await teacher.send(OpenVote())
            joined = [connect(url, room.room, f"P {i}") for i in range(PLAYERS)]
            players = [await stack.enter_async_context(one) for one in joined]
            classes.acks[room.room] = Acks()
            classes.voters[room.room] = [
                Voter(player, 1_000 * number + i) for i, player in enumerate(players)
            ]
        runs = [
            asyncio.create_task(voter.run(classes.acks[room]))
            for room, voters in classes.voters.items()
            for voter in voters
        ]
        yield
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def strike(fleet: Fleet, kind: str, name: str) -> None:
    """Do something to a node."""
    node = fleet.nodes[name]
    match kind:
        case "kill":
            await node.kill()
            fleet.door.is_down(name)
        case "stop":
            fleet.door.down.add(name)
            assert await node.stop() == 0
        case "pause":
            node.send(signal.SIGSTOP)
            fleet.door.is_down(name)


async def heal(fleet: Fleet, kind: str, name: str) -> None:
    """Make a node good again."""
    node = fleet.nodes[name]
    if kind == "pause":
        node.send(signal.SIGCONT)
    else:
        await node.start()
    fleet.door.down.discard(name)


@pytest.mark.fault
@pytest.mark.sampled
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", [*KINDS, "any"] if scaled(0, 1, 1) else ["kill"])
async def test_a_fleet_loses_no_recorded_vote(
    fleet: Fleet, kind: str, figure: Figure
) -> None:
    chance = random.Random(f"{seed()} {kind}")
    classes = Classes(await fleet.start())
    waits: list[float] = []
    async with voting(fleet, classes):
        await classes.again()
        for number in range(FAULTS):
            what = chance.choice(KINDS) if kind == "any" else kind
            homes = fleet.homes()
            name = homes[chance.choice(classes.rooms).room]
            rooms = [code for code, node in homes.items() if node == name]
            await asyncio.sleep(chance.uniform(0, 1))
            began_s = time.monotonic()
            await strike(fleet, what, name)
            waits += await asyncio.gather(
                *(_next_s(classes, code, began_s) for code in rooms)
            )
            assert name not in [fleet.homes()[code] for code in rooms], number
            await classes.again()
            await heal(fleet, what, name)
            await classes.again()
    await fleet.stop()
    store = PostgresStore(fleet.journal)
    votes = 0
    for room in classes.rooms:
        journal = await store.load(RoomCode(room.room))
        check_events(journal, classes.voters[room.room])
        votes += classes.acks[room.room].n
    await store.close()
    waits.sort()
    p50_s, p99_s = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    figure(
        f"{FAULTS} faults ({kind}), {len(classes.rooms)} rooms, {votes} votes, none "
        f"lost; to the next recorded vote p50 {p50_s:.1f} s, p99 {p99_s:.1f} s; "
        f"{fleet.said('another node has taken it')} rooms let go, "
        f"{fleet.said('an append was refused')} appends fenced"
    )
    if kind == "pause":
        assert fleet.said("another node has taken it"), "a paused node let nothing go"
    assert not fleet.said("Traceback"), "a node failed by itself"


async def _next_s(classes: Classes, code: str, began_s: float) -> float:
    """Return how long, in seconds, until a vote that was sent after a fault counts.

    One that was recorded before the node died may be heard just after: the second of
    each voter counts.
    """
    start = {voter: len(voter.acknowledged) for voter in classes.voters[code]}
    async with asyncio.timeout(GUARD_S):
        while not any(
            len(voter.acknowledged) >= start[voter] + 2
            for voter in classes.voters[code]
        ):
            await classes.acks[code].more(1)
    return time.monotonic() - began_s
