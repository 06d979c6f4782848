"""What PostgreSQL alone can do to a journal: be away, be slow, be of a later format."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from server.game.engine import replay
from server.game.events import Event, RoomLocked, RoomUnlocked
from server.game.ids import RoomCode
from server.journal.opening import address_of, open_store
from server.journal.postgres import PostgresStore
from server.journal.store import (
    BadAddress,
    DamagedRoom,
    NoJournal,
    StoreUnavailable,
    VersionConflict,
)
from server.journal.tables import FORMAT
from tests.journal.test_contract import ROOM, played
from tests.support.cli import twogaps
from tests.support.missing import need
from tests.support.postgres import Postgres, postgres, programs


@pytest.fixture
async def store(postgresql: str) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(postgresql, connections=3, answer_s=2.0)
    yield made
    await made.close()


def run_sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        for statement in statements:
            db.execute(statement.encode())


async def test_nodes_that_start_together_make_the_tables_once(postgresql: str) -> None:
    nodes = [PostgresStore(postgresql) for _ in range(4)]
    await asyncio.gather(*(node.check() for node in nodes))
    await asyncio.gather(*(node.close() for node in nodes))


async def test_two_nodes_collide_on_one_version(
    store: PostgresStore, postgresql: str
) -> None:
    await store.append(ROOM, 0, played())
    version = len(played())
    other = PostgresStore(postgresql)
    results = await asyncio.gather(
        store.append(ROOM, version, [RoomLocked()]),
        other.append(ROOM, version, [RoomUnlocked()]),
        return_exceptions=True,
    )
    await other.close()
    assert [type(one) for one in results].count(VersionConflict) == 1
    assert len(await store.load(ROOM)) == version + 1


async def loaded(store: PostgresStore) -> list[Event]:
    """Return a room's events once the database can be reached."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StoreUnavailable):
                return await store.load(ROOM)
            await asyncio.sleep(0.1)


async def test_a_database_that_ends_loses_no_append_and_comes_back() -> None:
    """A server of its own: with the databases of all tests, a crash takes long."""
    need(programs(), "PostgreSQL")
    with postgres() as server:
        store = PostgresStore(server.create("journal"), connections=3, answer_s=2.0)
        await store.append(ROOM, 0, played())
        server.stop("immediate")
        with pytest.raises(StoreUnavailable):
            await store.append(ROOM, len(played()), [RoomLocked()])
        server.start()
        assert await loaded(store) == played()
        await store.append(ROOM, len(played()), [RoomLocked()])
        assert len(await store.load(ROOM)) == len(played()) + 1
        await store.close()


async def test_an_answer_that_does_not_come_makes_the_store_unavailable(
    store: PostgresStore, postgresql: str
) -> None:
    await store.append(ROOM, 0, played())
    with psycopg.connect(postgresql) as other:
        other.execute("SELECT 1 FROM rooms FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="statement timeout"):
            await store.append(ROOM, len(played()), [RoomLocked()])
    assert await store.load(ROOM) == played()


async def test_a_machine_that_stops_in_a_transaction_keeps_no_locks(
    store: PostgresStore, postgresql: str
) -> None:
    """It cannot end its transaction, and its connection ends hours later."""
    await store.append(ROOM, 0, played())
    stopped = PostgresStore(postgresql, answer_s=1.0)

    async def stop_in_a_transaction() -> None:
        async with stopped.connection() as db, db.transaction():
            await db.execute("SELECT 1 FROM rooms FOR UPDATE")
            await store.append(ROOM, len(played()), [RoomLocked()])

    with pytest.raises(StoreUnavailable):
        await stop_in_a_transaction()
    await stopped.close()
    assert len(await store.load(ROOM)) == len(played()) + 1


async def test_a_commit_that_the_standby_did_not_confirm_is_not_acknowledged(
    store: PostgresStore, postgresql: str
) -> None:
    """The server stops waiting with a warning; the commit itself stays.

    A reload takes effect a moment later, so the first appends may still be confirmed.
    """
    stored = list(played())
    await store.append(ROOM, 0, stored)

    async def append_until_refused() -> None:
        while True:
            await store.append(ROOM, len(stored), [RoomLocked()])
            stored.append(RoomLocked())

    name = postgresql.rpartition("/")[2]
    run_sql(
        postgresql,
        f"ALTER DATABASE {name} SET synchronous_commit = on",
        "ALTER SYSTEM SET synchronous_standby_names = 'gone'",
        "SELECT pg_reload_conf()",
    )
    try:
        with pytest.raises(StoreUnavailable, match=r"standby|in time"):
            await append_until_refused()
    finally:
        run_sql(
            postgresql,
            "SET synchronous_commit = local",
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        )
    assert await store.load(ROOM) == [*stored, RoomLocked()], "unknown, and stored"


async def test_a_database_of_a_later_format_is_refused_unless_it_serves_this_one(
    store: PostgresStore, postgresql: str
) -> None:
    await store.check()
    run_sql(postgresql, f"UPDATE twogaps SET format = {FORMAT + 1}")
    fits = PostgresStore(postgresql)
    await fits.check()
    await fits.close()
    run_sql(postgresql, f"UPDATE twogaps SET serves = {FORMAT + 1}")
    later = PostgresStore(postgresql)
    with pytest.raises(StoreUnavailable, match="update Two Gaps"):
        await later.check()
    await later.close()


async def test_an_event_that_was_changed_by_another_hand_is_found(
    store: PostgresStore, postgresql: str
) -> None:
    await store.append(ROOM, 0, played())
    run_sql(postgresql, "UPDATE events SET body = '{}' WHERE version = 4")
    with pytest.raises(DamagedRoom):
        await store.load(ROOM)
    assert [one.room for one in (await store.examine()).damaged] == [ROOM]


async def test_an_empty_database_holds_no_journal(postgresql: str) -> None:
    with pytest.raises(NoJournal):
        async with open_store(postgresql, must_exist=True):
            pass
    with pytest.raises(BadAddress, match="postgresql://user"):
        PostgresStore("postgresql://host/x?nonsense=1")


async def test_a_sweep_leaves_nothing_of_what_was_removed(
    store: PostgresStore, database_server: Postgres, postgresql: str
) -> None:
    await store.append(ROOM, 0, played())
    assert await store.sweep() is False
    await store.delete(ROOM)
    assert await store.sweep() is True
    assert await store.sweep() is False
    with psycopg.connect(postgresql, autocommit=True) as db:
        db.execute("CHECKPOINT")
        (own,) = db.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchall()
    tables = (database_server.folder / "base" / str(own[0])).iterdir()
    words = b"the points were paid for it"
    assert not [
        path for path in tables if path.is_file() and words in path.read_bytes()
    ]


async def _rooms(address: str) -> dict[RoomCode, object]:
    async with open_store(address_of(address)) as journal:
        records = await journal.rooms()
        return {one.code: replay(await journal.load(one.code)) for one in records}


def test_rooms_are_copied_both_ways(postgresql: str, tmp_path: Path) -> None:
    first, last = f"sqlite:{tmp_path / 'a.sqlite'}", f"sqlite:{tmp_path / 'b.sqlite'}"

    async def fill() -> None:
        async with open_store(first) as journal:
            await journal.append(ROOM, 0, played())
            await journal.append(RoomCode("OTHERR"), 0, played()[:4])

    asyncio.run(fill())
    for source, target in ((first, postgresql), (postgresql, last)):
        done = twogaps("journal", "copy", source, target)
        assert done.exit_code == 0, done.output
        assert "2 rooms copied" in done.output
    assert asyncio.run(_rooms(first)) == asyncio.run(_rooms(last))

    async def go_on(address: str) -> None:
        async with open_store(address) as journal:
            await journal.append(ROOM, len(played()), [RoomLocked()])

    asyncio.run(go_on(first))
    assert twogaps("journal", "copy", first, postgresql).exit_code == 0
    assert asyncio.run(_rooms(first)) == asyncio.run(_rooms(postgresql))
    refused = twogaps("journal", "copy", last, postgresql)
    assert refused.exit_code != 0
    assert ROOM in refused.output
