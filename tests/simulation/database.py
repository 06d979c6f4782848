"""The PostgreSQL of a simulated fleet: its rows, its locks and its clock.

A statement that :mod:`tests.simulation.statements` does not know fails, so that a new
one cannot be left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from server.game.events import Event
from server.game.ids import RoomCode
from server.journal.codec import oldest_reader
from server.journal.store import StoreUnavailable, VersionConflict
from tests.simulation.disks import Mood, Platter
from tests.simulation.loop import NOWHERE
from tests.simulation.rows import Cursor, NodeRow, RoomRow, Values
from tests.simulation.statements import STATEMENTS

T = TypeVar("T")

RETRY_S, DEADLOCK_S = 0.004, 1.0
"""How often a locked row is tried again, and for how long."""


class _Locked(Exception):  # noqa: N818 - names a condition
    """Another transaction has changed a row that this statement needs."""


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
    """How long at most a statement of a node is on its way, if that is long."""
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

    def call(self, payload: str) -> None:
        """Call all nodes that listen."""
        for session in self.listening:
            session.hear(payload)


class Session:
    """A connection of one node to the database."""

    def __init__(self, database: Database, node: str) -> None:
        self.database = database
        self._node = node
        self.undo: list[Callable[[], None]] | None = None
        """How to take an open transaction back, last step first; None outside one."""
        self.calls: list[str] = []
        """Calls of an open transaction, made once it is committed."""
        self._called = asyncio.Event()
        self._heard: list[str] = []
        self.is_open = True

    # --- what psycopg offers ----------------------------------------------------------

    async def execute(self, query: str, values: Values = ()) -> Cursor:
        """Run a statement; outside of a transaction it is one of its own."""
        statement = STATEMENTS.get(" ".join(query.split()))
        if statement is None:
            raise AssertionError(f"the simulated database does not know {query!r}")
        return await self._ask(lambda: statement(self, values))

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit what is done in the block, or nothing of it."""
        self.undo = []
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
        self.database.listening.add(self)

    def hear(self, payload: str) -> None:
        """Be called by a node."""
        self._heard.append(payload)
        self._called.set()

    def close(self) -> None:
        """End; an open transaction is rolled back."""
        self._roll_back()
        self.is_open = False
        self.database.listening.discard(self)

    async def append(
        self,
        room: RoomCode,
        version: int,
        events: Sequence[Event],
        epoch: int | None,
        node: str | None,
    ) -> None:
        """Store events, if version and epoch are the room's."""
        await self._ask(lambda: self._append(room, version, events, epoch, node))

    async def read(self, work: Callable[[], T]) -> T:
        """Read something."""
        return await self._ask(work)

    # --- at the database --------------------------------------------------------------

    async def _ask(self, work: Callable[[], T]) -> T:
        """Have something done there; the answer comes later, or never is heard.

        What has been sent is done even if the node is paused before the answer.
        """
        database, running = self.database, asyncio.get_running_loop()
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
        self.undo = None
        self._unlock()
        for name in self.calls:
            self.database.call(name)
        self.calls.clear()

    def _roll_back(self) -> None:
        undo, self.undo = self.undo, None
        for step in reversed(undo or []):
            step()
        self.calls.clear()
        self._unlock()

    def _unlock(self) -> None:
        locks = self.database.locks
        for row in [row for row, holder in locks.items() if holder is self]:
            del locks[row]

    def lock(self, table: str, key: str) -> None:
        """Wait while another transaction has changed a row; keep it until the end."""
        holder = self.database.locks.get((table, key))
        if holder is not None and holder is not self:
            raise _Locked
        if self.undo is not None:
            self.database.locks[table, key] = self

    def is_locked(self, table: str, key: str) -> bool:
        """Whether another transaction has changed a row."""
        return self.database.locks.get((table, key), self) is not self

    def change(self, row: object, **to: object) -> None:
        """Set fields of a row, so that a rollback sets them back."""
        for name, value in to.items():
            before = getattr(row, name)
            if self.undo is not None:
                self.undo.append(
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
        database = self.database
        row = database.rooms.get(room)
        if row is not None:
            self.lock("rooms", room)
        is_next = row.version == version if row is not None else version == 0
        is_here = row is None or epoch is None or row.epoch == epoch
        if not is_next or not is_here or (row is not None and version == 0):
            raise VersionConflict(f"{room} is not at event {version}")
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
