"""The thread that owns a SQLite file: each failure stays alone and is reported."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from server.disk import DiskError, DiskThread, be_durable, rewrite

SOON_S = 10


def table(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY) STRICT")


def insert(number: int) -> Callable[[sqlite3.Connection], int]:
    def work(db: sqlite3.Connection) -> int:
        return db.execute("INSERT INTO t VALUES (?)", (number,)).rowcount

    return work


def count(db: sqlite3.Connection) -> int:
    (n,) = db.execute("SELECT count(*) FROM t").fetchone()
    return int(n)


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[DiskThread]:
    made = DiskThread(tmp_path / "x.sqlite", table, "writer")
    async with asyncio.timeout(SOON_S):
        yield made
        await made.close()


async def test_a_constraint_error_undoes_its_own_job_only(disk: DiskThread) -> None:
    """Jobs that are asked for together share a commit."""
    await disk.ask(insert(1))
    one, two, three = await asyncio.gather(
        disk.ask(insert(2)),
        disk.ask(insert(1)),
        disk.ask(insert(3)),
        return_exceptions=True,
    )
    assert (one, three) == (1, 1)
    assert isinstance(two, DiskError)
    assert isinstance(two.__cause__, sqlite3.IntegrityError)
    assert await disk.ask(count) == 3


async def test_a_broken_statement_undoes_its_own_job_only(disk: DiskThread) -> None:
    def half(db: sqlite3.Connection) -> None:
        insert(7)(db)
        db.execute("SELECT * FROM no_such_table")

    broken, fine = await asyncio.gather(
        disk.ask(half), disk.ask(insert(8)), return_exceptions=True
    )
    assert isinstance(broken, DiskError)
    assert fine == 1
    assert await disk.ask(count) == 1


async def test_any_error_of_a_job_reaches_its_caller_and_the_thread_continues(
    disk: DiskThread,
) -> None:
    def boom(_: sqlite3.Connection) -> None:
        raise ValueError("not a database error")

    for ask in (disk.ask, disk.ask_alone):
        with pytest.raises(ValueError, match="not a database error"):
            await ask(boom)
    assert await disk.ask(insert(1)) == 1


async def test_a_failing_hook_fails_its_group_is_logged_and_the_thread_continues(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [KeyError("hook")]

    def committed() -> None:
        if faults:
            raise faults.pop()

    disk = DiskThread(tmp_path / "x.sqlite", table, "writer", committed=committed)
    async with asyncio.timeout(SOON_S):
        with (
            caplog.at_level(logging.ERROR, "twogaps.disk"),
            pytest.raises(DiskError, match="hook"),
        ):
            await disk.ask(insert(1))
        assert [record.message for record in caplog.records] == [
            "x.sqlite: the writer failed"
        ]
        assert await disk.ask(insert(2)) == 1
        await disk.close()


async def test_an_exit_on_the_thread_fails_its_group_and_the_thread_continues(
    disk: DiskThread, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that is raised there can leave a caller waiting forever."""

    def leave(_: sqlite3.Connection) -> None:
        raise SystemExit(3)

    with caplog.at_level(logging.ERROR, "twogaps.disk"):
        first, second = await asyncio.gather(
            disk.ask(leave), disk.ask(insert(1)), return_exceptions=True
        )
    assert isinstance(first, DiskError)
    assert "the writer failed" in caplog.text
    assert second == 1, "the next commit fails with it"
    assert await disk.ask(count) == 1


async def test_an_error_of_the_file_fails_the_whole_group(
    disk: DiskThread, tmp_path: Path
) -> None:
    await disk.ask(insert(1))
    other = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await disk.ask_alone(lambda db: db.execute("PRAGMA busy_timeout=1"))
    answers = await asyncio.gather(
        disk.ask(insert(2)), disk.ask(insert(3)), return_exceptions=True
    )
    assert all(isinstance(answer, DiskError) for answer in answers)
    other.execute("ROLLBACK")
    other.close()
    assert await disk.ask(insert(2)) == 1


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
async def test_a_file_that_vanishes_is_noticed_before_anything_is_written(
    disk: DiskThread, tmp_path: Path, how: str
) -> None:
    path, aside = tmp_path / "x.sqlite", tmp_path / "aside.sqlite"
    await disk.ask(insert(1))
    if how == "removed":
        path.unlink()
    else:
        path.rename(aside)
    if how == "replaced":
        shutil.copy(aside, path)
    for ask in (disk.ask, disk.ask_alone):
        with pytest.raises(DiskError, match="removed or replaced"):
            await ask(insert(2))
    if how == "removed":
        return
    aside.replace(path)  # and back again
    assert await disk.ask(insert(2)) == 1
    assert await disk.ask(count) == 2


async def test_jobs_that_run_alone_keep_their_turn(disk: DiskThread) -> None:
    order: list[int] = []

    def note(number: int) -> Callable[[sqlite3.Connection], bool]:
        def work(db: sqlite3.Connection) -> bool:
            order.append(number)
            return db.in_transaction

        return work

    asks = [disk.ask, disk.ask, disk.ask_alone, disk.ask]
    inside = await asyncio.gather(*(ask(note(i)) for i, ask in enumerate(asks)))
    assert order == [0, 1, 2, 3]
    assert inside == [True, True, False, True]


async def test_close_finishes_what_was_asked_for(tmp_path: Path) -> None:
    disk = DiskThread(tmp_path / "x.sqlite", table, "writer", group=2)
    asked = [asyncio.ensure_future(disk.ask(insert(i))) for i in range(7)]
    await asyncio.sleep(0)
    await disk.close()
    await disk.close()
    assert [await one for one in asked] == [1] * 7
    with pytest.raises(DiskError, match="closed"):
        await disk.ask(count)


@pytest.mark.parametrize(("writable", "store"), [(True, 0), (False, 2)])
def test_without_a_temporary_folder_sqlite_keeps_it_in_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    store: int,
    *,
    writable: bool,
) -> None:
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    folders = [str(tmp_path / "none"), *([str(tmp_path)] if writable else [])]
    with contextlib.closing(sqlite3.connect(tmp_path / "file")) as db:
        be_durable(db, 0, folders)
        assert db.execute("PRAGMA temp_store").fetchone() == (store,)


def test_a_file_that_is_read_is_not_rewritten_into_its_log(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        be_durable(db, 0)
        db.execute("CREATE TABLE t (x)")
        db.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 500)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        log = path.with_name("file-wal")
        before = log.stat().st_size
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError, match="reading the file"):
                rewrite(db)
        assert log.stat().st_size == before
        reader.execute("COMMIT")
        rewrite(db)
        assert log.stat().st_size == 0


def _filled(path: Path) -> sqlite3.Connection:
    """Return a file of 8 MB, half of which was removed."""
    db = sqlite3.connect(path, isolation_level=None)
    be_durable(db, 0)
    db.execute("CREATE TABLE t (x)")
    db.executemany("INSERT INTO t VALUES (?)", [("x" * 4_000,)] * 2_000)
    db.execute("DELETE FROM t WHERE rowid % 2")
    return db


def test_a_file_is_rewritten_only_where_its_copies_fit(tmp_path: Path) -> None:
    with contextlib.closing(_filled(tmp_path / "file")) as db:
        before = (tmp_path / "file").stat().st_size
        with pytest.raises(sqlite3.OperationalError, match="Free some space there"):
            rewrite(db, lambda _: 3 * 2**20)
        assert (tmp_path / "file-wal").stat().st_size == 0  # nothing was written
        rewrite(db, lambda _: 2**40)
        assert (tmp_path / "file").stat().st_size < 0.7 * before


def test_a_large_file_is_not_copied_in_memory(tmp_path: Path) -> None:
    with contextlib.closing(_filled(tmp_path / "file")) as db:
        db.execute("PRAGMA temp_store=MEMORY")
        with pytest.raises(sqlite3.OperationalError, match="SQLITE_TMPDIR"):
            rewrite(db, most_in_memory=2**20)
        rewrite(db)
