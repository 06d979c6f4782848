"""The people of this node by room and role, and the ports of a node without others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from server.game.ids import PlayerId, RoomCode
from server.game.state import RoomState
from server.rooms.clock import Clock
from server.rooms.ports import Audience, Crowd, Link, Request, RoomPort, Slot


class PlainCrowd:
    """A Crowd of links of any kind: sends to one after another."""

    def __init__(self) -> None:
        self._links: dict[Link, None] = {}

    def add(self, link: Link) -> None:
        """Send a link everything from now on. Idempotent."""
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
    """The links of one room: one for each player, any number of screens and hosts."""

    crowd: Crowd
    """The links of all players, for what goes to all of them."""
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
        """``crowd`` makes what sends one frame to all players of a room."""
        self._crowd = crowd
        self._rooms: dict[RoomCode, _Listeners] = {}

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Attach a link to its room; return the player's link that it replaces."""
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
        """Forget a link; False if it was unknown or another has taken its place."""
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
        """Return the links of a role: a live view."""
        listeners = self._rooms.get(room)
        return listeners.of(audience) if listeners else ()

    def player(self, room: RoomCode, player: PlayerId) -> Link | None:
        """Return the link of a player who is attached now."""
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
        """Send the view of a phase: on one node nothing can overtake it."""
        del version
        self.broadcast(room, audience, frame, "view")

    def dismiss(self, room: RoomCode, bye: bytes) -> None:
        """Send every link of a room a last frame and part from it."""
        listeners = self._rooms.get(room)
        for link in listeners.everyone() if listeners else ():
            link.part(bye)

    def vacate(self, room: RoomCode) -> None:
        """Forget the links of a room that another node continues. Idempotent."""
        self.close(room)

    def close(self, room: RoomCode) -> None:
        """Forget a room and its links. Idempotent."""
        if (listeners := self._rooms.pop(room, None)) is not None:
            for link in listeners.players.values():
                listeners.crowd.discard(link)


class NoBarrier:
    """A Barrier that holds nothing back: every vote of one node is in already."""

    sites = ()
    held = None

    def has_news(self, state: RoomState) -> bool:
        """Nothing can change."""
        del state
        return False

    def look_in_ms(self, state: RoomState) -> int | None:
        """There is nothing to look at."""
        del state
        return None

    def closed(self, version: int) -> None:
        """No other site has votes."""

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Everything may be decided now."""
        del state
        return batch

    def may_close(self, state: RoomState) -> bool:
        """Nothing has to arrive first."""
        del state
        return True


class NoOtherNodes:
    """The OtherNodes of a node that is alone."""

    name = None
    is_searching = False

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        """Every room is here."""
        del room
        return None

    def claim(self, state: RoomState, confirm: Callable[[], None]) -> None:
        """No other node could have the room."""

    def disown(self, room: RoomCode) -> None:
        """No other node knows the room."""

    def barrier(self, clock: Clock, is_idle: Callable[[], bool]) -> NoBarrier:
        """Return a barrier that holds nothing back."""
        del clock, is_idle
        return NoBarrier()
