"""Gateways with people in front of them: at the room's node, or at another one.

The room behind the gateway is a stand-in: it greets people and keeps their messages.
Across nodes, all people but the hosts are at an edge, over whatever bus is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from server.federation import topics
from server.federation.mqtt import Bus
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.federation.remote import RemoteRoom
from server.federation.sender import PACE, Pace
from server.federation.settling import Sites
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.game.views.role_types import SiteLink
from server.journal.memory import MemoryStore
from server.protocol.client_messages import Hello, Ping
from server.rooms.audience import LocalGateway, PlainCrowd
from server.rooms.ports import (
    Attend,
    Audience,
    Enter,
    Gateway,
    Leave,
    Link,
    Request,
    Return,
    RoomPort,
    Say,
    Slot,
)
from tests.support.room import ManualClock, RecordingLink
from tests.support.until import until

HOME, EDGE = "berlin", "lisbon"
MakeBus = Callable[..., Bus]
GUARD_S = 20


def frame(kind: str, **fields: object) -> bytes:
    """Return a message as a room would encode it."""
    return json.dumps({"type": kind, **fields}).encode()


class StandIn:
    """A room that admits all people."""

    def __init__(self, code: RoomCode, gateway: Gateway) -> None:
        self.code = code
        self.said: list[int] = []
        """The refs of the pings that have come, in their order, repeats included."""
        self._gateway = gateway
        self._views: dict[Audience, bytes] = {}

    def show(self, audience: Audience, version: int) -> None:
        """Show a view that names its version."""
        self._views[audience] = frame("view", version=version)
        self._gateway.show(self.code, audience, self._views[audience], version)

    def put(self, request: Request) -> None:
        """Handle a request immediately."""
        match request:
            case Enter(link=link, hello=hello):
                self._let_in(link, PlayerId(hello.name or ""))
            case Return(link=link, token=token):
                self._let_in(link, PlayerId(token))
            case Attend(link=link):
                self._let_in(link, None)
            case Leave(link=link):
                self._gateway.detach(self.code, link)
            case Say(message=message):
                assert isinstance(message, Ping)
                assert message.ref is not None
                self.said.append(message.ref)
        if request.ack is not None:
            request.ack()

    def _let_in(self, link: Link, player: PlayerId | None) -> None:
        replaced = self._gateway.attach(self.code, link, player)
        if replaced is not None:
            replaced.part(frame("bye", code="taken_over"))
        link.greet(frame("welcome", token=player), player)
        view = self._views.get(link.audience)
        if view is not None:
            link.push(view, "view")


@dataclass(slots=True)
class Crowd:
    """A gateway, its rooms, and the way of people to them."""

    gateway: Gateway
    rooms: dict[RoomCode, StandIn]
    way: Callable[[RoomCode], RoomPort]
    """To a room from where its players are."""
    sites: Sites
    """The other sites, as the rooms' node knows them."""
    shelf: Shelf | None = None
    """Where the home looks for rooms that do not run."""
    owed: Callable[[], int] = lambda: 0
    """How many requests are not acknowledged."""
    rejected: Callable[[], int] = lambda: 0
    """How many messages the edge could not use."""
    _links: dict[Link, RoomPort] = field(default_factory=dict)
    _stamp: int = 0

    async def join(self, room: RoomCode, name: str) -> RecordingLink:
        """Let a player in."""
        link = RecordingLink()
        hello = Hello(version=1, role="player", room=room, name=name)
        await self._enter(link, self.way(room), Enter(link=link, hello=hello))
        return link

    async def attend(self, room: RoomCode, audience: Audience) -> RecordingLink:
        """Let a screen or a host in; hosts sit where the room is."""
        link = RecordingLink()
        link.audience = audience
        way = self.rooms[room] if audience == "host" else self.way(room)
        await self._enter(link, way, Attend(link=link, nonce="n", proof="p"))
        return link

    async def _enter(
        self, link: RecordingLink, way: RoomPort, request: Enter | Attend
    ) -> None:
        self._links[link] = way
        way.put(request)
        await link.get("welcome")

    def say(self, link: Link, ref: int) -> None:
        """Send a message over a link."""
        self._links[link].put(Say(link=link, message=Ping(ref=ref), stamped_ms=1))

    def push(
        self, room: RoomCode, player: str, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send a frame to one player, if connected."""
        link = self.gateway.player(room, PlayerId(player))
        if link is not None:
            link.push(frame, slot)

    def players(self, room: RoomCode) -> list[PlayerId | None]:
        """Return who plays in a room."""
        return [link.player for link in self.gateway.links(room, "player")]

    def leave(self, link: Link) -> None:
        """Let a person leave."""
        self._links.pop(link).put(Leave(link=link))


class Alone:
    """The other sites of a node that has none."""

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        return ()

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        return ()

    def ask_flush(
        self, room: RoomCode, version: int, *, is_first: bool = False
    ) -> None:
        """There is none to ask."""


@contextlib.asynccontextmanager
async def local_crowd(*codes: RoomCode) -> AsyncIterator[Crowd]:
    """All people at the room's own node."""
    gateway = LocalGateway()
    rooms = {code: StandIn(code, gateway) for code in codes}
    yield Crowd(gateway, rooms, lambda code: rooms[code], Alone())


class Shelf:
    """The rooms of a node, none of which has to be loaded; some refuse to be."""

    def __init__(self) -> None:
        self.rooms: dict[RoomCode, StandIn] = {}
        self.refusals: dict[RoomCode, Refused] = {}
        self.asked = 0
        """How often a room was to be loaded."""

    def running(self, code: RoomCode) -> StandIn | None:
        return self.rooms.get(code)

    async def find_here(self, wanted: str) -> StandIn:
        self.asked += 1
        if refusal := self.refusals.get(RoomCode(wanted)):
            raise refusal
        return self.rooms[RoomCode(wanted)]

    def succeeded(self, code: RoomCode, home: str, epoch: int) -> None:
        """Not happen in these tests."""

    async def arrived(self, code: RoomCode) -> None:
        """Not happen in these tests."""


@dataclass(slots=True)
class Side:
    """One node and its rooms."""

    node: Node
    bus: Bus
    shelf: Shelf = field(default_factory=Shelf)


def side(name: str, make_bus: MakeBus, pace: Pace = PACE) -> Side:
    """Make a node over whatever bus is given."""
    boot = f"boot-of-{name}"
    bus = make_bus(name, topics.subscriptions(name), last_will(name, boot))
    clock = ManualClock(1_000)
    node = Node(name, boot, bus, Outbox(None), clock, PlainCrowd, None, pace, 0)
    return Side(node, bus)


@contextlib.asynccontextmanager
async def running(*sides: Side) -> AsyncIterator[None]:
    """Run nodes, and wait until all of them are connected."""
    tasks = [
        asyncio.create_task(work(), name=name)
        for one in sides
        for name, work in one.node.parts(one.shelf, MemoryStore())
    ]
    try:
        await until(lambda: all(one.bus.is_up for one in sides))
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@contextlib.asynccontextmanager
async def remote_crowd(
    make_bus: MakeBus, *codes: RoomCode, pace: Pace = PACE
) -> AsyncIterator[Crowd]:
    """A home, and an edge where the players and the screens are."""
    home, edge = side(HOME, make_bus, pace), side(EDGE, make_bus, pace)
    for code in codes:
        home.shelf.rooms[code] = StandIn(code, home.node.gateway)
    async with running(home, edge):
        for room in home.shelf.rooms.values():
            for audience in ("player", "screen", "host"):
                room.show(audience, 1)
        await until(lambda: all(edge.node.edge.knows(code) for code in codes))
        yield Crowd(
            home.node.gateway,
            home.shelf.rooms,
            lambda code: RemoteRoom(code, edge.node.edge),
            home.node.edges,
            home.shelf,
            lambda: edge.node.edge.sender.owed,
            lambda: edge.node.edge.rejections.count,
        )
