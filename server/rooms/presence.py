"""In-memory data about the people in a room: who is present, and who is new.

People are present if they are connected now or were within the last 20 s. None of this
is stored.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Set

from scenarios.prose import plural
from server.game.commands import Join
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.state import RoomState
from server.rooms.ports import Enter, Link
from server.rooms.requests import Bounds, join

LINGER_MS = 20_000
"""Milliseconds for which a disconnected player still counts as present."""


class Presence:
    """Connected and lingering players in a room, and screens whose sound is on.

    Times are in milliseconds.
    """

    def __init__(self) -> None:
        self._connected: set[PlayerId] = set()
        self._left_ms: OrderedDict[PlayerId, int] = OrderedDict()
        """Ordered by when they left. Not a plain dict, because finding its first item
        becomes slower with every item removed from the front."""
        self._present: set[PlayerId] = set()
        self.version = 0
        """Incremented whenever the set of present players changes."""
        self._sounding: set[Link] = set()

    def expect(self, players: Iterable[PlayerId], now_ms: int) -> None:
        """Treat all players as if they had just disconnected (after a restart)."""
        for player in players:
            self._left_ms[player] = now_ms
            self._present.add(player)
        self.version += 1

    def arrive(self, player: PlayerId) -> None:
        """Record that a player has connected."""
        self._connected.add(player)
        if player not in self._present:
            self._present.add(player)
            self.version += 1
        self._left_ms.pop(player, None)

    def leave(self, player: PlayerId, now_ms: int) -> None:
        """Record that a player's connection is gone; the player lingers."""
        self._connected.discard(player)
        self._left_ms[player] = now_ms

    def remove(self, player: PlayerId) -> None:
        """Record that a player has left the room for good."""
        self._connected.discard(player)
        self._present.discard(player)
        self.version += 1
        self._left_ms.pop(player, None)

    def present(self, now_ms: int) -> Set[PlayerId]:
        """Return the players who are present. The set is live, so do not keep it."""
        while self._left_ms:
            player, left_ms = next(iter(self._left_ms.items()))
            if now_ms - left_ms <= LINGER_MS:
                break
            del self._left_ms[player]
            self._present.discard(player)
            self.version += 1
        return self._present

    def is_connected(self, player: PlayerId) -> bool:
        """Whether a player's socket is open now."""
        return player in self._connected

    def next_expiry_ms(self) -> int | None:
        """Return when the next player stops lingering; None if no player lingers."""
        first = next(iter(self._left_ms.values()), None)
        return None if first is None else first + LINGER_MS + 1

    def sound(self, wall: Link, *, is_on: bool) -> bool:
        """Record whether a screen's sound is on; return whether that has changed."""
        is_news = is_on != (wall in self._sounding)
        if is_on:
            self._sounding.add(wall)
        else:
            self._sounding.discard(wall)
        return is_news

    def silent(self, walls: Collection[Link]) -> int:
        """Return how many of these screens have no sound yet."""
        return sum(wall not in self._sounding for wall in walls)


class Newcomers:
    """Limits how many people from one address may be in a room without ever answering.

    Otherwise, a script that joins repeatedly could take every place. A whole school may
    share an address, so the limit is generous, and people who have answered no longer
    count. People from another node are counted together for that node, which is not
    trusted, and by the pseudonyms that it assigns to their addresses.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._of: dict[tuple[str | None, str], set[PlayerId]] = {}

    def join(self, state: RoomState, request: Enter) -> Join:
        """Translate a hello by name into a command.

        Raises :class:`Refused` ("too_many_new").
        """
        command = join(state, request.hello, request.site)
        if command.player not in state.players:
            groups = [
                self._free(state, who, most)
                for who, most in self._bounds_of(state, request)
            ]
            for silent in groups:
                silent.add(command.player)
        return command

    def _bounds_of(
        self, state: RoomState, request: Enter
    ) -> Iterator[tuple[tuple[str | None, str], int]]:
        """Yield the groups in which a person is counted, and the limit of each."""
        newcomers, relay = self._bounds.newcomers, request.relay
        wide = max(newcomers, state.settings.max_players * 3 // 4)
        if relay is not None:
            yield (relay, ""), wide
        if request.address:
            yield (relay, request.address), wide if relay is None else newcomers

    def _free(
        self, state: RoomState, who: tuple[str | None, str], most: int
    ) -> set[PlayerId]:
        """Return the people in a group who have not answered; refuse if too many."""
        silent = self._of.get(who)
        if silent is None:
            silent = self._of[who] = _of_site(state, who[0]) if not who[1] else set()
        if len(silent) >= most:
            silent = {one for one in silent if _is_silent(state, one)}
            self._of[who] = silent
        if len(silent) >= most:
            self._bounds.hit("newcomers_address")
            whose = "site" if not who[1] else "network"
            raise Refused(
                "too_many_new",
                f"{plural(most, 'person', 'people')} from your {whose} joined without "
                "answering yet. Ask the host.",
            )
        return silent


def _of_site(state: RoomState, site: str | None) -> set[PlayerId]:
    return {player.id for player in state.players.values() if player.site == site}


def _is_silent(state: RoomState, player: PlayerId) -> bool:
    is_here = player in state.players and player not in state.kicked
    return is_here and player not in state.voters
