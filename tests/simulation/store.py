"""The journal in the simulated PostgreSQL, as one node sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from server.game.events import Event
from server.game.ids import RoomCode
from server.journal.codec import decode
from server.journal.store import StoreUnavailable
from tests.simulation.database import Database, Session


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

    async def delete(self, room: RoomCode, *, epoch: int | None = None) -> bool:
        """Nothing is removed in a run of a minute."""
        del epoch
        raise AssertionError(room)

    async def sweep(self) -> bool:
        """Nothing was removed."""
        return False
