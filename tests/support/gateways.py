"""Gateways with people in front of them: at the room's node, or at another one.

The room behind the gateway is a stand-in: it greets who comes, and keeps what is said.
Across nodes, everybody but the hosts sits at an edge, over whatever bus is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from server.federation import topics
from server.federation.edge import EdgeRelay
from server.federation.home import HomeGateway, RemoteLink
from server.federation.messages import UpItem
from server.federation.mqtt import Bus
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.federation.remote import RemoteRoom, Uplink
from server.game.ids import PlayerId, RoomCode
from server.protocol.client_messages import Hello, Ping
from server.rooms.audience import LocalGateway
from server.rooms.ports import (
    Ack,
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
)
from tests.support.room import RecordingLink

HOME, EDGE = "berlin", "lisbon"
MakeBus = Callable[..., Bus]
GUARD_S = 20


def frame(kind: str, **fields: object) -> bytes:
    """Return a message as a room would encode it."""
    return json.dumps({"type": kind, **fields}).encode()


class StandIn:
    """A room that lets everybody in."""

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
        """Do at once what is asked."""
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
    owed: Callable[[], int] = lambda: 0
    """How many requests are not acknowledged."""
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
        """Let somebody say something."""
        self._links[link].put(Say(link=link, message=Ping(ref=ref), stamped_ms=1))

    def leave(self, link: Link) -> None:
        """Let somebody go."""
        self._links.pop(link).put(Leave(link=link))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(GUARD_S):
        while not is_so():  # noqa: ASYNC110 - several objects, none with an event
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def local_crowd(*codes: RoomCode) -> AsyncIterator[Crowd]:
    """Everybody at the room's own node."""
    gateway = LocalGateway()
    rooms = {code: StandIn(code, gateway) for code in codes}
    yield Crowd(gateway, rooms, lambda code: rooms[code])


@dataclass(slots=True)
class _Side:
    """One node: its two halves, and its rooms."""

    node: Node
    home: HomeGateway
    edge: EdgeRelay
    bus: Bus
    rooms: dict[RoomCode, StandIn] = field(default_factory=dict)


def _side(name: str, make_bus: MakeBus) -> _Side:
    boot = f"boot-of-{name}"
    bus = make_bus(name, topics.subscriptions(name), last_will(name, boot))
    edge = EdgeRelay(name, boot, bus, Outbox(None), LocalGateway())
    rooms: dict[RoomCode, StandIn] = {}

    async def find(code: str) -> RoomPort:
        return rooms[RoomCode(code)]

    uplink = Uplink(lambda code: rooms.get(code), find)

    def deliver(item: UpItem, link: RemoteLink, ack: Ack) -> bool:
        return uplink.deliver(item, link, ack)

    home = HomeGateway(name, bus, deliver)
    node = Node(name, boot, bus, home, edge, lambda: 1_000)
    return _Side(node, home, edge, bus, rooms)


@contextlib.asynccontextmanager
async def remote_crowd(make_bus: MakeBus, *codes: RoomCode) -> AsyncIterator[Crowd]:
    """A home, and an edge where the players and the screens are."""
    home, edge = _side(HOME, make_bus), _side(EDGE, make_bus)
    for code in codes:
        home.rooms[code] = StandIn(code, home.home)
    tasks = [
        asyncio.create_task(work)
        for side in (home, edge)
        for work in (side.bus.run(side.node), side.node.run())
    ]
    await until(lambda: home.bus.is_up and edge.bus.is_up)
    for room in home.rooms.values():
        for audience in ("player", "screen", "host"):
            room.show(audience, 1)
    await until(lambda: all(edge.edge.knows(code) for code in codes))
    yield Crowd(
        home.home,
        home.rooms,
        lambda code: RemoteRoom(code, edge.edge),
        lambda: edge.edge.sender.owed,
    )
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
