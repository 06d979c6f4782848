"""A worker thread that owns one SQLite file and runs queued jobs in one transaction.

Jobs submitted during a commit share the next one (group commit). Each job runs in its
own savepoint: if it raises, for example because of a constraint, only that job fails.
An error with the file itself (full, locked, unreadable) rolls back the whole
transaction, closes the file, and fails every job of the group with :class:`DiskError`.
The next job opens the file again.

The worker cannot die: an unexpected exception fails the jobs of its group and is
logged, and the next group starts with a new connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

GROUP = 256
"""The most jobs that share a commit."""

_OF_THE_FILE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""Primary result codes that affect every job. All others affect only the job that got
them, including SQLITE_CORRUPT, because a damaged page damages only one room."""

log = logging.getLogger("twogaps.disk")

T = TypeVar("T")


class DiskError(Exception):
    """The file cannot be read or written now. The job may or may not be stored."""


@dataclass(slots=True)
class _Job:
    """A job for the thread, with a callback for its result."""

    do: Callable[[sqlite3.Connection], None]
    settle: Callable[[Exception | None], None]
    """Called on the event loop with the exception or None."""
    is_alone: bool
    """Whether the job runs outside any transaction and not with others."""
    failure: Exception | None = None


class DiskThread:
    """Runs jobs on one SQLite file. A job's writes are durable when it returns."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[sqlite3.Connection], None],
        name: str,
        committed: Callable[[], None] = lambda: None,
        undone: Callable[[], None] = lambda: None,
        group: int = GROUP,
    ) -> None:
        """Must be called on a running event loop. The first job opens the file.

        ``prepare`` sets up a new connection, and ``name`` is the thread's name.
        ``committed`` is called on the thread after every commit, before the callers
        are notified, and ``undone`` when a commit has failed. At most ``group`` jobs
        share a commit.
        """
        self._committed = committed
        self._undone = undone
        self._path = path
        self._prepare = prepare
        self._most = group
        self._loop = asyncio.get_running_loop()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: list[_Job] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        """The device and inode of the file, once it has been opened."""
        self._is_closed = False

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job and return its result once it is committed and synced.

        Raises :class:`DiskError` or whatever the job raised.
        """
        return await self._do(work, is_alone=False)

    async def ask_alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job outside of any transaction (SQLite's VACUUM requires it)."""
        return await self._do(work, is_alone=True)

    async def _do(
        self, work: Callable[[sqlite3.Connection], T], *, is_alone: bool
    ) -> T:
        if self._is_closed:
            raise DiskError(f"{self._path.name} is closed")
        results: list[T] = []
        done: asyncio.Future[T] = self._loop.create_future()

        def do(db: sqlite3.Connection) -> None:
            results.append(work(db))

        def settle(failure: Exception | None) -> None:
            if done.done():
                return
            if failure is not None:
                done.set_exception(failure)
            else:
                done.set_result(results[0])

        self._waiting.append(_Job(do, settle, is_alone))
        if self._idle.is_set():
            self._start()
        return await done

    async def close(self) -> None:
        """Finish the queued jobs and end the thread. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._idle.wait()
        self._worker.submit(self._disconnect)
        await asyncio.to_thread(self._worker.shutdown)

    # --- on the event loop -----------------------------------------------------------

    def _start(self) -> None:
        """Give the next group of jobs to the thread, if any jobs are queued."""
        group, self._waiting = self._split(self._waiting)
        if not group:
            self._idle.set()
            return
        self._idle.clear()
        try:
            running = self._loop.run_in_executor(self._worker, self._run, group)
        except RuntimeError as exc:  # no thread can be started
            self._ended(group, exc)
        else:
            running.add_done_callback(lambda ran: self._ended(group, ran.exception()))

    def _split(self, waiting: list[_Job]) -> tuple[list[_Job], list[_Job]]:
        """Split the jobs into those that share the next transaction and the rest."""
        if waiting and waiting[0].is_alone:
            return waiting[:1], waiting[1:]
        end = min(len(waiting), self._most)
        end = next((i for i in range(end) if waiting[i].is_alone), end)
        return waiting[:end], waiting[end:]

    def _ended(self, group: Sequence[_Job], raised: BaseException | None) -> None:
        """Notify the callers of a group of the results and start the next group."""
        if raised is not None:
            log.error("%s: the writer failed", self._path.name, exc_info=raised)
            failure = self._failure(raised)
            for job in group:
                job.failure = failure
        for job in group:
            job.settle(job.failure)
        self._start()

    def _failure(self, cause: BaseException) -> DiskError:
        failure = DiskError(f"{self._path.name}: {str(cause) or type(cause).__name__}")
        failure.__cause__ = cause
        return failure

    # --- on the thread ---------------------------------------------------------------

    def _run(self, group: Sequence[_Job]) -> None:
        try:
            db = self._connect()
            if group[0].is_alone:
                group[0].do(db)
            else:
                self._commit(db, group)
        except (DiskError, sqlite3.Error) as exc:
            self._undo(group, exc if isinstance(exc, DiskError) else self._failure(exc))
        except Exception as exc:  # noqa: BLE001 - handed to the caller, who awaits it
            self._undo(group, exc if group[0].is_alone else self._fault(exc))
        except BaseException as exc:
            self._undo(group, self._failure(exc))  # leave no open transaction
            raise

    def _commit(self, db: sqlite3.Connection, group: Sequence[_Job]) -> None:
        db.execute("BEGIN IMMEDIATE")
        for job in group:
            self._attempt(db, job)
        db.execute("COMMIT")
        self._committed()
        if any(isinstance(job.failure, DiskError) for job in group):
            self._disconnect()  # the connection's cache may be damaged

    def _attempt(self, db: sqlite3.Connection, job: _Job) -> None:
        """Run one job in its own savepoint and record any exception as its outcome."""
        db.execute("SAVEPOINT job")
        try:
            job.do(db)
        except sqlite3.Error as exc:
            if _concerns_the_file(exc) or not db.in_transaction:
                raise
            job.failure = self._failure(exc)
            db.execute("ROLLBACK TO job")
        except Exception as exc:  # noqa: BLE001 - handed to the caller, who awaits it
            job.failure = exc
            db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")

    def _fault(self, exc: Exception) -> DiskError:
        log.error("%s: the writer failed", self._path.name, exc_info=exc)
        return self._failure(exc)

    def _undo(self, group: Sequence[_Job], failure: Exception) -> None:
        self._disconnect()
        self._undone()
        for job in group:
            job.failure = failure

    def _connect(self) -> sqlite3.Connection:
        self._must_be_the_same()
        if self._connection is None:
            db = sqlite3.connect(self._path, isolation_level=None)
            try:
                self._prepare(db)
                self._file = self._file or _identity(self._path)
            except (sqlite3.Error, OSError):
                db.close()
                raise
            self._connection = db
        return self._connection

    def _must_be_the_same(self) -> None:
        """Refuse to write if the path no longer leads to the file that was opened.

        Otherwise, SQLite would keep writing to a removed file, and all of that would be
        lost when the process ends.
        """
        if self._file is not None and _identity(self._path) != self._file:
            raise DiskError(f"{self._path.name} was removed or replaced while in use")

    def _disconnect(self) -> None:
        """Close the file, which rolls back any open transaction."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _concerns_the_file(exc: sqlite3.Error) -> bool:
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in _OF_THE_FILE


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


MEMORY = 2
"""The value of ``PRAGMA temp_store`` that keeps temporary files in memory."""

MOST_IN_MEMORY = 256 * 2**20
"""The size, in bytes, of the largest file to rewrite with its copy in memory."""

SPARE_BYTES = 16 * 2**20
"""Free space, in bytes, that must remain while a file is rewritten."""

TEMP_FOLDERS = ("/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - only looked at
"""Where SQLite creates its temporary files, unless the environment overrides it."""


def be_durable(
    db: sqlite3.Connection, busy_ms: int, temp_folders: Sequence[str] = TEMP_FOLDERS
) -> None:
    """Use write-ahead logging, fully sync every commit, and overwrite deleted data.

    If none of ``temp_folders`` can be written, as in a read-only container, SQLite
    keeps its temporary files in memory.
    """
    if os.name == "posix" and _temp_folder(temp_folders) is None:
        db.execute("PRAGMA temp_store=MEMORY")
    db.execute(f"PRAGMA busy_timeout={busy_ms}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")


def _temp_folder(folders: Sequence[str] = TEMP_FOLDERS) -> str | None:
    """Return the folder for SQLite's temporary files; None if there is none."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"))
    found = (at for at in (*named, *folders) if at)
    return next((at for at in found if os.access(at, os.W_OK | os.X_OK)), None)


def rewrite(
    db: sqlite3.Connection,
    free: Callable[[str], int] = lambda folder: shutil.disk_usage(folder).free,
    most_in_memory: int = MOST_IN_MEMORY,
) -> None:
    """Rewrite the file, so that no removed data is left in it.

    ``secure_delete`` zeroes freed space, but copies may remain in pages that were
    rebalanced earlier, and in the write-ahead log until it is truncated. ``free``
    returns the free bytes in a folder. Without a folder for temporary files, at most
    ``most_in_memory`` bytes are copied in memory. If the copies do not fit, raises
    sqlite3.OperationalError before anything is written.
    """
    _cut_log(db)  # the log would grow by the whole file while another process reads
    _must_fit(db, free, most_in_memory)
    db.execute("VACUUM")
    _cut_log(db)


def _must_fit(
    db: sqlite3.Connection, free: Callable[[str], int], most_in_memory: int
) -> None:
    """Refuse to fill the disk or the memory with copies of a large file.

    SQLite writes the new content to a temporary file and then to the log.
    """
    used, unused, page, in_memory = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size", "temp_store")
    )
    size = (used - unused) * page
    folders = [str(Path(db.execute("PRAGMA database_list").fetchone()[2]).parent)]
    if in_memory != MEMORY:
        folders.append(_temp_folder() or folders[0])
    elif size > most_in_memory:
        raise sqlite3.OperationalError(
            f"it has {_mb(size)}, too much to copy in memory. Set SQLITE_TMPDIR to a "
            "folder that the server can write to"
        )
    spare = min(SPARE_BYTES, size // 4)
    devices = [Path(folder).stat().st_dev for folder in folders]
    for folder, device in zip(folders, devices, strict=True):
        needed = size * devices.count(device) + spare
        if (there := free(folder)) < needed:
            raise sqlite3.OperationalError(
                f"rewriting it needs {_mb(needed)} of free space in {folder}, where "
                f"only {_mb(there)} is free. Free some space there; the server will "
                "try again"
            )


def _mb(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"


def _cut_log(db: sqlite3.Connection) -> None:
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("another process is reading the file")


def vacuum_into(source: Path, target: Path) -> None:
    """Copy a SQLite file that others may be writing to."""
    with contextlib.closing(sqlite3.connect(source)) as db:
        db.execute("VACUUM INTO ?", (str(target),))
