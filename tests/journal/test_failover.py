"""A database that goes away and comes back: who tries to reach it, and how often."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from server.federation.fleet import Member
from server.game.events import RoomLocked
from server.journal.postgres import PostgresStore, one_by_one
from server.journal.store import StoreUnavailable
from server.journal.tables import RETRY_S, Connector
from tests.journal.test_contract import ROOM, played
from tests.support.front import Front, front_of
from tests.support.until import until

GUARD_S = 60.0

Sleep = Callable[[float], Awaitable[None]]


@pytest.fixture
async def front(postgresql: str) -> AsyncIterator[Front]:
    async with front_of(int(str(conninfo_to_dict(postgresql)["port"]))) as front:
        yield front


@contextlib.asynccontextmanager
async def store_at(
    address: str, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[PostgresStore]:
    """A store with one connection, which waits with ``sleep``, and is patient."""
    store = PostgresStore(address, connections=1, answer_s=GUARD_S)
    store.connector = Connector(one_by_one(store.address), sleep)
    try:
        yield store
    finally:
        await store.close()


class Pauses:
    """Waits no time, and lets something happen in one of the waits."""

    def __init__(self, happens: Callable[[], None], at: int) -> None:
        """``happens`` is called in the wait number ``at``."""
        self.waits: list[float] = []
        self._happens, self._at = happens, at

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == self._at:
            self._happens()


async def test_an_append_succeeds_at_the_first_attempt_after_an_outage(
    front: Front, postgresql: str
) -> None:
    pauses = Pauses(lambda: front.set("open"), at=12)
    address = make_conninfo(postgresql, port=front.port)
    async with store_at(address, pauses.sleep) as store:
        await store.append(ROOM, 0, played())
        assert not pauses.waits
        front.set("refusing")
        await store.append(ROOM, len(played()), [RoomLocked()])
        assert len(pauses.waits) == 12, "no pause after the server was back"
        assert all(RETRY_S / 2 < each <= RETRY_S for each in pauses.waits)
        assert front.turned_away == 11
        assert len(await store.load(ROOM)) == len(played()) + 1


async def test_all_rooms_of_a_node_share_its_attempts(
    front: Front, postgresql: str
) -> None:
    turns = asyncio.Semaphore(0)

    async def sleep(_: float) -> None:
        await turns.acquire()

    address = make_conninfo(postgresql, port=front.port)
    async with store_at(address, sleep) as store:
        await store.check()
        front.set("refusing")
        async with asyncio.TaskGroup() as rooms:
            for _ in range(20):
                rooms.create_task(store.check())
            for number in range(1, 4):
                turns.release()
                await until(lambda n=number: front.turned_away == n)  # type: ignore[misc]
            front.set("open")
            turns.release()
        assert front.turned_away == 3


async def test_a_lease_is_renewed_at_the_first_attempt_after_an_outage(
    front: Front, postgresql: str
) -> None:
    pauses = Pauses(lambda: front.set("open"), at=5)
    address = make_conninfo(postgresql, port=front.port)
    async with store_at(address, pauses.sleep) as store:
        node = Member(store, "ada")
        await node.join()
        front.set("refusing")
        async with node.line() as db:
            await node.renew(db, 0)
        assert node.is_sure
        assert (len(pauses.waits), front.turned_away) == (5, 5)


async def test_a_host_that_does_not_answer_delays_no_other(
    front: Front, postgresql: str
) -> None:
    front.set("silent")
    parts = conninfo_to_dict(postgresql)
    address = make_conninfo(
        postgresql,
        host=f"127.0.0.1,{parts['host']}",
        port=f"{front.port},{parts['port']}",
        target_session_attrs="read-write",
    )
    pauses = Pauses(lambda: None, at=0)
    async with store_at(address, pauses.sleep) as store:
        await store.append(ROOM, 0, played())
        await until(lambda: front.turned_away)
        async with await store.connector.connect():
            pass
        assert conninfo_to_dict(store.connector.address)["port"] == parts["port"]
        assert await store.load(ROOM) == played()


async def test_a_server_that_accepts_no_more_writes_is_left(postgresql: str) -> None:
    async with store_at(postgresql) as store:
        await store.append(ROOM, 0, played())
        async with store.connection() as db:
            await db.execute("SET default_transaction_read_only = on")
        with pytest.raises(StoreUnavailable, match="read-only"):
            await store.append(ROOM, len(played()), [RoomLocked()])
        await store.append(ROOM, len(played()), [RoomLocked()])


async def test_a_pool_that_cannot_connect_is_replaced(
    front: Front, postgresql: str
) -> None:
    """The server goes away between the first connection and those of the pool."""
    address = make_conninfo(postgresql, port=front.port)
    async with store_at(address) as store:
        front.next_ones = ["open", "refusing", "refusing"]
        await store.append(ROOM, 0, played())
        assert front.turned_away == 2
        assert await store.load(ROOM) == played()


async def test_a_database_that_stays_away_is_reported_with_the_reason(
    front: Front, postgresql: str
) -> None:
    has_failed = asyncio.Event()

    async def sleep(_: float) -> None:
        has_failed.set()
        await asyncio.Event().wait()

    front.set("refusing")
    connector = Connector([make_conninfo(postgresql, port=front.port)], sleep)
    trying = asyncio.create_task(connector.connect())
    await has_failed.wait()
    trying.cancel()

    async def out_of_time() -> None:
        async with connector.limit(GUARD_S):
            raise TimeoutError

    with pytest.raises(StoreUnavailable, match="connection to server"):
        await out_of_time()


@pytest.mark.parametrize(
    ("address", "ports"),
    [
        ("postgresql://a,b/x?target_session_attrs=read-write", [None, None]),
        ("postgresql://a:1,b:2/x?target_session_attrs=primary", ["1", "2"]),
        ("host=a,b port=7 target_session_attrs=read-write", ["7", "7"]),
    ],
)
def test_each_host_of_an_address_is_tried_on_its_own(
    address: str, ports: list[str | None]
) -> None:
    parts = [conninfo_to_dict(each) for each in one_by_one(address)]
    assert [each["host"] for each in parts] == ["a", "b"]
    assert [each.get("port") for each in parts] == ports


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://a,b/x",
        "host=a,b port=1,2,3 target_session_attrs=read-write",
        "host=a,b hostaddr=127.0.0.1,127.0.0.2 target_session_attrs=read-write",
    ],
)
def test_hosts_keep_their_order_if_any_server_will_do(address: str) -> None:
    assert one_by_one(address) == [address]
