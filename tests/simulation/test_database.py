"""The simulated database does with every statement of a fleet what PostgreSQL does."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

from server.game.ids import RoomCode
from server.journal import tables
from server.journal.codec import READS
from server.journal.postgres import PostgresStore
from server.journal.store import VersionConflict
from tests.simulation.database import Database
from tests.simulation.store import SharedStore
from tests.support.leases import first, joined, shift

NODES = ("berlin", "lisbon", "oslo")
ROOMS = tuple(RoomCode(code) for code in ("AAAAAA", "BBBBBB"))
LEASE_S, GAP_S = 8.0, 4.0
STEPS = 250

LET_GO = "UPDATE rooms SET is_held = false WHERE code = %s AND node = %s AND epoch = %s"
LEAVE = "UPDATE nodes SET until = clock_timestamp() WHERE name = %s AND boot = %s"
ASKED: tuple[tuple[str, Callable[[str, RoomCode], tuple[Any, ...]]], ...] = (
    ("SELECT code FROM rooms WHERE node = %s AND is_held", lambda n, _: (n,)),
    ("SELECT code, epoch FROM rooms WHERE node = %s AND is_held", lambda n, _: (n,)),
    ("SELECT code, reads FROM rooms WHERE code = ANY(%s)", lambda _, r: ([r],)),
    ("SELECT epoch FROM rooms WHERE code = %s", lambda _, r: (r,)),
    (
        "SELECT count(*) FROM rooms WHERE is_held AND node = ANY(%s)",
        lambda n, _: ([n],),
    ),
    ("SELECT boot FROM nodes WHERE name = %s", lambda n, _: (n,)),
    (tables.HOME, lambda _, r: (r,)),
    (tables.PEERS, lambda _n, _r: ()),
)


class Both:
    """A statement is sent to both; their answers are compared."""

    def __init__(self, real: PostgresStore) -> None:
        self.real = real
        self.simulated = SharedStore(Database(random.Random(7)), NODES[0])
        self.answers = 0

    async def same(self, query: str, values: Any = ()) -> list[Any]:
        """Return the rows of a statement, the same of both."""
        async with self.real.connection() as db:
            done = await db.execute(query, values)  # type: ignore[arg-type]
            expected = await done.fetchall() if done.description else done.rowcount
        async with self.simulated.connection() as db:
            found = await db.execute(query, values)
        rows = found.rows if isinstance(expected, list) else found.rowcount
        assert _plain(query, rows) == _plain(query, expected), (query, values)
        self.answers += 1
        return expected if isinstance(expected, list) else []

    async def append(self, room: RoomCode, version: int, **fence: Any) -> bool:
        """Append an event to both; return whether both did."""
        events = first(room) if version == 0 else [joined(version)]

        async def stores(work: Awaitable[None]) -> bool:
            try:
                await work
            except VersionConflict:
                return False
            return True

        real = await stores(self.real.append(room, version, events, **fence))
        assert real == await stores(
            self.simulated.append(room, version, events, **fence)
        )
        return real

    async def pass_s(self, seconds: float) -> None:
        """Let time pass at both: what they have noted moves back."""
        async with self.real.connection() as db:
            await shift(db, seconds)
        for node in self.simulated.database.nodes.values():
            node.renewed -= seconds
            node.until -= seconds
            node.steady -= seconds


def _plain(query: str, rows: Any) -> Any:
    """Return rows in any order, without how long a lease has been over."""
    if not isinstance(rows, list):
        return rows
    if query == tables.PEERS:
        rows = [(*row[:5], *row[6:]) for row in rows]  # row[5] counts seconds
    return sorted([list(row) for row in rows], key=str)


async def test_each_statement_does_what_it_does_in_postgresql(postgresql: str) -> None:
    chance = random.Random(11)
    async with contextlib.AsyncExitStack() as stack:
        real = PostgresStore(postgresql, connections=2)
        stack.push_async_callback(real.close)
        both = Both(real)
        versions = dict.fromkeys(ROOMS, 0)
        for name in NODES:
            await both.same(tables.JOIN, _values(name))
        for _ in range(STEPS):
            await _step(both, chance, versions)
    assert both.answers > STEPS / 2
    assert all(versions.values())


async def _step(
    both: Both, chance: random.Random, versions: dict[RoomCode, int]
) -> None:
    name, other, room = chance.choice(NODES), chance.choice(NODES), chance.choice(ROOMS)
    row = both.simulated.database.rooms.get(room)
    epoch = max(0, (row.epoch if row else 0) - chance.choice((0, 0, 0, 1)))
    match chance.randrange(12):
        case 0:
            await both.same(tables.JOIN, _values(name))
        case 1 | 2:
            await both.same(tables.RENEW, {**_values(name), "url": name, "load": 3})
        case 3:
            await both.same(tables.MAY_TAKE, _values(name))
        case 4:
            await both.same(tables.DEAD, ([name, other],))
        case 5:
            at = row.node if row and chance.random() < 0.8 else other
            await both.same(tables.TAKE, (name, room, epoch, at))
        case 6:
            gone = {**_values(name), "gone": [other], "most": chance.randint(0, 2)}
            await both.same(tables.ADOPT, gone)
        case 7:
            if row is not None:
                await both.same(tables.GIVE, ([room], [other], [epoch], name))
        case 8:
            change, values = chance.choice(
                (
                    (LET_GO, (room, name, epoch)),
                    (tables.RESUME, _values(name)),
                    (LEAVE, (name, "b")),
                )
            )
            async with both.real.connection() as db:
                await db.execute(change, values)  # type: ignore[call-overload]
            async with both.simulated.connection() as db:
                await db.execute(change, values)
        case 9:
            version = versions[room]
            fence = {"epoch": epoch} if version else {"node": name}
            if await both.append(room, version, **fence):
                versions[room] += 1
        case 10:
            await both.pass_s(chance.choice((1.0, 3.0, 9.0)))
        case _:
            query, about = chance.choice(ASKED)
            await both.same(query, about(name, room))


def _values(name: str) -> dict[str, object]:
    return {
        "name": name,
        "boot": "b",
        "reads": list(READS),
        "lease": LEASE_S,
        "gap": GAP_S,
    }
