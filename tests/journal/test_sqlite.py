"""What SQLite adds: durability, locks, full disks, damage, old and new formats."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from server.game.events import PlayerRenamed, RoomLocked
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import encode
from server.journal.examine import examine, reading
from server.journal.sqlite import SqliteStore
from server.journal.store import StoreUnavailable, UnreadableEvent, VersionConflict
from tests.journal.test_contract import ROOM, played
from tests.support.cases import opened


async def test_a_second_process_finds_everything(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = await SqliteStore.open(path)
    await first.append(ROOM, 0, played())
    await first.close()
    second = await SqliteStore.open(path)
    assert await second.load(ROOM) == played()
    await second.close()


async def test_the_file_is_written_ahead_and_synced_in_full(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "journal.sqlite")
    modes = await store._ask(
        lambda db: (
            db.execute("PRAGMA journal_mode").fetchone()[0],
            db.execute("PRAGMA synchronous").fetchone()[0],
        )
    )
    assert modes == ("wal", 2)
    await store.close()


async def test_a_batch_is_stored_event_by_event_as_each_is_encoded(
    tmp_path: Path,
) -> None:
    """One statement stores a batch; each row still reads as if it had been alone."""
    words = 'ä \u2028 \\u0041 " \' \\ \x7f 😀 [1,2] {"a": 1} </script>'
    events = [*played(), PlayerRenamed(PlayerId("p"), words), *played()]
    path = tmp_path / "journal.sqlite"
    store = await SqliteStore.open(path)
    await store.append(ROOM, 0, events)
    await store.append(ROOM, len(events), events[:1])
    assert await store.load(ROOM) == [*events, events[0]]
    await store.close()
    with sqlite3.connect(path) as db:
        rows = db.execute(
            "SELECT version, body FROM events ORDER BY version"
        ).fetchall()
    db.close()
    assert rows == [
        (number, encode(event))
        for number, event in enumerate([*events, events[0]], start=1)
    ]


async def test_a_locked_file_refuses_and_recovers_when_it_is_free(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite"
    store = SqliteStore(path, busy_ms=20)
    await store.check()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.append(ROOM, 0, played())
    assert await _readable(path) == 0
    other.execute("ROLLBACK")
    other.close()
    await store.append(ROOM, 0, played())
    assert await store.load(ROOM) == played()
    await store.close()


async def test_one_room_that_disagrees_with_its_events_refuses_no_other(
    tmp_path: Path,
) -> None:
    """Both appends share a commit; the line of the first room is behind its events."""
    path = tmp_path / "journal.sqlite"
    first, second = RoomCode("AAAAAA"), RoomCode("BBBBBB")
    store = await SqliteStore.open(path)
    for room in (first, second):
        await store.append(room, 0, [opened()])
    with sqlite3.connect(path) as db:
        row = (first, 2, encode(RoomLocked()))
        db.execute("INSERT INTO events VALUES (?, ?, ?)", row)
    db.close()
    answers = await asyncio.gather(
        *(store.append(room, 1, [RoomLocked()]) for room in (first, second)),
        return_exceptions=True,
    )
    assert isinstance(answers[0], VersionConflict)
    assert answers[1] is None
    assert await store.load(second) == [opened(), RoomLocked()]
    await store.close()


async def _readable(path: Path) -> int:
    with sqlite3.connect(path) as db:
        (n,) = db.execute("SELECT count(*) FROM events").fetchone()
    db.close()
    return int(n)


async def test_a_full_disk_refuses_all_or_nothing_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    store = await SqliteStore.open(path)
    await store.append(ROOM, 0, [opened()])

    def limit(pages: int) -> object:
        return store._ask(lambda db: db.execute(f"PRAGMA max_page_count={pages}"))

    used = await store._ask(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await limit(used)  # type: ignore[misc] # a coroutine
    with pytest.raises(StoreUnavailable, match="full"):
        await store.append(RoomCode("SECOND"), 0, [opened()] * 1)
    assert await store.load(ROOM) == [opened()]
    await store.append(RoomCode("SECOND"), 0, [opened()])  # a new connection: no limit
    assert len(await store.rooms()) == 2
    await store.close()


async def test_a_file_of_a_later_version_is_refused_in_plain_words(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreUnavailable, match="later version"):
        await SqliteStore.open(path)


async def test_rubbish_instead_of_a_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database, " * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await SqliteStore.open(path)


async def test_a_damaged_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    store = await SqliteStore.open(path)
    await store.append(ROOM, 0, played())
    await store._ask(
        lambda db: db.execute("UPDATE events SET body = '{\"type\":' WHERE version = 3")
    )
    with pytest.raises(UnreadableEvent, match="damaged from event 1 on"):
        await store.load(ROOM)
    await store.close()


async def test_a_damaged_line_of_the_table_hides_no_other_room(tmp_path: Path) -> None:
    """Bytes that are not text, and values of another kind."""
    path = tmp_path / "journal.sqlite"
    good, garbled = RoomCode("GGGGGG"), RoomCode("BBBBBB")
    store = await SqliteStore.open(path)
    for room in (good, garbled):
        await store.append(room, 0, [opened()])
    await store.close()
    with sqlite3.connect(path) as db:
        change = "UPDATE rooms SET title = CAST(x'41ff' AS TEXT) WHERE code = ?"
        db.execute(change, (garbled,))
    db.close()
    again = await SqliteStore.open(path)
    titles = {one.code: one.title for one in await again.rooms()}
    assert titles == {good: "Test deck", garbled: "A\N{REPLACEMENT CHARACTER}"}
    assert await again.load(good) == [opened()]
    await again.append(good, 1, [RoomLocked()])
    await again.close()


async def test_an_examination_sees_one_moment_whatever_is_written_meanwhile(
    tmp_path: Path,
) -> None:
    """As `twogaps journal check` and doctor do while a class votes."""
    path = tmp_path / "journal.sqlite"
    store = await SqliteStore.open(path)
    await store.append(ROOM, 0, [opened()])
    written = []

    def append(statement: str) -> None:
        """Append an event after the examination has read the events."""
        if "FROM rooms" in statement and not written:
            with contextlib.closing(sqlite3.connect(path)) as other, other:
                row = (ROOM, 2, encode(RoomLocked()))
                other.execute("INSERT INTO events VALUES (?, ?, ?)", row)
                other.execute("UPDATE rooms SET version = 2")
            written.append(statement)

    with reading(path) as db:
        db.set_trace_callback(append)
        found = examine(db, ROOM)
    assert written
    assert (len(found.bodies), found.damage) == (1, None)
    await store.close()


async def test_rooms_that_were_recorded_and_are_gone_are_logged_at_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal was moved away, and the server makes a new one in its place."""
    path = tmp_path / "journal.sqlite"
    store = await SqliteStore.open(path)
    await store.append(ROOM, 0, [opened()])
    await store.close()
    again = await SqliteStore.open(path)
    await again.close()
    assert not caplog.records
    path.unlink()
    empty = await SqliteStore.open(path)
    assert await empty.rooms() == []
    await empty.close()
    assert f"1 recorded room is not in it: {ROOM}" in caplog.text


async def test_a_file_of_before_gets_the_new_columns_and_lists_its_rooms(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite"
    store = await SqliteStore.open(path)
    await store.append(ROOM, 0, played())
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE rooms DROP COLUMN time_zone")
        db.execute("ALTER TABLE rooms DROP COLUMN name")
        db.commit()
    again = await SqliteStore.open(path)
    (record,) = await again.rooms()
    assert (record.code, record.time_zone, record.name) == (ROOM, None, None)
    await again.append(ROOM, record.version, [RoomLocked()])
    await again.close()
