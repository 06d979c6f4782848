"""The two ends of the relay: remote rooms at an edge, remote clients at a home.

At the edge, :class:`RemoteRoom` accepts requests like a room and sends them to the
room's home. At the home, :class:`Uplink` passes the requests of edges to their rooms.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from typing import Protocol, assert_never

from server.federation.edge import EdgeRelay
from server.federation.edges import Edge, Edges, RemoteLink
from server.federation.home import HomeGateway
from server.federation.messages import (
    NodeState,
    UpAttend,
    UpBatch,
    UpBody,
    UpEnter,
    UpFlush,
    UpItem,
    UpLeave,
    UpReturn,
    UpSay,
)
from server.federation.topics import Rejections
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.protocol.client_messages import (
    CohostMessage,
    PlayerMessage,
    ScreenMessage,
    Vote,
)
from server.rooms import replies
from server.rooms.clock import Clock
from server.rooms.ports import (
    PASSING,
    Ack,
    Attend,
    Audience,
    Enter,
    Leave,
    Request,
    Return,
    RoomPort,
    Say,
)

UP = PlayerMessage | ScreenMessage | CohostMessage
"""The messages that clients of one site may send to a room of another."""

log = logging.getLogger("twogaps.federation")

DAY_MS = 24 * 3600 * 1000
"""A request whose timestamp is further than this from the home's time is refused."""

MOST_LINKS = 50_000
"""Maximum number of clients of one edge."""


MARK_KEY = secrets.token_bytes(16)
"""The key for hashing addresses, which is different in each run of the node."""


def mark_of(address: str, room: RoomCode) -> str:
    """Return a keyed hash that tells a home which players of a room share an address.

    It does not reveal the address. Without an address, it is empty.
    """
    if not address:
        return ""
    about = f"{room} {address}".encode()
    return hashlib.blake2b(about, key=MARK_KEY, digest_size=8).hexdigest()


class RemoteRoom:
    """A room at another node, as sessions of this node see it."""

    def __init__(
        self,
        code: RoomCode,
        relay: EdgeRelay,
    ) -> None:
        self._code = code
        self._relay = relay

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        return self._code

    def put(self, request: Request) -> None:
        """Send a request to the room's home."""
        code, link = self._code, request.link
        match request:
            case Enter(hello=hello, address=address):
                enter = UpEnter(hello=hello, by=mark_of(address, code))
                self._relay.put(code, link, enter)
            case Return(token=token):
                self._relay.put(code, link, UpReturn(token=token))
            case Attend(nonce=nonce, proof=proof):
                if link.audience == "host":
                    raise Refused("room_moved", self._where())
                attend = UpAttend(audience=link.audience, nonce=nonce, proof=proof)
                self._relay.put(code, link, attend)
            case Leave():
                self._relay.leave(code, link, UpLeave())
            case Say(message=message, stamped_ms=stamped_ms):
                if not isinstance(
                    message, PlayerMessage | ScreenMessage | CohostMessage
                ):
                    detail = "A host must connect to the node that runs the room."
                    raise Refused("not_allowed", detail)
                say = UpSay.model_construct(
                    op="say", token=None, message=message, stamped_ms=stamped_ms
                )
                self._relay.put(code, link, say)
            case _:
                assert_never(request)

    def _where(self) -> str:
        """Return a message that tells a host at which site the room is.

        It contains no address: this site knows only the address that the other site
        claims, and a host link contains the key of the room.
        """
        home = self._relay.home_of(self._code) or "another site"
        return f"This room lives at {home}. Open the host link of that site's server."


class Rooms(Protocol):
    """The rooms of this node, as used by the links to other nodes."""

    def running(self, code: RoomCode) -> RoomPort | None:
        """Return a room if it is running; otherwise None."""
        ...

    async def find_here(self, wanted: str) -> RoomPort:
        """Return a room; load it from the journal if it is not running.

        Raises :class:`Refused`.
        """
        ...

    def succeeded(self, code: RoomCode, home: str, epoch: int) -> None:
        """Give up a room that another node has provably taken over."""
        ...

    async def arrived(self, code: RoomCode) -> None:
        """Start to run a room whose events were just stored from elsewhere."""
        ...


class Uplink:
    """Passes the requests of clients at other nodes to the rooms of this node."""

    def __init__(
        self,
        home: HomeGateway,
        edges: Edges,
        rooms: Rooms,
        clock: Clock,
        rejections: Rejections,
        most_waiting: int = 10_000,
        most_links: int = MOST_LINKS,
    ) -> None:
        """``rejections`` counts unreadable requests. At most ``most_waiting`` requests
        wait for rooms that are being loaded. One edge has at most ``most_links``
        clients.
        """
        self._home = home
        self._edges = edges
        self._rooms = rooms
        self._clock = clock
        self._rejections = rejections
        self._most_waiting = most_waiting
        self._most_links = most_links
        self._waiting: dict[RoomCode, list[Request]] = {}
        """Requests for rooms that are being loaded."""
        self._size = 0
        self._wanted: asyncio.Queue[RoomCode] = asyncio.Queue()

    async def run(self) -> None:
        """Load rooms that have waiting requests, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    code = await self._wanted.get()
                    group.create_task(self._load(code), name=f"uplink-{code}")
        finally:  # edges resend unacknowledged requests
            self._waiting.clear()
            self._size = 0

    # --- requests from edges ---------------------------------------------------------

    def receive(self, name: str, batch: UpBatch) -> None:
        """Handle a batch from an edge; any of its items may be a repetition."""
        edge = self._edges.known(name)
        if edge is None or edge.boot != batch.boot:
            lost = self._drop(edge) if edge is not None else set()
            edge = self._edges.begin(name, batch.boot, lost)
        edge.is_up = True
        self._edges.heard(name)
        items = [item for item in batch.items if item is not None]
        if unread := len(batch.items) - len(items):
            self._rejections.add(name, "a request of it cannot be read", unread)
        taken = [self._take(edge, item, batch.number) for item in items]
        is_whole = not unread and all(taken)
        self._edges.take_marks(edge, batch, is_whole=is_whole)

    def node_is(self, name: str, state: NodeState) -> None:
        """Note that another node is up, or that its clients cannot be reached."""
        self._edges.node_is(name, state)
        if not state.is_up:
            self.edge_is_down(name)
        else:
            self._home.announce_soon()

    def edge_is_down(self, name: str) -> None:
        """Treat an edge's clients like phones that have lost their network."""
        edge = self._edges.known(name)
        if edge is not None:
            edge.is_up = False
            self._drop(edge)

    def _drop(self, edge: Edge) -> set[RoomCode]:
        """Remove an edge's clients; return the rooms in which it had players."""
        edge.shown.clear()
        for link in edge.lose():
            self._deliver(link, Leave(link=link))
        return edge.lost

    def _take(self, edge: Edge, item: UpItem, number: int) -> bool:
        """Pass a request of a batch to its room; False if it must be sent again."""

        def acknowledge() -> None:
            edge.acks.append(item.seq)
            edge.flushes.done(item.room, item.seq)
            edge.news.set()

        if isinstance(item.body, UpFlush):
            acknowledge()
            return True
        edge.flushes.took(item.room, item.seq, number)
        link, audience = edge.links.get(item.link), _audience(item.body)
        if isinstance(item.body, UpLeave):
            edge.remove(item.link)
        if link is None:
            link = RemoteLink(edge, item.room, item.link, audience or "player")
            if len(edge.links) >= self._most_links:
                link.turn_away(Refused("busy", "This site is full."))
                acknowledge()
                return True
            if item.link and not isinstance(item.body, UpLeave):
                edge.links[item.link] = link
                self._show(edge, item.room)
        refusal = self._refusal(link, item, audience)
        if refusal is not None:
            _refuse(_request(item, link, acknowledge), refusal)
            return True
        return self._deliver(link, _request(item, link, acknowledge))

    def _refusal(
        self, link: RemoteLink, item: UpItem, audience: Audience | None
    ) -> Refused | None:
        """Return why a request must be refused; None if it may go to its room.

        A link has one role and one room; another role or room needs another link ID.
        """
        if link.room != item.room or audience not in (None, link.audience):
            return Refused("not_allowed", "This connection has another role or room.")
        if isinstance(item.body, UpSay):
            off_ms = abs(item.body.stamped_ms - self._clock.now_ms())
            if off_ms > DAY_MS:
                detail = "This message's timestamp is more than a day off."
                return Refused("bad_message", detail)
        return None

    def _show(self, edge: Edge, room: RoomCode) -> None:
        """Publish a room's retained messages again for the first clients of an edge.

        A broker may skip retained messages while a client is subscribing (NATS
        sometimes does); without this, these clients might never get a first view.
        """
        if room not in edge.shown:
            edge.shown.add(room)
            self._home.show_again(room)

    # --- to the rooms ----------------------------------------------------------------

    def _deliver(self, link: RemoteLink, request: Request) -> bool:
        """Pass a request to its room, which acknowledges it when it is done.

        Returns False if the room is too busy, so that the request must be sent again.
        """
        code = link.room
        room = self._rooms.running(code)
        if room is not None and code not in self._waiting:
            return self._put(room, request)
        if isinstance(request, Leave) and code not in self._waiting:  # no one is in it
            if request.ack is not None:
                request.ack()
            return True
        if self._size >= self._most_waiting:
            return False
        if code not in self._waiting:
            self._waiting[code] = []
            self._wanted.put_nowait(code)
        self._waiting[code].append(request)
        self._size += 1
        return True

    async def _load(self, code: RoomCode) -> None:
        """Load a room and pass it the waiting requests; refuse them if that fails."""
        try:
            room: RoomPort | Refused = await self._rooms.find_here(code)
        except Refused as refusal:
            room = refusal
        except Exception:
            log.exception("room %s cannot be loaded", code, extra={"room": code})
            room = replies.FAULT
        waiting = self._waiting.pop(code, [])
        self._size -= len(waiting)
        for request in waiting:
            if isinstance(room, Refused):
                _refuse(request, room)
            else:
                self._put(room, request)

    def _put(self, room: RoomPort, request: Request) -> bool:
        try:
            room.put(request)
        except Refused as refusal:
            if refusal.code in PASSING:
                about = {"room": room.code}
                log.warning("%s; it will be sent again", refusal.code, extra=about)
                return False
            _refuse(request, refusal)
        return True


def _audience(body: UpBody) -> Audience | None:
    """Return the role that a request asks for; None if it asks for none."""
    match body:
        case UpAttend(audience=audience):
            return audience
        case UpEnter() | UpReturn():
            return "player"
    return None


def _refuse(request: Request, refusal: Refused) -> None:
    """Refuse a request from an edge: permanently, unless it may succeed later.

    A vote for a room that has moved stays with its edge, which sends it to the new
    home as soon as that is announced.
    """
    is_vote = isinstance(request, Say) and isinstance(request.message, Vote)
    if refusal.code == "room_moved" and is_vote:
        return
    replies.refuse(request, refusal)


def _request(item: UpItem, link: RemoteLink, ack: Ack) -> Request:
    """Convert an item into a request to a room."""
    match item.body:
        case UpEnter(hello=hello, by=by):
            site = link.site
            return Enter(
                link=link, hello=hello, site=site, address=by, relay=site, ack=ack
            )
        case UpReturn(token=token):
            return Return(link=link, token=token, ack=ack)
        case UpAttend(nonce=nonce, proof=proof):
            return Attend(link=link, nonce=nonce, proof=proof, ack=ack)
        case UpLeave():
            return Leave(link=link, ack=ack)
        case UpSay(message=message, stamped_ms=stamped_ms, token=token):
            return Say(
                link=link,
                message=message,
                stamped_ms=stamped_ms,
                token=token,
                ack=ack,
            )
        case UpFlush():
            raise TypeError("a flush mark is not for a room")
    assert_never(item.body)
