"""One node of a simulation: all that a server runs but sockets, and a disk that lasts.

A process that is killed runs nothing more: its tasks are ended, and whatever they still
do reaches neither its disk, nor the broker, nor any phone.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from server.federation import topics
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.journal.store import HeldElsewhere
from server.protocol.client_messages import HostMessage, PlayerMessage
from server.rooms import replies
from server.rooms.audience import PlainCrowd
from server.rooms.directory import Directory
from server.rooms.ports import Audience, Leave, Link, Request, RoomPort, Say, Slot
from tests.simulation.disks import UTC_MS, Mood, Platter, SimulatedStore, opens
from tests.simulation.loop import NODE
from tests.simulation.network import Broker, Pipe, SimulatedBus, Weather

LEFT_S = 8.0
"""How long a node takes at most to notice that a phone is gone."""

T = TypeVar("T")
Hears = Callable[[bytes], None]


@dataclass(slots=True)
class SimulatedClock:
    """The clock of a node: simulated time, off by a constant."""

    skew_ms: int

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return UTC_MS + int(asyncio.get_running_loop().time() * 1000) + self.skew_ms


class Door(Protocol):
    """Where a phone connects: one node, or what stands before several."""

    name: str
    site: str | None
    """The site whose people come in here; None if they are the home's."""
    weather: Weather
    chance: random.Random

    @property
    def process(self) -> Process | None:
        """A node that answers now, if one does."""
        ...

    def process_of(self, node: str) -> Process | None:
        """Return the node that a connection is passed on to."""
        ...

    def spoken(self, process: Process, frame: bytes) -> None:
        """A node has written a frame to a phone."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """Deliberate faults in a node, to see that they are found."""

    is_hasty: bool = False
    """Acknowledges votes before they are committed."""
    is_forgetful: bool = False
    """Loses its outbox when it is restarted."""
    is_impatient: bool = False
    """Reveals without the votes of other sites."""
    is_mute: bool = False
    """Does not say again what a broker that was restarted has forgotten."""
    is_unfenced: bool = False
    """Stores events of a room that is another node's by now."""
    keeps_epoch: bool = False
    """Takes a room without raising its epoch."""


NO_FAULT = Faulty()


class Process:
    """What runs between a start and an end of a node, as far as its phones see."""

    def __init__(self, name: str, clock: SimulatedClock, directory: Directory) -> None:
        self.name = name
        self.clock = clock
        self.directory = directory
        self.is_alive = True
        self.context = contextvars.copy_context()
        """Of all that runs in it: by that a node can be paused."""
        self.context.run(NODE.set, name)
        self.tasks: list[asyncio.Task[Any]] = []
        self.failures: list[BaseException] = []

    def spawn(self, work: Awaitable[None], name: str) -> None:
        """Run work for as long as the process lives."""

        async def run() -> None:
            try:
                await work
            except Exception as exc:  # noqa: BLE001 - kept, and held against the run
                if self.is_alive:
                    self.failures.append(exc)

        running = asyncio.get_running_loop()
        task = running.create_task(run(), name=name, context=self.context)
        self.tasks.append(task)
        task.add_done_callback(self.tasks.remove)

    async def begun(self, started: asyncio.Event) -> None:
        """Wait until it has started; raise what a part of it failed with before."""
        while not started.is_set():
            if self.failures:
                raise self.failures.pop()
            if not self.is_alive:
                raise ConnectionResetError(self.name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await started.wait()

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work in this process, and return its result.

        Raises :class:`ConnectionResetError` if the process is ended meanwhile.
        """
        running = asyncio.get_running_loop()
        task = running.create_task(work, context=self.context)
        self.tasks.append(task)
        task.add_done_callback(self.tasks.remove)
        try:
            return await task
        except asyncio.CancelledError:
            if self.is_alive:
                raise
            raise ConnectionResetError(self.name) from None

    async def end(self) -> None:
        """End every task; none may be heard any more by then."""
        self.is_alive = False
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class SiteProcess(Process):
    """A node that is connected to others by a broker."""

    def __init__(
        self,
        name: str,
        clock: SimulatedClock,
        directory: Directory,
        node: Node,
        bus: SimulatedBus,
    ) -> None:
        super().__init__(name, clock, directory)
        self.node = node
        self.bus = bus


@dataclass(slots=True)
class Site:
    """A node, whether it runs or not."""

    name: str
    broker: Broker
    weather: Weather
    clock: SimulatedClock
    chance: random.Random
    faulty: Faulty = NO_FAULT
    platter: Platter = field(default_factory=Platter)
    journal_mood: Mood = field(init=False)
    outbox_mood: Mood = field(init=False)
    process: SiteProcess | None = None
    boots: int = 0
    failures: list[BaseException] = field(default_factory=list)
    _store: SimulatedStore | None = None

    def __post_init__(self) -> None:
        self.journal_mood = Mood(self.chance)
        self.outbox_mood = Mood(self.chance)

    async def start(self) -> None:
        """Start the process; it takes up what is on the disk."""
        self.boots += 1
        boot = f"{self.name}-{self.boots}"
        bus = SimulatedBus(
            self.broker, topics.subscriptions(self.name), last_will(self.name, boot)
        )
        outbox = Outbox(Path("outbox"), opens(self.platter, self.outbox_mood))
        await outbox.restore()
        node = Node(self.name, boot, bus, outbox, self.clock, PlainCrowd)
        self._store = store = SimulatedStore(
            self.platter, self.journal_mood, is_hasty=self.faulty.is_hasty
        )
        draw = self.chance.choice
        directory = Directory(store, node.gateway, self.clock, draw, 10, nodes=node)
        self._spoil(node)
        process = SiteProcess(self.name, self.clock, directory, node, bus)
        self.process = process
        started = asyncio.Event()
        process.spawn(directory.run(started), f"{boot}-rooms")
        for part, work in node.parts(directory, store):
            process.spawn(work(), f"{boot}-{part}")
        await started.wait()

    @property
    def site(self) -> str | None:
        """Its own people come in here."""
        return self.name

    def process_of(self, node: str) -> None:
        """No node passes connections on: each has a way to every room."""

    def spoken(self, process: Process, frame: bytes) -> None:
        """Any node may speak of a room at any time: there is one home."""

    def _spoil(self, node: Node) -> None:
        if self.faulty.is_impatient:
            node.edges.behind = lambda room, version: ()  # type: ignore[method-assign]
        if self.faulty.is_mute:
            node.gateway.republish = lambda: None  # type: ignore[method-assign]

    async def kill(self) -> None:
        """End the process without a goodbye."""
        process, self.process = self.process, None
        if process is None:
            return
        process.is_alive = False
        process.bus.crash()
        if self._store is not None:
            self._store.die()
        if self.faulty.is_forgetful:
            self.platter.outbox = None
        self.failures += process.failures
        await process.end()


class Line:
    """A phone's connection to a node: a :class:`server.rooms.ports.Link`."""

    def __init__(
        self,
        door: Door,
        process: Process,
        hears: Hears,
        audience: Audience = "player",
    ) -> None:
        """``hears`` gets every frame that arrives at the phone."""
        self.audience: Audience = audience
        self.player: PlayerId | None = None
        self.site: str | None = door.site
        self._door = door
        self._processes = [process]
        """The node that was reached, and the one that it passes everything on to."""
        self._hears = hears
        self._down, self._up = Pipe(door.weather), Pipe(door.weather)
        self._port: RoomPort | None = None
        self._chance = door.chance
        self.is_cut = False

    @property
    def is_open(self) -> bool:
        """Whether the node could be heard still."""
        return not self.is_cut and all(each.is_alive for each in self._processes)

    @property
    def _process(self) -> Process:
        """The node that has the room."""
        return self._processes[-1]

    # --- the Link ---------------------------------------------------------------------

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame to the phone."""
        del slot
        if self.is_open:
            self._door.spoken(self._process, frame)
            self._down.carry(lambda: self._arrived(frame))

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome."""
        self.player = player
        self.push(welcome)

    def turn_away(self, refusal: Refused) -> None:
        """Send the refusal of a hello."""
        self.push(replies.refused(refusal))

    def part(self, bye: bytes) -> None:
        """Send a last frame."""
        self.push(bye)

    def _arrived(self, frame: bytes) -> None:
        if self.is_open:
            self._hears(frame)

    # --- what the phone sends ---------------------------------------------------------

    def ask(self, code: RoomCode, make: Callable[[Link], Request]) -> None:
        """Say hello: ``make`` returns the request, given this link."""
        self._up.carry(lambda: self._find(code, make), self._process.context)

    def _find(self, code: RoomCode, make: Callable[[Link], Request]) -> None:
        async def enter() -> None:
            try:
                self._port = await self._process.directory.find(code)
                self._port.put(make(self))
            except HeldElsewhere as held:
                there = self._door.process_of(held.node)
                if there is None or len(self._processes) > 1:
                    self.turn_away(held)
                else:
                    self._processes.append(there)
                    self.ask(code, make)
            except Refused as refusal:
                self.turn_away(refusal)

        if self.is_open:
            self._process.spawn(enter(), "hello")

    def say(self, message: PlayerMessage | HostMessage) -> None:
        """Send a message of an authenticated person."""
        self._up.carry(lambda: self._said(message), self._process.context)

    def _said(self, message: PlayerMessage | HostMessage) -> None:
        if not self.is_open or self._port is None:
            return
        stamped_ms = self._process.clock.now_ms()
        say = Say(link=self, message=message, stamped_ms=stamped_ms, is_permitted=True)
        try:
            self._port.put(say)
        except Refused as refusal:
            self.push(replies.refused(refusal, message))

    def cut(self) -> None:
        """Lose the connection: the node finds out some time later."""
        if self.is_cut:
            return
        self.is_cut = True
        self._down.is_open = self._up.is_open = False
        running, after_s = asyncio.get_running_loop(), self._chance.uniform(0, LEFT_S)
        running.call_later(after_s, self._left, context=self._process.context)

    def _left(self) -> None:
        if self._process.is_alive and self._port is not None:
            self._port.put(Leave(link=self))
