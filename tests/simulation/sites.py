"""A home, two edges and the broker between them, each of which may fail."""

from __future__ import annotations

import asyncio

from tests.simulation.disks import Platter
from tests.simulation.network import Broker
from tests.simulation.site import Faulty, SimulatedClock, Site
from tests.simulation.world import HOME, Fault, Script, World, for_a_while

EDGES = ("lisbon", "oslo")


class Sites(World):
    """The room lives at the home; people are at each of the three."""

    def __init__(self, script: Script, faulty: Faulty) -> None:
        super().__init__(script, faulty)
        self.broker = Broker(self.weather)
        self.nodes = self.doors = [self._site(name) for name in (HOME, *EDGES)]

    def _site(self, name: str) -> Site:
        chance = self.chance(name)
        skew_ms = 0 if name == HOME else chance.randint(-2_000, 2_000)
        clock = SimulatedClock(skew_ms)
        return Site(name, self.broker, self.weather, clock, chance, self.faulty)

    @property
    def home(self) -> Site:
        """The node that the room lives at."""
        return self.nodes[0]

    @property
    def platter(self) -> Platter:
        """The disk of the room's home."""
        return self.home.platter

    def differences(self) -> list[str]:
        """Return which sites have votes that the home has not stored."""
        return [
            f"{site.name} owes {site.process.node.edge.sender.owed} requests"
            for site in self.nodes
            if site.process is not None and site.process.node.edge.sender.owed
        ]

    async def fail(self, fault: Fault) -> None:
        """Let something go wrong, and repair it."""
        number = 1 + fault.where % len(EDGES)
        edge = self.nodes[number]
        person = self.people[number * self.script.people]
        match fault.kind:
            case "kill_home":
                await self.restart(self.home, fault.lasts_s)
            case "kill_edge":
                await self.restart(edge, fault.lasts_s)
            case "kill_broker":
                self.broker.die()
                await asyncio.sleep(fault.lasts_s)
                self.broker.is_there = True
            case "cut_site":
                await _cut(self.home if fault.where % 5 == 0 else edge, fault.lasts_s)
            case "cut_phone":
                self.people[fault.where % len(self.people)].disconnect()
            case "lose_phone":
                person.is_done = True
                person.disconnect()
            case "slow_journal":
                await for_a_while(self.home.journal_mood, "delay_s", 0.8, fault)
            case "full_journal":
                await for_a_while(self.home.journal_mood, "fails", 0.7, fault)
            case "unsure_journal":
                await for_a_while(self.home.journal_mood, "forgets", 0.5, fault)
            case "full_outbox":
                await for_a_while(edge.outbox_mood, "fails", 0.7, fault)
            case "unsure_outbox":
                await for_a_while(edge.outbox_mood, "forgets", 0.7, fault)
            case "lossy_line":
                await for_a_while(self.weather, "loss", 0.4, fault)
            case "slow_line":
                await for_a_while(self.weather, "delay_s", 1.5, fault)


async def _cut(site: Site, for_s: float) -> None:
    process = site.process
    if process is None:
        return
    process.bus.cut()
    await asyncio.sleep(for_s)
    process.bus.is_reachable = True
