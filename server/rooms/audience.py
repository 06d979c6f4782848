"""The clients on this node by room and role, and ports for a node on its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from server.game.ids import PlayerId, RoomCode
from server.game.state import RoomState
from server.rooms.clock import Clock
from server.rooms.ports import Audience, Crowd, Link, Request, RoomPort, Slot


class PlainCrowd:
    """A Crowd of any links, which sends to them one after another."""

    def __init__(self) -> None:
        self._links: dict[Link, None] = {}

    def add(self, link: Link) -> None:
        """Send all frames to a link from now on. Idempotent."""
        self._links[link] = None

    def discard(self, link: Link) -> None:
        """Forget a link. Idempotent."""
        self._links.pop(link, None)

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        """Send a frame to every link."""
        for link in self._links:
            link.push(frame, slot)


@dataclass(slots=True)
class _Listeners:
    """The links of a room: one for each player, any number of screens and hosts."""

    crowd: Crowd
    """The links of all players, for frames that all of them get."""
    players: dict[PlayerId, Link] = field(default_factory=dict)
    staff: dict[Audience, dict[Link, None]] = field(default_factory=dict)
    """Screens, co-hosts and hosts by role."""

    def of(self, audience: Audience) -> Collection[Link]:
        if audience == "player":
            return self.players.values()
        return self.staff.get(audience, {}).keys()

    def everyone(self) -> list[Link]:
        """Return every link, players first."""
        staff = (link for links in self.staff.values() for link in links)
        return [*self.players.values(), *staff]

    def __bool__(self) -> bool:
        return bool(self.players or any(self.staff.values()))


class LocalGateway:
    """A Gateway to the links of this process."""

    def __init__(self, crowd: Callable[[], Crowd] = PlainCrowd) -> None:
        """``crowd`` makes a Crowd for the players in a room."""
        self._crowd = crowd
        self._rooms: dict[RoomCode, _Listeners] = {}

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Attach a link to its room; return the player's earlier link if it has one."""
        listeners = self._rooms.get(room)
        if listeners is None:
            listeners = self._rooms[room] = _Listeners(self._crowd())
        if player is not None:
            old = listeners.players.get(player)
            if old is link:
                return None
            if old is not None:
                listeners.crowd.discard(old)
            listeners.players[player] = link
            listeners.crowd.add(link)
            return old
        listeners.staff.setdefault(link.audience, {})[link] = None
        return None

    def detach(self, room: RoomCode, link: Link) -> bool:
        """Forget a link; return False if it is unknown or was already replaced."""
        listeners = self._rooms.get(room)
        if listeners is None:
            return False
        if link.player is not None:
            if listeners.players.get(link.player) is not link:
                return False
            del listeners.players[link.player]
            listeners.crowd.discard(link)
        elif listeners.staff.get(link.audience, {}).pop(link, False) is False:
            return False
        if not listeners:
            del self._rooms[room]
        return True

    def links(self, room: RoomCode, audience: Audience) -> Collection[Link]:
        """Return the links of a role as a live view."""
        listeners = self._rooms.get(room)
        return listeners.of(audience) if listeners else ()

    def player(self, room: RoomCode, player: PlayerId) -> Link | None:
        """Return a player's link, if one is attached."""
        listeners = self._rooms.get(room)
        return listeners.players.get(player) if listeners else None

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send the same bytes to every link of a role."""
        listeners = self._rooms.get(room)
        if listeners is None:
            return
        if audience == "player":
            listeners.crowd.push(frame, slot)
            return
        for link in listeners.staff.get(audience, {}):
            link.push(frame, slot)

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send the view of a phase; on a single node, the order is always kept."""
        del version
        self.broadcast(room, audience, frame, "view")

    def dismiss(self, room: RoomCode, bye: bytes) -> None:
        """Send a last frame to every link of a room and close the links."""
        listeners = self._rooms.get(room)
        for link in listeners.everyone() if listeners else ():
            link.part(bye)

    def vacate(self, room: RoomCode) -> None:
        """Forget the links of a room that another node has taken over. Idempotent."""
        self.close(room)

    def close(self, room: RoomCode) -> None:
        """Forget a room and its links. Idempotent."""
        if (listeners := self._rooms.pop(room, None)) is not None:
            for link in listeners.players.values():
                listeners.crowd.discard(link)


class NoBarrier:
    """A Barrier that holds nothing back, because a single node has all votes."""

    sites = ()
    held = None

    def has_news(self, state: RoomState) -> bool:
        """Return False: there are no sites that could change."""
        del state
        return False

    def look_in_ms(self, state: RoomState) -> int | None:
        """Return None: there are no sites to check."""
        del state
        return None

    def closed(self, version: int) -> None:
        """Do nothing: there are no other sites with votes."""

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Return all requests: none has to wait."""
        del state
        return batch

    def may_close(self, state: RoomState) -> bool:
        """Return True: there are no votes to wait for."""
        del state
        return True


class NoOtherNodes:
    """The OtherNodes of a node that has no others."""

    name = None
    is_searching = False

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        """Return None: every room is on this node."""
        del room
        return None

    def claim(self, state: RoomState, confirm: Callable[[], None]) -> None:
        """Do nothing: no other node could have the room."""

    def disown(self, room: RoomCode) -> None:
        """Do nothing: no other node knows the room."""

    def barrier(self, clock: Clock, is_idle: Callable[[], bool]) -> NoBarrier:
        """Return a barrier that holds nothing back."""
        del clock, is_idle
        return NoBarrier()
