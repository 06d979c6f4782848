"""A site that sends every kind of message, mutated field by field, beside two others.

The attacker has home rights and knows what no site can know: the ids of all links.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from scenarios.model import Label
from server.federation import topics
from server.federation.messages import (
    Announce,
    Answer,
    DownBatch,
    NodeState,
    Probe,
    UpBatch,
    decode,
    decode_view,
)
from server.federation.mqtt import BrokerAddress, Bus, MqttBus, Will
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.game.answers import GapAnswer
from server.game.commands import (
    CloseVotes,
    HostCommand,
    OpenRound,
    OpenVote,
    Reveal,
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
from tests.support.broker import KINDS, Kind, shipped_broker
from tests.support.cases import SECRET, make_plan
from tests.support.fake_bus import FakeBroker
from tests.support.figures import Figure
from tests.support.room import ManualClock, RecordingLink
from tests.support.tiers import scaled, seed
from tests.support.until import until

SITES, EVE = ("berlin", "lisbon"), "oslo"
NOW_MS = 10**12
PATIENCE_S = 60
ATTACK = 100
"""Messages between two honest votes."""

FORGED = "FORGED"


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


# --- what the attacker sends ----------------------------------------------------------


class Mutator:
    """Makes messages of every kind with one field or more changed."""

    def __init__(self, world: World, chance: random.Random) -> None:
        codes = list(world.codes.values())
        self._chance = chance
        self._pool: dict[type, list[Any]] = {
            str: [*codes, *world.links(), *SITES, EVE, "", "x" * 41, "p.t", FORGED],
            int: [0, 1, 2, 7, NOW_MS, NOW_MS + 1_000, 2**31, 1_023],
            bool: [True, False],
            float: [0.0, -1.5, float(NOW_MS)],
        }
        self._wild: list[Any] = [
            None, [], {}, -1, -(10**400), 10**400, 10**20, 2**53 + 1, 1.5, True, 12345,
            "x" * 5_000, "\x00", "\u202e" * 9, [[[[]]]], {"a": {"b": 1}}, "NaN",
        ]  # fmt: skip
        self._bases = self._templates(world)
        self.number = 0

    def _templates(self, world: World) -> list[tuple[str, str, Any]]:
        """Return kind, topic (with the target's name) and message, by hand."""
        room, link = world.codes["berlin"], world.links()[0]
        vote = {
            "type": "vote", "round": 0, "ballot": "vote", "client": "m", "counter": 1,
            "answer": {"kind": "gap", "label": "inner", "confidence": 80}, "reason": "",
        }  # fmt: skip
        hello = {"version": 1, "role": "player", "room": room, "name": "Mallory"}
        hello["join_key"] = "ab" * 16
        staff = {"nonce": "n", "proof": "0" * 64}
        bodies: list[dict[str, Any]] = [
            {"op": "enter", "hello": hello},
            {"op": "return", "token": f"p.{'0' * 32}"},
            {"op": "attend", "audience": "cohost", **staff},
            {"op": "leave"},
            {"op": "say", "token": None, "stamped_ms": NOW_MS, "message": vote},
            {"op": "say", "token": None, "stamped_ms": NOW_MS,
             "message": {"type": "kick", "player": "p"}},
            {"op": "flush", "version": 3, "waiting": 0},
        ]  # fmt: skip
        frames = [
            ("push", {"type": "view", "version": 10**6, "view": {"title": FORGED}}),
            ("push", {"type": "recorded", "counter": 77, "reason": FORGED}),
            ("greet", {"type": "welcome", "token": "eve.1", "name": FORGED}),
            ("part", {"type": "bye", "code": "kicked", "detail": FORGED}),
            ("turn_away", {"type": "refused", "detail": FORGED}),
        ]
        item = {"room": room, "link": link, "slot": "view", "player": "p", "code": ""}
        made: list[tuple[str, str, Any]] = [
            (f"up {body['op']}", f"tg/v1/up/@/{EVE}",
             {"boot": "e", "number": 1, "oldest": 1,
              "items": [{"seq": 1, "room": room, "link": link, "body": body}]})
            for body in bodies
        ]  # fmt: skip
        made += [
            (f"down {op}", f"tg/v1/down/@/{EVE}",
             {"boot": "e", "acks": [1], "marks": [{"room": room, "version": 5}],
              "items": [{**item, "op": op, "frame": json.dumps(frame)}]})
            for op, frame in frames
        ]  # fmt: skip
        shown = f"tg/v1/home/{EVE}/room/#"
        url = "http://evil.example"
        return [
            *made,
            ("state", topics.node_state(EVE), {"is_up": True, "boot": "e", "url": url}),
            ("announce", f"{shown}/announce", {"epoch": 2, "key": "ab" * 32}),
            ("view", f"{shown}/player", [3, 10**6, FORGED]),
            ("view", f"{shown}/screen", [3, 10**6, FORGED]),
            ("progress", f"{shown}/progress", {"type": "progress", "answered": FORGED}),
            ("probe", f"tg/v1/clk/up/@/{EVE}", {"sent_ms": 5.0}),
            ("answer", f"tg/v1/clk/down/@/{EVE}", {"sent_ms": 5.0, "home_ms": NOW_MS}),
        ]

    def next(self) -> tuple[str, str, bytes]:
        """Return kind, topic and payload of another message."""
        chance, self.number = self._chance, self.number + 1
        kind, topic, base = chance.choice(self._bases)
        message = copy.deepcopy(base)
        if kind.startswith("up"):
            message["number"] = message["oldest"] = self.number
            message["items"][0]["seq"] = self.number
        for _ in range(chance.choice((1, 1, 1, 2))):
            self._mutate(message)
        codes = self._pool[str][:2]
        topic = topic.replace("@", chance.choice(SITES))
        rooms = [*codes, "QQQQQQ", "bad!code", "x" * 99]
        topic = topic.replace("#", chance.choice(rooms))
        if kind == "view":
            epoch, version, frame = (*message, "", "", "")[:3]
            return kind, topic, f"{epoch} {version}\n{frame}".encode()
        return kind, topic, json.dumps(message).encode()

    def _mutate(self, message: Any) -> None:
        """Change, remove or add one field, anywhere in a message."""
        places = list(_places(message))
        if not places:
            return
        parent, key = self._chance.choice(places)
        roll = self._chance.random()
        if roll < 0.76:
            kind = type(parent[key])
            parent[key] = self._chance.choice(self._pool.get(kind, [parent[key]]))
        elif roll < 0.92:
            parent[key] = copy.deepcopy(self._chance.choice(self._wild))
        elif isinstance(parent, dict) and roll < 0.96:
            del parent[key]
        elif isinstance(parent, dict):
            parent["extra"] = copy.deepcopy(self._chance.choice(self._wild))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _decodes(kind: str, payload: bytes) -> bool:
    """Whether a node can read all of a message."""
    match kind.split():
        case ["up", _]:
            up = decode(UpBatch, payload)
            return up is not None and None not in up.items
        case ["down", _]:
            down = decode(DownBatch, payload)
            return down is not None and None not in down.items
        case ["view"]:
            return decode_view(payload) is not None
        case ["progress"]:
            return True
    kinds = {"state": NodeState, "announce": Announce, "probe": Probe, "answer": Answer}
    return decode(kinds[kind], payload) is not None


# --- the test -------------------------------------------------------------------------


def _is_untouched(world: World) -> None:
    """Hold that no frame of the attacker has reached an honest site's people."""
    for person in world.people:
        text = json.dumps(person.link.messages)
        assert FORGED not in text, person.name
        assert not person.link.is_parted, (person.name, person.link.messages[-1])
        assert not person.link.of("refused")
        assert [m["token"] for m in person.link.of("welcome")] == [person.token]
    for link in world.hosts.values():
        assert not link.is_parted


async def _attack(world: World, number: int, figure: Figure, about: str) -> None:
    """Send mutated messages beside two sites that play on, and end their rounds."""
    chance = random.Random(seed())
    await world.open()
    kinds, decoded = Counter[str](), Counter[str]()
    async with attacker(world) as (eve, ears):
        mutator = Mutator(world, chance)
        for count in range(number):
            kind, topic, payload = mutator.next()
            kinds[kind] += 1
            decoded[kind] += _decodes(kind, payload)
            eve.publish(topic, payload, retain="/home/" in topic or "/node/" in topic)
            if count % ATTACK == 0:
                await world.vote(chance.choice(world.people), chance.choice([*Label]))
                await until(lambda: eve.is_up)
        assert eve.dropped == 0, "the attacker has not sent all of it"
        for person in world.people:
            await world.vote(person)
        _is_untouched(world)
        private = b"".join(payload for _, payload in ears.heard).decode()
        for person in world.people:
            assert person.token not in private
            assert person.name not in private
        _report(kinds, decoded, figure, about)
        for name in SITES:
            await world.do(name, CloseVotes(override=True, without=True))
            await world.do(name, Reveal(without=True))


def _report(
    kinds: Counter[str], decoded: Counter[str], figure: Figure, about: str
) -> None:
    """Print how many messages of each kind a node can read: at least half of all."""
    share = decoded.total() / kinds.total()
    each = ", ".join(f"{k} {decoded[k]}/{n}" for k, n in sorted(kinds.items()))
    figure(f"mutated, {about}: {kinds.total():,} messages, {share:.0%} decode: {each}")
    assert share >= 0.5


async def _nothing_survives(world: World) -> None:
    """Restart both sites without the attacker, and play on."""
    await world.stop()
    await world.broker.kill()
    await world.start()
    for name, other in (SITES, SITES[::-1]):
        await world.host(name)
        edge, code = world.sites[name].node.edge, world.codes[other]
        await until(lambda e=edge, c=code, o=other: e.home_of(c) == o)  # type: ignore[misc]
        await until(lambda e=edge: e.sender.owed == 0)  # type: ignore[misc]
        view = world.hosts[name].of("host_view")[-1]["view"]
        assert view["stage"]["phase"] == "reveal"
    for person in world.people:
        await world.back(person)
        assert FORGED not in json.dumps(person.link.messages)
    await world.stop()


@pytest.mark.sampled
@pytest.mark.timeout(1_200)
async def test_a_site_that_sends_anything_harms_no_other(
    tmp_path: Path, figure: Figure
) -> None:
    world = World(tmp_path, FakeBroker(), PatientLink)
    await _attack(world, scaled(3_000, 20_000, 200_000), figure, "broker in memory")
    await _nothing_survives(world)
    for site in world.sites.values():  # the broker has forgotten what it retained
        assert len(site.node.edge._rooms) == 1


class PatientLink(RecordingLink):
    """Waits for a real broker, which shares the machine with a flood."""

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, message by message, until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()


class RealNet:
    """A broker with the shipped rights, all three sites having home rights."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        rights = dict.fromkeys((*SITES, EVE), True)
        self._broker, self._urls = shipped_broker(kind, folder, rights)
        self.start, self.kill = self._broker.start, self._broker.kill

    def bus(
        self, client_id: str, subscriptions: tuple[tuple[str, int], ...], will: Will
    ) -> Bus:
        """Return a site's bus."""
        address = BrokerAddress.parse(self._urls[client_id])
        return MqttBus(address, address.client_id(client_id), subscriptions, will)


@pytest.mark.sampled
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_site_that_sends_anything_harms_no_other_on_a_real_broker(
    tmp_path: Path, figure: Figure, kind: Kind
) -> None:
    net = RealNet(kind, tmp_path)
    world = World(tmp_path, net, PatientLink)
    try:
        await _attack(world, scaled(1_000, 10_000, 200_000), figure, kind)
        await _nothing_survives(world)
    finally:
        await net.kill()
