"""Three nodes on one PostgreSQL, killed, paused and stopped while classes vote.

Every player comes by a load balancer, so that most are at a node that is not the home
of their room. No recorded vote is lost, none counts twice, and a room continues at
another node automatically.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from client.errors import UnknownRoom
from server.game.commands import OpenRound, OpenVote
from server.game.ids import RoomCode
from server.journal.postgres import PostgresStore
from tests.support.broker import BrokerCluster
from tests.support.figures import Figure
from tests.support.fleet import FAULT, FrontDoor, NodeProcess, Opened
from tests.support.node import Node
from tests.support.recordings import (
    VIEWS,
    RecordedHost,
    RecordedPlayer,
    recorded,
    recorded_host,
    tapped,
)
from tests.support.tiers import scaled, seed
from tests.support.voters import Acks, Voter, all_again, check_events

NAMES = ("ada", "bob", "eve")
LEASE_S = 3.0
ROOMS, PLAYERS = scaled(2, 3, 6), scaled(8, 15, 50)
KINDS = ("kill", "stop", "pause")
FAULTS = scaled(1, 6, 100)
ROUNDS = scaled(1, 1, 10)
SITE = "lisbon"
GUARD_S = 120


@dataclass
class Classes:
    """The rooms, their voters, and when a vote of each room was last recorded."""

    rooms: list[Opened]
    voters: dict[str, list[Voter]] = field(default_factory=dict)
    acks: dict[str, Acks] = field(default_factory=dict)
    hosts: dict[str, RecordedHost] = field(default_factory=dict)
    waits_ms: list[float] = field(default_factory=list)
    """How long each vote took to be recorded."""

    async def again(self) -> None:
        """Wait until every voter has been heard once more."""
        for room, voters in self.voters.items():
            await all_again(voters, self.acks[room])


class Fleet:
    """Three nodes, and what is done to them."""

    def __init__(
        self, folder: Path, journal: str, brokers: Mapping[str, str] | None = None
    ) -> None:
        """``brokers`` are the addresses at which each node is admitted."""
        self.journal = journal
        at = brokers or dict.fromkeys(NAMES, "")
        self.nodes = {
            name: NodeProcess(folder, name, journal, LEASE_S, at[name])
            for name in NAMES
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
async def voting(
    fleet: Fleet, classes: Classes, site: str | None = None
) -> AsyncIterator[None]:
    """Let every class vote all the time while the block lasts.

    Where there is a ``site`` outside of the fleet, half of each class comes there.
    """
    url = fleet.door.url
    async with contextlib.AsyncExitStack() as stack:
        for number, room in enumerate(classes.rooms):
            coming = recorded_host(url, room.room, room.key)
            teacher = await stack.enter_async_context(coming)
            classes.hosts[room.room] = teacher
            await teacher.send(OpenRound())
            await teacher.send(OpenVote())
            players = [
                await join(stack, site if site and i % 2 else url, room.room, f"P {i}")
                for i in range(PLAYERS)
            ]
            classes.acks[room.room] = Acks()
            classes.voters[room.room] = [
                Voter(player, 1_000 * number + i) for i, player in enumerate(players)
            ]
        async with asyncio.TaskGroup() as group:  # a voter who fails ends the test
            runs = [
                group.create_task(
                    voter.run(classes.acks[room], classes.waits_ms.append)
                )
                for room, voters in classes.voters.items()
                for voter in voters
            ]
            yield
            for run in runs:
                run.cancel()


async def join(
    stack: contextlib.AsyncExitStack, url: str, room: str, name: str
) -> RecordedPlayer:
    """Let a player in, as soon as their site has heard of the room."""
    async with asyncio.timeout(GUARD_S):
        while True:
            try:
                return await stack.enter_async_context(recorded(url, room, name))
            except UnknownRoom:
                await asyncio.sleep(0.05)


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
    async with voting(fleet, classes):
        waits = await suffer(fleet, classes, [kind] * FAULTS, chance)
    await fleet.stop()
    figure(f"{FAULTS} faults ({kind}), {await held_against(fleet, classes)}")
    figure(told(fleet, waits))
    if kind == "pause":
        assert fleet.said("another node has taken it"), "a paused node let nothing go"


@pytest.mark.fault
@pytest.mark.full
@pytest.mark.timeout(7_200)
async def test_rooms_of_a_fleet_move_with_their_sites(
    tmp_path: Path, postgresql: str, figure: Figure
) -> None:
    """Nodes on a broker, and a site outside of the fleet that has half of each class.

    Nothing of an older epoch reaches a broker or a player after something newer.
    """
    cluster = BrokerCluster(tmp_path, [*NAMES, SITE, "tap"])
    made = Fleet(tmp_path, postgresql, {name: cluster.url(name) for name in NAMES})
    outside = Node(tmp_path / SITE, cluster.url(SITE), SITE)
    chance = random.Random(f"{seed()} sites")
    await cluster.start()
    try:
        async with made.door, tapped(cluster.url("tap"), VIEWS) as tap:
            classes = Classes(await made.start())
            await outside.start()
            async with voting(made, classes, outside.url):
                waits = await suffer(made, classes, [*KINDS] * ROUNDS, chance)
        await outside.stop()
        await made.stop()
        votes = await held_against(made, classes)
        figure(f"{3 * ROUNDS} faults, half of each class at a site: {votes}")
        figure(f"{told(made, waits)}; {tap.check()} epochs at the broker, in order")
    finally:
        await outside.stop()
        await made.stop()
        await cluster.kill()


async def suffer(
    fleet: Fleet, classes: Classes, kinds: Sequence[str], chance: random.Random
) -> list[float]:
    """Strike nodes that are home of rooms, one after another.

    Returns how long, in seconds, each room had no recorded vote.
    """
    waits: list[float] = []
    await classes.again()
    for number, kind in enumerate(kinds):
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
    return waits


async def held_against(fleet: Fleet, classes: Classes) -> str:
    """Compare the messages to players with the journal; return their number."""
    store = PostgresStore(fleet.journal)
    votes = 0
    for room in classes.rooms:
        journal = await store.load(RoomCode(room.room))
        check_events(journal, classes.voters[room.room])
        votes += classes.acks[room.room].n
        for voter in classes.voters[room.room]:
            assert isinstance(voter.player, RecordedPlayer)
            voter.player.check()
    await store.close()
    assert not fleet.said(FAULT), "a node failed on its own"
    return f"{len(classes.rooms)} rooms, {votes} votes, none lost"


def told(fleet: Fleet, waits: list[float]) -> str:
    """Return how long rooms were without a home, and what nodes were refused."""
    waits.sort()
    p50_s, p99_s = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    return (
        f"to the next recorded vote p50 {p50_s:.1f} s, p99 {p99_s:.1f} s; "
        f"{fleet.said('another node has taken it')} rooms let go, "
        f"{fleet.said('an append was refused')} appends fenced"
    )


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
