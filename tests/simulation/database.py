"""The PostgreSQL of a simulated fleet: its rows, its locks and its clock.

Statements are known by their text: those of :mod:`server.journal.tables` and the few
that leases and members use beside them. One that is not known here fails, so that a new
one cannot be left out. test_database.py compares what they do with a real PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from server.game.events import Event
from server.game.ids import RoomCode
from server.journal import tables
from server.journal.codec import decode, oldest_reader
from server.journal.store import StoreUnavailable, VersionConflict
from tests.simulation.disks import Mood, Platter
from tests.simulation.loop import NOWHERE

T = TypeVar("T")
Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]

RETRY_S, DEADLOCK_S = 0.004, 1.0
"""How often a locked row is tried again, and for how long."""


class _Locked(Exception):  # noqa: N818 - names a condition
    """Another transaction has changed a row that this statement needs."""


@dataclass(slots=True)
class NodeRow:
    """A node, as the database knows it. Times are the database's, in seconds."""

    name: str
    boot: str
    reads: list[int]
    renewed: float
    until: float
    steady: float
    url: str = ""
    load: int = 0
    is_draining: bool = False


@dataclass(slots=True)
class RoomRow:
    """A room, as the database knows it."""

    version: int
    node: str | None
    is_held: bool
    epoch: int
    reads: list[int]


@dataclass(slots=True)
class Cursor:
    """What a statement found."""

    rows: list[Row] = field(default_factory=list)
    rowcount: int = 0

    async def fetchall(self) -> list[Row]:
        """Return all rows."""
        return self.rows

    async def fetchone(self) -> Row | None:
        """Return the first row."""
        return self.rows[0] if self.rows else None


@dataclass(frozen=True, slots=True)
class Notice:
    """A call of a node by its name."""

    payload: str


@dataclass(slots=True)
class Database:
    """What all nodes of a fleet share."""

    chance: random.Random
    platter: Platter = field(default_factory=Platter)
    mood: Mood = field(init=False)
    nodes: dict[str, NodeRow] = field(default_factory=dict)
    rooms: dict[str, RoomRow] = field(default_factory=dict)
    is_away: bool = False
    """Whether no node reaches it."""
    cut_off: set[str] = field(default_factory=set)
    """Nodes that do not reach it."""
    lag_s: dict[str, float] = field(default_factory=dict)
    """How long at most a statement of a node is on its way, where that is long."""
    keeps_epoch: bool = False
    """A deliberate fault: a room is taken without raising its epoch."""
    problems: list[str] = field(default_factory=list)
    """Appends by a node that is not the room's home."""
    locks: dict[tuple[str, str], Session] = field(default_factory=dict)
    listening: set[Session] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mood = Mood(self.chance)

    @property
    def now_s(self) -> float:
        """The database's clock."""
        return asyncio.get_running_loop().time()

    def is_live(self, name: str | None) -> bool:
        """Whether a node has a lease."""
        node = self.nodes.get(name or "")
        return node is not None and node.until > self.now_s


class Session:
    """A connection of one node to the database."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node
        self._undo: list[Callable[[], None]] | None = None
        self._calls: list[str] = []
        self._called = asyncio.Event()
        self._heard: list[str] = []
        self.is_open = True

    # --- what psycopg offers ----------------------------------------------------------

    async def execute(self, query: str, values: Values = ()) -> Cursor:
        """Run a statement; outside of a transaction it is one of its own."""
        statement = _STATEMENTS.get(" ".join(query.split()))
        if statement is None:
            raise AssertionError(f"the simulated database does not know {query!r}")
        return await self._ask(lambda: statement(self, values))

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit what is done in the block, or nothing of it."""
        self._undo = []
        try:
            yield
            await self._ask(self._commit)
        finally:
            self._roll_back()

    async def notifies(
        self,
        *,
        timeout: float,  # noqa: ASYNC109 - as psycopg has it
        stop_after: int,
    ) -> AsyncIterator[Notice]:
        """Yield calls for a while."""
        del stop_after
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._called.wait()
        self._called.clear()
        heard, self._heard = self._heard, []
        for payload in heard:
            yield Notice(payload)

    def listen(self) -> None:
        """Hear calls from now on."""
        self._database.listening.add(self)

    def close(self) -> None:
        """End; an open transaction is rolled back."""
        self._roll_back()
        self.is_open = False
        self._database.listening.discard(self)

    async def append(
        self,
        room: RoomCode,
        version: int,
        events: Sequence[Event],
        epoch: int | None,
        node: str | None,
    ) -> None:
        """Store events, where version and epoch are the room's."""
        await self._ask(lambda: self._append(room, version, events, epoch, node))

    async def read(self, work: Callable[[], T]) -> T:
        """Read something."""
        return await self._ask(work)

    # --- at the database --------------------------------------------------------------

    async def _ask(self, work: Callable[[], T]) -> T:
        """Have something done there; the answer comes later, or never is heard.

        What has been sent is done even if the node is paused before the answer.
        """
        database, running = self._database, asyncio.get_running_loop()
        mood = database.mood
        reply: asyncio.Future[T] = running.create_future()
        gives_up_s = running.time() + DEADLOCK_S

        def answer(result: T | None, error: Exception | None) -> None:
            if reply.done():
                return
            if error is not None:
                reply.set_exception(error)
            else:
                reply.set_result(result)  # type: ignore[arg-type]

        def later(act: Callable[..., object], *args: object) -> None:
            delay_s = mood.chance.uniform(0.0, mood.delay_s)
            running.call_later(delay_s, act, *args, context=NOWHERE)

        def arrive() -> None:
            if not self.is_open:
                return None
            if database.is_away or self._node in database.cut_off or mood.refuses():
                return later(answer, None, StoreUnavailable("no way to the database"))
            try:
                result = work()
            except _Locked:
                if running.time() > gives_up_s:
                    self._roll_back()
                    error = StoreUnavailable("deadlock detected")
                    return later(answer, None, error)
                running.call_later(RETRY_S, arrive, context=NOWHERE)
                return None
            except (VersionConflict, AssertionError) as exc:
                return later(answer, None, exc)
            if mood.is_unsure():
                return later(answer, None, StoreUnavailable("the connection was lost"))
            return later(answer, result, None)

        lag_s = database.lag_s.get(self._node, 0.0)
        running.call_later(
            mood.chance.uniform(0.0, max(lag_s, mood.delay_s)), arrive, context=NOWHERE
        )
        return await reply

    def _commit(self) -> None:
        self._undo = None
        self._unlock()
        for name in self._calls:
            self._deliver(name)
        self._calls.clear()

    def _roll_back(self) -> None:
        undo, self._undo = self._undo, None
        for step in reversed(undo or []):
            step()
        self._calls.clear()
        self._unlock()

    def _unlock(self) -> None:
        locks = self._database.locks
        for row in [row for row, holder in locks.items() if holder is self]:
            del locks[row]

    def _lock(self, table: str, key: str) -> None:
        """Wait while another transaction has changed a row; keep it until the end."""
        holder = self._database.locks.get((table, key))
        if holder is not None and holder is not self:
            raise _Locked
        if self._undo is not None:
            self._database.locks[table, key] = self

    def _is_locked(self, table: str, key: str) -> bool:
        return self._database.locks.get((table, key), self) is not self

    def _change(self, row: object, **to: object) -> None:
        """Set fields of a row, so that a rollback sets them back."""
        for name, value in to.items():
            before = getattr(row, name)
            if self._undo is not None:
                self._undo.append(
                    lambda name=name, before=before: setattr(row, name, before)  # type: ignore[misc]
                )
            setattr(row, name, value)

    def _append(
        self,
        room: RoomCode,
        version: int,
        events: Sequence[Event],
        epoch: int | None,
        node: str | None,
    ) -> None:
        database = self._database
        row = database.rooms.get(room)
        if row is not None:
            self._lock("rooms", room)
        is_next = row.version == version if row is not None else version == 0
        is_here = row is None or epoch is None or row.epoch == epoch
        if not is_next or not is_here or (row is not None and version == 0):
            raise VersionConflict(f"{room} does not hold {version} events")
        if row is None:
            reads = oldest_reader(events)
            row = RoomRow(0, node, node is not None, 1, reads)
            database.rooms[room] = row
        elif row.node != self._node or not row.is_held:
            at_s = database.now_s
            database.problems.append(
                f"{at_s:.3f} s: {self._node} stores events of a room of {row.node}"
            )
        row.version = version + len(events)
        database.platter.put(room, version, events)

    # --- statements -------------------------------------------------------------------

    def _renew(self, values: Mapping[str, Any]) -> Cursor:
        node = self._own(values)
        if node is None:
            return Cursor()
        self._lock("nodes", node.name)
        now_s = self._database.now_s
        has_gap = now_s - node.renewed > values["gap"]
        self._change(
            node,
            steady=now_s if has_gap else node.steady,
            renewed=now_s,
            until=now_s + values["lease"],
            url=values["url"],
            load=values["load"],
        )
        return Cursor([(node.is_draining,)], 1)

    def _own(self, values: Mapping[str, Any]) -> NodeRow | None:
        node = self._database.nodes.get(values["name"])
        return node if node is not None and node.boot == values["boot"] else None

    def _join(self, values: Mapping[str, Any]) -> Cursor:
        name, now_s = values["name"], self._database.now_s
        self._lock("nodes", name)
        nodes, old = self._database.nodes, self._database.nodes.get(name)
        until = now_s + values["lease"]
        reads = list(values["reads"])
        nodes[name] = NodeRow(name, values["boot"], reads, now_s, until, now_s)
        if self._undo is not None:
            self._undo.append(
                lambda: nodes.pop(name, None) and old and nodes.update({name: old})
            )
        return Cursor(rowcount=1)

    def _may_take(self, values: Mapping[str, Any]) -> Cursor:
        node, now_s = self._own(values), self._database.now_s
        if node is None:
            return Cursor()
        is_steady = node.steady + values["lease"] <= now_s
        is_fresh = now_s - node.renewed <= values["gap"]
        may_take = is_steady and is_fresh and not node.is_draining
        return Cursor([(node.until > now_s, may_take)])

    def _dead(self, values: Sequence[Any]) -> Cursor:
        found, database = [], self._database
        for name in dict.fromkeys(values[0]):
            is_dead = name in database.nodes and not database.is_live(name)
            if is_dead and not self._is_locked("nodes", name):
                self._lock("nodes", name)
                found.append((name,))
        return Cursor(found)

    def _home(self, values: Sequence[Any]) -> Cursor:
        room = self._database.rooms.get(values[0])
        if room is None:
            return Cursor()
        node = self._database.nodes.get(room.node or "")
        url = node.url if node is not None else None
        is_live = self._database.is_live(room.node) if node is not None else None
        home = (room.node, room.is_held, room.epoch, room.reads, url, is_live)
        return Cursor([home])

    def _take(self, values: Sequence[Any]) -> Cursor:
        name, code, epoch, node = values
        room = self._database.rooms.get(code)
        if room is None:
            return Cursor()
        self._lock("rooms", code)
        if room.epoch != epoch or room.node != node:
            return Cursor()
        self._move(room, name)
        return Cursor([(room.epoch,)], 1)

    def _move(self, room: RoomRow, node: str) -> None:
        more = 0 if self._database.keeps_epoch else 1
        self._change(room, node=node, is_held=True, epoch=room.epoch + more)

    def _peers(self, values: Values) -> Cursor:
        del values
        database, now_s = self._database, self._database.now_s
        return Cursor(
            [
                (
                    node.name,
                    node.load,
                    node.reads,
                    node.is_draining,
                    node.until > now_s,
                    now_s - node.until,
                    bool(self._held_by([node.name])),
                    node.url,
                )
                for node in database.nodes.values()
            ]
        )

    def _held_by(self, names: Sequence[str]) -> dict[str, RoomRow]:
        rooms = self._database.rooms.items()
        return {
            code: room for code, room in rooms if room.is_held and room.node in names
        }

    def _adopt(self, values: Mapping[str, Any]) -> Cursor:
        taken: list[Row] = []
        for code, room in self._held_by(values["gone"]).items():
            is_free = not self._is_locked("rooms", code)
            if (
                is_free
                and room.reads <= values["reads"]
                and len(taken) < values["most"]
            ):
                self._lock("rooms", code)
                self._move(room, values["name"])
                taken.append((code,))
        return Cursor(taken, len(taken))

    def _give(self, values: Sequence[Any]) -> Cursor:
        codes, nodes, epochs, own = values
        given: list[Row] = []
        for code, node, epoch in zip(codes, nodes, epochs, strict=True):
            room = self._database.rooms[code]
            self._lock("rooms", code)
            if room.node == own and room.is_held and room.epoch == epoch:
                self._move(room, node)
                given.append((code,))
        return Cursor(given, len(given))

    def _let_go(self, values: Sequence[Any]) -> Cursor:
        code, node, epoch = values
        room = self._database.rooms.get(code)
        if room is None:
            return Cursor()
        self._lock("rooms", code)
        if room.node == node and room.epoch == epoch:
            self._change(room, is_held=False)
        return Cursor(rowcount=1)

    def _resume(self, values: Mapping[str, Any]) -> Cursor:
        held = self._held_by([values["name"]])
        for code in held:
            self._lock("rooms", code)
        for room in held.values():
            self._move(room, values["name"])
            self._change(room, is_held=room.reads <= list(values["reads"]))
        return Cursor(rowcount=len(held))

    def _leave(self, values: Sequence[Any]) -> Cursor:
        node = self._database.nodes.get(values[0])
        if node is not None and node.boot == values[1]:
            self._lock("nodes", node.name)
            self._change(node, until=self._database.now_s)
        return Cursor()

    def _until_of(self, values: Sequence[Any]) -> Cursor:
        self._lock("nodes", values[0])
        return Cursor([(self._database.is_live(values[0]),)])

    def _notify(self, values: Sequence[Any]) -> Cursor:
        if self._undo is None:
            self._deliver(values[1])
        else:
            self._calls.append(values[1])
        return Cursor()

    def _deliver(self, payload: str) -> None:
        for session in self._database.listening:
            session._heard.append(payload)
            session._called.set()

    def _rooms_of(self, values: Sequence[Any]) -> Cursor:
        return Cursor([(code,) for code in self._held_by([values[0]])])

    def _epochs_of(self, values: Sequence[Any]) -> Cursor:
        held = self._held_by([values[0]]).items()
        return Cursor([(code, room.epoch) for code, room in held])

    def _count(self, values: Sequence[Any]) -> Cursor:
        return Cursor([(len(self._held_by(values[0])),)])

    def _reads_of(self, values: Sequence[Any]) -> Cursor:
        rooms = self._database.rooms
        return Cursor([(code, rooms[code].reads) for code in values[0]])

    def _epoch_of(self, values: Sequence[Any]) -> Cursor:
        room = self._database.rooms.get(values[0])
        return Cursor([(room.epoch,)] if room is not None else [])

    def _boot_of(self, values: Sequence[Any]) -> Cursor:
        node = self._database.nodes.get(values[0])
        return Cursor([(node.boot,)] if node is not None else [])

    def _key(self, values: Values) -> Cursor:
        del values
        return Cursor([("key",)])

    def _nothing(self, values: Values) -> Cursor:
        del values
        return Cursor()


_STATEMENTS: dict[str, Callable[[Session, Any], Cursor]] = {
    " ".join(query.split()): statement
    for query, statement in {
        tables.RENEW: Session._renew,
        tables.JOIN: Session._join,
        tables.MAY_TAKE: Session._may_take,
        tables.FORGET: Session._nothing,  # a week is longer than any run
        tables.DEAD: Session._dead,
        tables.HOME: Session._home,
        tables.TAKE: Session._take,
        tables.PEERS: Session._peers,
        tables.ADOPT: Session._adopt,
        tables.GIVE: Session._give,
        "SELECT code FROM rooms WHERE node = %s AND is_held": Session._rooms_of,
        "SELECT code, epoch FROM rooms WHERE node = %s AND is_held": (
            Session._epochs_of
        ),
        "SELECT code, reads FROM rooms WHERE code = ANY(%s)": Session._reads_of,
        "SELECT epoch FROM rooms WHERE code = %s": Session._epoch_of,
        "SELECT count(*) FROM rooms WHERE is_held AND node = ANY(%s)": Session._count,
        "SELECT until > clock_timestamp() FROM nodes WHERE name = %s FOR UPDATE": (
            Session._until_of
        ),
        "SELECT boot FROM nodes WHERE name = %s": Session._boot_of,
        "SELECT key FROM twogaps": Session._key,
        tables.ADMIN_KEY: Session._key,
        "SELECT pg_notify(%s, %s)": Session._notify,
        tables.RESUME: Session._resume,
        (
            "UPDATE rooms SET is_held = false "
            "WHERE code = %s AND node = %s AND epoch = %s"
        ): Session._let_go,
        "UPDATE nodes SET until = clock_timestamp() WHERE name = %s AND boot = %s": (
            Session._leave
        ),
    }.items()
}


class SharedStore:
    """The journal in that database, as one process sees it: its ``PostgresStore``."""

    address = ""

    def __init__(
        self,
        database: Database,
        node: str,
        *,
        is_hasty: bool = False,
        is_unfenced: bool = False,
    ) -> None:
        """Deliberate faults: ``is_hasty`` returns before anything is stored, and
        ``is_unfenced`` stores whatever the epoch is.
        """
        self.database = database
        self._node = node
        self._is_hasty = is_hasty
        self._is_unfenced = is_unfenced
        self._sessions: set[Session] = set()
        self._late: set[asyncio.Task[None]] = set()
        self.is_dead = False

    def die(self) -> None:
        """End with the process: the database closes its connections."""
        self.is_dead = True
        for session in list(self._sessions):
            session.close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Session]:
        """Lend a connection."""
        with self.session() as session:
            yield session

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Open a connection, and close it."""
        if self.is_dead:
            raise StoreUnavailable("the process has ended")
        session = Session(self.database, self._node)
        self._sessions.add(session)
        try:
            yield session
        finally:
            session.close()
            self._sessions.discard(session)

    async def append(
        self,
        room: RoomCode,
        version: int,
        events: Sequence[Event],
        *,
        epoch: int | None = None,
        node: str | None = None,
    ) -> None:
        """Store events behind the first ``version`` ones."""
        fence = None if self._is_unfenced else epoch

        async def store() -> None:
            async with self.connection() as db:
                await db.append(room, version, events, fence, node)

        if self._is_hasty and version:
            task = asyncio.ensure_future(store())
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return
        await store()

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room."""
        journal = self.database.platter.journal
        async with self.connection() as db:
            bodies = await db.read(lambda: list(journal._bodies.get(room, ())))
        return [decode(body) for body in bodies]

    async def rooms(self) -> list[Any]:
        """Return all rooms, newest first."""
        journal = self.database.platter.journal
        async with self.connection() as db:
            return await db.read(lambda: list(journal._records.values()))

    async def check(self) -> None:
        """Ask for nothing."""
        async with self.connection() as db:
            await db.read(lambda: None)

    async def delete(self, room: RoomCode) -> bool:
        """Nothing is removed in a run of a minute."""
        raise AssertionError(room)

    async def sweep(self) -> bool:
        """Nothing was removed."""
        return False
