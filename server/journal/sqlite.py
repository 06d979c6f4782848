"""The journal on SQLite: one thread that writes, one commit for all who wait.

WAL with ``synchronous=FULL``: a commit returns after its fsync, so what was appended
survives kill -9 and a power cut. Appends that arrive while a commit runs share the
next one (group commit). Driver errors leave here as :class:`StoreUnavailable`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from server.disk import DiskError, DiskThread, be_durable, rewrite
from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import decode, encode, encode_all, erased
from server.journal.record import record_of
from server.journal.store import RoomRecord, StoreUnavailable, VersionConflict

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    room TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (room, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rooms (
    code TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    rounds INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    joined INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pulse (
    id INTEGER PRIMARY KEY,
    beats INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO pulse VALUES (1, 0);
"""

_INSERT = "INSERT INTO events SELECT ?, ? + key, value FROM json_each(?)"
"""All events of a batch in one statement: a statement an event would give the event
loop's thread and the writer's a thousand occasions to wait for each other."""

UNSWEPT = 2
"""The row of ``pulse`` that says whether removed things may be in the file still."""

FORMAT = 1
"""``user_version`` of the file; a file of a later version is refused."""

BUSY_MS = 2_000
"""How long a write waits for somebody else's lock before it is called unavailable."""

T = TypeVar("T")


class SqliteStore:
    """An EventStore in one SQLite file. Use :meth:`open` to get one."""

    def __init__(self, path: Path) -> None:
        self._disk = DiskThread(path, lambda db: _prepare(db), "journal-writer")

    @classmethod
    async def open(cls, path: Path) -> SqliteStore:
        """Open or create the journal file and start its writer.

        Raises :class:`StoreUnavailable` with the reason where that cannot be done.
        """
        store = cls(path)
        try:
            await store.check()
        except StoreUnavailable:
            await store.close()
            raise
        return store

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events behind the first ``version`` ones; durable on return."""
        stored = tuple(events)
        await self._ask(lambda db: _append(db, room, version, stored))

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room in order."""
        return [decode(body) for body in await self.bodies(room)]

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return all events of a room as they are stored."""
        return await self._ask(lambda db: _bodies(db, room))

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        return await self._ask(_rooms)

    async def delete(self, room: RoomCode) -> bool:
        """Remove a room and all of its events."""
        return await self._ask(lambda db: _delete(db, room))

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Forget a player's words."""
        return await self._ask(lambda db: _erase(db, room, player, name))

    async def sweep(self) -> bool:
        """Write the file anew if anything was removed since it was last done."""
        if not await self._ask(_is_unswept):
            return False
        try:
            await self._disk.ask_alone(rewrite)
        except DiskError as exc:
            raise StoreUnavailable(f"journal {exc}") from exc
        await self._ask(_be_swept)
        return True

    async def check(self) -> None:
        """Commit a heartbeat."""
        await self._ask(_beat)

    async def close(self) -> None:
        """Finish what was asked for, fold the WAL in, and end the thread."""
        await self._disk.close()

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._disk.ask(work)
        except DiskError as exc:
            raise StoreUnavailable(f"journal {exc}") from exc


def _prepare(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise sqlite3.DatabaseError(
            f"written by a later version of Two Gaps (format {version}); update first"
        )
    be_durable(db, BUSY_MS)
    if version < FORMAT:
        db.executescript(
            f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;"
        )


def _append(
    db: sqlite3.Connection, room: RoomCode, version: int, events: tuple[Event, ...]
) -> None:
    old = _record(db, room)
    held = old.version if old else 0
    if held != version:
        raise VersionConflict(f"{room} holds {held} events, not {version}")
    db.execute(_INSERT, (room, version + 1, encode_all(events)))
    new = record_of(old, room, events)
    db.execute(
        "INSERT OR REPLACE INTO rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.code,
            new.title,
            new.rounds,
            new.opened_ms,
            new.updated_ms,
            new.finished_ms,
            new.joined,
            new.version,
        ),
    )


def _record(db: sqlite3.Connection, room: RoomCode) -> RoomRecord | None:
    row = db.execute("SELECT * FROM rooms WHERE code = ?", (room,)).fetchone()
    return RoomRecord(*row) if row else None


def _bodies(db: sqlite3.Connection, room: RoomCode) -> list[str]:
    rows = db.execute(
        "SELECT body FROM events WHERE room = ? ORDER BY version", (room,)
    )
    return [body for (body,) in rows]


def _rooms(db: sqlite3.Connection) -> list[RoomRecord]:
    rows = db.execute("SELECT * FROM rooms ORDER BY opened_ms DESC")
    return [RoomRecord(*row) for row in rows]


def _delete(db: sqlite3.Connection, room: RoomCode) -> bool:
    db.execute("DELETE FROM events WHERE room = ?", (room,))
    _be_unswept(db)
    return db.execute("DELETE FROM rooms WHERE code = ?", (room,)).rowcount > 0


def _erase(db: sqlite3.Connection, room: RoomCode, player: PlayerId, name: str) -> int:
    changed = []
    rows = db.execute("SELECT version, body FROM events WHERE room = ?", (room,))
    for version, body in rows:
        event = decode(body)
        forgotten = erased(event, player, name)
        if forgotten != event:
            changed.append((encode(forgotten), room, version))
    db.executemany("UPDATE events SET body = ? WHERE room = ? AND version = ?", changed)
    _be_unswept(db)
    return len(changed)


def _beat(db: sqlite3.Connection) -> None:
    db.execute("UPDATE pulse SET beats = beats + 1 WHERE id = 1")


def _be_unswept(db: sqlite3.Connection) -> None:
    """Note that something has been removed; survives a crash before the sweep."""
    db.execute("INSERT OR REPLACE INTO pulse VALUES (?, 1)", (UNSWEPT,))


def _is_unswept(db: sqlite3.Connection) -> bool:
    row = db.execute("SELECT beats FROM pulse WHERE id = ?", (UNSWEPT,)).fetchone()
    return row is not None and row[0] > 0


def _be_swept(db: sqlite3.Connection) -> None:
    db.execute("UPDATE pulse SET beats = 0 WHERE id = ?", (UNSWEPT,))
