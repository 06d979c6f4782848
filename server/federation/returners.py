"""Who has been welcomed at this site: let in again while the line to the home is cut.

A token that the home itself has welcomed here, in this run of the node, opens the same
room again: the phone that is reloaded in a cut can go on voting. The home looks at the
token as soon as it is heard.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.game.ids import PlayerId, RoomCode

MOST = 50_000
"""Tokens that are remembered; beyond that the oldest is forgotten."""


@dataclass(slots=True)
class Returner:
    """A player as last welcomed, and the private part that was sent last."""

    room: RoomCode
    welcome: bytes
    player: PlayerId
    you: bytes | None = None


class Returners:
    """Players of rooms elsewhere, by their token."""

    def __init__(self) -> None:
        self._known: dict[str, Returner] = {}

    def welcomed(
        self, token: str, room: RoomCode, welcome: bytes, player: PlayerId
    ) -> None:
        """A home has welcomed a player."""
        old = self._known.pop(token, None)
        you = old.you if old is not None else None
        self._known[token] = Returner(room, welcome, player, you)
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def told(self, token: str, you: bytes) -> None:
        """A home has sent a player's private part."""
        if token in self._known:
            self._known[token].you = you

    def find(self, token: str, room: RoomCode) -> Returner | None:
        """Return whoever has this token in a room."""
        found = self._known.get(token)
        return found if found is not None and found.room == room else None

    def forget(self, token: str) -> None:
        """A home has shown a player out. Idempotent."""
        self._known.pop(token, None)
