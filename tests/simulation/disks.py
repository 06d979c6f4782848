"""The disks of a simulation: a journal and an outbox that are slow, fail, and survive.

An append can fail before it is stored or after, so that the caller does not know. What
was committed when the process ended is there when it starts again.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from server.disk import DiskError
from server.federation.outbox import OpenDisk
from server.game.events import Event, VoteCast, VoteKeptLate
from server.game.ids import RoomCode
from server.game.phases import Ballot
from server.journal.codec import encode
from server.journal.memory import MemoryStore
from server.journal.store import StoreUnavailable, record_of

UTC_MS = 1_790_000_000_000
"""The time at which every simulation begins."""

T = TypeVar("T")
Prepare = Callable[[sqlite3.Connection], None]


@dataclass(slots=True)
class Mood:
    """How a disk behaves now; faults change it for a while."""

    chance: random.Random
    delay_s: float = 0.005
    """The longest time that half of an access takes."""
    fails: float = 0.0
    """Share of accesses that fail before anything is stored."""
    forgets: float = 0.0
    """Share of accesses that are stored and reported as failed."""

    async def wait(self) -> None:
        """Take the time of half an access."""
        await asyncio.sleep(self.chance.uniform(0.0, self.delay_s))

    def refuses(self) -> bool:
        """Whether the next access fails before anything is stored."""
        return self.chance.random() < self.fails

    def is_unsure(self) -> bool:
        """Whether the next access is stored and reported as failed."""
        return self.chance.random() < self.forgets


@dataclass(slots=True)
class Platter:
    """What is on a node's disk: it outlives the process."""

    journal: MemoryStore = field(default_factory=MemoryStore)
    outbox: sqlite3.Connection | None = None
    version: dict[RoomCode, int] = field(default_factory=dict)
    """How many events of each room are stored."""
    votes: dict[tuple[str, int, Ballot], int] = field(default_factory=dict)
    """The latest counter that is stored, by client, round and ballot."""

    def put(self, room: RoomCode, version: int, events: Sequence[Event]) -> None:
        """Store events behind the first ``version`` ones, which are there."""
        bodies = self.journal._bodies.setdefault(room, [])
        bodies += [encode(event) for event in events]
        records = self.journal._records
        records[room] = record_of(records.get(room), room, events)
        self.note(room, version, events)

    def note(self, room: RoomCode, version: int, events: Sequence[Event]) -> None:
        """Remember what is stored now."""
        self.version[room] = version + len(events)
        for event in events:
            if isinstance(event, VoteCast | VoteKeptLate):
                slot = (event.client, event.round, event.ballot)
                self.votes[slot] = max(event.counter, self.votes.get(slot, 0))


class SimulatedStore(MemoryStore):
    """A node's journal on its simulated disk, as one process sees it."""

    def __init__(self, platter: Platter, mood: Mood, *, is_hasty: bool = False) -> None:
        """``is_hasty`` is a deliberate fault: it returns before anything is stored."""
        self._platter = platter
        self._mood = mood
        self._is_hasty = is_hasty
        self._bodies = platter.journal._bodies
        self._records = platter.journal._records
        self.is_dead = False
        """Whether the process has ended: nothing is stored any more."""

    def die(self) -> None:
        """End with the process: what was not committed is gone."""
        self.is_dead = True
        for room, bodies in self._bodies.items():
            del bodies[self._platter.version.get(room, 0) :]

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        """Store events, after a while, if the disk is in the mood."""
        if self._is_hasty:
            await super().append(room, version, events)
            loop = asyncio.get_running_loop()
            loop.call_later(0.5, self._note, room, version, events)
            return
        await self._mood.wait()
        if self._mood.refuses() or self.is_dead:
            raise StoreUnavailable("the simulated disk is full")
        await super().append(room, version, events)
        self._note(room, version, events)
        await self._mood.wait()
        if self._mood.is_unsure():
            raise StoreUnavailable("the simulated disk says nothing")

    async def load(self, room: RoomCode) -> list[Event]:
        """Return all events of a room, after a while."""
        await self._mood.wait()
        if self._mood.refuses():
            raise StoreUnavailable("the simulated disk cannot be read")
        return await super().load(room)

    async def check(self) -> None:
        """Fail as often as everything else."""
        await self._mood.wait()
        if self._mood.refuses():
            raise StoreUnavailable("the simulated disk is full")

    def _note(self, room: RoomCode, version: int, events: Sequence[Event]) -> None:
        if not self.is_dead:  # otherwise before the commit that was not waited for
            self._platter.note(room, version, events)


class SimulatedDisk:
    """A fake :class:`server.disk.DiskThread` under an outbox."""

    def __init__(self, platter: Platter, mood: Mood, prepare: Prepare) -> None:
        self._mood = mood
        self._platter = platter
        if platter.outbox is None:
            platter.outbox = sqlite3.connect(":memory:", isolation_level=None)
            prepare(platter.outbox)
        self._db = platter.outbox

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction of its own; what it wrote is stored on return."""
        await self._mood.wait()
        if self._mood.refuses():
            raise DiskError("the simulated disk is full")
        self._db.execute("BEGIN")
        try:
            result = work(self._db)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        await self._mood.wait()
        if self._mood.is_unsure():
            raise DiskError("the simulated disk says nothing")
        return result

    async def ask_alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job outside of any transaction."""
        await self._mood.wait()
        return work(self._db)

    async def close(self) -> None:
        """Leave the file as it is."""


def opens(platter: Platter, mood: Mood) -> OpenDisk:
    """Return what opens a node's outbox, instead of a thread and a file."""

    def open_disk(path: Path, prepare: Prepare, name: str) -> SimulatedDisk:
        del path, name
        return SimulatedDisk(platter, mood, prepare)

    return open_disk
