"""The interfaces that a room uses to reach the outside; adapters implement them.

A room does not know where its clients' sockets are, whether there are other nodes, or
what time it is. Frames are encoded messages (UTF-8 JSON). Sending never blocks: a slow
client is handled by its link, and nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from server.game.commands import AddCase
from server.game.errors import Refused
from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.game.state import RoomState
from server.game.views.role_types import HeldReveal, SiteLink
from server.journal.store import EventStore
from server.protocol.client_messages import (
    Hello,
    HostMessage,
    PlayerMessage,
    ScreenMessage,
)
from server.rooms.clock import Clock

Audience = Literal["player", "screen", "cohost", "host"]
AUDIENCES: tuple[Audience, ...] = ("player", "screen", "cohost", "host")
STAFF: tuple[Audience, ...] = ("screen", "cohost", "host")
SHARED: tuple[Audience, ...] = ("player", "screen")
"""Roles whose view every site may read; other views are sent only to their links."""


RoomMessage = PlayerMessage | ScreenMessage | HostMessage | AddCase
"""A message from a client, or a request to add a case that includes its text."""

Slot = Literal["view", "panel", "progress", "you"]
"""Frames of one slot replace each other: only the newest unsent one is kept."""

PASSING = ("storage_unavailable", "internal", "busy")
"""Codes of temporary refusals, after which the same request may be sent again."""


# --- people --------------------------------------------------------------------------


class Link(Protocol):
    """One connected client, wherever its socket is."""

    audience: Audience
    """The role that the client asked for."""
    player: PlayerId | None
    """The client's player, once it has been welcomed as one."""
    site: str | None
    """The node to which its socket is connected; None if there is only one node."""

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame, in order. If it has a slot, a newer frame may replace it."""
        ...

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome; from now on, the link may act in its role."""
        ...

    def turn_away(self, refusal: Refused) -> None:
        """Refuse a hello; the client may send another one."""
        ...

    def part(self, bye: bytes) -> None:
        """Send a last frame and close. Idempotent."""
        ...


class Crowd(Protocol):
    """Links that get the same frames, such as all players in a room on this node."""

    def add(self, link: Link) -> None:
        """Send all frames to a link from now on. Idempotent."""
        ...

    def discard(self, link: Link) -> None:
        """Forget a link. Idempotent."""
        ...

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame to every link, keeping the order of the frames for each link."""
        ...


class Gateway(Protocol):
    """Delivers frames to the clients in each room."""

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Attach a link to its room; return the player's earlier link if it has one."""
        ...

    def detach(self, room: RoomCode, link: Link) -> bool:
        """Forget a link; return False if it was already replaced. Idempotent."""
        ...

    def links(self, room: RoomCode, audience: Audience) -> Collection[Link]:
        """Return the links of a role as a live view; copy it before an await."""
        ...

    def player(self, room: RoomCode, player: PlayerId) -> Link | None:
        """Return a player's link, if one is attached."""
        ...

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send the same frame to every link with this role in a room."""
        ...

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send the view of a phase to every link with this role.

        A view with a newer ``version`` replaces an older one.
        """
        ...

    def dismiss(self, room: RoomCode, bye: bytes) -> None:
        """Send a last frame to every link of a room and close the links."""
        ...

    def close(self, room: RoomCode) -> None:
        """Forget a room and its links. Idempotent."""
        ...

    def vacate(self, room: RoomCode) -> None:
        """Forget the links of a room that another node has taken over. Idempotent.

        Frames retained for other sites remain until that node replaces them.
        """
        ...


# --- requests ------------------------------------------------------------------------


Ack = Callable[[], None]
"""Called when a request is settled: its outcome is stored, or it is finally refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """A player's hello by name; repeating it gives the same player."""

    link: Link
    hello: Hello
    site: str | None = None
    address: str = ""
    """The key by which newcomers are counted: an address, or a pseudonym for one that
    another node has assigned."""
    relay: str | None = None
    """The other node that passed it on."""
    asked_s: float | None = None
    """When the hello arrived, in seconds on this node's monotonic clock, if known."""
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A player's hello with a resume token."""

    link: Link
    token: str
    asked_s: float | None = None
    """As in :class:`Enter`."""
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attend:
    """The answer of a host, a co-host or a screen to a challenge."""

    link: Link
    nonce: str
    proof: str
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Notification that a connection is gone."""

    link: Link
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A message from a welcomed client, timestamped where it was received (UTC ms).

    ``token`` identifies a player whose link is no longer known. ``is_permitted`` means
    that a session on this node has checked that the role may send the message. The room
    does not trust sessions on other nodes and checks their role itself.
    """

    link: Link
    message: RoomMessage
    stamped_ms: int
    is_permitted: bool = False
    token: str | None = None
    ack: Ack | None = None


Request = Enter | Return | Attend | Leave | Say


class RoomPort(Protocol):
    """Accepts requests: a room on this node, or a proxy for one on another node."""

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        ...

    def put(self, request: Request) -> None:
        """Queue a request.

        Raises :class:`Refused`: "busy" if the queue is full, or why the room is closed.
        """
        ...


# --- whose room it is ----------------------------------------------------------------


class Tenure(EventStore, Protocol):
    """This node's right to be the home of a room, with access to the room's journal.

    Every call raises :class:`TenureLost` once another node is the home.
    """

    @property
    def epoch(self) -> int:
        """The number of times the room has been given a home; 1 when it is opened."""
        ...

    @property
    def members(self) -> Collection[str]:
        """The nodes among which rooms move automatically."""
        ...

    def confirm(self) -> None:
        """Raise unless this node is the home of the room now.

        Raises :class:`TenureLost` if another node is, and :class:`StoreUnavailable` if
        that is unknown.
        """
        ...


class Homes(Protocol):
    """Tracks the rooms whose home is this node. A room has only one home at a time."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes use the same journal."""
        ...

    @property
    def is_quiet(self) -> bool:
        """Whether no other node is home to any room."""
        ...

    @property
    def can_hand_over(self) -> bool:
        """Whether another node could take over rooms."""
        ...

    async def assigned(self) -> Collection[RoomCode] | None:
        """Return the rooms to load at startup; None means all unfinished rooms."""
        ...

    async def open(self, room: RoomCode, events: Sequence[Event]) -> Tenure:
        """Store a new room and make this node its home.

        Raises :class:`VersionConflict` if the code is taken, and
        :class:`StoreUnavailable`.
        """
        ...

    async def take(self, room: RoomCode) -> Tenure | None:
        """Make this node the home of a room; return None if it does not exist.

        Raises :class:`HeldElsewhere` (a :class:`Refused`) if its home is another node,
        and :class:`StoreUnavailable`.
        """
        ...

    async def let_go(self, room: RoomCode) -> None:
        """Stop being the home of a room. Idempotent."""
        ...

    async def hand_over(self, rooms: Collection[RoomCode]) -> Collection[RoomCode]:
        """Hand rooms over to other nodes; return those that now have another home.

        Raises :class:`StoreUnavailable`.
        """
        ...


# --- other nodes ---------------------------------------------------------------------


class Barrier(Protocol):
    """Holds a reveal back until the votes from every site have arrived."""

    @property
    def sites(self) -> tuple[SiteLink, ...]:
        """The sites when last checked; empty if this node has no others."""
        ...

    @property
    def held(self) -> HeldReveal | None:
        """The reveal that was being held back when last checked."""
        ...

    def has_news(self, state: RoomState) -> bool:
        """Check the sites, at a limited rate; return whether anything has changed."""
        ...

    def look_in_ms(self, state: RoomState) -> int | None:
        """Return the milliseconds until the next check; None if none is needed."""
        ...

    def closed(self, version: int) -> None:
        """Record that a ballot was closed.

        The view with this version asks the sites to send their votes.
        """
        ...

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Return the requests that may be decided now, and hold the others back."""
        ...

    def may_close(self, state: RoomState) -> bool:
        """Whether a ballot that is due may close automatically now."""
        ...


MakeBarrier = Callable[[Clock, Callable[[], bool]], Barrier]
"""Makes a room's barrier from its clock and a function that tells if it is idle."""


class OtherNodes(Protocol):
    """The directory's interface to the other nodes that this one is connected to."""

    @property
    def name(self) -> str | None:
        """This node's name among them; None if there are no others."""
        ...

    @property
    def is_searching(self) -> bool:
        """Whether other nodes may have rooms that have not been discovered yet."""
        ...

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        """Return a proxy for a room on another node, or None."""
        ...

    def claim(self, state: RoomState, confirm: Callable[[], None]) -> None:
        """Announce this node as the home of a room, with a proof made from its secret.

        ``confirm`` raises if another node may be its home now.
        """
        ...

    def disown(self, room: RoomCode) -> None:
        """Withdraw the announcements for a room that now has another home."""
        ...

    def barrier(self, clock: Clock, is_idle: Callable[[], bool]) -> Barrier:
        """Return a room's barrier; ``is_idle`` returns whether its queue is empty."""
        ...
