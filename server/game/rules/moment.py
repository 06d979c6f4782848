"""What every rule may ask: when it is, who is here, who may act."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.state import RoomState


@dataclass(frozen=True, slots=True)
class Moment:
    """When a command is decided (UTC ms), and who is present then."""

    now_ms: int
    present: Set[PlayerId] = frozenset()


def active(state: RoomState, player: PlayerId) -> None:
    """Refuse what is said for somebody who is not, or no longer, in the room."""
    found = state.players.get(player)
    if found is None:
        raise Refused("unknown_player", "No such player in this room.")
    if found.is_kicked:
        raise Refused("kicked", "The host has removed this player from the room.")
