"""A whole fleet whose nodes, brokers and database are killed while 600 people vote.

The campaign deals its faults from a seed, in parts. Each part has a fleet of its own;
what it found is appended to ``.campaign``, so that an interrupted campaign continues.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from server.game.commands import OpenRound, OpenVote
from server.game.ids import RoomCode
from server.journal.postgres import PostgresStore
from tests.faults.test_fleet import join
from tests.support.figures import Figure
from tests.support.fleet import FAULT, Opened
from tests.support.node import Node
from tests.support.recordings import (
    VIEWS,
    RecordedPlayer,
    Tap,
    recorded_host,
    tapped,
)
from tests.support.tiers import scaled, seed
from tests.support.voters import Acks, Voter, all_again, check_events
from tests.support.whole_fleet import BROKERS, NODES, WholeFleet, whole_fleet

KINDS = {"node": 110, "broker": 50, "database": 20, "pause": 20}
"""How many faults of each kind a campaign has."""

PART = 10
"""Faults after which a fleet is stopped and its journals are read."""

ROOMS, PLAYERS = scaled(2, 2, 6), scaled(5, 10, 100)
AT_SITE = 6
"""One player in N comes by a site outside of the fleet."""

PAUSE_S = 1.0
SITE = "lisbon"
LEASE_S = 3.0
GUARD_S = 180
FOLDER = Path(__file__).parents[2] / ".campaign"


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault: its target, its length, and the node killed with it."""

    kind: str
    seconds: float
    """Of a pause, or until the standby takes over."""
    with_another: bool


@dataclass
class Found:
    """What a part has found."""

    faults: dict[str, int] = field(default_factory=dict)
    votes: int = 0
    waits_s: dict[str, list[float]] = field(default_factory=dict)
    """By kind: how long the rooms it struck had no recorded vote."""
    let_go: int = 0
    fenced: int = 0
    epochs: int = 0
    """How many homes the tap saw, over all rooms."""
    events: int = 0
    """Of the longest journal."""

    def add(self, other: Found) -> None:
        """Add what another part has found."""
        for kind, number in other.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + number
        self.votes += other.votes
        for kind, waits in other.waits_s.items():
            self.waits_s.setdefault(kind, []).extend(waits)
        self.let_go += other.let_go
        self.fenced += other.fenced
        self.epochs += other.epochs
        self.events = max(self.events, other.events)

    def lines(self) -> list[str]:
        """Return the figures."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.faults.items()))
        found = [
            f"{sum(self.faults.values())} faults ({kinds}), {ROOMS} rooms of {PLAYERS}:"
            f" {self.votes} votes recorded, none lost, none twice",
            f"{self.epochs} homes seen at the brokers, in order of their epochs; "
            f"{self.fenced} appends fenced, {self.let_go} rooms let go by a node that "
            f"lost them; the longest journal had {self.events} events",
        ]
        for kind, waits in sorted(self.waits_s.items()):
            waits.sort()
            p50_s, p99_s = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
            found.append(
                f"{kind}: to the next recorded vote p50 {p50_s:.2f} s, p99 {p99_s:.2f} "
                f"s, longest {waits[-1]:.2f} s ({len(waits)} rooms)"
            )
        return found


def dealt(number: int, numbers: Mapping[str, int] = KINDS) -> list[Fault]:
    """Return all faults of a campaign, in the order of a seed."""
    chance = random.Random(f"{number} fleet")
    kinds = [kind for kind, n in numbers.items() for _ in range(n)]
    chance.shuffle(kinds)
    return [_fault(kind, chance) for kind in kinds]


def _fault(kind: str, chance: random.Random) -> Fault:
    if kind == "pause":
        seconds = chance.uniform(3, 30)
    else:  # a third of the outages of the database last longer than three leases
        seconds = chance.choice([0.0, 1.0, 3.2 * LEASE_S])
    is_double = kind in ("node", "broker") and chance.random() < 0.15
    return Fault(kind, seconds, is_double)


@dataclass
class Room:
    """A room and its people."""

    opened: Opened
    voters: list[Voter] = field(default_factory=list)
    acks: Acks = field(default_factory=Acks)

    async def recorded_after(self, time_s: float) -> float:
        """Wait for a vote that was sent after a time; return how long it took."""
        async with asyncio.timeout(GUARD_S):
            while not any(voter.sent_s > time_s for voter in self.voters):
                await self.acks.more(1)
        return time.monotonic() - time_s


class Struck:
    """A fleet under faults."""

    def __init__(
        self, fleet: WholeFleet, rooms: list[Room], chance: random.Random
    ) -> None:
        self.fleet = fleet
        self.rooms = rooms
        self.found = Found()
        self._chance = chance

    async def suffer(self, fault: Fault) -> None:
        """Do one thing, see everyone vote again, and undo it."""
        await asyncio.sleep(self._chance.uniform(0, 1))
        match fault.kind:
            case "node":
                await self._kill_nodes(2 if fault.with_another else 1)
            case "broker":
                await self._kill_brokers(2 if fault.with_another else 1)
            case "database":
                await self._lose_database(fault.seconds)
            case _:
                await self._pause(fault.seconds)
        before = self.found.faults.get(fault.kind, 0)
        self.found.faults[fault.kind] = before + 1 + fault.with_another
        await self.again()

    async def again(self) -> None:
        """Wait until every player has been heard once more."""
        for room in self.rooms:
            await all_again(room.voters, room.acks)

    async def _kill_nodes(self, number: int) -> None:
        struck = [self._a_home()]
        others = [name for name in NODES if name not in struck]
        struck += self._chance.sample(others, number - 1)
        rooms, began_s = self._rooms_at(*struck), time.monotonic()
        await asyncio.gather(*map(self.fleet.kill, struck))
        await self._measure("node", rooms, began_s)
        for name in struck:
            await self.fleet.start_again(name)

    async def _kill_brokers(self, number: int) -> None:
        struck, began_s = self._chance.sample(BROKERS, number), time.monotonic()
        await asyncio.gather(*map(self.fleet.kill, struck))
        await self._measure("broker", self.rooms, began_s)
        for name in struck:
            await self.fleet.start_again(name)

    async def _lose_database(self, seconds: float) -> None:
        """The rooms stay where they are, however long the database is away."""
        before = self.fleet.homes()
        await self.fleet.kill_primary()
        await asyncio.sleep(seconds)  # the fault itself, not a wait for anything
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            ordered = self._measure("database, promoted", self.rooms, began_s)
            group.create_task(ordered)
            await self.fleet.promote()
            writable_s = time.monotonic()
            await self._measure("database, writable", self.rooms, writable_s)
        mine = [room.opened.room for room in self.rooms]
        after = self.fleet.homes()
        assert [after[code] for code in mine] == [before[code] for code in mine]
        await self.fleet.rebuild()

    async def _pause(self, seconds: float) -> None:
        name = self._a_home()
        rooms, began_s = self._rooms_at(name), time.monotonic()
        self.fleet.send(name, signal.SIGSTOP)
        async with asyncio.TaskGroup() as group:  # others take the rooms meanwhile
            group.create_task(self._measure("pause", rooms, began_s))
            await asyncio.sleep(seconds)  # the fault itself, not a wait for anything
            self.fleet.send(name, signal.SIGCONT)

    def _a_home(self) -> str:
        """Return a node that has a room."""
        return self.fleet.homes()[self._chance.choice(self.rooms).opened.room]

    def _rooms_at(self, *names: str) -> list[Room]:
        homes = self.fleet.homes()
        return [room for room in self.rooms if homes[room.opened.room] in names]

    async def _measure(self, kind: str, rooms: list[Room], began_s: float) -> None:
        waits = [room.recorded_after(began_s) for room in rooms]
        self.found.waits_s.setdefault(kind, []).extend(await asyncio.gather(*waits))


@contextlib.asynccontextmanager
async def voting(fleet: WholeFleet, site: str) -> AsyncIterator[list[Room]]:
    """Let all rooms vote while the block lasts."""
    async with contextlib.AsyncExitStack() as stack:
        rooms = [Room(opened) for opened in await fleet.open_rooms(ROOMS)]
        for number, room in enumerate(rooms):
            code = room.opened.room
            coming = recorded_host(fleet.url, code, room.opened.key)
            teacher = await stack.enter_async_context(coming)
            await teacher.send(OpenRound())
            await teacher.send(OpenVote())
            for i in range(PLAYERS):
                url = fleet.url if (i + 1) % AT_SITE else site
                player = await join(stack, url, code, f"P {i}")
                room.voters.append(Voter(player, 1_000 * number + i, PAUSE_S))
        async with asyncio.TaskGroup() as group:  # a voter who fails ends the test
            runs = [
                group.create_task(voter.run(room.acks))
                for room in rooms
                for voter in room.voters
            ]
            yield rooms
            for run in runs:
                run.cancel()


async def part(folder: Path, faults: list[Fault], number: str) -> Found:
    """Run a fleet through some faults, and compare the receipts with its journals."""
    async with whole_fleet(folder, [SITE, "tap"]) as fleet:
        outside = Node(folder / SITE, fleet.urls[SITE], SITE)
        try:
            await outside.start()
            async with (
                tapped(fleet.urls["tap"], VIEWS) as tap,
                voting(fleet, outside.url) as rooms,
            ):
                struck = Struck(fleet, rooms, random.Random(number))
                await struck.again()
                for fault in faults:
                    await struck.suffer(fault)
            await outside.stop()
            await fleet.stop_nodes()
            await hold_against(struck, tap)
        finally:
            await outside.kill()
    return struck.found


async def hold_against(struck: Struck, tap: Tap) -> None:
    """Every recorded vote is stored once, and nothing old was shown after newer."""
    found = struck.found
    store = PostgresStore(struck.fleet.database.url)
    try:
        for room in struck.rooms:
            journal = await store.load(RoomCode(room.opened.room))
            check_events(journal, room.voters)
            found.events = max(found.events, len(journal))
            found.votes += room.acks.n
            for voter in room.voters:
                assert isinstance(voter.player, RecordedPlayer)
                voter.player.check()
    finally:
        await store.close()
    found.epochs = tap.check()
    found.let_go = struck.fleet.said("another node has taken it")
    found.fenced = struck.fleet.said("an append was refused")
    assert not struck.fleet.said(FAULT), "a node failed by itself"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse no one because this machine is busy, or votes all the time."""
    monkeypatch.setenv("TWOGAPS_LIMITS", "lag_ms=1000000000 changes=1000000000")


@pytest.mark.fault
@pytest.mark.full
@pytest.mark.alone  # it is about times of leases, which a busy machine does not keep
@pytest.mark.timeout(600)
async def test_a_fleet_survives_one_fault_of_each_kind(
    reachable: Path, figure: Figure
) -> None:
    faults = [Fault(kind, 4.0 if kind == "pause" else 0.0, False) for kind in KINDS]
    found = await part(reachable, faults, f"{seed()}")
    for line in found.lines():
        figure(line)


async def campaign(name: str, folder: Path, faults: list[Fault]) -> Found:
    """Run all parts that have not been run, and return what all have found."""
    done, total = FOLDER / f"{name}-{seed()}.jsonl", Found()
    parts = [faults[i : i + PART] for i in range(0, len(faults), PART)]
    FOLDER.mkdir(exist_ok=True)
    done.touch()
    known = done.read_text().splitlines()
    for line in known:
        total.add(Found(**json.loads(line)))
    for number, some in enumerate(parts[len(known) :], len(known)):
        own = folder / f"{number}"
        own.mkdir()
        own.chmod(0o711)
        found = await part(own, some, f"{seed()} {number}")
        with done.open("a") as file:
            file.write(json.dumps(asdict(found)) + "\n")
        total.add(found)
    return total


@pytest.mark.fault
@pytest.mark.campaign
@pytest.mark.timeout(86_400)
async def test_a_fleet_survives_a_campaign(reachable: Path, figure: Figure) -> None:
    found = await campaign("fleet", reachable, dealt(seed()))
    for text in found.lines():
        figure(text)


@pytest.mark.fault
@pytest.mark.campaign
@pytest.mark.timeout(86_400)
async def test_rooms_go_on_after_the_primary_is_killed(
    reachable: Path, figure: Figure
) -> None:
    """The same campaign, with faults of the database alone."""
    faults = dealt(seed(), {"database": KINDS["database"]})
    found = await campaign("primary", reachable, faults)
    for text in found.lines():
        figure(text)
