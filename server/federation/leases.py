"""Whose room it is, in a fleet of nodes on one PostgreSQL.

A room points to its node, and has it as its home while that has a lease. Taking a room
raises its epoch, by compare and set, and every append names the epoch: a node that was
paused or cut off stores nothing, whatever it believes. It also compares its own clock
with the end of its lease, and past that it says nothing of its rooms.
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
"""How often a take is tried while others change the same room."""


class Tenants(Protocol):
    """The rooms of this node, which are notified of their owner."""

    @property
    def load(self) -> int:
        """How much this node has to do: its rooms, and the people in them."""
        ...

    async def arrived(self, code: RoomCode) -> None:
        """A room is this node's now: take it up."""
        ...

    def lost(self, code: RoomCode) -> None:
        """A room is another node's now: let it go."""
        ...

    async def hand_over(self) -> None:
        """Give every room to other nodes."""
        ...


class Lease:
    """This node's right to be home of one room. Implements ``Tenure``."""

    def __init__(
        self, leases: Leases, room: RoomCode, epoch: int, previous: str | None = None
    ) -> None:
        """``previous`` is the node that was home before, if it is another one."""
        self._leases = leases
        self._room = room
        self.epoch = epoch
        self._previous = previous
        self.is_lost = False

    @property
    def members(self) -> Collection[str]:
        """The nodes of this fleet: a room of one of them may be taken by another.

        One that was forgotten, as it has been away for long, is still the room's.
        """
        return {*self._leases.node.names, *filter(None, [self._previous])}

    def confirm(self) -> None:
        """Raise unless this node is home of the room now.

        :class:`TenureLost` if another is, :class:`StoreUnavailable` if that is unknown.
        """
        if self.is_lost:
            raise TenureLost(f"{self._room} has another home than in {self.epoch}")
        if not self._leases.node.is_sure:
            raise StoreUnavailable("the lease of this node could not be renewed")

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events, if this node is still home of the room in this epoch."""
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
        """Write something trivial; raises as :meth:`confirm` does."""
        self.confirm()
        await self._leases.node.store.check()


class Leases:
    """The rooms that this node is home of by its lease. Implements ``Homes``."""

    def __init__(self, node: Member, metrics: Metrics | None = None) -> None:
        """``metrics`` counts the appends that were refused to this node."""
        self.node = node
        self.metrics = metrics or Metrics()
        self._held: dict[RoomCode, Lease] = {}
        self._busy: set[RoomCode] = set()
        """Rooms that are being let go, or taken up."""
        self._is_away = False

    # --- what the rooms ask ----------------------------------------------------------

    is_shared = True

    @property
    def held(self) -> Collection[RoomCode]:
        """The rooms that this node is home of."""
        return self._held.keys()

    async def assigned(self) -> Collection[RoomCode]:
        """Return the rooms to take up at a start: those of an earlier run."""
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
        """Be home of a room; None if there is no such room.

        Raises :class:`HeldElsewhere` if another node is its home, or may be, and
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
        """Take a room in the epoch and at the node that were seen; 0 if that changed.

        ``holder`` has it without a lease. It is locked first, so that it cannot renew.
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
        """Be home of a room no longer: the next node that is asked for it is."""
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
        """Give rooms to other nodes, by their load; return those that were given.

        Raises :class:`StoreUnavailable`.
        """
        going = {room: self._held.pop(room) for room in rooms if room in self._held}
        self._busy |= going.keys()  # a renewal meanwhile finds neither lost nor new
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
        """Whether a room has gone on to another epoch than that of an append."""
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
        """Whether a node had a lease when this one last looked."""
        return any(peer.name == name and peer.is_live for peer in self.node.peers)

    def why_closed(self) -> str | None:
        """Why new clients should not be sent to this node; None while they may come."""
        return "draining" if self.node.is_draining else None

    async def check(self) -> str | None:
        """Return what is wrong with the lease, as a check of the server's health."""
        return None if self.node.is_sure else "is over"

    async def run(self, tenants: Tenants) -> None:
        """Renew the lease, and tell rooms whose they are, until cancelled.

        Raises :class:`NameTaken` if another process goes by this node's name.
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
                await asyncio.sleep(self.node.terms.beat_s / 2)

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
        """Renew the lease once, let go of what was lost, and take what has no home."""
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
    """Return a name that is the same after a restart: that of this machine and port."""
    machine = re.sub(r"[^a-z0-9-]", "-", socket.gethostname().lower()).strip("-")
    return f"{machine[:24] or 'node'}-{port or secrets.token_hex(3)}"


def _too_new(room: RoomCode, needs: Sequence[int]) -> Refused:
    version = ".".join(map(str, needs))
    log.warning("its journal needs Two Gaps %s", version, extra={"room": room})
    detail = (
        f"A node with Two Gaps {version} or later will continue this room; try again."
    )
    return Refused("busy", detail)
