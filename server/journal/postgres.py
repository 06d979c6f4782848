"""A journal in PostgreSQL, for a fleet of nodes, each of which may fail.

An append is a single statement: if the room's version is the expected one, it updates
the version and stores the events and their seal. It returns once the database has
committed (``synchronous_commit``), on a synchronous standby as well if there is one.

An append that gets no answer may have been stored. The room then reads the journal
again, as it does after every failure of a store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import (
    decode_all,
    encode_all,
    forgotten,
    name_in,
    oldest_reader,
)
from server.journal.examine import examine_rooms
from server.journal.integrity import Seal, crc_of, crc_of_list, first_damage
from server.journal.sqlite import copy_rooms
from server.journal.store import (
    BadAddress,
    DamagedRoom,
    Examination,
    NoJournal,
    RoomRecord,
    StoreUnavailable,
    TenureLost,
    VersionConflict,
    record_of,
)
from server.journal.tables import (
    GO_ON,
    OPEN,
    RECORDS,
    RETRY_S,
    SILENT,
    Connection,
    Connector,
    all_rows,
    migrate,
    one_value,
    stored_format,
)

log = logging.getLogger("twogaps.journal")

Pool = AsyncConnectionPool[Connection]

CONNECTIONS = 8
"""Maximum number of connections per node. An append takes about a millisecond."""

ANSWER_S = 5.0
"""Time without an answer, in seconds, after which the database is unavailable."""

CLOSE_S = 0.1
"""Time for the tasks of a pool whose server is gone to end, in seconds."""

WRITABLE = frozenset({"read-write", "primary"})
"""The settings of ``target_session_attrs`` that find the server to write to."""

_AWAY = (psycopg.Error, PoolTimeout, OSError, TimeoutError)
"""The errors that a call raises if the database is unavailable or refuses it."""


class PostgresStore:
    """A journal in a PostgreSQL database; several nodes may use it together."""

    def __init__(
        self, url: str, connections: int = CONNECTIONS, answer_s: float = ANSWER_S
    ) -> None:
        """``url`` may name several hosts; nothing is opened before the first call.

        With ``target_session_attrs=read-write``, the writable host is used. Without an
        answer for ``answer_s`` seconds, the database is considered unavailable; it ends
        transactions in which a node is silent for as long. Raises :class:`BadAddress`.
        """
        answer_ms = int(answer_s * 1000)
        try:
            self.address = make_conninfo(
                url,
                connect_timeout=max(2, round(answer_s)),
                tcp_user_timeout=answer_ms,
                options=f"-c statement_timeout={answer_ms} "
                f"-c idle_in_transaction_session_timeout={answer_ms}",
                application_name="two-gaps",
            )
        except psycopg.ProgrammingError as exc:
            raise BadAddress(
                "This is not the address of a database. Write postgresql://user:password"
                "@host[:5432]/database."
            ) from exc
        self.connector = Connector(one_by_one(self.address))
        self._connections = connections
        self._answer_s = answer_s
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._warned: set[int] = set()
        """Connections whose last commit was not confirmed by the standby."""

    # --- one room ---------------------------------------------------------------------

    async def append(
        self,
        room: RoomCode,
        version: int,
        events: Sequence[Event],
        *,
        epoch: int | None = None,
        node: str | None = None,
    ) -> None:
        """Store events after the first ``version`` ones; durable on return.

        With an ``epoch``, they are stored only if it is the room's current one. The
        home of a new room is ``node``, in epoch 1.
        """
        new, array = record_of(None, room, events), encode_all(tuple(events))
        values = {
            "room": room,
            "version": version,
            "n": len(events),
            "bodies": array,
            "crc": crc_of_list(array),
            "title": new.title,
            "rounds": new.rounds,
            "opened": new.opened_ms,
            "updated": new.updated_ms,
            "finished": new.finished_ms,
            "joined": new.joined,
            "time_zone": new.time_zone,
            "name": new.name,
            "reads": oldest_reader(events),
            "epoch": epoch,
            "node": node,
        }
        async with self.connection() as db:
            done = await db.execute(GO_ON if version else OPEN, values)
        if not done.rowcount:
            raise VersionConflict(f"{room} is not at event {version}")

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room in order."""
        return decode_all(room, await self.bodies(room))

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return all events of a room as they are stored.

        Raises :class:`DamagedRoom` if they are not what was appended.
        """
        async with self.connection() as db, db.transaction():
            await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return await _whole(db, room)

    async def check(self) -> None:
        """Commit a heartbeat."""
        async with self.connection() as db:
            await db.execute("UPDATE twogaps SET beats = beats + 1")

    # --- all rooms --------------------------------------------------------------------

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms, newest first."""
        async with self.connection() as db:
            rows = await all_rows(db, RECORDS + "ORDER BY opened_ms DESC, code")
        return [RoomRecord(RoomCode(row[0]), *row[1:]) for row in rows]

    async def delete(self, room: RoomCode, *, epoch: int | None = None) -> bool:
        """Remove a room and all of its events, if its epoch is still this one."""
        async with self.connection() as db, db.transaction():
            now = "SELECT epoch FROM rooms WHERE code = %s FOR UPDATE"
            if epoch not in (None, await one_value(db, now, room)):
                raise TenureLost(f"{room}: it is not deleted in epoch {epoch}")
            done = await db.execute("DELETE FROM rooms WHERE code = %s", [room])
            await db.execute("DELETE FROM events WHERE room = %s", [room])
            await db.execute("DELETE FROM seals WHERE room = %s", [room])
            await db.execute("UPDATE twogaps SET unswept = true")
        return done.rowcount > 0

    async def erase_player(self, room: RoomCode, player: PlayerId, name: str) -> int:
        """Erase a player's words."""
        async with self.connection() as db, db.transaction():
            await db.execute("SELECT 1 FROM rooms WHERE code = %s FOR UPDATE", [room])
            bodies = await _whole(db, room)
            changed = list(forgotten(bodies, player, name))
            query = "UPDATE events SET body = %s WHERE room = %s AND version = %s"
            for version, body in changed:
                bodies[version - 1] = body
                await db.execute(query, (body, room, version))
            left = (name_in(bodies), room)
            await db.execute("UPDATE rooms SET name = %s WHERE code = %s", left)
            if changed:
                await db.execute("DELETE FROM seals WHERE room = %s", [room])
                seal = (room, 1, len(bodies), crc_of(bodies))
                await db.execute("INSERT INTO seals VALUES (%s, %s, %s, %s)", seal)
                await db.execute("UPDATE twogaps SET unswept = true")
        return len(changed)

    async def sweep(self) -> bool:
        """Rewrite the tables if anything was removed since the last time.

        The operator must take care of the write-ahead log, archives and backups.
        """
        async with self.connection(may_last=True) as db:
            if not await one_value(db, "SELECT unswept FROM twogaps"):
                return False
            await db.execute("SET statement_timeout = 0")
            try:
                await db.execute("VACUUM (FULL) events")
                await db.execute("VACUUM (FULL) seals")
                await db.execute("VACUUM (FULL) rooms")
                await db.execute("UPDATE twogaps SET unswept = false")
            finally:
                await db.execute("RESET statement_timeout")
        return True

    # --- the journal ------------------------------------------------------------------

    async def exists(self) -> bool:
        """Return whether the tables exist. Does not create them."""
        with translated():
            connecting = psycopg.AsyncConnection.connect(self.address, autocommit=True)
            async with await connecting as db:
                return await stored_format(db) > 0

    async def examine(self) -> Examination:
        """Read and replay every room, without changing anything."""
        if not await self.exists():
            raise NoJournal("There is no journal in this database")
        return await examine_rooms(self)

    async def copy_to(self, path: Path) -> None:
        """Write all rooms into a SQLite journal."""
        await copy_rooms(self, path)

    async def close(self) -> None:
        """Release the connections. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(self._answer_s)
        await asyncio.gather(*self._closing)

    # --- connections ------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def connection(self, *, may_last: bool = False) -> AsyncIterator[Connection]:
        """Lend a connection, with a time limit unless ``may_last``.

        Raises :class:`StoreUnavailable` if the database is unavailable or refuses, or
        if it committed something that its standby did not confirm. The database's own
        time limit does not apply while a commit waits for a standby, so this method
        has one.
        """
        with translated():
            async with asyncio.timeout(None if may_last else 2 * self._answer_s):
                pool, db = await self._lent()
                self._warned.discard(id(db))
                try:
                    yield db
                except psycopg.errors.ReadOnlySqlTransaction:
                    self._drop(pool)
                    raise
                finally:
                    if db.closed:
                        self._drop(pool)
                    await pool.putconn(db)
            if id(db) in self._warned:
                raise StoreUnavailable("the standby did not confirm a commit")

    async def _lent(self) -> tuple[Pool, Connection]:
        """Return a connection that works, and its pool."""
        while True:
            pool = await self._opened()
            try:
                db = await pool.getconn(self._answer_s)
            except PoolClosed:  # another caller has noticed that the server is gone
                continue
            try:
                await pool.check_connection(db)
            except psycopg.OperationalError:
                self._drop(pool)
                await pool.putconn(db)
            except BaseException:
                await pool.putconn(db)
                raise
            else:
                return pool, db

    async def _opened(self) -> Pool:
        """Return the pool; if there is none, open one as soon as a server answers.

        Creates the tables on first use.
        """
        if self._pool is None:
            async with self.connector.limit(self._answer_s), self._opening:
                if self._pool is None:
                    self._pool = await self._open()
                return self._pool
        return self._pool

    async def _open(self) -> Pool:
        db = await self.connector.connect()
        try:
            await migrate(db)
        except BaseException:
            self.connector.failed()
            raise
        finally:
            await db.close()
        pool = AsyncConnectionPool[Connection](
            self.connector.address,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=self._connections,
            open=False,
            configure=self._listen,
            reconnect_timeout=RETRY_S,
            reconnect_failed=self._gave_up,
        )
        await pool.open()
        return pool

    def _gave_up(self, pool: Pool) -> None:
        """Replace a pool that has no connection left and cannot make one."""
        if not pool.get_stats()["pool_size"]:
            self._drop(pool)

    def _drop(self, pool: Pool) -> None:
        """Replace a pool whose server is gone or accepts no writes anymore.

        The pool itself would wait for 1 s, then 2 s, then 4 s between its attempts.
        """
        if pool is self._pool:
            self._pool = None
            self.connector.failed()
            task = asyncio.create_task(pool.close(CLOSE_S))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _listen(self, db: Connection) -> None:
        """Listen for the warning that a commit is not on the standby."""

        def noted(notice: psycopg.errors.Diagnostic) -> None:
            if notice.severity_nonlocalized == "WARNING" and notice.sqlstate == "01000":
                log.error("PostgreSQL: %s", notice.message_primary)
                self._warned.add(id(db))

        db.add_notice_handler(noted)


def one_by_one(address: str) -> list[str]:
    """Return an address for each host, if the one that accepts writes is wanted."""
    parts = conninfo_to_dict(address)
    hosts, ports = (str(parts.pop(key, "")).split(",") for key in ("host", "port"))
    ports = ports * len(hosts) if len(ports) == 1 else ports
    is_writable = parts.get("target_session_attrs") in WRITABLE
    if not is_writable or "hostaddr" in parts or len(ports) != len(hosts):
        return [address]
    return [
        make_conninfo("", **parts, host=host or None, port=port or None)
        for host, port in zip(hosts, ports, strict=True)
    ]


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Translate the library's errors into the port's."""
    try:
        yield
    except _AWAY as exc:
        what = str(exc) or SILENT
        raise StoreUnavailable(f"PostgreSQL: {what}") from exc


async def _whole(db: Connection, room: RoomCode) -> list[str]:
    """Return a room's events. Raises :class:`DamagedRoom` if they are not intact."""
    expected = await one_value(db, "SELECT version FROM rooms WHERE code = %s", room)
    events = "SELECT version, body FROM events WHERE room = %s ORDER BY version"
    stored = [(row[0], row[1]) for row in await all_rows(db, events, room)]
    seals = "SELECT first, last, crc FROM seals WHERE room = %s ORDER BY first"
    sealed = [Seal(*row) for row in await all_rows(db, seals, room)]
    held = expected if isinstance(expected, int) else 0
    damage = first_damage(stored, sealed, held)
    if damage is not None:
        raise DamagedRoom(room, damage.version, damage.what)
    return [body for _, body in stored]
