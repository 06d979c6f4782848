"""A home among nodes: its rooms' views go out by topic, other nodes' people come in.

To a room, somebody at another node is a link like any other. What is the same for a
whole role is published once and retained; what is for one person goes down in batches,
together with the acknowledgements.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from server.federation import edges, topics
from server.federation.edges import Flushes
from server.federation.messages import (
    Announce,
    DownOp,
    Mark,
    NodeState,
    UpBatch,
    UpFlush,
    UpItem,
    UpLeave,
    encode,
    encode_down_item,
    encode_view,
)
from server.federation.mqtt import Bus
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.game.views.role_types import SiteLink
from server.rooms.audience import LocalGateway
from server.rooms.ports import SHARED as ROLES_SHARED
from server.rooms.ports import Audience, Slot

log = logging.getLogger("twogaps.federation")

SHARED: tuple[Slot, ...] = ("view", "progress")
"""What a player or a screen elsewhere gets by topic, not by link."""

SILENT_S = 8.0
"""An edge that is up asks for the time every 5 s; longer silence is worth a word."""

GATHER_S, GATHER_MOST_S = 0.001, 0.02
"""How long what goes down is gathered: for each edge there is, and at most."""

MOST_LINKS = 50_000
"""People of one edge, at most."""


@dataclass(slots=True)
class Edge:
    """What a home knows of one edge."""

    name: str
    boot: str
    news: asyncio.Event
    """Set when there is something to send down, to any edge."""
    links: dict[str, RemoteLink] = field(default_factory=dict)
    outgoing: list[bytes] = field(default_factory=list)
    """Items that are encoded already."""
    acks: list[int] = field(default_factory=list)
    asked: list[Mark] = field(default_factory=list)
    flushes: Flushes = field(default_factory=Flushes)
    lost: set[RoomCode] = field(default_factory=set)
    """Rooms in which it had people when it was last lost."""
    shown: set[RoomCode] = field(default_factory=set)
    """Rooms that it has been shown since its first people there came."""
    waiting: dict[RoomCode, int] = field(default_factory=dict)
    """Votes that it had and that were not acknowledged, as it said last."""
    heard_s: float = 0.0
    """When it was last heard, on the loop's clock."""
    is_up: bool = True

    def has_players(self, room: RoomCode) -> bool:
        """Whether anybody plays there, or did when it was lost."""
        return room in self.lost or any(
            link.player and link.room == room for link in self.links.values()
        )


class RemoteLink:
    """A client at another node, as its home sees it."""

    def __init__(self, edge: Edge, room: RoomCode, id_: str) -> None:
        self.room = room
        self.site: str | None = edge.name
        self.audience: Audience = "player"
        self.player: PlayerId | None = None
        self._edge = edge
        self._id = id_

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a private frame down; shared ones are retained at a topic."""
        if slot not in SHARED or self.audience not in ROLES_SHARED:
            self._send("push", frame.decode(), slot=slot)

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome down."""
        self.player = player
        self._send("greet", welcome.decode(), player=player)

    def turn_away(self, refusal: Refused) -> None:
        """Send a refused hello down."""
        self._send("turn_away", refusal.detail, code=refusal.code)

    def part(self, bye: bytes) -> None:
        """End the link at the other node."""
        self._send("part", bye.decode())

    def _send(
        self,
        op: DownOp,
        frame: str,
        slot: Slot | None = None,
        player: PlayerId | None = None,
        code: str = "",
    ) -> None:
        if not self._id:  # a vote from an edge that has restarted has no link
            return
        item = encode_down_item(self._id, self.room, op, frame, slot, player, code)
        self._edge.outgoing.append(item)
        self._edge.news.set()


Deliver = Callable[[UpItem, RemoteLink, Callable[[], None]], bool]
"""Puts a request into its room; the last argument acknowledges it. False: too much
waits there, it has to come again."""


class HomeGateway(LocalGateway):
    """A Gateway to this node's links and, over a bus, to those of other nodes."""

    has_sites = True

    def __init__(self, node: str, bus: Bus, deliver: Deliver) -> None:
        super().__init__()
        self._node = node
        self._bus = bus
        self._deliver = deliver
        self._edges: dict[str, Edge] = {}
        self._nodes: dict[str, NodeState] = {}
        self.url = ""
        """The address at which people reach this node."""
        self._retained: dict[str, bytes] = {}
        self._claims: dict[RoomCode, Announce] = {}
        self._disowned: set[str] = set()
        self._news = asyncio.Event()
        self.too_large = 0
        """Private frames that fit into no message. Should stay 0."""

    # --- what leaves for everybody ---------------------------------------------------

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send a view to this node's people, and retain it for the others'."""
        super().show(room, audience, frame, version)
        if audience not in ROLES_SHARED:
            return
        claim = self._claims.setdefault(room, Announce(epoch=1))
        self._retain(topics.announce(self._node, room), encode(claim))
        topic = topics.view(self._node, room, audience)
        self._retain(topic, encode_view(claim.epoch, version, frame))

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send the same frame to everybody of a role; figures travel once a node."""
        super().broadcast(room, audience, frame, slot)
        if audience == "player" and slot == "progress":
            self._bus.publish(topics.progress(self._node, room), frame)

    def close(self, room: RoomCode) -> None:
        """Take a room's retained messages back."""
        super().close(room)
        for topic in self._topics(room):
            if self._retained.pop(topic, None) is not None:
                self._bus.publish(topic, b"", qos=1, retain=True)

    def claim(self, room: RoomCode, epoch: int, key: str) -> None:
        """Be home to a room, in an epoch that its key proves."""
        self._claims[room] = Announce(epoch=epoch, key=key)
        self._disowned -= set(self._topics(room))

    def has(self, room: RoomCode) -> bool:
        """Whether this node is home to a room."""
        return room in self._claims

    def disown(self, room: RoomCode) -> None:
        """Take back what this or an earlier run has retained of a room."""
        self._claims.pop(room, None)
        for topic in self._topics(room):
            self._retained.pop(topic, None)
            self._disowned.add(topic)
            self._bus.publish(topic, b"", qos=1, retain=True)

    def url_of(self, node: str) -> str | None:
        """Return the address at which people reach a node, where it has said it."""
        state = self._nodes.get(node)
        return state.url or None if state else None

    def _topics(self, room: RoomCode) -> tuple[str, ...]:
        """Return the topics that a home retains of a room."""
        return (
            topics.announce(self._node, room),
            *(topics.view(self._node, room, role) for role in ROLES_SHARED),
        )

    def _retain(self, topic: str, payload: bytes) -> None:
        if self._retained.get(topic) != payload:
            self._retained[topic] = payload
            self._bus.publish(topic, payload, qos=1, retain=True)

    def republish(self) -> None:
        """The broker may have forgotten: say everything that is retained again."""
        for topic in self._disowned:
            self._bus.publish(topic, b"", qos=1, retain=True)
        for topic, payload in self._retained.items():
            self._bus.publish(topic, payload, qos=1, retain=True)

    # --- what comes from edges -------------------------------------------------------

    def receive(self, name: str, batch: UpBatch) -> None:
        """Take a batch of an edge; each item may have come before."""
        edge = self._edges.get(name)
        if edge is None or edge.boot != batch.boot:
            lost = self._drop(edge) if edge is not None else set()
            edge = self._edges[name] = Edge(name, batch.boot, self._news, lost=lost)
        edge.is_up = True
        edge.heard_s = asyncio.get_running_loop().time()
        taken = [self._take(edge, item) for item in batch.items]
        if all(taken):
            edge.flushes.heard(batch.number, batch.oldest)
        for item in batch.items:
            if isinstance(item.body, UpFlush) and edge.has_players(item.room):
                edge.flushes.marked(item.room, item.body.version, batch.number)
                edge.waiting[item.room] = item.body.waiting

    def _take(self, edge: Edge, item: UpItem) -> bool:
        """Put a request into its room; False where it has to come again."""

        def acknowledge() -> None:
            edge.acks.append(item.seq)
            edge.news.set()

        if isinstance(item.body, UpFlush):
            acknowledge()
            return True
        link = edge.links.get(item.link)
        if isinstance(item.body, UpLeave):
            edge.links.pop(item.link, None)
        if link is None:
            link = RemoteLink(edge, item.room, item.link)
            if len(edge.links) >= MOST_LINKS:
                link.turn_away(Refused("busy", "This site has no place left."))
                acknowledge()
                return True
            if item.link and not isinstance(item.body, UpLeave):
                edge.links[item.link] = link
                self._show(edge, item.room)
        return self._deliver(item, link, acknowledge)

    def _show(self, edge: Edge, room: RoomCode) -> None:
        """Say again what is retained of a room, when an edge's first people come.

        A broker may pass over what is retained while somebody is just subscribing
        (NATS does, now and then): they would wait for their first picture for ever.
        """
        if room in edge.shown:
            return
        edge.shown.add(room)
        for topic in self._topics(room):
            if (payload := self._retained.get(topic)) is not None:
                self._bus.publish(topic, payload, qos=1, retain=True)

    def edge_is_down(self, name: str) -> None:
        """An edge cannot be heard: its people linger, like dropped phones."""
        edge = self._edges.get(name)
        if edge is not None:
            edge.is_up = False
            self._drop(edge)

    def node_is(self, name: str, state: NodeState) -> None:
        """Another node has said whether it is up, and where people reach it."""
        self._nodes[name] = state
        if not state.is_up:
            self.edge_is_down(name)

    def heard(self, name: str) -> None:
        """An edge has made itself heard."""
        if name in self._edges:
            self._edges[name].heard_s = asyncio.get_running_loop().time()

    def _drop(self, edge: Edge) -> set[RoomCode]:
        """Let everybody of an edge leave; return the rooms that miss somebody."""
        edge.lost |= {link.room for link in edge.links.values() if link.player}
        edge.shown.clear()
        for link_id, link in edge.links.items():
            leave = UpItem(seq=0, room=link.room, link=link_id, body=UpLeave())
            self._deliver(leave, link, lambda: None)
        edge.links = {}
        return edge.lost

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        """Return the edges with people here that have not flushed up to a version."""
        return tuple(
            edge.name
            for edge in self._edges.values()
            if edge.flushes.version(room) < version and edge.has_players(room)
        )

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        """Return every node that has been heard of, this one first."""
        if not self._nodes:
            return ()
        behind = self.behind(room, version)
        here = SiteLink(self._node, True, True, 0, False, None, self.url or None)
        return (
            here,
            *(
                self._site(name, room, is_behind=name in behind)
                for name in sorted(self._nodes)
            ),
        )

    def _site(self, name: str, room: RoomCode, *, is_behind: bool) -> SiteLink:
        node, edge = self._nodes[name], self._edges.get(name)
        silent_s = 0.0
        if edge is not None:
            silent_s = asyncio.get_running_loop().time() - edge.heard_s
        return SiteLink(
            name=name,
            is_here=False,
            is_up=node.is_up and self._bus.is_up,
            waiting=edge.waiting.get(room, 0) if edge else 0,
            is_behind=is_behind,
            silent_s=int(silent_s) if silent_s > SILENT_S else None,
            url=node.url or None,
        )

    def ask_flush(self, room: RoomCode, version: int) -> None:
        """Ask every live edge with people here to send what it has."""
        for edge in self._edges.values():
            if edge.is_up and edge.has_players(room):
                edge.asked.append(Mark(room=room, version=version))
                self._flush_edge(edge)

    # --- what goes down --------------------------------------------------------------

    async def run(self) -> None:
        """Send down what there is, until cancelled."""
        while True:
            await self._news.wait()
            await asyncio.sleep(min(GATHER_MOST_S, GATHER_S * len(self._edges)))
            self._news.clear()
            self.flush()

    def flush(self) -> None:
        """Send each edge what is for it, in messages of bounded size."""
        for edge in self._edges.values():
            if edge.acks or edge.outgoing:
                self._flush_edge(edge)

    def _flush_edge(self, edge: Edge) -> None:
        items, acks, marks = edge.outgoing, edge.acks, edge.asked
        edge.outgoing, edge.acks, edge.asked = [], [], []
        fitting = [item for item in items if edges.fits(item)]
        if len(fitting) < len(items):
            log.error("%d private frames are too large", len(items) - len(fitting))
            self.too_large += len(items) - len(fitting)
        topic = topics.down(edge.name, self._node)
        for message in edges.messages(edge.boot, fitting, acks, marks):
            self._bus.publish(topic, message)
