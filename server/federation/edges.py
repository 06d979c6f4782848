"""What a home knows about its edges: their clients, flush marks, and waiting frames.

A flush mark says that the edge has sent everything that it received before. It counts
once its own batch and every older one have arrived; a lost batch is sent again under
the same number. Messages to edges are split to a size that every broker accepts. Frames
are sent before acknowledgements, so an acknowledged request already has its answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from server.federation import topics
from server.federation.messages import (
    MOST_BYTES,
    DownOp,
    Mark,
    NodeState,
    UpBatch,
    UpFlush,
    encode_down_batch,
    encode_down_item,
)
from server.federation.mqtt import Bus
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.game.views.role_types import SiteLink
from server.rooms.ports import SHARED as ROLES_SHARED
from server.rooms.ports import Audience, Slot

log = logging.getLogger("twogaps.federation")

SHARED: tuple[Slot, ...] = ("view", "progress")
"""Frames that players and screens at other nodes get from a topic, not on a link."""

SILENT_S = 8.0
"""Edges send a clock probe every 5 s; the console shows if one is silent for longer."""

GATHER_S, GATHER_MOST_S = 0.001, 0.02
"""How long frames are collected before they are sent: per edge, and at most."""

ROOM = MOST_BYTES - 1_024
"""Maximum bytes of a message's contents; the rest is for its envelope."""

SEQ_BYTES = 20
"""Maximum bytes of an acknowledged number with its comma."""


class Flushes:
    """The flush marks from one run of an edge."""

    def __init__(self) -> None:
        self._heard: set[int] = set()
        self._oldest = 0
        self._marks: dict[RoomCode, tuple[int, int]] = {}
        """Batch and version of each room's latest mark that does not count yet."""
        self._versions: dict[RoomCode, int] = {}
        self._pending: dict[RoomCode, dict[int, int]] = {}
        """By room and request number: the batch of each unfinished request."""

    def version(self, room: RoomCode) -> int:
        """Return the version up to which all has arrived; 0 before the first mark."""
        return self._versions.get(room, 0)

    def heard(self, number: int, oldest: int) -> None:
        """Note that a batch is complete, and all before ``oldest`` done. Idempotent."""
        if oldest > self._oldest:
            self._oldest = oldest
            self._heard = {one for one in self._heard if one >= oldest}
        if number >= self._oldest:
            self._heard.add(number)
        self._settle()

    def marked(self, room: RoomCode, version: int, number: int) -> None:
        """Note that a flush mark has arrived in a batch. Idempotent."""
        mark = (number, version)
        self._marks[room] = max(mark, self._marks.get(room, mark))
        self._settle()

    def took(self, room: RoomCode, seq: int, number: int) -> None:
        """Note that a room got a request: later marks do not count until it is done."""
        self._pending.setdefault(room, {})[seq] = number

    def done(self, room: RoomCode, seq: int) -> None:
        """Note that a request was stored, or permanently refused. Idempotent."""
        is_known = self._pending.get(room, {}).pop(seq, None) is not None
        if is_known and room in self._marks:
            self._settle()

    def forget(self, room: RoomCode) -> None:
        """Forget a room that was closed. Idempotent."""
        self._marks.pop(room, None)
        self._versions.pop(room, None)
        self._pending.pop(room, None)

    def rewind(self, room: RoomCode, version: int) -> None:
        """Treat this version and later ones as not flushed. Idempotent."""
        if self.version(room) >= version:
            self._versions[room] = version - 1
        if self._marks.get(room, (0, 0))[1] >= version:
            del self._marks[room]

    def _settle(self) -> None:
        for room, (number, version) in list(self._marks.items()):
            pending = self._pending.get(room, {}).values()
            if any(batch <= number for batch in pending):
                continue
            if all(one in self._heard for one in range(self._oldest, number + 1)):
                del self._marks[room]
                self._versions[room] = max(version, self.version(room))


def fits(encoded: bytes) -> bool:
    """Whether an encoded item fits into a message."""
    return len(encoded) < ROOM


def messages(
    boot: str, items: Iterable[bytes], acks: Sequence[int], marks: Sequence[Mark]
) -> Iterator[bytes]:
    """Yield messages of at most MOST_BYTES; each of ``items`` must fit into one."""
    chunk: list[bytes] = []
    size = 0
    for item in items:
        if size + len(item) + 1 > ROOM:
            yield encode_down_batch(boot, [], chunk)
            chunk, size = [], 0
        chunk.append(item)
        size += len(item) + 1
    beside = max(0, ROOM - size) // SEQ_BYTES
    if chunk or acks[:beside]:
        yield encode_down_batch(boot, acks[:beside], chunk)
    most = ROOM // SEQ_BYTES
    for start in range(beside, len(acks), most):
        yield encode_down_batch(boot, acks[start : start + most], [])
    if marks:
        yield encode_down_batch(boot, [], [], marks)


@dataclass(slots=True)
class Edge:
    """What a home knows about one edge."""

    name: str
    boot: str
    news: asyncio.Event
    """Set when there is something to send to any edge."""
    links: dict[str, RemoteLink] = field(default_factory=dict)
    players: Counter[RoomCode] = field(default_factory=Counter)
    """Number of links that are players, by room."""
    outgoing: list[bytes] = field(default_factory=list)
    """Encoded items that are waiting to be sent."""
    acks: list[int] = field(default_factory=list)
    asked: list[Mark] = field(default_factory=list)
    flushes: Flushes = field(default_factory=Flushes)
    lost: set[RoomCode] = field(default_factory=set)
    """Rooms in which it had players when its connection was last lost."""
    shown: set[RoomCode] = field(default_factory=set)
    """Rooms that were published again for its first clients there."""
    waiting: dict[RoomCode, int] = field(default_factory=dict)
    """Number of its unacknowledged votes by room, as it last reported."""
    heard_s: float = 0.0
    """When it last sent a message, on the loop's clock."""
    is_up: bool = True

    def has_players(self, room: RoomCode) -> bool:
        """Whether it has players in a room, or had when its connection was lost."""
        return room in self.lost or self.players[room] > 0

    def greeted(self, id_: str, link: RemoteLink) -> None:
        """Count a link that was admitted as a player, if it still exists."""
        if self.links.get(id_) is link:
            self.players[link.room] += 1

    def remove(self, id_: str) -> None:
        """Forget a link. Idempotent."""
        link = self.links.pop(id_, None)
        if link is not None and link.player is not None:
            self.players[link.room] -= 1
            if self.players[link.room] <= 0:
                del self.players[link.room]

    def lose(self) -> list[RemoteLink]:
        """Remove and return all links; remember in which rooms they played."""
        links = list(self.links.values())
        self.lost |= set(self.players)
        self.links, self.players = {}, Counter()
        return links


class RemoteLink:
    """A client at another node, as its home sees it."""

    def __init__(
        self, edge: Edge, room: RoomCode, id_: str, audience: Audience = "player"
    ) -> None:
        """``audience`` is the role that the link asks for; it never changes."""
        self.room = room
        self.site: str | None = edge.name
        self.audience = audience
        self.player: PlayerId | None = None
        self._edge = edge
        self._id = id_
        self._is_greeted = False

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a private frame to the edge; it gets shared frames from a topic."""
        if slot not in SHARED or self.audience not in ROLES_SHARED:
            self._send("push", frame.decode(), slot=slot)

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome to the edge."""
        if player is not None and self.player is None:
            self._edge.greeted(self._id, self)
        self.player, self._is_greeted = player, True
        self._send("greet", welcome.decode(), player=player)

    def turn_away(self, refusal: Refused) -> None:
        """Send the refusal of a hello to the edge; the next hello gets a new link."""
        if not self._is_greeted and self._edge.links.get(self._id) is self:
            self._edge.remove(self._id)
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


class Edges:
    """The edges that this home knows, by name."""

    def __init__(self, node: str, bus: Bus, url: Callable[[], str]) -> None:
        """``url`` returns this node's address for clients."""
        self._node = node
        self._bus = bus
        self._url = url
        self._edges: dict[str, Edge] = {}
        self._nodes: dict[str, NodeState] = {}
        self._news = asyncio.Event()
        self.too_large = 0
        """Number of private frames that were too large for a message. Should stay 0."""

    # --- known edges -----------------------------------------------------------------

    def known(self, name: str) -> Edge | None:
        """Return an edge; None if it has not sent anything yet."""
        return self._edges.get(name)

    def begin(self, name: str, boot: str, lost: set[RoomCode]) -> Edge:
        """Forget an edge's earlier run, and return its new one.

        ``lost`` are the rooms in which the edge had players during its earlier run.
        """
        edge = self._edges[name] = Edge(name, boot, self._news, lost=lost)
        return edge

    def expect(self, room: RoomCode, sites: Iterable[str]) -> None:
        """Note that these sites had players in a room before this run of the node.

        They may hold votes whose players already have a receipt. Until these sites send
        a message, a reveal waits for them as it does for disconnected sites.
        """
        for name in sites:
            if name != self._node and name not in self._edges:
                self.begin(name, "", {room}).is_up = False
            elif name != self._node:
                self._edges[name].lost.add(room)

    def heard(self, name: str) -> None:
        """Note that an edge has just sent a message."""
        if name in self._edges:
            self._edges[name].heard_s = asyncio.get_running_loop().time()

    def node_is(self, name: str, state: NodeState) -> None:
        """Note whether another node is up, and its address for clients."""
        self._nodes[name] = state

    def take_marks(self, edge: Edge, batch: UpBatch, *, is_whole: bool) -> None:
        """Note a batch's flush marks; ``is_whole`` means every item was accepted."""
        if is_whole:
            edge.flushes.heard(batch.number, batch.oldest)
        for item in batch.items:
            if item is None:
                continue
            if isinstance(item.body, UpFlush) and edge.has_players(item.room):
                edge.flushes.marked(item.room, item.body.version, batch.number)
                edge.waiting[item.room] = item.body.waiting

    def forget(self, room: RoomCode) -> None:
        """Forget a room that was closed, after its last frames. Idempotent."""
        self.flush()  # or the room could be withdrawn before its goodbye arrives
        for edge in self._edges.values():
            edge.flushes.forget(room)
            edge.waiting.pop(room, None)
            edge.lost.discard(room)
            edge.shown.discard(room)

    # --- for reveals that wait -------------------------------------------------------

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        """Return the edges with players in a room that have not flushed to a version.

        Includes disconnected edges that had players there.
        """
        return tuple(
            edge.name
            for edge in self._edges.values()
            if edge.flushes.version(room) < version and edge.has_players(room)
        )

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        """Return all known nodes, this one first; empty if there are no others."""
        if not self._nodes:
            return ()
        behind = self.behind(room, version)
        here = SiteLink(self._node, True, True, 0, False, None, self._url() or None)
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
            url=None,  # not trusted: links that contain a key must not use it
        )

    def ask_flush(
        self, room: RoomCode, version: int, *, is_first: bool = False
    ) -> None:
        """Ask every live edge with players in a room to flush.

        With ``is_first``, earlier answers for this version do not count: they were for
        a close that could not be stored.
        """
        for edge in self._edges.values():
            if is_first:
                edge.flushes.rewind(room, version)
            if edge.is_up and edge.has_players(room):
                edge.asked.append(Mark(room=room, version=version))
                self._flush_edge(edge)

    # --- messages to edges -----------------------------------------------------------

    async def run(self) -> None:
        """Send waiting frames and acknowledgements to edges, until cancelled."""
        while True:
            await self._news.wait()
            await asyncio.sleep(min(GATHER_MOST_S, GATHER_S * len(self._edges)))
            self._news.clear()
            self.flush()

    def flush(self) -> None:
        """Send each edge its frames and acknowledgements."""
        for edge in self._edges.values():
            if edge.acks or edge.outgoing:
                self._flush_edge(edge)

    def _flush_edge(self, edge: Edge) -> None:
        items, acks, marks = edge.outgoing, edge.acks, edge.asked
        edge.outgoing, edge.acks, edge.asked = [], [], []
        fitting = [item for item in items if fits(item)]
        if len(fitting) < len(items):
            log.error("%d private frames are too large", len(items) - len(fitting))
            self.too_large += len(items) - len(fitting)
        topic = topics.down(edge.name, self._node)
        for message in messages(edge.boot, fitting, acks, marks):
            self._bus.publish(topic, message)
