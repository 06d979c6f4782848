"""A journal in memory, for tests and for games that do not have to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import decode, encode, forgotten, name_in
from server.journal.examine import examine_rooms
from server.journal.sqlite import copy_rooms
from server.journal.store import Examination, RoomRecord, VersionConflict, record_of


class MemoryStore:
    """A journal that forgets everything when the process ends."""

    def __init__(self) -> None:
        self._bodies: dict[RoomCode, list[str]] = {}
        self._records: dict[RoomCode, RoomRecord] = {}

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events. They are encoded, so an event that cannot be stored fails."""
        bodies = self._bodies.get(room, [])
        if len(bodies) != version:
            raise VersionConflict(f"{room} is at event {len(bodies)}, not {version}")
        self._bodies[room] = [*bodies, *(encode(event) for event in events)]
        self._records[room] = record_of(self._records.get(room), room, events)

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room."""
        return [decode(body) for body in self._bodies.get(room, [])]

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return all events of a room as they are stored."""
        return list(self._bodies.get(room, []))

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        return sorted(self._records.values(), key=lambda r: -r.opened_ms)

    async def delete(self, room: RoomCode, *, epoch: int | None = None) -> bool:
        """Remove a room; no other node could have it."""
        del epoch
        self._records.pop(room, None)
        return self._bodies.pop(room, None) is not None

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Erase a player's words."""
        bodies = self._bodies.get(room, [])
        changed = list(forgotten(bodies, player, name))
        for version, body in changed:
            bodies[version - 1] = body
        if changed:
            self._records[room] = replace(self._records[room], name=name_in(bodies))
        return len(changed)

    async def sweep(self) -> bool:
        """Do nothing: removed data leaves no trace in memory."""
        return False

    async def check(self) -> None:
        """Do nothing: memory is always available."""

    async def exists(self) -> bool:
        """Return True: memory is always available."""
        return True

    async def examine(self) -> Examination:
        """Replay every room."""
        return await examine_rooms(self)

    async def copy_to(self, path: Path) -> None:
        """Write all rooms into a SQLite journal."""
        await copy_rooms(self, path)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""
