"""This node among the nodes of a fleet: its lease, renewed on the database's clock.

A node has one lease, whatever it holds. While the database is away no node can renew,
and none can take. When it is back, a node takes no room of another before it has itself
renewed for a whole lease without a gap. By then every node that lives has renewed, so
an outage moves no room.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import tempfile
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from pathlib import Path

import psycopg

from scenarios.prose import plural
from server.game.ids import RoomCode
from server.journal.codec import READS
from server.journal.postgres import PostgresStore, translated
from server.journal.store import StoreUnavailable
from server.journal.tables import (
    ADMIN_KEY,
    ADOPT,
    CHANNEL,
    DEAD,
    FORGET,
    JOIN,
    MAY_TAKE,
    PEERS,
    RENEW,
    RESUME,
    SHELF,
    Connection,
    all_rows,
    call,
    one_value,
    rows_of,
)
from server.protocol.keys import KEY_BYTES
from server.rooms.clock import since_boot_ns

log = logging.getLogger("twogaps.fleet")

LEASE_S = 3.0
"""Time, in seconds, after which rooms of a node that died are taken, at most a beat
later. A node that pauses for longer loses its rooms."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease is, and what follows from that. Seconds."""

    lease_s: float = LEASE_S

    @property
    def beat_s(self) -> float:
        """How often it is renewed."""
        return self.lease_s / 4

    @property
    def gap_s(self) -> float:
        """A pause between two renewals after which a node takes nothing for a lease.

        An outage in which the lease of another node can end lasts three beats.
        """
        return self.lease_s / 2

    @property
    def margin_s(self) -> float:
        """How long before its end a node stops relying on its lease."""
        return self.lease_s / 10


class NameTaken(Exception):  # noqa: N818 - read as a sentence
    """Another server of the fleet has this one's name."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What a node has last read of another one."""

    name: str
    load: int
    reads: list[int]
    is_draining: bool
    is_live: bool
    over_s: float
    """For how long its lease has been over; negative while it has one."""
    has_rooms: bool
    url: str
    """Where other nodes reach it; empty while it starts."""

    @property
    def is_able(self) -> bool:
        """Whether it could take rooms."""
        return self.is_live and not self.is_draining


class Member:
    """A node of a fleet."""

    def __init__(
        self,
        store: PostgresStore,
        name: str,
        terms: Terms | None = None,
        now_s: Callable[[], float] = lambda: since_boot_ns() / 1e9,
        reads: Sequence[int] = READS,
        shelf: SharedShelf | None = None,
    ) -> None:
        """``now_s`` is a clock that counts suspended time; ``reads`` is the version
        whose journals this node can read; ``shelf`` has the cases of all nodes.
        """
        self.store = store
        self.shelf = shelf
        self.name = name
        self.terms = terms or Terms()
        self.reads = list(reads)
        self.key = ""
        """The secret of the fleet: its nodes know each other by it."""
        self.admin_key = ""
        """The key of the admin, the same at every node."""
        self.url = ""
        """Where other nodes reach this one; empty before it listens."""
        self.peers: list[Peer] = []
        self.is_draining = False
        """Whether this node has been asked to hold no rooms."""
        self._now_s = now_s
        self._boot = secrets.token_hex(KEY_BYTES)
        self._sure_until_s = -math.inf
        self._has_left = False

    @property
    def is_sure(self) -> bool:
        """Whether this node's own clock says that its lease is not over."""
        return self._now_s() < self._sure_until_s

    @property
    def names(self) -> Collection[str]:
        """The names of all nodes, this one included."""
        return {self.name, *(peer.name for peer in self.peers)}

    def reader_of(self, needs: list[int]) -> Peer | None:
        """Return a node that can take a room whose journal needs a version."""
        readers = [
            peer
            for peer in self.peers
            if peer.is_able and peer.url and peer.reads >= needs
        ]
        return min(readers, key=lambda peer: peer.load, default=None)

    async def join(self, offered_key: str | None = None) -> None:
        """Get a lease, and have all rooms again that an earlier run of this node had.

        ``offered_key`` becomes the admin's, if the fleet has none yet. Raises
        :class:`StoreUnavailable`.
        """
        began_s = self._now_s()
        async with self.store.connection() as db, db.transaction():
            await db.execute(FORGET)
            await db.execute(JOIN, self._values())
            await db.execute(RESUME, self._values())
            self.key = str(await one_value(db, "SELECT key FROM twogaps"))
            offered_key = offered_key or secrets.token_hex(KEY_BYTES)
            self.admin_key = str(await one_value(db, ADMIN_KEY, offered_key))
            await self.read_peers(db)
        self._renewed(began_s)

    async def renew(self, db: Connection, load: int) -> dict[RoomCode, int]:
        """Renew the lease; return the epochs of the rooms that this node holds.

        Raises :class:`NameTaken` if another process goes by its name.
        """
        began_s = self._now_s()
        values = {**self._values(), "url": self.url, "load": load}
        async with db.transaction():
            if rows := await rows_of(db, RENEW, values):
                self.is_draining = bool(rows[0][0])
            else:
                await self._join_again(db)
            held = "SELECT code, epoch FROM rooms WHERE node = %s AND is_held"
            mine = await all_rows(db, held, self.name)
            await self.read_peers(db)
        if not self._has_left:
            self._renewed(began_s)
        return {RoomCode(code): epoch for code, epoch in mine}

    async def _join_again(self, db: Connection) -> None:
        """Join again if the database has forgotten this node."""
        query = "SELECT boot FROM nodes WHERE name = %s"
        if await one_value(db, query, self.name) is not None:
            raise NameTaken(
                f"another server is already named {self.name}: give each its own --site"
            )
        await db.execute(JOIN, self._values())

    def _renewed(self, began_s: float) -> None:
        """Rely on the lease from when its renewal was begun, less a margin."""
        self._sure_until_s = began_s + self.terms.lease_s - self.terms.margin_s

    async def leave(self) -> None:
        """Give the lease back: rooms that are still held are free for others."""
        self._has_left, self._sure_until_s = True, -math.inf
        if self.shelf is not None:
            self.shelf.close()
        with contextlib.suppress(StoreUnavailable):
            async with self.store.connection() as db:
                await db.execute(
                    "UPDATE nodes SET until = clock_timestamp() "
                    "WHERE name = %s AND boot = %s",
                    (self.name, self._boot),
                )
                for peer in self.peers:
                    if peer.is_live:
                        await call(db, peer.name)

    async def rights(self, db: Connection) -> tuple[bool, bool]:
        """Return whether this node has a lease, and may take rooms of dead nodes."""
        rows = await rows_of(db, MAY_TAKE, self._values())
        return (rows[0][0], rows[0][1]) if rows else (False, False)

    async def adopt(self, db: Connection, load: int) -> list[RoomCode]:
        """Take rooms whose node has died: a share, and the least busy node first."""
        able = [peer for peer in self.peers if peer.is_able]
        is_first = all(load <= peer.load for peer in able)
        patience_s = 0.0 if is_first else self.terms.beat_s
        gone = [
            peer.name
            for peer in self.peers
            if peer.has_rooms and not peer.is_live and peer.over_s >= patience_s
        ]
        if not gone or self.is_draining:
            return []
        async with db.transaction():
            if not all(await self.rights(db)):
                return []
            names = [row[0] for row in await all_rows(db, DEAD, gone)]
            count = "SELECT count(*) FROM rooms WHERE is_held AND node = ANY(%s)"
            orphans = await one_value(db, count, names)
            most = math.ceil(int(str(orphans)) / (len(able) + 1))
            values = {**self._values(), "gone": names, "most": most}
            taken = [RoomCode(row[0]) for row in await rows_of(db, ADOPT, values)]
        if taken:
            rooms = plural(len(taken), "room")
            log.warning("took over %s of %s", rooms, ", ".join(names))
        return taken

    async def ledger(self) -> str | None:
        """Return how long this node has seen rooms kept, as it last said."""
        async with self.store.connection() as db:
            query = "SELECT ledger FROM nodes WHERE name = %s"
            found = await one_value(db, query, self.name)
        return found if isinstance(found, str) else None

    async def keep_ledger(self, text: str) -> None:
        """Keep how long rooms have been kept."""
        async with self.store.connection() as db:
            query = "UPDATE nodes SET ledger = %s WHERE name = %s"
            await db.execute(query, (text, self.name))

    async def read_peers(self, db: Connection) -> None:
        """Read what the other nodes say of themselves."""
        rows = await all_rows(db, PEERS)
        self.peers = [Peer(*row) for row in rows if row[0] != self.name]

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[Connection]:
        """Open a connection for renewals alone, on which this node is called.

        Raises :class:`StoreUnavailable`, also for what happens inside the block.
        """
        with translated():
            async with asyncio.timeout(self.terms.lease_s):
                db = await psycopg.AsyncConnection.connect(
                    self.store.address, autocommit=True
                )
            try:
                async with asyncio.timeout(self.terms.lease_s):
                    await db.execute(f"LISTEN {CHANNEL}")
                yield db
            finally:
                await asyncio.shield(db.close())

    async def called(self, db: Connection) -> None:
        """Wait until this node is called, for a beat at most."""
        async for notice in db.notifies(timeout=self.terms.beat_s, stop_after=1):
            if notice.payload == self.name:
                return

    def _values(self) -> dict[str, object]:
        return {
            "name": self.name,
            "boot": self._boot,
            "reads": self.reads,
            "lease": self.terms.lease_s,
            "gap": self.terms.gap_s,
        }


class SharedShelf:
    """Own cases and decks that are in the database, as files that this node reads."""

    def __init__(
        self, store: PostgresStore, folder: Path | None, look_s: float = 2.0
    ) -> None:
        """``folder`` is for nothing else; None takes one that is removed in the end.

        Every ``look_s`` seconds it is brought up to date.
        """
        self._store = store
        self._made = None if folder else tempfile.TemporaryDirectory(prefix="two-gaps-")
        self.folder = folder or Path(self._made.name if self._made else "")
        self._look_s = look_s
        self._shelved: object = None

    async def run(self) -> None:
        """Keep the folder up to date, until cancelled."""
        while True:
            await asyncio.sleep(self._look_s)
            with contextlib.suppress(StoreUnavailable):
                await self.refresh()

    async def refresh(self) -> None:
        """Bring the folder up to date. Raises :class:`StoreUnavailable`."""
        async with self._store.connection() as db, db.transaction():
            shelved = await one_value(db, "SELECT shelved FROM twogaps FOR SHARE")
            if shelved == self._shelved:
                return
            files = {row[0]: row[1] for row in await all_rows(db, SHELF)}
        await asyncio.to_thread(self._write, files)
        self._shelved = shelved

    def _write(self, files: Mapping[str, str]) -> None:
        for kind in ("cases", "decks"):
            (self.folder / kind).mkdir(parents=True, exist_ok=True)
            for file in (self.folder / kind).iterdir():
                if f"{kind}/{file.name}" not in files:
                    file.unlink()
        for path, text in files.items():
            fresh = self.folder / f"{path}.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self.folder / path)

    def close(self) -> None:
        """Remove a folder that was made for this. Idempotent."""
        if self._made is not None:
            self._made.cleanup()


async def put_on_shelf(store: PostgresStore, files: Mapping[str, str]) -> None:
    """Have all nodes read these files, by ``cases/ID.toml`` or ``decks/ID.toml``.

    They replace those that were there. Raises :class:`StoreUnavailable`.
    """
    async with store.connection() as db, db.transaction():
        await db.execute("UPDATE twogaps SET shelved = shelved + 1")
        await db.execute("DELETE FROM shelf")
        for path, text in files.items():
            await db.execute("INSERT INTO shelf VALUES (%s, %s)", (path, text))


async def shelved_files(store: PostgresStore) -> list[str]:
    """Return the names of the files that all nodes read."""
    async with store.connection() as db:
        return [row[0] for row in await all_rows(db, SHELF)]


def shared_out(
    rooms: Iterable[tuple[RoomCode, list[int]]], peers: Iterable[Peer]
) -> dict[RoomCode, str]:
    """Return a node for each room: the least busy one that can read its journal.

    ``rooms`` are codes, and the version that each journal needs.
    """
    nodes = [(peer.load, peer.name, peer.reads) for peer in peers if peer.is_able]
    shares: dict[RoomCode, str] = {}
    for code, needs in rooms:
        able = [entry for entry in nodes if entry[2] >= needs]
        if able:
            load, name, reads = chosen = min(able)
            nodes[nodes.index(chosen)] = (load + 1, name, reads)
            shares[code] = name
    return shares
