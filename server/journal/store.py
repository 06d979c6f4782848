"""The EventStore port: what the rooms ask of a journal, whatever it is written on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from server.game.events import Event, GameFinished, PlayerJoined, RoomOpened
from server.game.ids import PlayerId, RoomCode


class StoreUnavailable(Exception):  # noqa: N818 - names a condition
    """The journal cannot be written or read now (full disk, locked file, I/O error).

    Whether the last append was stored is unknown: load the room again to find out.
    """


class VersionConflict(Exception):  # noqa: N818 - names a condition
    """The room does not end where these events begin: another writer is at work."""


class UnreadableEvent(Exception):  # noqa: N818 - names a condition
    """A stored event cannot be understood: damaged, or written by a later version."""


class DamagedRoom(UnreadableEvent):
    """A room's events are not what was written. Those before ``version`` are intact."""

    def __init__(self, room: RoomCode, version: int, what: str) -> None:
        super().__init__(f"room {room} is damaged from event {version} on ({what})")
        self.room = room
        self.version = version
        self.what = what


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """One line of the journal's table of rooms. Times are UTC milliseconds."""

    code: RoomCode
    title: str
    rounds: int
    opened_ms: int
    updated_ms: int
    finished_ms: int | None
    joined: int
    version: int


def record_of(
    old: RoomRecord | None, room: RoomCode, events: Sequence[Event]
) -> RoomRecord:
    """Return the record of a room after more events."""
    record = old or RoomRecord(room, "", 0, 0, 0, None, joined=0, version=0)
    for event in events:
        record = _fold(record, event)
    latest_ms = max((getattr(event, "at_ms", 0) for event in events), default=0)
    return replace(
        record,
        version=record.version + len(events),
        updated_ms=max(record.updated_ms, latest_ms),
    )


def _fold(record: RoomRecord, event: Event) -> RoomRecord:
    match event:
        case RoomOpened():
            return replace(
                record,
                title=event.plan.title,
                rounds=len(event.plan.rounds),
                opened_ms=event.at_ms,
            )
        case PlayerJoined():
            return replace(record, joined=record.joined + 1)
        case GameFinished():
            return replace(record, finished_ms=event.at_ms)
        case _:
            return record


class EventStore(Protocol):
    """An append-only store of events by room. Every call may raise StoreUnavailable."""

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events behind the first ``version`` ones; durable on return.

        All or none are stored. Raises :class:`VersionConflict` when the room does not
        hold exactly ``version`` events.
        """
        ...

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room in order; empty for an unknown room.

        Raises :class:`DamagedRoom` where they are not what was appended.
        """
        ...

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return all events of a room in order as they are stored, a line each."""
        ...

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        ...

    async def delete(self, room: RoomCode) -> bool:
        """Remove a room and all of its events; return whether there was one."""
        ...

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Replace a player's name and reasons by ``name`` and nothing.

        The one exception to events never being edited: a person's right to be
        forgotten. Votes and points stay, so that tallies do. Returns how many events
        were changed; idempotent.
        """
        ...

    async def sweep(self) -> bool:
        """Leave no trace of what was deleted or erased; return whether there was any.

        May take seconds for a large journal, and holds everything else up meanwhile.
        """
        ...

    async def check(self) -> None:
        """Write and commit something trivial: raises while the store is away."""
        ...

    async def close(self) -> None:
        """Finish what was asked for and release the store. Idempotent."""
        ...
