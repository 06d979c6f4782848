"""The journal on SQLite: one thread that writes, one commit for all who wait.

WAL with ``synchronous=FULL``: a commit returns after its fsync, so what was appended
survives kill -9 and a power cut. Appends that arrive while a commit runs share the
next one (group commit). Driver errors leave here as :class:`StoreUnavailable`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import decode, encode, erased
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

FORMAT = 1
"""``user_version`` of the file; a file of a later version is refused."""

BUSY_MS = 2_000
"""How long a write waits for somebody else's lock before it is called unavailable."""

GROUP = 256
"""At most so many appends share a commit."""

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    """Something to do on the writer's thread, and who waits for it."""

    work: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any]


class SqliteStore:
    """An EventStore in one SQLite file. Use :meth:`open` to get one."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        self._thread = threading.Thread(
            target=self._run, name="journal-writer", daemon=True
        )

    @classmethod
    async def open(cls, path: Path) -> SqliteStore:
        """Open or create the journal file and start its writer.

        Raises :class:`StoreUnavailable` with the reason where that cannot be done.
        """
        store = cls(path, asyncio.get_running_loop())
        store._thread.start()
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
        bodies = await self._ask(lambda db: _bodies(db, room))
        return [decode(body) for body in bodies]

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        return await self._ask(_rooms)

    async def delete(self, room: RoomCode) -> bool:
        """Remove a room and all of its events."""
        return await self._ask(lambda db: _delete(db, room))

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Forget a player's words."""
        return await self._ask(lambda db: _erase(db, room, player, name))

    async def check(self) -> None:
        """Commit a heartbeat."""
        await self._ask(_beat)

    async def close(self) -> None:
        """Finish what was asked for, fold the WAL in, and end the thread."""
        if self._is_closed:
            return
        self._is_closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._is_closed:
            raise StoreUnavailable("the journal is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, done))
        return await done

    # --- on the writer's thread ------------------------------------------------------

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group, is_last = self._gather(job)
            outcomes = self._commit(group)
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(_settle, group, outcomes)
            if is_last:
                break
        self._disconnect()

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        """Return the jobs that share a transaction, and whether the end was asked."""
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> list[Any]:
        """Do a group in one transaction; one that conflicts does not harm the rest."""
        try:
            db = self._connect()
            db.execute("BEGIN IMMEDIATE")
            outcomes = [_attempt(db, job) for job in group]
            db.execute("COMMIT")
        except sqlite3.Error as exc:
            self._disconnect()
            failure = StoreUnavailable(f"journal {self._path.name}: {exc}")
            failure.__cause__ = exc
            return [failure] * len(group)
        return outcomes

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            db = sqlite3.connect(self._path, isolation_level=None)
            try:
                _prepare(db)
            except sqlite3.Error:
                db.close()
                raise
            self._connection = db
        return self._connection

    def _disconnect(self) -> None:
        """Let go of the file: an open transaction is rolled back with it."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _prepare(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise sqlite3.DatabaseError(
            f"written by a later version of Two Gaps (format {version}); update first"
        )
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")
    if version < FORMAT:
        db.executescript(
            f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;"
        )


def _attempt(db: sqlite3.Connection, job: _Job) -> Any:
    """Do one job in a savepoint of its own; what it raises is its outcome."""
    db.execute("SAVEPOINT job")
    try:
        outcome = job.work(db)
    except sqlite3.Error:
        raise
    except Exception as exc:  # noqa: BLE001 - handed to the caller, who awaits it
        db.execute("ROLLBACK TO job")
        outcome = exc
    db.execute("RELEASE job")
    return outcome


def _settle(group: list[_Job], outcomes: list[Any]) -> None:
    for job, outcome in zip(group, outcomes, strict=True):
        if job.done.done():
            continue
        if isinstance(outcome, Exception):
            job.done.set_exception(outcome)
        else:
            job.done.set_result(outcome)


def _append(
    db: sqlite3.Connection, room: RoomCode, version: int, events: tuple[Event, ...]
) -> None:
    old = _record(db, room)
    held = old.version if old else 0
    if held != version:
        raise VersionConflict(f"{room} holds {held} events, not {version}")
    db.executemany(
        "INSERT INTO events VALUES (?, ?, ?)",
        [
            (room, number, encode(event))
            for number, event in enumerate(events, start=version + 1)
        ],
    )
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
    return len(changed)


def _beat(db: sqlite3.Connection) -> None:
    db.execute("UPDATE pulse SET beats = beats + 1")
