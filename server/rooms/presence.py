"""People present: connected now, or within the last 20 s. Never stored."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Set

from server.game.ids import PlayerId

LINGER_MS = 20_000
"""A player whose phone has dropped counts as present for so long."""


class Presence:
    """Connected and lingering players of one room. Times in milliseconds."""

    def __init__(self) -> None:
        self._connected: set[PlayerId] = set()
        self._left_ms: OrderedDict[PlayerId, int] = OrderedDict()
        """In the order in which they left. A plain dict finds its first item ever more
        slowly while items are taken from its front."""
        self._present: set[PlayerId] = set()
        self.version = 0
        """Grows whenever who is present changes."""

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
