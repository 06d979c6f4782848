"""A journal in PostgreSQL: connections, tables, their versions, and statements."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import LiteralString

import psycopg

from server.journal.store import StoreUnavailable
from server.protocol.keys import KEY_BYTES

Connection = psycopg.AsyncConnection[psycopg.rows.TupleRow]

FORMAT = 5
"""The format of the tables; a database with a later format is refused."""

SERVES = 5
"""The oldest format whose programs can also use these tables.

Since then, columns and tables were only added, so a fleet can be upgraded and rolled
back one node at a time."""

CHANNEL = "twogaps"
"""The channel on which a node is notified, by name, that its rooms have changed."""

_LOCK = 0x74776F67  # "twog": only one node migrates at a time

_TABLES = """
CREATE TABLE IF NOT EXISTS twogaps (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    format integer NOT NULL,
    beats bigint NOT NULL DEFAULT 0,
    unswept boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS rooms (
    code text PRIMARY KEY,
    title text NOT NULL,
    rounds integer NOT NULL,
    opened_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    finished_ms bigint,
    joined integer NOT NULL,
    version integer NOT NULL,
    time_zone text
);
CREATE TABLE IF NOT EXISTS events (
    room text NOT NULL,
    version integer NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (room, version)
);
CREATE TABLE IF NOT EXISTS seals (
    room text NOT NULL,
    first integer NOT NULL,
    last integer NOT NULL,
    crc bigint NOT NULL,
    PRIMARY KEY (room, first)
);
"""

_LEASES = """
CREATE TABLE IF NOT EXISTS nodes (
    name text PRIMARY KEY,
    boot text NOT NULL,
    url text NOT NULL DEFAULT '',
    reads integer[] NOT NULL,
    load integer NOT NULL DEFAULT 0,
    is_draining boolean NOT NULL DEFAULT false,
    renewed timestamptz NOT NULL,
    until timestamptz NOT NULL,
    steady timestamptz NOT NULL
);
ALTER TABLE rooms ADD COLUMN IF NOT EXISTS node text;
ALTER TABLE rooms ADD COLUMN IF NOT EXISTS is_held boolean NOT NULL DEFAULT false;
ALTER TABLE rooms ADD COLUMN IF NOT EXISTS epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN IF NOT EXISTS reads integer[] NOT NULL DEFAULT '{0}';
ALTER TABLE twogaps ADD COLUMN IF NOT EXISTS key text;
CREATE INDEX IF NOT EXISTS rooms_by_node ON rooms (node) WHERE is_held;
"""
"""Format 2. A node's lease lasts until ``until``; it has no gaps since ``steady``.

A room has a home while ``is_held`` is true and its ``node`` has a lease. Taking a room
increments its ``epoch``. ``reads`` is the version of Two Gaps that a room's journal
needs, or that a node can read.
"""

_NAMES = "ALTER TABLE rooms ADD COLUMN IF NOT EXISTS name text"
"""Format 3: the names that hosts give to their rooms."""

_FLEET = """
ALTER TABLE twogaps ADD COLUMN IF NOT EXISTS admin_key text;
ALTER TABLE twogaps ADD COLUMN IF NOT EXISTS shelved bigint NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN IF NOT EXISTS ledger text;
CREATE TABLE IF NOT EXISTS shelf (path text PRIMARY KEY, body text NOT NULL);
"""
"""Format 4: what a node needs if it has lost its disk.

``admin_key`` lets the admin open rooms at every node. ``ledger`` is each node's record
of how long rooms have been kept. ``shelf`` has the files of custom cases and decks, and
``shelved`` counts its changes.
"""

_SERVES = "ALTER TABLE twogaps ADD COLUMN IF NOT EXISTS serves integer"
"""Format 5: the oldest format whose programs may use these tables."""

OPEN = """
WITH moved AS (
    INSERT INTO rooms (
        code, title, rounds, opened_ms, updated_ms, finished_ms, joined, version,
        time_zone, name, reads, node, is_held, epoch
    ) VALUES (
        %(room)s, %(title)s, %(rounds)s, %(opened)s, %(updated)s, %(finished)s,
        %(joined)s, %(n)s, %(time_zone)s, %(name)s, %(reads)s::int[], %(node)s::text,
        %(node)s::text IS NOT NULL, 1
    ) ON CONFLICT DO NOTHING RETURNING version
), stored AS (
    INSERT INTO events
    SELECT %(room)s, %(version)s::int + o.number, o.body::text
    FROM moved,
        json_array_elements(%(bodies)s::json) WITH ORDINALITY AS o (body, number)
)
INSERT INTO seals
SELECT %(room)s, %(version)s::int + 1, %(version)s::int + %(n)s, %(crc)s FROM moved
"""
"""All events are one JSON parameter: an array of texts takes five times as long."""

GO_ON = OPEN.replace(
    OPEN[OPEN.index("    INSERT INTO rooms") : OPEN.index("), stored")],
    """\
    UPDATE rooms SET
        version = version + %(n)s,
        updated_ms = greatest(updated_ms, %(updated)s),
        finished_ms = coalesce(%(finished)s, finished_ms),
        joined = joined + %(joined)s,
        rounds = rounds + %(rounds)s,
        name = coalesce(%(name)s, name),
        time_zone = coalesce(%(time_zone)s, time_zone),
        reads = greatest(reads, %(reads)s::int[])
    WHERE code = %(room)s AND version = %(version)s
        AND (%(epoch)s::bigint IS NULL OR epoch = %(epoch)s)
    RETURNING version
""",
)

RECORDS = """
SELECT code, title, rounds, opened_ms, updated_ms, finished_ms, joined, version,
    time_zone, name
FROM rooms
"""


ADMIN_KEY = "UPDATE twogaps SET admin_key = coalesce(admin_key, %s) RETURNING admin_key"

SHELF = "SELECT path, body FROM shelf ORDER BY path"


# --- leases --------------------------------------------------------------------------


RENEW = """
UPDATE nodes SET
    renewed = t, until = t + %(lease)s * interval '1 s', url = %(url)s, load = %(load)s,
    steady = CASE WHEN t - renewed > %(gap)s * interval '1 s' THEN t ELSE steady END
FROM (SELECT clock_timestamp() AS t) AS now
WHERE name = %(name)s AND boot = %(boot)s
RETURNING is_draining
"""

JOIN = """
INSERT INTO nodes (name, boot, reads, renewed, until, steady)
SELECT %(name)s, %(boot)s, %(reads)s::int[], t, t + %(lease)s * interval '1 s', t
FROM (SELECT clock_timestamp() AS t) AS now
ON CONFLICT (name) DO UPDATE SET
    boot = excluded.boot, reads = excluded.reads, url = '', load = 0,
    is_draining = false, renewed = excluded.renewed, until = excluded.until,
    steady = excluded.steady
"""

RESUME = """
UPDATE rooms SET epoch = epoch + 1, is_held = reads <= %(reads)s::int[]
WHERE node = %(name)s AND is_held
"""
"""A node that restarts gets its rooms back, except those that it is too old to read."""

MAY_TAKE = """
SELECT until > t,
    steady + %(lease)s * interval '1 s' <= t
    AND t - renewed <= %(gap)s * interval '1 s' AND NOT is_draining
FROM nodes, (SELECT clock_timestamp() AS t) AS now
WHERE name = %(name)s AND boot = %(boot)s
"""
"""Whether a node has a lease, and whether it may take rooms of nodes that died."""

FORGET = """
DELETE FROM nodes WHERE until < now() - interval '7 days'
    AND NOT EXISTS (SELECT FROM rooms WHERE node = nodes.name AND is_held)
"""

DEAD = """
SELECT name FROM nodes WHERE name = ANY(%s) AND until < clock_timestamp()
FOR UPDATE SKIP LOCKED
"""
"""Locks nodes without a lease, so that none of them renews while rooms are taken."""

HOME = """
SELECT r.node, r.is_held, r.epoch, r.reads, n.url, n.until > clock_timestamp()
FROM rooms r LEFT JOIN nodes n ON n.name = r.node WHERE r.code = %s
"""

TAKE = """
UPDATE rooms SET node = %s, is_held = true, epoch = epoch + 1
WHERE code = %s AND epoch = %s AND node IS NOT DISTINCT FROM %s RETURNING epoch
"""

PEERS = """
SELECT name, load, reads, is_draining, until > clock_timestamp(),
    extract(epoch FROM clock_timestamp() - until)::float,
    EXISTS (SELECT FROM rooms WHERE node = nodes.name AND is_held), url
FROM nodes
"""

ADOPT = """
UPDATE rooms SET node = %(name)s, epoch = epoch + 1 WHERE code IN (
    SELECT code FROM rooms
    WHERE is_held AND node = ANY(%(gone)s) AND reads <= %(reads)s::int[]
    ORDER BY updated_ms DESC LIMIT %(most)s FOR UPDATE SKIP LOCKED
) RETURNING code
"""

GIVE = """
UPDATE rooms SET node = given.node, epoch = rooms.epoch + 1
FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS given (code, node, epoch)
WHERE rooms.code = given.code AND rooms.node = %s AND rooms.is_held
    AND rooms.epoch = given.epoch
RETURNING rooms.code
"""

# --- connections ---------------------------------------------------------------------

RETRY_S = 0.25
"""Maximum time between two attempts to connect to a server, in seconds.

The minimum is three quarters of it, so that not all nodes try at the same time.
"""

SILENT = "no answer in time"


class Connector:
    """Connects to the server that accepts writes, whichever that is at the time.

    All hosts are tried together, so one that does not answer delays nothing; the last
    one that worked has a head start unless something has failed since. Callers wait for
    each other: a node has one attempt per host at a time, and the next soon after it.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``hosts`` are the addresses of the database at each; ``sleep`` takes s."""
        self._hosts = list(hosts)
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._next_s = 0.0
        self._why = SILENT

    @property
    def address(self) -> str:
        """The address of the server that worked last."""
        return self._hosts[0]

    def failed(self) -> None:
        """Start the next attempt after a pause."""
        now_s = asyncio.get_running_loop().time()
        self._next_s = now_s + RETRY_S * random.uniform(0.75, 1)  # noqa: S311 - jitter

    @contextlib.asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        """Limit the time. Raises :class:`StoreUnavailable` with the last failure."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise StoreUnavailable(f"PostgreSQL: {self._why}") from None

    async def connect(self) -> Connection:
        """Open a connection; try until that works, or until cancelled."""
        async with self._turn:
            head_start_s = 0.0 if self._next_s else RETRY_S
            tries = [
                asyncio.create_task(self._try(host, number * head_start_s))
                for number, host in enumerate(self._hosts)
            ]
            try:
                done, _ = await asyncio.wait(tries, return_when=asyncio.FIRST_COMPLETED)
                first = tries.index(done.pop())
                self._hosts.insert(0, self._hosts.pop(first))
                self._why, self._next_s = SILENT, 0.0
                return tries.pop(first).result()
            finally:
                for one in tries:
                    one.cancel()
                for other in await asyncio.gather(*tries, return_exceptions=True):
                    if isinstance(other, psycopg.AsyncConnection):
                        await other.close()

    async def _try(self, host: str, wait_s: float) -> Connection:
        now_s = asyncio.get_running_loop().time()
        wait_s += max(0.0, self._next_s - now_s)
        while True:
            if wait_s:
                await self._sleep(wait_s)
            try:
                return await psycopg.AsyncConnection.connect(host, autocommit=True)
            except (psycopg.Error, OSError) as exc:
                self._why = str(exc)
                self.failed()
            wait_s = self._next_s - asyncio.get_running_loop().time()


# --- calls ---------------------------------------------------------------------------


async def all_rows(
    db: Connection, query: LiteralString, *values: object
) -> list[psycopg.rows.TupleRow]:
    """Return all rows of a query."""
    return await (await db.execute(query, values)).fetchall()


async def rows_of(
    db: Connection, query: LiteralString, values: dict[str, object]
) -> list[psycopg.rows.TupleRow]:
    """Return all rows of a query with named values."""
    return await (await db.execute(query, values)).fetchall()


async def one_value(db: Connection, query: LiteralString, *values: object) -> object:
    """Return the first value of the first row; None if there is none."""
    row = await (await db.execute(query, values)).fetchone()
    return row[0] if row else None


async def call(db: Connection, node: str) -> None:
    """Notify a node, at the end of the transaction, to check its rooms now."""
    await db.execute("SELECT pg_notify(%s, %s)", (CHANNEL, node))


async def stored_format(db: Connection) -> int:
    """Return the format of the tables; 0 if they do not exist."""
    if await one_value(db, "SELECT to_regclass('twogaps')::text") is None:
        return 0
    found = await one_value(db, "SELECT format FROM twogaps")
    return found if isinstance(found, int) else 0


async def _serves(db: Connection) -> int:
    """Return the oldest format whose programs can use the tables of this database."""
    query = "SELECT coalesce((to_jsonb(t) ->> 'serves')::int, format) FROM twogaps t"
    found = await one_value(db, query)
    return found if isinstance(found, int) else FORMAT + 1


async def migrate(db: Connection) -> None:
    """Create the tables or bring them up to date, one node at a time.

    Raises :class:`StoreUnavailable` if this version is too old for the tables.
    """
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        found = await stored_format(db)
        if found > FORMAT and await _serves(db) > FORMAT:
            raise StoreUnavailable(
                f"this database has format {found}, and this version knows {FORMAT}: "
                "update Two Gaps"
            )
        if found < FORMAT:
            await db.execute(_TABLES)
            await db.execute(_LEASES)
            await db.execute(_NAMES)
            await db.execute(_FLEET)
            await db.execute(_SERVES)
            await db.execute(
                "INSERT INTO twogaps (format, serves, key) "
                "VALUES (%(format)s, %(serves)s, %(key)s) "
                "ON CONFLICT (id) DO UPDATE SET format = %(format)s, "
                "serves = %(serves)s, key = coalesce(twogaps.key, %(key)s)",
                {
                    "format": FORMAT,
                    "serves": SERVES,
                    "key": secrets.token_hex(KEY_BYTES),
                },
            )
