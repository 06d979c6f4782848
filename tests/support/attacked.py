"""Two honest sites that play in each other's rooms, and a third one that attacks."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from scenarios.model import Label
from server.federation import topics
from server.federation.mqtt import Bus, Will
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.game.answers import GapAnswer
from server.game.commands import (
    HostCommand,
    OpenRound,
    OpenVote,
)
from server.game.ids import ClientId, RoomCode
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.protocol.client_messages import Hello, Vote
from server.protocol.keys import prove
from server.rooms.audience import PlainCrowd
from server.rooms.directory import Directory, NewRoom
from server.rooms.ports import Attend, Enter, Return, Say
from server.rooms.requests import Bounds
from tests.support.cases import SECRET, make_plan
from tests.support.room import ManualClock, RecordingLink
from tests.support.until import until

SITES, EVE = ("berlin", "lisbon"), "oslo"
NOW_MS = 10**12


class Ears:
    """What the attacker hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    def bus_up(self) -> None:
        """Do nothing."""

    def bus_down(self) -> None:
        """Do nothing."""

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Keep what comes privately; views of shared topics are for every site."""
        if "/home/" not in topic:
            self.heard.append((topic, payload))


@dataclass
class Person:
    """One of an honest site's people, in the other site's room."""

    name: str
    room: RoomCode
    site: str
    link: RecordingLink
    token: str = ""
    counter: int = 0


@dataclass
class Site:
    """An honest site: a node, its rooms, and what it has on disk."""

    node: Node
    rooms: Directory
    store: MemoryStore
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)


def _letters(site: str) -> Iterator[str]:
    yield from site.upper().replace("I", "Y").replace("O", "X").replace("L", "K") * 9


class Net(Protocol):
    """A broker, and the buses of sites on it."""

    def bus(
        self, client_id: str, subscriptions: tuple[tuple[str, int], ...], will: Will
    ) -> Bus:
        """Return a site's bus."""
        ...

    async def start(self) -> None:
        """Let sites connect."""
        ...

    async def kill(self) -> None:
        """End without a goodbye."""
        ...


async def _start(name: str, broker: Net, store: MemoryStore, data: Path) -> Site:
    """Start a site on what an earlier run of it has left."""
    outbox, boot = Outbox(data / f"{name}.sqlite"), f"{name}-{random.random()}"
    await outbox.restore()
    bus = broker.bus(name, topics.subscriptions(name), last_will(name, boot))
    clock, letters = ManualClock(NOW_MS), _letters(name)
    node = Node(name, boot, bus, outbox, clock, PlainCrowd, search_s=0)
    rooms = Directory(
        store,
        node.gateway,
        clock,
        lambda _: next(letters),
        50,
        nodes=node.others,
        bounds=Bounds(changes=10**9),
    )
    site, started = Site(node, rooms, store), asyncio.Event()
    parts = [("rooms", lambda: rooms.run(started)), *node.parts(rooms, store)]
    site.tasks = [asyncio.create_task(work(), name=part) for part, work in parts]
    await started.wait()
    return site


async def _stop(site: Site) -> None:
    assert not [task for task in site.tasks if task.done()], "a task has died"
    for task in site.tasks:
        task.cancel()
    await asyncio.wait(site.tasks)
    await site.node._outbox.close()


class World:
    """Two honest sites with a room each, and people in the other's."""

    def __init__(self, data: Path, broker: Net, link: type[RecordingLink]) -> None:
        self.broker = broker
        self._link = link
        self.stores = {name: MemoryStore() for name in SITES}
        self.sites: dict[str, Site] = {}
        self.codes: dict[str, RoomCode] = {}
        self.hosts: dict[str, RecordingLink] = {}
        self.people: list[Person] = []
        self._data = data
        self._ref = 0

    async def open(self) -> None:
        """Start both sites, open their rooms, and let all people join."""
        await self.start()
        settings = RoomSettings(time_factor=None, pairs=False)
        for name, site in self.sites.items():
            new = NewRoom(make_plan(), settings, seed=1)
            room = await site.rooms.open(new, lambda _: SECRET)
            self.codes[name] = room.code
            await self.host(name)
        for number, (home, at) in enumerate([SITES, SITES[::-1]] * 2):
            await self.join(f"Honest{number}", self.codes[home], at)
        for name in SITES:
            await self.do(name, OpenRound(), OpenVote())

    async def start(self) -> None:
        """Start both sites."""
        await self.broker.start()
        for name in SITES:
            self.sites[name] = await _start(
                name, self.broker, self.stores[name], self._data
            )

    async def stop(self) -> None:
        """Stop both sites."""
        for site in self.sites.values():
            await _stop(site)

    async def host(self, name: str) -> None:
        """Let a host into a site's room, at that site."""
        code = self.codes[name]
        link = self.hosts[name] = self._link()
        link.audience = "host"
        proof = prove(SECRET, "host", code, "n")
        room = await self.sites[name].rooms.find(code)
        room.put(Attend(link=link, nonce="n", proof=proof))
        await link.get("welcome")

    async def join(self, name: str, code: RoomCode, at: str) -> None:
        """Let a player into a room of the other site."""
        link = self._link()
        edge = self.sites[at]
        await until(lambda: edge.node.edge.knows(code))
        key = f"{len(self.people):032x}"
        hello = Hello(version=1, role="player", room=code, name=name, join_key=key)
        (await edge.rooms.find(code)).put(Enter(link=link, hello=hello))
        token = (await link.get("welcome"))["token"]
        self.people.append(Person(name, code, at, link, token))

    async def back(self, person: Person) -> None:
        """Let a player come back after a restart."""
        edge = self.sites[person.site]
        await until(lambda: edge.node.edge.knows(person.room))
        person.link = self._link()
        way = await edge.rooms.find(person.room)
        way.put(Return(link=person.link, token=person.token))
        await person.link.get("welcome")

    async def vote(self, person: Person, label: Label = Label.OUTER) -> None:
        """Let a player vote, and wait until that is recorded at the room's home."""
        person.counter += 1
        answer = GapAnswer(label, 80)
        vote = Vote(
            round=0,
            ballot=Ballot.VOTE,
            client=ClientId("honest"),
            counter=person.counter,
            answer=answer,
        )
        way = await self.sites[person.site].rooms.find(person.room)
        way.put(Say(link=person.link, message=vote, stamped_ms=NOW_MS))
        await person.link.get("recorded", counter=person.counter)

    async def do(self, name: str, *commands: HostCommand) -> None:
        """Let a site's host give commands."""
        room = await self.sites[name].rooms.find(self.codes[name])
        for command in commands:
            self._ref += 1
            message = replace(command, ref=self._ref)
            room.put(Say(link=self.hosts[name], message=message, stamped_ms=NOW_MS))
            await self.hosts[name].get("done", ref=self._ref)

    def links(self) -> list[str]:
        """Return the ids of all links, though no site can know them."""
        edges = (site.node.edge for site in self.sites.values())
        return sorted(link for edge in edges for link in edge._seats)


@contextlib.asynccontextmanager
async def attacker(world: World) -> AsyncIterator[tuple[Bus, Ears]]:
    """Connect a site that hears all that the broker lets it hear."""
    ears = Ears()
    will = last_will(EVE, "eve")
    bus = world.broker.bus(EVE, topics.subscriptions(EVE), will)
    task = asyncio.create_task(bus.run(ears))
    await until(lambda: bus.is_up)
    yield bus, ears
    task.cancel()
    await asyncio.wait([task])
