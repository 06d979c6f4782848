"""The journal on SQLite: a single writer thread, with group commits.

It uses WAL with ``synchronous=FULL``: a commit returns after its fsync, so appended
events survive kill -9 and a power cut. Appends that arrive during a commit share the
next one (group commit). Driver errors are raised as :class:`StoreUnavailable`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from scenarios.prose import plural
from server.disk import DiskError, DiskThread, be_durable, rewrite, vacuum_into
from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import decode_all, encode_all, forgotten, name_in
from server.journal.examine import (
    any_text,
    examine,
    examine_file,
    is_corrupt,
    later_format,
    seal,
)
from server.journal.integrity import FORMAT, Marks, crc_of_list, read_marks
from server.journal.store import (
    DamagedRoom,
    Examination,
    Journal,
    JournalDamaged,
    RoomRecord,
    StoreUnavailable,
    VersionConflict,
    record_of,
)

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
    version INTEGER NOT NULL,
    time_zone TEXT,
    name TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pulse (
    id INTEGER PRIMARY KEY,
    beats INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO pulse VALUES (1, 0);
"""

_SEALS = """
CREATE TABLE IF NOT EXISTS seals (
    room TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (room, first)
) STRICT, WITHOUT ROWID
"""
"""Added after the first release: earlier events do not have a seal."""

_INSERT = "INSERT INTO events SELECT ?, ? + key, value FROM json_each(?)"
"""Inserts all events of a batch, so that the two threads wait less for each other."""

UNSWEPT = 2
"""The row of ``pulse`` that says whether the file may still contain removed data."""

_RECORDS = (
    "SELECT code, title, rounds, opened_ms, updated_ms, finished_ms, joined, version,"
    " time_zone, name FROM rooms"
)
_COLUMNS = "PRAGMA table_info(rooms)"
_PUT_RECORD = (
    "INSERT OR REPLACE INTO rooms (code, title, rounds, opened_ms, updated_ms,"
    " finished_ms, joined, version, time_zone, name)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

T = TypeVar("T")

log = logging.getLogger("twogaps.journal")


class SqliteStore:
    """A journal in one SQLite file. :meth:`open` also checks that it can be written."""

    def __init__(self, path: Path, busy_ms: int = 2_000) -> None:
        """Must be called on a running event loop; the file is opened on first use.

        A write waits up to ``busy_ms`` milliseconds for the lock of another process.
        After that, the journal is considered unavailable.
        """
        self._path = path
        self._busy_ms = busy_ms
        self._is_opened = False
        self._marks = Marks(path)
        self._fresh: dict[str, int] = {}
        """The number of events of each room after the commit in progress."""
        self._disk = DiskThread(
            path,
            self._prepare,
            "journal-writer",
            committed=self._mark,
            undone=self._fresh.clear,
        )

    def _mark(self) -> None:
        if self._fresh:
            self._marks.note(self._fresh)
            self._fresh.clear()

    def _prepare(self, db: sqlite3.Connection) -> None:
        _prepare(db, self._busy_ms)
        if not self._is_opened:
            self._is_opened = True
            _miss_rooms(db, self._path)

    @classmethod
    async def open(cls, path: Path) -> SqliteStore:
        """Open or create the journal file and start its writer.

        Raises :class:`StoreUnavailable` with the reason if that cannot be done.
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
        """Store events after the first ``version`` ones; durable on return."""
        stored = tuple(events)

        def store(db: sqlite3.Connection) -> None:
            try:
                _append(db, room, version, stored)
            except sqlite3.IntegrityError as exc:
                raise VersionConflict(f"{room}: {exc}") from exc
            self._fresh[room] = version + len(stored)

        await self._ask(store)

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room in order."""
        return decode_all(room, await self.bodies(room))

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return all events of a room as they are stored.

        Raises :class:`DamagedRoom` if they are not what was appended.
        """
        return await self._ask(lambda db: _whole(db, room, self._path))

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        return await self._ask(_rooms)

    async def delete(self, room: RoomCode, *, epoch: int | None = None) -> bool:
        """Remove a room and all of its events; no other node could have it."""
        del epoch

        def delete(db: sqlite3.Connection) -> bool:
            was_there = _delete(db, room)
            self._fresh[room] = 0
            return was_there

        return await self._ask(delete)

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Erase a player's words."""
        return await self._ask(lambda db: _erase(db, room, player, name))

    async def sweep(self) -> bool:
        """Rewrite the file if anything was removed since the last time."""
        if not await self._ask(_is_unswept):
            return False
        with _translated():
            await self._disk.ask_alone(rewrite)
        await self._ask(_be_swept)
        return True

    async def check(self) -> None:
        """Commit a heartbeat."""
        await self._ask(_beat)

    async def exists(self) -> bool:
        """Return whether the file exists. Does not create it."""
        return self._path.exists()

    async def examine(self) -> Examination:
        """Read and replay every room, without changing anything."""
        return await asyncio.to_thread(examine_file, self._path)

    async def copy_to(self, path: Path) -> None:
        """Have SQLite write a copy: a complete snapshot, without removed data."""
        try:
            await asyncio.to_thread(vacuum_into, self._path, path)
        except sqlite3.Error as exc:
            raise StoreUnavailable(f"journal {self._path.name}: {exc}") from exc

    async def close(self) -> None:
        """Finish pending calls, merge the WAL into the file, and end the thread."""
        await self._disk.close()
        self._marks.close()

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with _translated():
            return await self._disk.ask(work)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Translate the disk's errors into the port's."""
    try:
        yield
    except DiskError as exc:
        cause = exc.__cause__
        is_damaged = isinstance(cause, sqlite3.Error) and is_corrupt(cause)
        kind = JournalDamaged if is_damaged else StoreUnavailable
        raise kind(f"journal {exc}") from exc


def _prepare(db: sqlite3.Connection, busy_ms: int = 0) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise sqlite3.DatabaseError(later_format(version))
    be_durable(db, busy_ms)
    db.execute(_SEALS)
    if version < FORMAT:
        db.executescript(
            f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;"
        )
    _add_columns(db)


def _add_columns(db: sqlite3.Connection) -> None:
    """Add the columns of later releases, unless another process has just done so."""
    known = {column[1] for column in db.execute(_COLUMNS)}
    for column in ("time_zone", "name"):
        if column in known:
            continue
        try:
            db.execute(f"ALTER TABLE rooms ADD COLUMN {column} TEXT")
        except sqlite3.OperationalError as exc:
            if "duplicate column" not in str(exc):
                raise


def _miss_rooms(db: sqlite3.Connection, path: Path) -> None:
    """Log the rooms that were recorded earlier but are no longer in the file."""
    known = {code for (code,) in db.execute("SELECT code FROM rooms")}
    if missing := sorted(read_marks(path).keys() - known):
        log.error(
            "%s: %s not in it: %s. Was another file put in its place?",
            path.name,
            plural(len(missing), "recorded room is", "recorded rooms are"),
            ", ".join(missing[:5]),
        )


def _append(
    db: sqlite3.Connection, room: RoomCode, version: int, events: tuple[Event, ...]
) -> None:
    old = _record(db, room)
    held = old.version if old else 0
    if held != version:
        raise VersionConflict(f"{room} is at event {held}, not {version}")
    array = encode_all(events)
    db.execute(_INSERT, (room, version + 1, array))
    seal = (room, version + 1, version + len(events), crc_of_list(array))
    db.execute("INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?)", seal)
    _write_record(db, record_of(old, room, events))


def write_room(
    db: sqlite3.Connection, record: RoomRecord, bodies: Sequence[str]
) -> None:
    """Write a whole room into a new journal; durable on return."""
    _prepare(db)
    with db:
        db.executemany(
            "INSERT INTO events VALUES (?, ?, ?)",
            [(record.code, version, body) for version, body in enumerate(bodies, 1)],
        )
        _write_record(db, record)
        seal(db, record.code)


async def copy_rooms(journal: Journal, path: Path) -> None:
    """Write every room of any journal into a new SQLite file."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        _prepare(db)
        for record in await journal.rooms():
            write_room(db, record, await journal.bodies(record.code))


def _write_record(db: sqlite3.Connection, new: RoomRecord) -> None:
    times = (new.opened_ms, new.updated_ms, new.finished_ms)
    row = (new.code, new.title, new.rounds, *times, new.joined, new.version)
    db.execute(_PUT_RECORD, (*row, new.time_zone, new.name))


def _record(db: sqlite3.Connection, room: RoomCode) -> RoomRecord | None:
    row = db.execute(_RECORDS + " WHERE code = ?", (room,)).fetchone()
    return _record_in(row) if row else None


def _record_in(row: tuple[object, ...]) -> RoomRecord | None:
    """Return the record in a row of ``_RECORDS``; None if the row is damaged.

    A room whose row is damaged can still be found by its code, from its events.
    """
    match row:
        case (
            str(code), str(title), int(rounds),
            int(opened_ms), int(updated_ms), (int() | None) as finished_ms,
            int(joined), int(version), (str() | None) as zone, (str() | None) as name,
        ):  # fmt: skip
            times = (opened_ms, updated_ms, finished_ms)
            room = RoomCode(code)
            about = (room, title, rounds, *times)
            return RoomRecord(*about, joined, version, zone, name)
        case _:
            return None


def _whole(db: sqlite3.Connection, room: RoomCode, path: Path) -> list[str]:
    """Return a room's events. Raises :class:`DamagedRoom` if they are not intact."""
    found = examine(db, room, read_marks(path).get(room, 0))
    if found.damage is not None:
        raise DamagedRoom(room, found.damage.version, found.damage.what)
    return found.bodies


def _rooms(db: sqlite3.Connection) -> list[RoomRecord]:
    with any_text(db, "replace"):
        rows = db.execute(_RECORDS + " ORDER BY opened_ms DESC").fetchall()
    return [record for row in rows if (record := _record_in(row)) is not None]


def _delete(db: sqlite3.Connection, room: RoomCode) -> bool:
    db.execute("DELETE FROM events WHERE room = ?", (room,))
    db.execute("DELETE FROM seals WHERE room = ?", (room,))
    _be_unswept(db)
    return db.execute("DELETE FROM rooms WHERE code = ?", (room,)).rowcount > 0


def _erase(db: sqlite3.Connection, room: RoomCode, player: PlayerId, name: str) -> int:
    query = "SELECT version, body FROM events WHERE room = ? ORDER BY version"
    bodies = (body for _, body in db.execute(query, (room,)))
    changed = [
        (body, room, version) for version, body in forgotten(bodies, player, name)
    ]
    db.executemany("UPDATE events SET body = ? WHERE room = ? AND version = ?", changed)
    left = name_in(body for _, body in db.execute(query, (room,)))
    db.execute("UPDATE rooms SET name = ? WHERE code = ?", (left, room))
    seal(db, room)
    _be_unswept(db)
    return len(changed)


def _beat(db: sqlite3.Connection) -> None:
    db.execute("UPDATE pulse SET beats = beats + 1 WHERE id = 1")


def _be_unswept(db: sqlite3.Connection) -> None:
    """Note that data was removed, so that even after a crash, a sweep purges it."""
    db.execute("INSERT OR REPLACE INTO pulse VALUES (?, 1)", (UNSWEPT,))


def _is_unswept(db: sqlite3.Connection) -> bool:
    row = db.execute("SELECT beats FROM pulse WHERE id = ?", (UNSWEPT,)).fetchone()
    return row is not None and row[0] > 0


def _be_swept(db: sqlite3.Connection) -> None:
    db.execute("UPDATE pulse SET beats = 0 WHERE id = ?", (UNSWEPT,))
