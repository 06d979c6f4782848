"""The ports of the journal, one for each kind of user.

A single room uses ``EventStore``. ``RoomIndex`` lists and reads rooms. A server keeps
its rooms in a ``RoomStore``, and an operator's tools use ``JournalAdmin``. Each
database has a module that implements :class:`Journal`, which combines them. Only
``server.journal.opening`` knows which implementations there are.

Every method may raise :class:`StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from server.game.errors import Refused
from server.game.events import (
    CaseAdded,
    Event,
    GameFinished,
    PlayerJoined,
    RoomNamed,
    RoomOpened,
    SettingsChanged,
)
from server.game.ids import PlayerId, RoomCode


class StoreUnavailable(Exception):  # noqa: N818 - names a condition
    """The journal cannot be written or read now (full disk, locked file, I/O error).

    Whether the last append was stored is unknown: load the room again to find out.
    """


class NoJournal(StoreUnavailable):
    """There is no journal at this address."""


class JournalDamaged(StoreUnavailable):
    """The journal as a whole is damaged; its intact rooms have to be salvaged."""


class BadAddress(StoreUnavailable):
    """This is not the address of a journal."""


class VersionConflict(Exception):  # noqa: N818 - names a condition
    """The room does not end where these events begin, so there is another writer."""


class UnreadableEvent(Exception):  # noqa: N818 - names a condition
    """A stored event cannot be read: it is damaged, or a later version wrote it."""


class DamagedRoom(UnreadableEvent):
    """A room's events have changed on disk. Events before ``version`` are intact."""

    def __init__(self, room: RoomCode, version: int, what: str) -> None:
        super().__init__(f"room {room} is damaged from event {version} on ({what})")
        self.room = room
        self.version = version
        self.what = what


class TenureLost(Exception):  # noqa: N818 - names a condition
    """Another node is home to this room now, so this node cannot store its events."""


class HeldElsewhere(Refused):
    """Another node of this fleet is home to a room."""

    def __init__(self, node: str, url: str) -> None:
        """``url`` is that node's address for other nodes; empty while it starts."""
        super().__init__("busy", f"This room is at {node} now; please try again.")
        self.node = node
        self.url = url

    def again(self) -> HeldElsewhere:
        """Return a copy of this refusal, which can be raised again."""
        return HeldElsewhere(self.node, self.url)


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """One row of the journal's table of rooms. Times are UTC milliseconds."""

    code: RoomCode
    title: str
    rounds: int
    opened_ms: int
    updated_ms: int
    finished_ms: int | None
    joined: int
    version: int
    time_zone: str | None = None
    """The class's time zone, if the room has one."""
    name: str | None = None
    """The name that the host gave the room; None or empty if it has no name."""

    @property
    def called(self) -> str:
        """The room's name and its deck, as a list shows them."""
        return f"{self.name}: {self.title}" if self.name else self.title


@dataclass(frozen=True, slots=True)
class Finding:
    """What an examination found out about one room."""

    room: RoomCode
    intact: int
    """Number of events, from the first, that match what was written and replay."""
    damage: str
    """What is wrong after those events; empty if nothing is."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What an examination found out about a whole journal."""

    rooms: tuple[Finding, ...]
    latest_ms: int | None
    """Time of the last change in any room (UTC milliseconds)."""
    fault: str = ""
    """What is wrong with the journal as a whole; empty if nothing is."""

    @property
    def damaged(self) -> list[Finding]:
        """The rooms that are damaged."""
        return [finding for finding in self.rooms if finding.damage]


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
                time_zone=event.settings.time_zone,
            )
        case SettingsChanged():
            return replace(record, time_zone=event.settings.time_zone)
        case CaseAdded():
            return replace(record, rounds=record.rounds + 1)
        case RoomNamed(name=name):
            return replace(record, name=name)
        case PlayerJoined():
            return replace(record, joined=record.joined + 1)
        case GameFinished():
            return replace(record, finished_ms=event.at_ms)
        case _:
            return record


class EventStore(Protocol):
    """An append-only store of events by room: all that one room needs."""

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events after the first ``version`` ones; durable on return.

        Either all events are stored or none. Raises :class:`VersionConflict` if the
        room does not have exactly ``version`` events.
        """
        ...

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room in order; empty for an unknown room.

        Raises :class:`DamagedRoom` if they are not what was appended.
        """
        ...

    async def check(self) -> None:
        """Write and commit something trivial. Raises while the store is unavailable."""
        ...


class RoomIndex(Protocol):
    """Lists the stored rooms, and returns their events as they are stored."""

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        ...

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return all events of a room in order as they are stored, one line each.

        Raises :class:`DamagedRoom` if they are not what was appended.
        """
        ...


class RoomStore(EventStore, RoomIndex, Protocol):
    """The store in which a server keeps all of its rooms."""

    async def delete(self, room: RoomCode, *, epoch: int | None = None) -> bool:
        """Remove a room and all of its events; return whether there was one.

        If nodes share the journal, raises :class:`TenureLost` unless the room is still
        in this ``epoch``.
        """
        ...

    async def sweep(self) -> bool:
        """Purge all traces of deleted data; return whether there were any.

        This may take seconds for a large journal, and blocks all other calls.
        """
        ...


class JournalAdmin(Protocol):
    """What an operator's tools need to do with a whole journal."""

    async def exists(self) -> bool:
        """Return whether there is a journal. Does not create one."""
        ...

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Replace a player's name with ``name``, and remove their written reasons.

        Events are otherwise never edited; this is the exception, for a person's right
        to be forgotten. Votes and points are kept so that tallies do not change.
        Returns how many events were changed. Idempotent.
        """
        ...

    async def examine(self) -> Examination:
        """Read and replay every room, without changing anything.

        Raises :class:`NoJournal`, and :class:`StoreUnavailable` if the journal
        cannot be read at all.
        """
        ...

    async def copy_to(self, path: Path) -> None:
        """Write all rooms into a new SQLite journal, while others may be writing.

        ``path`` must not exist. Each room is copied as it was at one moment, without
        any data that had been removed before.
        """
        ...


class Journal(RoomStore, JournalAdmin, Protocol):
    """Everything that a database has to implement to be a journal."""

    async def close(self) -> None:
        """Finish pending calls and release the store. Idempotent."""
        ...
