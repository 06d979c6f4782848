"""What a room needs of the world around it: ports that its adapters implement.

A room does not know where its people's sockets are, whether there are other nodes, or
what the time is. Frames are encoded messages (UTF-8 JSON). Sending returns immediately:
a client that reads slowly is handled by its link, and nothing waits for it.
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
"""Roles whose view may be read at every site; other views go to their links only."""


RoomMessage = PlayerMessage | ScreenMessage | HostMessage | AddCase
"""What a client says, or a case that the server has put into words for it."""

Slot = Literal["view", "panel", "progress", "you"]
"""Frames of one slot replace each other: only the newest unsent one is kept."""

PASSING = ("storage_unavailable", "internal", "busy")
"""Refusals that say nothing about the request: it may be sent again as it is."""


# --- people --------------------------------------------------------------------------


class Link(Protocol):
    """One connected client, wherever its socket is."""

    audience: Audience
    """The role it asked for."""
    player: PlayerId | None
    """The player it speaks for, once greeted as one."""
    site: str | None
    """The node that its socket is at; None if there is only one."""

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame, in order; with a slot it may be replaced by a newer one."""
        ...

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        """Send the welcome: from now on the link speaks for its role."""
        ...

    def turn_away(self, refusal: Refused) -> None:
        """Send the refusal of a hello: the client may try another one."""
        ...

    def part(self, bye: bytes) -> None:
        """Send a last frame and close. Idempotent."""
        ...


class Crowd(Protocol):
    """Links that are sent the same frames, such as all players of a room on a node."""

    def add(self, link: Link) -> None:
        """Send a link everything from now on. Idempotent."""
        ...

    def discard(self, link: Link) -> None:
        """Forget a link. Idempotent."""
        ...

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame to every link, in order with other frames sent to it."""
        ...


class Gateway(Protocol):
    """Carries frames to the people of each room."""

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Attach a link to its room. Returns the link it replaces: a player has one."""
        ...

    def detach(self, room: RoomCode, link: Link) -> bool:
        """Forget a link; False if it had been replaced before. Idempotent."""
        ...

    def links(self, room: RoomCode, audience: Audience) -> Collection[Link]:
        """Return the links of a role: a live view, so copy it before an await."""
        ...

    def player(self, room: RoomCode, player: PlayerId) -> Link | None:
        """Return the link of a player who is attached now."""
        ...

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send the same frame to every link of one role in one room."""
        ...

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send the view of a phase to every link of one role; newer replaces older."""
        ...

    def dismiss(self, room: RoomCode, bye: bytes) -> None:
        """Send every link of a room a last frame and part from it."""
        ...

    def close(self, room: RoomCode) -> None:
        """Forget a room and its links. Idempotent."""
        ...

    def vacate(self, room: RoomCode) -> None:
        """Forget the links of a room that another node continues. Idempotent.

        What other sites were shown of it stays until that node shows more.
        """
        ...


# --- requests ------------------------------------------------------------------------


Ack = Callable[[], None]
"""Called once a request has been dealt with for good: stored, or finally refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """A hello by name; the same hello again is the same player."""

    link: Link
    hello: Hello
    site: str | None = None
    address: str = ""
    """What new people are counted by: an address, or another node's mark of one."""
    relay: str | None = None
    """The other node that it came through."""
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A player is back with a token."""

    link: Link
    token: str
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attend:
    """A host, a co-host or a screen answers a challenge."""

    link: Link
    nonce: str
    proof: str
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A connection is gone."""

    link: Link
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A message of a welcomed client, stamped where it was received (UTC ms).

    ``token`` speaks for a player whose link is not known any more. ``is_permitted``:
    this node's own session has found that the role may send such a message. A session
    of another node is not trusted with that: the room looks at its role itself.
    """

    link: Link
    message: RoomMessage
    stamped_ms: int
    is_permitted: bool = False
    token: str | None = None
    ack: Ack | None = None


Request = Enter | Return | Attend | Leave | Say


class RoomPort(Protocol):
    """Takes requests: a room of this node, or the way to one of another node."""

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        ...

    def put(self, request: Request) -> None:
        """Queue a request.

        Raises :class:`Refused`: "busy" if too much waits, or why the room is closed.
        """
        ...


# --- whose room it is ----------------------------------------------------------------


class Tenure(EventStore, Protocol):
    """This node's right to be home of one room, and the room's way to its journal.

    Its calls also raise :class:`TenureLost`, once another node is home.
    """

    @property
    def epoch(self) -> int:
        """How often a node has become home of the room; 1 since it was opened."""
        ...

    @property
    def members(self) -> Collection[str]:
        """The nodes that rooms come from and go to on their own."""
        ...

    def confirm(self) -> None:
        """Raise unless this node is home of the room now.

        :class:`TenureLost` if another is, :class:`StoreUnavailable` if that is unknown.
        """
        ...


class Homes(Protocol):
    """Says which rooms this node is home of: a room has one home at any time."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes use the same journal."""
        ...

    @property
    def is_quiet(self) -> bool:
        """Whether no other node has a room."""
        ...

    @property
    def can_hand_over(self) -> bool:
        """Whether another node could take rooms."""
        ...

    async def assigned(self) -> Collection[RoomCode] | None:
        """Return the rooms to take up at a start; None for all that are not over."""
        ...

    async def open(self, room: RoomCode, events: Sequence[Event]) -> Tenure:
        """Store a new room, at home here.

        Raises :class:`VersionConflict` if the code is taken, and
        :class:`StoreUnavailable`.
        """
        ...

    async def take(self, room: RoomCode) -> Tenure | None:
        """Be home of a room; None if there is no such room.

        Raises :class:`HeldElsewhere`, a :class:`Refused`, if another node is, and
        :class:`StoreUnavailable`.
        """
        ...

    async def let_go(self, room: RoomCode) -> None:
        """Be home of a room no longer. Idempotent."""
        ...

    async def hand_over(self, rooms: Collection[RoomCode]) -> Collection[RoomCode]:
        """Make other nodes home of rooms; return those that have another home now.

        Raises :class:`StoreUnavailable`.
        """
        ...


# --- other nodes ---------------------------------------------------------------------


class Barrier(Protocol):
    """Holds a reveal back until the votes of every site are in."""

    @property
    def sites(self) -> tuple[SiteLink, ...]:
        """The sites as last looked at; none if this node is alone."""
        ...

    @property
    def held(self) -> HeldReveal | None:
        """The reveal that waits, as last looked at."""
        ...

    def has_news(self, state: RoomState) -> bool:
        """Look at the sites, not too often; return whether anything has changed."""
        ...

    def look_in_ms(self, state: RoomState) -> int | None:
        """Return in how many milliseconds to look again; None for no need to."""
        ...

    def closed(self, version: int) -> None:
        """A ballot was closed: the view of this version asks sites for their votes."""
        ...

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Return the requests that may be decided now, and keep the rest."""
        ...

    def may_close(self, state: RoomState) -> bool:
        """Whether a ballot that is due may close automatically now."""
        ...


MakeBarrier = Callable[[Clock, Callable[[], bool]], Barrier]
"""Makes the barrier of a room from its clock and whether no request of it waits."""


class OtherNodes(Protocol):
    """What the directory asks of the nodes that this one may be connected to."""

    @property
    def name(self) -> str | None:
        """This node's name among them; None if it is alone."""
        ...

    @property
    def is_searching(self) -> bool:
        """Whether rooms of other nodes may exist that are not known yet."""
        ...

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        """Return the way to a room of another node."""
        ...

    def claim(self, state: RoomState, confirm: Callable[[], None]) -> None:
        """Be home to a room, in an epoch that its secret proves.

        ``confirm`` raises if another node may be its home now.
        """
        ...

    def disown(self, room: RoomCode) -> None:
        """Take back what was announced of a room that lives elsewhere now."""
        ...

    def barrier(self, clock: Clock, is_idle: Callable[[], bool]) -> Barrier:
        """Return the barrier of a room; ``is_idle`` tells if no request of it waits."""
        ...
