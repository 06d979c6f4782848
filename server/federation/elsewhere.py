"""What an edge knows of rooms of other nodes and its own people there. No logic."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.federation.gateway import Audience, Link
from server.game.ids import RoomCode


@dataclass(slots=True)
class Elsewhere:
    """A room of another node, as an edge knows it."""

    home: str
    epoch: int
    key: str = ""
    """Of its epoch; empty where no announcement has come yet."""
    views: dict[Audience, tuple[int, int, bytes]] = field(default_factory=dict)
    """Epoch, version and frame of the newest view of each role."""


@dataclass(slots=True)
class Seat:
    """One of this node's people in a room elsewhere."""

    link: Link
    room: RoomCode
    token: str | None = None
    is_greeted: bool = False
    is_forgotten: bool = False
    """Whether the home has forgotten since that it let somebody in."""
    returning: int = 0
    """The number of its latest return, which may be on its way still."""
