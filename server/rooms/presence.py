"""People of one room as only this process knows them: present, and not yet heard.

Present are those who are connected now, or were within the last 20 s. Nothing of it is
stored.
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
"""A player whose phone has dropped counts as present for so long."""


class Presence:
    """Connected and lingering players of one room, and walls that can be heard.

    Times are in milliseconds.
    """

    def __init__(self) -> None:
        self._connected: set[PlayerId] = set()
        self._left_ms: OrderedDict[PlayerId, int] = OrderedDict()
        """In the order in which they left. A plain dict finds its first item ever more
        slowly while items are taken from its front."""
        self._present: set[PlayerId] = set()
        self.version = 0
        """Grows whenever who is present changes."""
        self._sounding: set[Link] = set()

    def expect(self, players: Iterable[PlayerId], now_ms: int) -> None:
        """After a restart: treat all players as present a moment ago."""
        for player in players:
            self._left_ms[player] = now_ms
            self._present.add(player)
        self.version += 1

    def arrive(self, player: PlayerId) -> None:
        """A player is connected."""
        self._connected.add(player)
        if player not in self._present:
            self._present.add(player)
            self.version += 1
        self._left_ms.pop(player, None)

    def leave(self, player: PlayerId, now_ms: int) -> None:
        """A player's connection is gone; it lingers."""
        self._connected.discard(player)
        self._left_ms[player] = now_ms

    def remove(self, player: PlayerId) -> None:
        """A player is out of the room for good."""
        self._connected.discard(player)
        self._present.discard(player)
        self.version += 1
        self._left_ms.pop(player, None)

    def present(self, now_ms: int) -> Set[PlayerId]:
        """Return who is here. A live set: read it, do not keep it."""
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
        """Return when the next person stops lingering; None when there is none."""
        first = next(iter(self._left_ms.values()), None)
        return None if first is None else first + LINGER_MS + 1

    def sound(self, wall: Link, *, is_on: bool) -> bool:
        """A wall says whether it can be heard; return whether that is news."""
        is_news = is_on != (wall in self._sounding)
        if is_on:
            self._sounding.add(wall)
        else:
            self._sounding.discard(wall)
        return is_news

    def silent(self, walls: Collection[Link]) -> int:
        """Return how many of these walls cannot be heard yet."""
        return sum(wall not in self._sounding for wall in walls)


class Newcomers:
    """Bounds how many people of one address are in a room without ever answering.

    A script that joins over and over would take every place. A whole school may share
    an address, so the bound is wide, and those who have answered no longer count.
    People of another node are counted by that node, whatever it says of them, and by
    the marks that it gives their addresses.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._of: dict[tuple[str | None, str], set[PlayerId]] = {}

    def join(self, state: RoomState, request: Enter) -> Join:
        """Return the command of a hello by name.

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
        """Yield the groups that a person is counted in, and how large each may be."""
        newcomers, relay = self._bounds.newcomers, request.relay
        wide = max(newcomers, state.settings.max_players * 3 // 4)
        if relay is not None:
            yield (relay, ""), wide
        if request.address:
            yield (relay, request.address), wide if relay is None else newcomers

    def _free(
        self, state: RoomState, who: tuple[str | None, str], most: int
    ) -> set[PlayerId]:
        """Return who of a group has not answered yet; refuse if these are many."""
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
