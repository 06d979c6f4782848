"""A home among nodes: its rooms' views go out by topic, other nodes' people come in.

To a room, somebody at another node is a link like any other. What is the same for a
whole role is published once and retained; what is for one person goes down in batches,
together with the acknowledgements.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.relay import topics
from server.relay.bus import Bus
from server.relay.gateway import Audience, Slot
from server.relay.local import LocalGateway
from server.relay.node_messages import (
    MOST_BYTES,
    Announce,
    DownBatch,
    DownItem,
    DownOp,
    UpBatch,
    UpFlush,
    UpItem,
    UpLeave,
    encode,
    encode_view,
)

log = logging.getLogger("twogaps.relay")

SHARED: tuple[Slot, ...] = ("view", "progress")
"""What a player or a screen elsewhere gets by topic, not by link."""

ROOM_FOR_FRAMES = MOST_BYTES * 3 // 4


@dataclass(slots=True)
class Edge:
    """What a home knows of one edge."""

    name: str
    boot: str
    links: dict[str, RemoteLink] = field(default_factory=dict)
    outgoing: list[DownItem] = field(default_factory=list)
    acks: list[int] = field(default_factory=list)
    flushed: dict[RoomCode, int] = field(default_factory=dict)
    is_up: bool = True


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
        if slot not in SHARED:
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
        item = DownItem.model_construct(
            link=self._id,
            room=self.room,
            op=op,
            frame=frame,
            slot=slot,
            player=player,
            code=code,
        )
        self._edge.outgoing.append(item)


Deliver = Callable[[UpItem, RemoteLink, Callable[[], None]], None]
"""Puts a request into its room; the last argument acknowledges it."""


class HomeGateway(LocalGateway):
    """A Gateway to this node's links and, over a bus, to those of other nodes."""

    def __init__(self, node: str, bus: Bus, deliver: Deliver) -> None:
        super().__init__()
        self._node = node
        self._bus = bus
        self._deliver = deliver
        self._edges: dict[str, Edge] = {}
        self._retained: dict[str, bytes] = {}
        self._epochs: dict[RoomCode, int] = {}

    # --- what leaves for everybody ---------------------------------------------------

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send a view to this node's people, and retain it for the others'."""
        super().show(room, audience, frame, version)
        if audience == "host":
            return
        epoch = self._epochs.setdefault(room, 1)
        self._retain(topics.announce(self._node, room), encode(Announce(epoch=epoch)))
        topic = topics.view(self._node, room, audience)
        self._retain(topic, encode_view(epoch, version, frame))

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
        for topic in (
            topics.announce(self._node, room),
            topics.view(self._node, room, "player"),
            topics.view(self._node, room, "screen"),
        ):
            if self._retained.pop(topic, None) is not None:
                self._bus.publish(topic, b"", qos=1, retain=True)

    def _retain(self, topic: str, payload: bytes) -> None:
        if self._retained.get(topic) != payload:
            self._retained[topic] = payload
            self._bus.publish(topic, payload, qos=1, retain=True)

    def republish(self) -> None:
        """The broker may have forgotten: say everything that is retained again."""
        for topic, payload in self._retained.items():
            self._bus.publish(topic, payload, qos=1, retain=True)

    # --- what comes from edges -------------------------------------------------------

    def receive(self, name: str, batch: UpBatch) -> None:
        """Take a batch of an edge; each item may have come before."""
        edge = self._edges.get(name)
        if edge is None or edge.boot != batch.boot:
            if edge is not None:
                self._drop(edge)
            edge = self._edges[name] = Edge(name, batch.boot)
        edge.is_up = True
        for item in batch.items:
            self._take(edge, item)

    def _take(self, edge: Edge, item: UpItem) -> None:
        def acknowledge() -> None:
            edge.acks.append(item.seq)

        if isinstance(item.body, UpFlush):
            edge.flushed[item.room] = max(
                item.body.version, edge.flushed.get(item.room, 0)
            )
            acknowledge()
            return
        link = edge.links.get(item.link)
        if isinstance(item.body, UpLeave):
            edge.links.pop(item.link, None)
        if link is None:
            link = RemoteLink(edge, item.room, item.link)
            if item.link and not isinstance(item.body, UpLeave):
                edge.links[item.link] = link
        self._deliver(item, link, acknowledge)

    def edge_is_down(self, name: str) -> None:
        """An edge cannot be heard: its people linger, like dropped phones."""
        edge = self._edges.get(name)
        if edge is not None:
            edge.is_up = False
            self._drop(edge)

    def _drop(self, edge: Edge) -> None:
        for link_id, link in edge.links.items():
            leave = UpItem(seq=0, room=link.room, link=link_id, body=UpLeave())
            self._deliver(leave, link, lambda: None)
        edge.links = {}

    def is_settled(self, room: RoomCode, version: int) -> bool:
        """Whether every live edge with people here has flushed up to a version."""
        return all(
            edge.flushed.get(room, 0) >= version
            for edge in self._edges.values()
            if edge.is_up and _has_players(edge, room)
        )

    # --- what goes down --------------------------------------------------------------

    def flush(self) -> None:
        """Send each edge what is for it, in messages of bounded size."""
        for edge in self._edges.values():
            if edge.acks or edge.outgoing:
                self._flush_edge(edge)

    def _flush_edge(self, edge: Edge) -> None:
        items, acks = edge.outgoing, edge.acks
        edge.outgoing, edge.acks = [], []
        topic = topics.down(edge.name, self._node)
        chunk: list[DownItem] = []
        size = 0
        for item in items:
            length = len(item.frame) + 200
            if chunk and size + length > ROOM_FOR_FRAMES:
                self._send(topic, edge.boot, [], chunk)
                chunk, size = [], 0
            chunk.append(item)
            size += length
        while len(acks) > 2_000:
            self._send(topic, edge.boot, acks[:2_000], [])
            acks = acks[2_000:]
        self._send(topic, edge.boot, acks, chunk)

    def _send(
        self, topic: str, boot: str, acks: list[int], items: list[DownItem]
    ) -> None:
        batch = DownBatch.model_construct(
            boot=boot, acks=tuple(acks), items=tuple(items)
        )
        self._bus.publish(topic, encode(batch))


def _has_players(edge: Edge, room: RoomCode) -> bool:
    return any(link.player and link.room == room for link in edge.links.values())
