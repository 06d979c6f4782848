"""The local gateway: this node's own sockets, by room and role."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from server.game.ids import PlayerId, RoomCode
from server.game.views.role_types import SiteLink
from server.rooms.ports import Audience, Crowd, Link, Slot


class PlainCrowd:
    """A Crowd of links of any kind: sends to one after another."""

    def __init__(self) -> None:
        self._links: dict[Link, None] = {}

    def add(self, link: Link) -> None:
        """Let a link hear what is sent from now on. Idempotent."""
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
    """Who hears one room: one link a player, any number of screens and hosts."""

    crowd: Crowd
    """The links of all players, for what goes to all of them."""
    players: dict[PlayerId, Link] = field(default_factory=dict)
    staff: dict[Audience, dict[Link, None]] = field(default_factory=dict)
    """Screens, co-hosts and hosts by role."""

    def of(self, audience: Audience) -> Iterable[Link]:
        if audience == "player":
            return self.players.values()
        return self.staff.get(audience, {})

    def everybody(self) -> list[Link]:
        """Return every link, players first."""
        staff = (link for links in self.staff.values() for link in links)
        return [*self.players.values(), *staff]

    def __bool__(self) -> bool:
        return bool(self.players or any(self.staff.values()))


class LocalGateway:
    """A Gateway to the links of this process."""

    has_sites = False

    def __init__(self, crowd: Callable[[], Crowd] = PlainCrowd) -> None:
        """``crowd`` makes what sends one frame to all players of a room."""
        self._crowd = crowd
        self._rooms: dict[RoomCode, _Listeners] = {}

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Let a link hear its room; return the player's link that it replaces."""
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
        """Forget a link; False where it was unknown or another has taken its place."""
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

    def claim(self, room: RoomCode, epoch: int, key: str) -> None:
        """Nobody else could have it."""

    def disown(self, room: RoomCode) -> None:
        """Nobody else was told of it."""

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send the view of a phase: on this node nothing can overtake it."""
        del version
        self.broadcast(room, audience, frame, "view")

    def ask_flush(self, room: RoomCode, version: int) -> None:
        """Nothing is on its way on this node."""
        del room, version

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        """Whatever was said on this node is in the room's inbox already."""
        del room, version
        return ()

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        """There is no other node."""
        del room, version
        return ()

    def close(self, room: RoomCode) -> None:
        """Forget a room."""
        self._rooms.pop(room, None)

    def to_player(
        self, room: RoomCode, player: PlayerId, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send a frame to one player, if connected."""
        listeners = self._rooms.get(room)
        if listeners and (link := listeners.players.get(player)):
            link.push(frame, slot)

    def players(self, room: RoomCode) -> list[PlayerId]:
        """Return the players attached now."""
        listeners = self._rooms.get(room)
        return list(listeners.players) if listeners else []

    def hears(self, room: RoomCode, link: Link) -> bool:
        """Whether a link has been let in, and hears the room."""
        listeners = self._rooms.get(room)
        if listeners is None:
            return False
        if link.player is not None:
            return listeners.players.get(link.player) is link
        return link in listeners.staff.get(link.audience, {})

    def links(self, room: RoomCode, audience: Audience) -> list[Link]:
        """Return the links of one role."""
        listeners = self._rooms.get(room)
        return list(listeners.of(audience)) if listeners else []

    def count(self, room: RoomCode, audience: Audience) -> int:
        """Return how many links of a role hear a room."""
        listeners = self._rooms.get(room)
        return sum(1 for _ in listeners.of(audience)) if listeners else 0

    def dismiss(self, room: RoomCode, player: PlayerId | None, bye: bytes) -> None:
        """Part from one player, or from everybody."""
        listeners = self._rooms.get(room)
        if listeners is None:
            return
        if player is not None:
            links = [link for p, link in listeners.players.items() if p == player]
        else:
            links = listeners.everybody()
        for link in links:
            link.part(bye)
