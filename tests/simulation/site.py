"""One node of a simulation: all that a server runs but sockets, and a disk that lasts.

A process that is killed runs nothing more: its tasks are ended, and whatever they still
do reaches neither its disk, nor the broker, nor any phone.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from server.federation import topics
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.protocol.client_messages import HostMessage, PlayerMessage
from server.rooms import replies
from server.rooms.audience import PlainCrowd
from server.rooms.directory import Directory
from server.rooms.ports import Audience, Leave, Link, Request, RoomPort, Say, Slot
from tests.simulation.disks import UTC_MS, Mood, Platter, SimulatedStore, opens
from tests.simulation.network import Broker, Pipe, SimulatedBus, Weather

LEFT_S = 8.0
"""How long a node takes at most to notice that a phone is gone."""

Hears = Callable[[bytes], None]


@dataclass(slots=True)
class SimulatedClock:
    """The clock of a node: simulated time, off by a constant."""

    skew_ms: int

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return UTC_MS + int(asyncio.get_running_loop().time() * 1000) + self.skew_ms


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


NO_FAULT = Faulty()


class Process:
    """What runs between a start and an end of a node."""

    def __init__(
        self, name: str, boot: str, node: Node, directory: Directory, bus: SimulatedBus
    ) -> None:
        self.name = name
        self.boot = boot
        self.node = node
        self.directory = directory
        self.bus = bus
        self.is_alive = True
        self.tasks: list[asyncio.Task[None]] = []
        self.failures: list[BaseException] = []

    def spawn(self, work: Awaitable[None], name: str) -> None:
        """Run work for as long as the process lives."""

        async def run() -> None:
            try:
                await work
            except Exception as exc:  # noqa: BLE001 - kept, and held against the run
                if self.is_alive:
                    self.failures.append(exc)

        task = asyncio.get_running_loop().create_task(run(), name=name)
        self.tasks.append(task)
        task.add_done_callback(self.tasks.remove)

    async def end(self) -> None:
        """End every task; none may be heard any more by then."""
        self.is_alive = False
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


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
    process: Process | None = None
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
        self.process = process = Process(self.name, boot, node, directory, bus)
        started = asyncio.Event()
        process.spawn(directory.run(started), f"{boot}-rooms")
        for part, work in node.parts(directory, store):
            process.spawn(work(), f"{boot}-{part}")
        await started.wait()

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

    def __init__(self, site: Site, hears: Hears, audience: Audience = "player") -> None:
        """``hears`` gets every frame that arrives at the phone."""
        if site.process is None:
            raise ConnectionRefusedError(site.name)
        self.audience: Audience = audience
        self.player: PlayerId | None = None
        self.site: str | None = site.name
        self._process = site.process
        self._clock = site.clock
        self._hears = hears
        self._down, self._up = Pipe(site.weather), Pipe(site.weather)
        self._port: RoomPort | None = None
        self._chance = site.chance
        self.is_cut = False

    @property
    def is_open(self) -> bool:
        """Whether the node could be heard still."""
        return self._process.is_alive and not self.is_cut

    # --- the Link ---------------------------------------------------------------------

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame to the phone."""
        del slot
        if self.is_open:
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
        self._up.carry(lambda: self._find(code, make))

    def _find(self, code: RoomCode, make: Callable[[Link], Request]) -> None:
        async def enter() -> None:
            try:
                self._port = await self._process.directory.find(code)
                self._port.put(make(self))
            except Refused as refusal:
                self.turn_away(refusal)

        if self.is_open:
            self._process.spawn(enter(), "hello")

    def say(self, message: PlayerMessage | HostMessage) -> None:
        """Send a message of an authenticated person."""
        self._up.carry(lambda: self._said(message))

    def _said(self, message: PlayerMessage | HostMessage) -> None:
        if not self.is_open or self._port is None:
            return
        stamped_ms = self._clock.now_ms()
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
        loop = asyncio.get_running_loop()
        loop.call_later(self._chance.uniform(0, LEFT_S), self._left)

    def _left(self) -> None:
        if self._process.is_alive and self._port is not None:
            self._port.put(Leave(link=self))
