"""One thread that owns one SQLite file: jobs in, one transaction for all that wait.

A job that raises anything but a database error undoes only itself; a database error
undoes the whole transaction, lets go of the file, and reaches everybody as
:class:`DiskError`. The next job opens the file anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

GROUP = 256
"""At most so many jobs share a commit."""

T = TypeVar("T")


class DiskError(Exception):
    """The file cannot be written or read now; whether the job was stored is unknown."""


@dataclass(slots=True)
class _Job:
    """Something to do on the thread, and who waits for it."""

    work: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any]
    is_alone: bool = False
    """Not in a transaction, and not together with others."""


class DiskThread:
    """Does jobs on one SQLite file. Durable on return."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[sqlite3.Connection], None],
        name: str,
        committed: Callable[[], None] = lambda: None,
        undone: Callable[[], None] = lambda: None,
    ) -> None:
        """``prepare`` sets up a fresh connection; ``name`` is the thread's.

        ``committed`` is called on the thread after every commit, before those who
        asked hear of it; ``undone`` where a commit failed.
        """
        self._committed = committed
        self._undone = undone
        self._path = path
        self._prepare = prepare
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._kept: _Job | None = None
        """Taken from the queue, and to be done next, alone."""
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do a job, and return what it returns once it is committed and synced."""
        return await self._do(work, is_alone=False)

    async def ask_alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do a job outside of any transaction (SQLite's VACUUM wants that)."""
        return await self._do(work, is_alone=True)

    async def _do(
        self, work: Callable[[sqlite3.Connection], T], *, is_alone: bool
    ) -> T:
        if self._is_closed:
            raise DiskError(f"{self._path.name} is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, done, is_alone))
        return await done

    async def close(self) -> None:
        """Finish what was asked for and end the thread. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    # --- on the thread ---------------------------------------------------------------

    def _run(self) -> None:
        while (job := self._next()) is not None:
            group, is_last = self._gather(job)
            outcomes = self._alone(job) if job.is_alone else self._commit(group)
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(_settle, group, outcomes)
            if is_last:
                break
        self._disconnect()

    def _next(self) -> _Job | None:
        kept, self._kept = self._kept, None
        return kept or self._jobs.get()

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        """Return the jobs that share a transaction, and whether the end was asked."""
        group = [first]
        while len(group) < GROUP and not first.is_alone:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            if job.is_alone:
                self._kept = job
                break
            group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> list[Any]:
        try:
            db = self._connect()
            db.execute("BEGIN IMMEDIATE")
            outcomes = [_attempt(db, job) for job in group]
            db.execute("COMMIT")
            self._committed()
        except sqlite3.Error as exc:
            self._undone()
            self._disconnect()
            failure = DiskError(f"{self._path.name}: {exc}")
            failure.__cause__ = exc
            return [failure] * len(group)
        return outcomes

    def _alone(self, job: _Job) -> list[Any]:
        try:
            return [job.work(self._connect())]
        except sqlite3.Error as exc:
            self._disconnect()
            failure = DiskError(f"{self._path.name}: {exc}")
            failure.__cause__ = exc
            return [failure]

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            db = sqlite3.connect(self._path, isolation_level=None)
            try:
                self._prepare(db)
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


def be_durable(db: sqlite3.Connection, busy_ms: int) -> None:
    """Write ahead, sync every commit in full, overwrite what is deleted."""
    db.execute(f"PRAGMA busy_timeout={busy_ms}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")


def rewrite(db: sqlite3.Connection) -> None:
    """Write the file anew, so that nothing of what was removed is left in it.

    ``secure_delete`` zeroes what is freed, but pages that were rebalanced before may
    hold copies; and the write-ahead log keeps old pages until it is cut.
    """
    db.execute("VACUUM")
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("somebody else is reading")


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
