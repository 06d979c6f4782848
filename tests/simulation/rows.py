"""What a simulated PostgreSQL keeps of nodes and rooms, and what a statement finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


@dataclass(slots=True)
class NodeRow:
    """A node, as the database knows it. Times are the database's, in seconds."""

    name: str
    boot: str
    reads: list[int]
    renewed: float
    until: float
    steady: float
    url: str = ""
    load: int = 0
    is_draining: bool = False


@dataclass(slots=True)
class RoomRow:
    """A room, as the database knows it."""

    version: int
    node: str | None
    is_held: bool
    epoch: int
    reads: list[int]


@dataclass(slots=True)
class Cursor:
    """What a statement found."""

    rows: list[Row] = field(default_factory=list)
    rowcount: int = 0

    async def fetchall(self) -> list[Row]:
        """Return all rows."""
        return self.rows

    async def fetchone(self) -> Row | None:
        """Return the first row."""
        return self.rows[0] if self.rows else None
