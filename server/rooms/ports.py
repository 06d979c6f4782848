"""The Gateway port: a room does not know where its people's sockets are.

Frames are encoded messages (UTF-8 JSON). Every call returns at once: a slow reader is
its link's business, nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.game.views.role_types import SiteLink
from server.protocol.client_messages import Hello, HostMessage, PlayerMessage

Audience = Literal["player", "screen", "cohost", "host"]
AUDIENCES: tuple[Audience, ...] = ("player", "screen", "cohost", "host")
STAFF: tuple[Audience, ...] = ("screen", "cohost", "host")
SHARED: tuple[Audience, ...] = ("player", "screen")
"""Roles whose view may be read at every site; all others' go to their links only."""


Slot = Literal["view", "panel", "progress", "you"]
"""Frames of one slot replace each other: only the newest unsent one is kept."""


class Link(Protocol):
    """One connected client, wherever its socket is."""

    audience: Audience
    """The role it asked for."""
    player: PlayerId | None
    """Who it speaks for, once greeted as a player."""
    site: str | None
    """The node that its socket is at; None where there is only one."""

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


Ack = Callable[[], None]
"""Called once a request has been dealt with for good: stored, or finally refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """Somebody says hello by name; the same hello again is the same player."""

    link: Link
    hello: Hello
    site: str | None = None
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A player is back with a token."""

    link: Link
    token: str
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attend:
    """A host or a screen answers a challenge."""

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
    """A message of somebody who is welcome, stamped where it was received (UTC ms).

    ``token`` speaks for a player whose link is not known any more. ``is_permitted``:
    this node's own session has found that the role may send such a message. A session
    of another node is not trusted with that: the room looks at its role itself.
    """

    link: Link
    message: PlayerMessage | HostMessage
    stamped_ms: int
    is_permitted: bool = False
    token: str | None = None
    ack: Ack | None = None


Request = Enter | Return | Attend | Leave | Say


class RoomPort(Protocol):
    """What takes requests: a room here, or the way to one elsewhere."""

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        ...

    def put(self, request: Request) -> None:
        """Queue a request; raises :class:`Refused` ("busy") where that is too much."""
        ...


class Crowd(Protocol):
    """Links that hear the same, such as all players of a room on this node."""

    def add(self, link: Link) -> None:
        """Let a link hear what is sent from now on. Idempotent."""
        ...

    def discard(self, link: Link) -> None:
        """Forget a link. Idempotent."""
        ...

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame to every link, in order with what each is sent otherwise."""
        ...


class Gateway(Protocol):
    """Carries frames to the people of a room."""

    has_sites: bool
    """Whether there may be other sites."""

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Let a link hear its room. Returns the link it replaces: a player has one."""
        ...

    def detach(self, room: RoomCode, link: Link) -> bool:
        """Forget a link; False where it had been replaced before. Idempotent."""
        ...

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send the same frame to everybody of one role in one room."""
        ...

    def claim(self, room: RoomCode, epoch: int, key: str) -> None:
        """Be home to a room, in an epoch that its key proves."""
        ...

    def disown(self, room: RoomCode) -> None:
        """Take back what was said of a room that lives elsewhere now."""
        ...

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send the view of a phase to everybody of one role; newer replaces older."""
        ...

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        """Return the sites from which not all has come that was said before a version.

        Also those that cannot be heard, where they had people here.
        """
        ...

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        """Return every site that is known, this one first; none where it is alone."""
        ...

    def ask_flush(self, room: RoomCode, version: int) -> None:
        """Ask every site for what it has received so far, as if before a version."""
        ...

    def close(self, room: RoomCode) -> None:
        """Forget a room that is put away. Idempotent."""
        ...

    def to_player(
        self, room: RoomCode, player: PlayerId, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send a frame to one player, if connected."""
        ...

    def players(self, room: RoomCode) -> list[PlayerId]:
        """Return the players of a room who are attached now."""
        ...

    def hears(self, room: RoomCode, link: Link) -> bool:
        """Whether a link has been let in, and hears the room."""
        ...

    def links(self, room: RoomCode, audience: Audience) -> list[Link]:
        """Return the links of one role."""
        ...

    def count(self, room: RoomCode, audience: Audience) -> int:
        """Return how many links of a role hear a room."""
        ...

    def dismiss(self, room: RoomCode, player: PlayerId | None, bye: bytes) -> None:
        """Part from one player, or with None from everybody in the room."""
        ...
