"""One simulation: a home, two edges, a broker, their people, and what goes wrong.

Everything that happens follows from the seed of its :class:`Script`. A script can be
cut down, so that a failure is shown with as few faults and people as it needs.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.rooms.loading import NewRoom
from tests.simulation import loop
from tests.simulation.network import Broker, Weather
from tests.simulation.people import Person, Pupil, Teacher
from tests.simulation.rules import Referee
from tests.simulation.site import NO_FAULT, Faulty, SimulatedClock, Site
from tests.support.cases import SECRET, make_plan

HOME, EDGES = "berlin", ("lisbon", "oslo")

SETTLE_S = 90.0
"""After the last fault, all phones agree within this time."""

LOOK_S = 0.5
"""Interval of the checks at the end, in seconds."""

Kind = Literal[
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
KINDS: tuple[Kind, ...] = get_args(Kind)


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


def script(seed: int) -> Script:
    """Draw a run of half a minute or so: one to three moments, each with some faults.

    Faults of one moment are near each other, in time and mostly in place: what one
    alone does not harm, two together may.
    """
    chance = random.Random(f"script-{seed}")
    ends_s = chance.uniform(20, 45)
    faults = [
        fault
        for _ in range(chance.randint(1, 3))
        for fault in _moment(chance, chance.uniform(1.5, ends_s))
    ]
    return Script(seed, chance.randint(1, 3), ends_s, tuple(faults))


def _moment(chance: random.Random, at_s: float) -> list[Fault]:
    where = chance.randrange(1_000)
    return [
        Fault(
            kind=chance.choice(KINDS),
            at_s=at_s + chance.uniform(0, 3),
            lasts_s=chance.choice((0.2, 1.0, 4.0, 9.0)) * chance.uniform(0.5, 1.5),
            where=where if chance.random() < 0.7 else chance.randrange(1_000),
        )
        for _ in range(chance.choice((1, 1, 2, 3)))
    ]


def simulate(plan: Script, faulty: Faulty = NO_FAULT) -> Outcome:
    """Run a script from its beginning to its end, in simulated time."""
    chance = random.Random(f"loop-{plan.seed}")
    return loop.run(World(plan, faulty).run(), chance)


@dataclass(slots=True)
class World:
    """Everything there is in one simulation."""

    script: Script
    faulty: Faulty
    weather: Weather = field(init=False)
    broker: Broker = field(init=False)
    sites: list[Site] = field(init=False)
    people: list[Person] = field(default_factory=list)
    coverage: Counter[tuple[Kind, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.weather = Weather(self._chance("weather"))
        self.broker = Broker(self.weather)
        self.sites = [self._site(name) for name in (HOME, *EDGES)]

    def _chance(self, name: str) -> random.Random:
        return random.Random(f"{name}-{self.script.seed}")

    def _site(self, name: str) -> Site:
        chance = self._chance(name)
        skew_ms = 0 if name == HOME else chance.randint(-2_000, 2_000)
        clock = SimulatedClock(skew_ms)
        return Site(name, self.broker, self.weather, clock, chance, self.faulty)

    @property
    def home(self) -> Site:
        """The node that the room lives at."""
        return self.sites[0]

    async def run(self) -> Outcome:
        """Play, break things, repair them, and look at what is left."""
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        await asyncio.gather(*(site.start() for site in self.sites))
        code = await self._open()
        referee = Referee(HOME, code, self.home.platter)
        teacher = self._populate(code, referee)
        living = [asyncio.create_task(one.live(), name=one.name) for one in self.people]
        breaking = [asyncio.create_task(self._break(f)) for f in self.script.faults]
        await asyncio.sleep(self.script.ends_s)
        await asyncio.gather(*breaking)
        teacher.is_resting = True
        await self._settle(referee)
        for site in self.sites:
            await site.kill()
            for failure in site.failures:
                referee.problem(f"{site.name} failed: {failure!r}")
        for task in living:
            task.cancel()
        failed = await asyncio.gather(*living, return_exceptions=True)
        for error in failed:
            if not isinstance(error, asyncio.CancelledError | None):
                referee.problem(f"a person failed: {error!r}")
        referee.finish(await self.home.platter.journal.load(code))
        return Outcome(
            referee.problems,
            referee.digest,
            referee.sent,
            referee.recorded_votes,
            self.coverage,
        )

    async def _open(self) -> RoomCode:
        assert self.home.process is not None
        new = NewRoom(make_plan(3), RoomSettings(), self.script.seed)
        room = await self.home.process.directory.open(new, lambda _code: SECRET)
        return room.code

    def _populate(self, code: RoomCode, referee: Referee) -> Teacher:
        for site in self.sites:
            for number in range(self.script.people):
                name = f"{site.name}-{number}"
                chance = self._chance(name)
                self.people.append(Pupil(name, site, code, chance, referee))
        chance = self._chance("teacher")
        teacher = Teacher("teacher", self.home, code, chance, referee, key=SECRET)
        self.people.append(teacher)
        return teacher

    # --- what goes wrong --------------------------------------------------------------

    async def _break(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_s)
        self.coverage[fault.kind, self._phase()] += 1
        number = 1 + fault.where % len(EDGES)
        edge = self.sites[number]
        person = self.people[number * self.script.people]
        match fault.kind:
            case "kill_home":
                await self._restart(self.home, fault.lasts_s)
            case "kill_edge":
                await self._restart(edge, fault.lasts_s)
            case "kill_broker":
                self.broker.die()
                await asyncio.sleep(fault.lasts_s)
                self.broker.is_there = True
            case "cut_site":
                await self._cut(self.home if fault.where % 5 == 0 else edge, fault)
            case "cut_phone":
                self.people[fault.where % len(self.people)].disconnect()
            case "lose_phone":
                person.is_done = True
                person.disconnect()
            case "slow_journal":
                await _for_a_while(self.home.journal_mood, "delay_s", 0.8, fault)
            case "full_journal":
                await _for_a_while(self.home.journal_mood, "fails", 0.7, fault)
            case "unsure_journal":
                await _for_a_while(self.home.journal_mood, "forgets", 0.5, fault)
            case "full_outbox":
                await _for_a_while(edge.outbox_mood, "fails", 0.7, fault)
            case "unsure_outbox":
                await _for_a_while(edge.outbox_mood, "forgets", 0.7, fault)
            case "lossy_line":
                await _for_a_while(self.weather, "loss", 0.4, fault)
            case "slow_line":
                await _for_a_while(self.weather, "delay_s", 1.5, fault)

    def _phase(self) -> str:
        teacher = self.people[-1]
        return str(teacher.view["stage"]["phase"]) if teacher.view else "nowhere"

    async def _restart(self, site: Site, after_s: float) -> None:
        if site.process is None:  # killed by another fault already
            return
        await site.kill()
        await asyncio.sleep(after_s)
        while site.process is None:
            try:
                await site.start()
            except Exception:  # noqa: BLE001 - a disk that fails: started again
                await site.kill()
                await asyncio.sleep(1.0)

    async def _cut(self, site: Site, fault: Fault) -> None:
        process = site.process
        if process is None:
            return
        process.bus.cut()
        await asyncio.sleep(fault.lasts_s)
        process.bus.is_reachable = True

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
        found = [
            f"{site.name} owes {site.process.node.edge.sender.owed} requests"
            for site in self.sites
            if site.process is not None and site.process.node.edge.sender.owed
        ]
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


async def _for_a_while(thing: object, name: str, value: float, fault: Fault) -> None:
    """Change how something behaves, and change it back; faults may overlap."""
    usual = type(thing).__dataclass_fields__[name].default  # type: ignore[attr-defined]
    setattr(thing, name, value)
    await asyncio.sleep(fault.lasts_s)
    setattr(thing, name, usual)


def shrunk(plan: Script, fails: Callable[[Script], bool]) -> Script:
    """Return a part of a failing script that fails as well, with as little as it can.

    Faults are left out one after another, then people.
    """
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for fault in plan.faults:
            if fails(fewer := plan.without(fault)):
                plan, is_smaller = fewer, True
                break
    while plan.people > 1 and fails(fewer := replace(plan, people=plan.people - 1)):
        plan = fewer
    return plan
