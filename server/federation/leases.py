"""Ownership of rooms in a fleet of nodes that share a PostgreSQL database.

A room names a node, which is its home while that node has a lease. Taking a room over
increments its epoch with a compare-and-set, and every append names the epoch, so a node
that was paused or cut off cannot store anything. A node also compares its own clock
with the end of its lease; after that, it publishes nothing about its rooms.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from server.config import Config
from server.federation.fleet import Member, SharedShelf, Terms, shared_out
from server.folder import SHELF, CannotStart, stored_key
from server.game.errors import Refused
from server.game.events import Event
from server.game.ids import RoomCode
from server.journal.postgres import PostgresStore
from server.journal.store import (
    HeldElsewhere,
    StoreUnavailable,
    TenureLost,
    VersionConflict,
)
from server.journal.tables import (
    GIVE,
    HOME,
    RETRY_S,
    TAKE,
    Connection,
    all_rows,
    call,
    one_value,
)
from server.metrics import Metrics
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.fleet")

TRIES = 3
"""Number of attempts to take a room while other nodes change the same room."""


class Tenants(Protocol):
    """The rooms of this node, which are notified when their owner changes."""

    @property
    def load(self) -> int:
        """How busy this node is: the number of its rooms plus the people in them."""
        ...

    async def arrived(self, code: RoomCode) -> None:
        """Start to run a room that now belongs to this node."""
        ...

    def lost(self, code: RoomCode) -> None:
        """Stop running a room that now belongs to another node."""
        ...

    async def hand_over(self) -> None:
        """Hand all rooms over to other nodes."""
        ...


class Lease:
    """This node's right to be home to one room. Implements ``Tenure``."""

    def __init__(
        self, leases: Leases, room: RoomCode, epoch: int, previous: str | None = None
    ) -> None:
        """``previous`` is the node that was home to the room before, if any other."""
        self._leases = leases
        self._room = room
        self.epoch = epoch
        self._previous = previous
        self.is_lost = False

    @property
    def members(self) -> Collection[str]:
        """The nodes of this fleet, any of which may take over a room from another.

        Includes the room's previous home even if the fleet has since forgotten it.
        """
        return {*self._leases.node.names, *filter(None, [self._previous])}

    def confirm(self) -> None:
        """Check that this node is home to the room now.

        Raises :class:`TenureLost` if it is not, :class:`StoreUnavailable` if unsure.
        """
        if self.is_lost:
            raise TenureLost(f"{self._room} has another home than in {self.epoch}")
        if not self._leases.node.is_sure:
            raise StoreUnavailable("the lease of this node could not be renewed")

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events if this node is still home to the room in this epoch."""
        self.confirm()
        try:
            store = self._leases.node.store
            await store.append(room, version, events, epoch=self.epoch)
        except VersionConflict:
            if await self._leases.is_fenced(room, self.epoch):
                self.is_lost = True
                raise TenureLost(f"{room}: an append of epoch {self.epoch}") from None
            raise
        self.confirm()

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of the room."""
        self.confirm()
        return await self._leases.node.store.load(room)

    async def check(self) -> None:
        """Write something trivial. Raises the same errors as :meth:`confirm`."""
        self.confirm()
        await self._leases.node.store.check()


class Leases:
    """The rooms that this node is home to under its lease. Implements ``Homes``."""

    def __init__(self, node: Member, metrics: Metrics | None = None) -> None:
        """``metrics`` counts this node's appends that were refused."""
        self.node = node
        self.metrics = metrics or Metrics()
        self._held: dict[RoomCode, Lease] = {}
        self._busy: set[RoomCode] = set()
        """Rooms that are being released or started."""
        self._is_away = False

    # --- called by the rooms ---------------------------------------------------------

    is_shared = True

    @property
    def held(self) -> Collection[RoomCode]:
        """The rooms that this node is home to."""
        return self._held.keys()

    async def assigned(self) -> Collection[RoomCode]:
        """Return the rooms to resume at startup: those of this node's earlier run."""
        query = "SELECT code FROM rooms WHERE node = %s AND is_held"
        async with self.node.store.connection() as db:
            rows = await all_rows(db, query, self.node.name)
        return {RoomCode(row[0]) for row in rows}

    @property
    def is_quiet(self) -> bool:
        """Whether no other node holds a room, so that tables may be rewritten."""
        return not any(peer.has_rooms for peer in self.node.peers)

    @property
    def can_hand_over(self) -> bool:
        """Whether another node could take rooms."""
        return any(peer.is_able for peer in self.node.peers)

    async def open(self, room: RoomCode, events: Sequence[Event]) -> Lease:
        """Store a new room, with this node as its home.

        Raises :class:`VersionConflict` if the code is taken, and
        :class:`StoreUnavailable`.
        """
        if not self.node.is_sure:
            raise StoreUnavailable("the lease of this node could not be renewed")
        await self.node.store.append(room, 0, events, node=self.node.name)
        return self._hold(room, Lease(self, room, 1))

    async def take(self, room: RoomCode) -> Lease | None:
        """Become home to a room; return None if there is no such room.

        Raises :class:`HeldElsewhere` if another node is or may be its home, and
        :class:`Refused` if this node cannot read its journal.
        """
        name = self.node.name
        for _ in range(TRIES):
            async with self.node.store.connection() as db:
                rows = await all_rows(db, HOME, room)
                if not rows:
                    return None
                node, is_held, epoch, needs, url, is_live = rows[0]
                holder = node if is_held and node != name else None
                if holder is not None and is_live:
                    raise HeldElsewhere(holder, url)
                if needs > self.node.reads:
                    if peer := self.node.reader_of(needs):
                        raise HeldElsewhere(peer.name, peer.url)
                    raise _too_new(room, needs)
                new = await self._take(db, room, (epoch, node), holder)
            if new:
                previous = node if node != name else None
                return self._hold(room, Lease(self, room, new, previous))
        raise HeldElsewhere("another node", "")

    async def _take(
        self,
        db: Connection,
        room: RoomCode,
        seen: tuple[int, str | None],
        holder: str | None,
    ) -> int:
        """Take a room over and return its new epoch; 0 if it is no longer as ``seen``.

        ``holder`` has the room without a lease, and is locked so that it cannot renew.
        """
        epoch, node = seen
        async with db.transaction():
            has_lease, may_take = await self.node.rights(db)
            if not has_lease:
                raise StoreUnavailable("the lease of this node is over")
            if self.node.is_draining and node != self.node.name:
                raise HeldElsewhere("another node", "")
            if holder is not None:
                live = "SELECT until > clock_timestamp() FROM nodes WHERE name = %s"
                if not may_take or await one_value(db, live + " FOR UPDATE", holder):
                    raise HeldElsewhere(holder, "")
            new = await one_value(db, TAKE, self.node.name, room, epoch, node)
            if new and holder is not None:
                await call(db, holder)
                log.warning("taken from %s", holder, extra={"room": room})
        return new if isinstance(new, int) else 0

    def _hold(self, room: RoomCode, lease: Lease) -> Lease:
        if (old := self._held.get(room)) is not None:
            old.is_lost = True
        self._held[room] = lease
        return lease

    async def let_go(self, room: RoomCode) -> None:
        """Release a room: the next node that is asked for it becomes its home."""
        lease = self._held.pop(room, None)
        if lease is None:
            return
        lease.is_lost = True
        self._busy.add(room)
        try:
            async with self.node.store.connection() as db:
                await db.execute(
                    "UPDATE rooms SET is_held = false "
                    "WHERE code = %s AND node = %s AND epoch = %s",
                    (room, self.node.name, lease.epoch),
                )
        except StoreUnavailable as exc:
            log.warning("cannot be released: %s", exc, extra={"room": room})
        finally:
            self._busy.discard(room)

    async def hand_over(self, rooms: Iterable[RoomCode]) -> Collection[RoomCode]:
        """Hand rooms over to the least busy nodes; return those that were handed over.

        Raises :class:`StoreUnavailable`.
        """
        going = {room: self._held.pop(room) for room in rooms if room in self._held}
        self._busy |= going.keys()  # a renewal in the meantime ignores them
        given: Collection[RoomCode] = ()
        try:
            async with self.node.store.connection() as db, db.transaction():
                given = await self._give(db, going)
        finally:
            self._busy -= going.keys()
            for room, lease in going.items():
                lease.is_lost = room in given
                if room not in given:
                    self._held[room] = lease
        return given

    async def _give(
        self, db: Connection, going: Mapping[RoomCode, Lease]
    ) -> Collection[RoomCode]:
        await self.node.read_peers(db)
        query = "SELECT code, reads FROM rooms WHERE code = ANY(%s)"
        needs = [
            (RoomCode(code), reads)
            for code, reads in await all_rows(db, query, list(going))
        ]
        targets = shared_out(needs, self.node.peers)
        codes, nodes = list(targets), list(targets.values())
        epochs = [going[code].epoch for code in codes]
        values = (codes, nodes, epochs, self.node.name)
        given = {RoomCode(row[0]) for row in await all_rows(db, GIVE, *values)}
        for node in set(nodes):
            await call(db, node)
        return given

    async def is_fenced(self, room: RoomCode, epoch: int) -> bool:
        """Whether a room's current epoch differs from the epoch of an append."""
        async with self.node.store.connection() as db:
            found = await one_value(db, "SELECT epoch FROM rooms WHERE code = %s", room)
        if found != epoch:
            self.metrics.appends_fenced.inc()
            log.error(
                "an append was refused: its home is elsewhere", extra={"room": room}
            )
        return found != epoch

    # --- the lease -------------------------------------------------------------------

    def is_live(self, name: str) -> bool:
        """Whether a node had a lease when this node last checked."""
        return any(peer.name == name and peer.is_live for peer in self.node.peers)

    def why_closed(self) -> str | None:
        """Return why new clients must not be sent to this node; None if they may."""
        return "draining" if self.node.is_draining else None

    async def check(self) -> str | None:
        """Return what is wrong with the lease, for /healthz; None if it is valid."""
        return None if self.node.is_sure else "is over"

    async def run(self, tenants: Tenants) -> None:
        """Renew the lease, and notify rooms of new owners, until cancelled.

        Raises :class:`NameTaken` if another process uses this node's name.
        """
        async with OwnedGroup() as group:
            while True:
                try:
                    async with self.node.line() as db:
                        await self._keep(db, tenants, group)
                except StoreUnavailable as exc:
                    if not self._is_away:
                        self._is_away = True
                        log.warning("the lease cannot be renewed: %s", exc)
                await asyncio.sleep(min(RETRY_S, self.node.terms.beat_s / 2))

    async def _keep(
        self, db: Connection, tenants: Tenants, group: asyncio.TaskGroup
    ) -> None:
        while True:
            async with asyncio.timeout(self.node.terms.lease_s):
                await self.beat(db, tenants, group)
            if self._is_away:
                self._is_away = False
                log.info("the lease is renewed again")
            await self.node.called(db)

    async def beat(
        self, db: Connection, tenants: Tenants, group: asyncio.TaskGroup
    ) -> None:
        """Renew the lease once, drop lost rooms, and take over rooms without a home."""
        before, was_draining = dict(self._held), self.node.is_draining
        mine = await self.node.renew(db, tenants.load)
        for code, lease in before.items():
            if self._held.get(code) is lease and mine.get(code) != lease.epoch:
                lease.is_lost = True
                del self._held[code]
                tenants.lost(code)
        if self.node.is_draining:
            if not was_draining:
                group.create_task(tenants.hand_over(), name="hand-over")
            return
        new = {*mine, *await self.node.adopt(db, tenants.load)}
        for code in new - self._held.keys() - self._busy:
            self._busy.add(code)
            group.create_task(self._take_up(code, tenants), name=f"arrive-{code}")

    async def _take_up(self, code: RoomCode, tenants: Tenants) -> None:
        try:
            await tenants.arrived(code)
        finally:
            self._busy.discard(code)


async def open_leases(config: Config, store: PostgresStore, metrics: Metrics) -> Leases:
    """Join the fleet on a database. Raises :class:`CannotStart`."""
    name, data = config.site or _name_of(config.port), config.data
    shelf = SharedShelf(store, None if data is None else data / SHELF)
    node = Member(store, name, Terms(config.lease_s), shelf=shelf)
    try:
        await node.join(None if data is None else stored_key(data))
        await shelf.refresh()
    except StoreUnavailable as exc:
        shelf.close()
        raise CannotStart(f"This node cannot get a lease: {exc}.") from exc
    log.info("joined the fleet as %s, lease %g s", name, config.lease_s)
    return Leases(node, metrics)


def _name_of(port: int) -> str:
    """Return a name that survives restarts, made from the machine's name and port."""
    machine = re.sub(r"[^a-z0-9-]", "-", socket.gethostname().lower()).strip("-")
    return f"{machine[:24] or 'node'}-{port or secrets.token_hex(3)}"


def _too_new(room: RoomCode, needs: Sequence[int]) -> Refused:
    version = ".".join(map(str, needs))
    log.warning("its journal needs Two Gaps %s", version, extra={"room": room})
    detail = (
        f"A node with Two Gaps {version} or later will continue this room; try again."
    )
    return Refused("busy", detail)
