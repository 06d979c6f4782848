"""One simulation: nodes, their people, and what goes wrong.

Everything that happens follows from the seed of its :class:`Script`.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.rooms.loading import NewRoom
from tests.simulation.disks import Platter
from tests.simulation.network import Weather
from tests.simulation.people import Person, Pupil, Teacher
from tests.simulation.rules import Referee
from tests.simulation.site import Door, Faulty, Process
from tests.support.cases import SECRET, make_plan

HOME = "berlin"

SETTLE_S = 90.0
"""After the last fault, all phones agree within this time."""

CROWDED = 4_000
"""From this seed on, there are twice as many phones, and they often change answers."""

LOOK_S = 0.5
"""Interval of the checks at the end, in seconds."""

SiteKind = Literal[
    "kill_home",
    "kill_edge",
    "kill_broker",
    "cut_site",
    "cut_phone",
    "lose_phone",
    "slow_journal",
    "full_journal",
    "unsure_journal",
    "full_outbox",
    "unsure_outbox",
    "lossy_line",
    "slow_line",
]
FleetKind = Literal[
    "kill_holder",
    "kill_node",
    "pause_holder",
    "pause_node",
    "stop_holder",
    "drain_holder",
    "cut_holder",
    "stall_holder",
    "lose_database",
    "slow_database",
    "full_database",
    "unsure_database",
    "cut_phone",
    "slow_line",
]
Kind = SiteKind | FleetKind
KINDS: tuple[SiteKind, ...] = get_args(SiteKind)
FLEET_KINDS: tuple[FleetKind, ...] = get_args(FleetKind)

Stage = Literal["sites", "fleet"]
"""A home with its edges and a broker, or nodes that share a database."""
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, when, for how long, and where."""

    kind: Kind
    at_s: float
    lasts_s: float
    where: int
    """Picks the edge or the person that it concerns."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a run is made of."""

    seed: int
    people: int
    """At each site."""
    ends_s: float
    faults: tuple[Fault, ...]
    stage: Stage = "sites"

    @property
    def changes(self) -> float:
        """How likely a phone changes its answer when it hears something."""
        return 0.03 if self.seed < CROWDED else 0.3

    def without(self, fault: Fault) -> Script:
        """Return the same run without one of its faults."""
        return replace(self, faults=tuple(f for f in self.faults if f is not fault))


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    problems: list[str]
    digest: str
    """Of every frame that was heard, and when: the same for the same script."""
    sent: int
    recorded: int
    coverage: Counter[tuple[Kind, str]]
    """How often each fault met each phase."""


def script(seed: int, stage: Stage = "sites") -> Script:
    """Draw a run of half a minute or so: one to three moments, each with some faults.

    Faults of one moment are near each other, in time and mostly in place: what one
    alone does not harm, two together may.
    """
    chance = random.Random(f"script-{seed}" if stage == "sites" else f"fleet-{seed}")
    kinds = KINDS if stage == "sites" else FLEET_KINDS
    ends_s = chance.uniform(20, 45)
    faults = [
        fault
        for _ in range(chance.randint(1, 3))
        for fault in _moment(chance, chance.uniform(1.5, ends_s), kinds)
    ]
    people = chance.randint(1, 3) * (1 if seed < CROWDED else 2)
    return Script(seed, people, ends_s, tuple(faults), stage)


def _moment(chance: random.Random, at_s: float, kinds: tuple[Kind, ...]) -> list[Fault]:
    where = chance.randrange(1_000)
    return [
        Fault(
            kind=chance.choice(kinds),
            at_s=at_s + chance.uniform(0, 3),
            lasts_s=chance.choice((0.2, 1.0, 4.0, 9.0)) * chance.uniform(0.5, 1.5),
            where=where if chance.random() < 0.7 else chance.randrange(1_000),
        )
        for _ in range(chance.choice((1, 1, 2, 3)))
    ]


class Node(Protocol):
    """A node, whether it runs or not."""

    name: str
    process: Process | None
    failures: list[BaseException]

    async def start(self) -> None:
        """Start it."""

    async def kill(self) -> None:
        """End its process without a goodbye."""


class World(ABC):
    """Everything there is in one simulation."""

    nodes: Sequence[Node]
    """The first one opens the room."""
    doors: Sequence[Door]
    """Where people come in; the teacher at the first."""

    def __init__(self, script: Script, faulty: Faulty) -> None:
        self.script = script
        self.faulty = faulty
        self.weather = Weather(self.chance("weather"))
        self.people: list[Person] = []
        self.coverage: Counter[tuple[Kind, str]] = Counter()

    @property
    @abstractmethod
    def platter(self) -> Platter:
        """What is stored of the room."""

    @abstractmethod
    async def fail(self, fault: Fault) -> None:
        """Let something go wrong, and repair it."""

    def differences(self) -> list[str]:
        """Return what the parts of this world do not agree on, beside its people."""
        return []

    def found(self) -> list[str]:
        """Return what was seen to be against the rules, beside what people saw."""
        return []

    def chance(self, name: str) -> random.Random:
        """Return the dice of one part: others do not change what it draws."""
        return random.Random(f"{name}-{self.script.seed}")

    async def run(self) -> Outcome:
        """Play, break things, repair them, and look at what is left."""
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        await asyncio.gather(*(node.start() for node in self.nodes))
        code = await self._open()
        referee = Referee(HOME, code, self.platter)
        teacher = self._populate(code, referee)
        living = [asyncio.create_task(one.live(), name=one.name) for one in self.people]
        breaking = [asyncio.create_task(self._break(f)) for f in self.script.faults]
        await asyncio.sleep(self.script.ends_s)
        await asyncio.gather(*breaking)
        teacher.is_resting = True
        await self._settle(referee)
        for node in self.nodes:
            await node.kill()
            for failure in node.failures:
                referee.problem(f"{node.name} failed: {failure!r}")
        for task in living:
            task.cancel()
        failed = await asyncio.gather(*living, return_exceptions=True)
        for error in failed:
            if not isinstance(error, asyncio.CancelledError | None):
                referee.problem(f"a person failed: {error!r}")
        referee.finish(await self.platter.journal.load(code))
        return Outcome(
            [*referee.problems, *self.found()],
            referee.digest,
            referee.sent,
            referee.recorded_votes,
            self.coverage,
        )

    async def _open(self) -> RoomCode:
        process = self.nodes[0].process
        assert process is not None
        new = NewRoom(make_plan(3), RoomSettings(), self.script.seed)
        room = await process.directory.open(new, lambda _code: SECRET)
        return room.code

    def _populate(self, code: RoomCode, referee: Referee) -> Teacher:
        for door in self.doors:
            for number in range(self.script.people):
                name = f"{door.name}-{number}"
                chance = self.chance(name)
                pupil = Pupil(name, door, code, chance, referee)
                pupil.changes = self.script.changes
                self.people.append(pupil)
        chance = self.chance("teacher")
        teacher = Teacher("teacher", self.doors[0], code, chance, referee, key=SECRET)
        self.people.append(teacher)
        return teacher

    # --- what goes wrong --------------------------------------------------------------

    async def _break(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_s)
        self.coverage[fault.kind, self._phase()] += 1
        await self.fail(fault)

    def _phase(self) -> str:
        teacher = self.people[-1]
        return str(teacher.view["stage"]["phase"]) if teacher.view else "nowhere"

    async def restart(self, node: Node, after_s: float) -> None:
        """Kill a node, and start it again after a while."""
        if node.process is None:  # killed by another fault already
            return
        await node.kill()
        await asyncio.sleep(after_s)
        await self.restart_stopped(node)

    async def restart_stopped(self, node: Node) -> None:
        """Start a node that does not run, as often as it takes."""
        while node.process is None:
            try:
                await node.start()
            except Exception:  # noqa: BLE001 - a disk that fails: started again
                await node.kill()
                await asyncio.sleep(1.0)

    # --- the end ----------------------------------------------------------------------

    async def _settle(self, referee: Referee) -> None:
        """Wait until all see the same and nothing is unanswered."""
        for _ in range(int(SETTLE_S / LOOK_S)):
            if not self._differences():
                return
            await asyncio.sleep(LOOK_S)
        for difference in self._differences():
            referee.problem(f"{SETTLE_S:.0f} s after all faults: {difference}")

    def _differences(self) -> list[str]:
        teacher = self.people[-1]
        if not teacher.view:
            return ["the host sees nothing"]
        found = self.differences()
        place = _place(teacher.view["stage"])
        for one in self.people[:-1]:
            if not isinstance(one, Pupil) or one.is_done:
                continue
            if not one.is_welcome or not one.view:
                found.append(f"{one.name} is not in")
            elif _place(one.view) != place:
                found.append(f"{one.name} sees {_place(one.view)}, the host {place}")
            elif one.waiting:
                found.append(f"{one.name} waits for {sorted(one.waiting)}")
        return found


def _place(stage: dict[str, object]) -> tuple[object, object]:
    room = stage["room"]
    assert isinstance(room, dict)
    return stage["phase"], room["round"]


async def for_a_while(thing: object, name: str, value: float, fault: Fault) -> None:
    """Change how something behaves, and change it back; faults may overlap."""
    usual = type(thing).__dataclass_fields__[name].default  # type: ignore[attr-defined]
    setattr(thing, name, value)
    await asyncio.sleep(fault.lasts_s)
    setattr(thing, name, usual)
