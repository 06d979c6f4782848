"""A node's membership in a fleet: its lease, which runs on the database's clock.

A node has one lease for all its rooms. While the database is unavailable, no node can
renew its lease or take rooms over. After that, a node takes no rooms over until it has
renewed without a gap for the length of a lease. By then every live node has renewed, so
an outage does not move any rooms.
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
"""Length of a lease, in seconds. When a node dies, others take over its rooms this long
after its last renewal, or at most a beat later. A node that pauses for longer loses its
rooms."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The length of a lease and the times derived from it, in seconds."""

    lease_s: float = LEASE_S

    @property
    def beat_s(self) -> float:
        """The time between two renewals."""
        return self.lease_s / 4

    @property
    def gap_s(self) -> float:
        """The pause after which a node takes no rooms over for the length of a lease.

        An outage must last three beats before another node's lease can end in it.
        """
        return self.lease_s / 2

    @property
    def margin_s(self) -> float:
        """How long before the end of its lease a node stops relying on it."""
        return self.lease_s / 10


class NameTaken(Exception):  # noqa: N818 - read as a sentence
    """Another server in the fleet is already using this node's name."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What a node last read about another node."""

    name: str
    load: int
    reads: list[int]
    is_draining: bool
    is_live: bool
    over_s: float
    """Seconds since its lease ended; negative while the lease is valid."""
    has_rooms: bool
    url: str
    """Its address for other nodes; empty while it starts."""

    @property
    def is_able(self) -> bool:
        """Whether it could take rooms over."""
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
        """``now_s`` is a clock that includes suspended time. ``reads`` is the newest
        version whose journals this node can read. ``shelf`` has the shared cases.
        """
        self.store = store
        self.shelf = shelf
        self.name = name
        self.terms = terms or Terms()
        self.reads = list(reads)
        self.key = ""
        """The secret that the nodes of the fleet share."""
        self.admin_key = ""
        """The admin's key, which is the same at every node."""
        self.url = ""
        """This node's address for other nodes; empty until it listens."""
        self.peers: list[Peer] = []
        self.is_draining = False
        """Whether this node has been asked to hold no rooms."""
        self._now_s = now_s
        self._boot = secrets.token_hex(KEY_BYTES)
        self._sure_until_s = -math.inf
        self._has_left = False

    @property
    def is_sure(self) -> bool:
        """Whether the lease is still valid by this node's own clock."""
        return self._now_s() < self._sure_until_s

    @property
    def names(self) -> Collection[str]:
        """The names of all nodes, including this one."""
        return {self.name, *(peer.name for peer in self.peers)}

    def reader_of(self, needs: list[int]) -> Peer | None:
        """Return the least busy node that can read journals of a version, or None."""
        readers = [
            peer
            for peer in self.peers
            if peer.is_able and peer.url and peer.reads >= needs
        ]
        return min(readers, key=lambda peer: peer.load, default=None)

    async def join(self, offered_key: str | None = None) -> None:
        """Get a lease, and resume all rooms that an earlier run of this node held.

        ``offered_key`` becomes the admin's key if the fleet does not have one yet.
        Raises :class:`StoreUnavailable`.
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

        Nothing is locked between the statements: a node that stops there must not keep
        the others from taking its rooms.

        Raises :class:`NameTaken` if another process uses this node's name.
        """
        began_s = self._now_s()
        values = {**self._values(), "url": self.url, "load": load}
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
        """Rely on the lease, counted from the start of the renewal, minus a margin."""
        self._sure_until_s = began_s + self.terms.lease_s - self.terms.margin_s

    async def leave(self) -> None:
        """End the lease, so that other nodes can take rooms that are still held."""
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
        """Return whether this node has a lease, and may take over dead nodes' rooms."""
        rows = await rows_of(db, MAY_TAKE, self._values())
        return (rows[0][0], rows[0][1]) if rows else (False, False)

    async def adopt(self, db: Connection, load: int) -> list[RoomCode]:
        """Take over a share of dead nodes' rooms; the least busy node goes first."""
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
        """Return this node's stored ledger of how long rooms have been kept."""
        async with self.store.connection() as db:
            query = "SELECT ledger FROM nodes WHERE name = %s"
            found = await one_value(db, query, self.name)
        return found if isinstance(found, str) else None

    async def keep_ledger(self, text: str) -> None:
        """Store this node's ledger of how long rooms have been kept."""
        async with self.store.connection() as db:
            query = "UPDATE nodes SET ledger = %s WHERE name = %s"
            await db.execute(query, (text, self.name))

    async def read_peers(self, db: Connection) -> None:
        """Read the state of the other nodes."""
        rows = await all_rows(db, PEERS)
        self.peers = [Peer(*row) for row in rows if row[0] != self.name]

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[Connection]:
        """Open a connection for renewals, which also gets this node's notifications.

        Raises :class:`StoreUnavailable`, also for database errors inside the block.
        """
        with translated():
            async with self.store.connector.limit(self.terms.lease_s):
                db = await self.store.connector.connect()
            try:
                async with asyncio.timeout(self.terms.lease_s):
                    await db.execute(f"LISTEN {CHANNEL}")
                yield db
            finally:
                await asyncio.shield(db.close())

    async def called(self, db: Connection) -> None:
        """Wait until this node is notified, for one beat at most."""
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
    """Custom cases and decks from the database, as files that this node reads."""

    def __init__(
        self, store: PostgresStore, folder: Path | None, look_s: float = 2.0
    ) -> None:
        """``folder`` is used for nothing else; None creates a temporary folder.

        The folder is updated every ``look_s`` seconds.
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
        """Remove the temporary folder, if there is one. Idempotent."""
        if self._made is not None:
            self._made.cleanup()


async def put_on_shelf(store: PostgresStore, files: Mapping[str, str]) -> None:
    """Store files for all nodes, named ``cases/ID.toml`` or ``decks/ID.toml``.

    They replace all earlier files. Raises :class:`StoreUnavailable`.
    """
    async with store.connection() as db, db.transaction():
        await db.execute("UPDATE twogaps SET shelved = shelved + 1")
        await db.execute("DELETE FROM shelf")
        for path, text in files.items():
            await db.execute("INSERT INTO shelf VALUES (%s, %s)", (path, text))


async def shelved_files(store: PostgresStore) -> list[str]:
    """Return the names of the files that are shared by all nodes."""
    async with store.connection() as db:
        return [row[0] for row in await all_rows(db, SHELF)]


def shared_out(
    rooms: Iterable[tuple[RoomCode, list[int]]], peers: Iterable[Peer]
) -> dict[RoomCode, str]:
    """Return a node for each room: the least busy one that can read its journal.

    ``rooms`` are codes, each with the version that its journal needs.
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
