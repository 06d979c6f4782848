"""Nodes on one database: rooms move when a node dies, pauses, stops or is cut off.

A front door sends each connection to any node that runs; a node that does not have the
room passes it on to the one that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from server.federation.fleet import LEASE_S, Member, Terms
from server.federation.leases import Leases
from server.federation.node import LoneNode
from server.game.ids import RoomCode
from server.journal.postgres import translated
from server.rooms.audience import PlainCrowd
from server.rooms.directory import Directory
from tests.simulation.database import Database, Session
from tests.simulation.disks import Platter
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Weather
from tests.simulation.site import Faulty, Process, SimulatedClock
from tests.simulation.store import SharedStore
from tests.simulation.world import HOME, Fault, Script, World, for_a_while

NAMES = (HOME, "lisbon", "oslo")

STOP_S = 3.0
"""How long a node takes at most to hand its rooms over."""

SPEAKS = (b'{"type":"view"', b'{"type":"host_view"', b'{"type":"recorded"')
"""What only the home of a room may say."""


class SimulatedMember(Member):
    """A node of a fleet whose line to the database is also simulated."""

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[Session]:
        """Open a connection for renewals alone, on which this node is called."""
        with translated(), self.store.session() as db:
            await db.read(lambda: None)
            db.listen()
            yield db


class FleetProcess(Process):
    """A node of a fleet while it runs."""

    def __init__(
        self, name: str, clock: SimulatedClock, directory: Directory, leases: Leases
    ) -> None:
        super().__init__(name, clock, directory)
        self.leases = leases
        self._epochs: dict[RoomCode, int] = {}

    def epoch_of(self, room: RoomCode) -> int:
        """Return the epoch in which it is home of a room, or last was."""
        held = self.leases._held.get(room)
        if held is not None:
            self._epochs[room] = held.epoch
        return self._epochs.get(room, 0)


@dataclass(slots=True)
class FleetNode:
    """A node of a fleet, whether it runs or not."""

    name: str
    database: Database
    chance: random.Random
    faulty: Faulty
    process: FleetProcess | None = None
    failures: list[BaseException] = field(default_factory=list)
    _store: SharedStore | None = None

    async def start(self) -> None:
        """Join the fleet, and take up what an earlier run had."""
        running_loop().resume(self.name)
        self._store = store = SharedStore(
            self.database,
            self.name,
            is_hasty=self.faulty.is_hasty,
            is_unfenced=self.faulty.is_unfenced,
        )
        member = SimulatedMember(store, self.name, Terms(), running_loop().time)
        member.url = self.name
        leases, clock, node = Leases(member), SimulatedClock(0), LoneNode(PlainCrowd)
        directory = Directory(
            store,
            node.gateway,
            clock,
            self.chance.choice,
            10,
            nodes=node.others,
            homes=leases,
        )
        self.process = process = FleetProcess(self.name, clock, directory, leases)
        await process.call(member.join())
        started = asyncio.Event()
        process.spawn(directory.run(started), f"{self.name}-rooms")
        process.spawn(leases.run(directory), f"{self.name}-lease")
        await process.begun(started)

    async def stop(self) -> None:
        """Hand every room over and leave, as on SIGTERM."""
        process = self.process
        if process is None:
            return
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            async with asyncio.timeout(STOP_S):
                await process.call(process.directory.hand_over())
                await process.call(process.leases.node.leave())
        await self.kill()

    async def kill(self) -> None:
        """End the process without a goodbye."""
        process, self.process = self.process, None
        if process is None:
            return
        process.is_alive = False
        assert self._store is not None
        self._store.die()
        self.failures += process.failures
        running_loop().resume(self.name)
        await process.end()


@dataclass(slots=True)
class FrontDoor:
    """One address for all nodes: a load balancer that knows which of them run."""

    name: str
    weather: Weather
    chance: random.Random
    nodes: Sequence[FleetNode]
    spoken: Callable[[Process, bytes], None]
    """Hears what a node writes to a phone."""
    site: str | None = None

    @property
    def process(self) -> Process | None:
        """Any node that runs."""
        there = [node.process for node in self.nodes if node.process is not None]
        return self.chance.choice(there) if there else None

    def process_of(self, node: str) -> Process | None:
        """Return the node that a connection is passed on to."""
        found = (each.process for each in self.nodes if each.name == node)
        return next(found, None)


class Fleet(World):
    """Three nodes; people come in through three doors, each with dice of its own."""

    def __init__(self, script: Script, faulty: Faulty) -> None:
        super().__init__(script, faulty)
        chance = self.chance("database")
        self.database = Database(chance, keeps_epoch=faulty.keeps_epoch)
        self.nodes = [
            FleetNode(name, self.database, self.chance(name), faulty) for name in NAMES
        ]
        self.doors = [self._door(f"door-{number}") for number in range(len(NAMES))]
        self._latest: dict[RoomCode, int] = {}
        """The latest epoch in which a home has spoken."""
        self._stale: list[str] = []

    def _door(self, name: str) -> FrontDoor:
        about = (name, self.weather, self.chance(name))
        return FrontDoor(*about, self.nodes, self._spoken)

    @property
    def platter(self) -> Platter:
        """The database's disk."""
        return self.database.platter

    def found(self) -> list[str]:
        """Return what nodes did that were not the home."""
        return [*self.database.problems, *self._stale]

    def _spoken(self, process: Process, frame: bytes) -> None:
        assert isinstance(process, FleetProcess)
        if not frame.startswith(SPEAKS):
            return
        for code in self.database.rooms:
            room, latest = RoomCode(code), self._latest.get(RoomCode(code), 0)
            epoch = process.epoch_of(room)
            if epoch < latest:
                at_s = running_loop().time()
                what = f"{process.name} speaks in epoch {epoch} after {latest}"
                self._stale.append(f"{at_s:.3f} s: {what}")
            self._latest[room] = max(epoch, latest)

    @property
    def holder(self) -> FleetNode:
        """The node that is home of the room."""
        room = next(iter(self.database.rooms.values()))
        return next(node for node in self.nodes if node.name == room.node)

    async def fail(self, fault: Fault) -> None:
        """Let something go wrong, and repair it."""
        node = self.nodes[fault.where % len(self.nodes)]
        database, for_s = self.database, fault.lasts_s
        match fault.kind:
            case "kill_holder":
                await self.restart(self.holder, for_s)
            case "kill_node":
                await self.restart(node, for_s)
            case "pause_holder":
                await _pause(self.holder.name, for_s)
            case "pause_node":
                await _pause(node.name, for_s)
            case "stop_holder":
                await self._stop(self.holder, for_s)
            case "drain_holder":
                await self._drain(self.holder, for_s)
            case "cut_holder":
                name = self.holder.name
                database.cut_off.add(name)
                await asyncio.sleep(for_s)
                database.cut_off.discard(name)
            case "stall_holder":
                name = self.holder.name
                database.lag_s[name] = 2 * LEASE_S
                await asyncio.sleep(for_s)
                database.lag_s.pop(name, None)
            case "lose_database":
                database.is_away = True
                await asyncio.sleep(min(for_s, 3 * LEASE_S))
                database.is_away = False
            case "slow_database":
                await for_a_while(database.mood, "delay_s", 0.8, fault)
            case "full_database":
                await for_a_while(database.mood, "fails", 0.6, fault)
            case "unsure_database":
                await for_a_while(database.mood, "forgets", 0.4, fault)
            case "cut_phone":
                self.people[fault.where % len(self.people)].disconnect()
            case "slow_line":
                await for_a_while(self.weather, "delay_s", 1.5, fault)

    async def _stop(self, node: FleetNode, for_s: float) -> None:
        await node.stop()
        await asyncio.sleep(for_s)
        await self.restart_stopped(node)

    async def _drain(self, node: FleetNode, for_s: float) -> None:
        row = self.database.nodes.get(node.name)
        if row is not None:
            row.is_draining = True
            await asyncio.sleep(for_s)
            await self._stop(node, 0.1)


async def _pause(name: str, for_s: float) -> None:
    running_loop().pause(name)
    await asyncio.sleep(for_s)
    running_loop().resume(name)


def running_loop() -> VirtualLoop:
    """Return the loop with simulated time that runs."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running
