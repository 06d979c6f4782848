"""Nodes of a fleet on one database, whose time a test moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from server.federation.fleet import Member, Terms
from server.federation.leases import Leases
from server.game.events import Event, PlayerJoined
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import READS
from server.journal.postgres import PostgresStore
from server.journal.tables import Connection
from tests.support.cases import opened

TERMS = Terms(lease_s=8.0)


def first(code: RoomCode) -> list[Event]:
    """Return the first event of a room."""
    return [replace(opened(), code=code)]


def joined(number: int) -> Event:
    """Return an event that differs from all others."""
    player = PlayerId(f"p{number:05d}")
    return PlayerJoined(player, f"P {number}", None, is_practice=False, at_ms=1)


class Tenant:
    """The rooms of a node that is not there: keeps what it hears."""

    def __init__(self, node: FleetNode) -> None:
        self._node = node
        self.load = 0
        self.lost_rooms: list[RoomCode] = []
        self.given: list[RoomCode] = []

    async def arrived(self, code: RoomCode) -> None:
        await self._node.leases.take(code)

    def lost(self, code: RoomCode) -> None:
        self.lost_rooms.append(code)

    async def hand_over(self) -> None:
        self.given += await self._node.leases.hand_over(list(self._node.leases.held))


class FleetNode:
    """A node with its own clock, which renews its lease on demand."""

    def __init__(
        self, url: str, name: str, terms: Terms = TERMS, reads: Sequence[int] = READS
    ) -> None:
        self.name = name
        self.ahead_s = 0.0
        """By how much its clock, like the database's, was moved."""
        self.store = PostgresStore(url, connections=3)
        self.member = Member(self.store, name, terms, self._now_s, reads)
        self.leases = Leases(self.member)
        self.tenant = Tenant(self)

    def _now_s(self) -> float:
        return time.monotonic() + self.ahead_s

    async def join(self) -> None:
        """Get a lease."""
        await self.member.join()
        self.member.url = f"http://{self.name}"

    async def beat(self) -> None:
        """Renew the lease, and wait for what follows from that."""
        async with self.store.connection() as db, asyncio.TaskGroup() as group:
            await self.leases.beat(db, self.tenant, group)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.store.close()


class Fleet:
    """Nodes by name, and the time that passes for all of them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.nodes: dict[str, FleetNode] = {}

    async def add(self, name: str, reads: Sequence[int] = READS) -> FleetNode:
        """Start a node; one of the same name before it is forgotten."""
        made = FleetNode(self.url, name, reads=reads)
        if (old := self.nodes.get(name)) is not None:
            await old.close()
        self.nodes[name] = made
        await made.join()
        return made

    async def pass_s(self, seconds: float) -> None:
        """Let time pass, on the database's clock and on those of the nodes.

        The database's own clock cannot be moved: what it has noted moves back.
        """
        for node in self.nodes.values():
            node.ahead_s += seconds
        store = next(iter(self.nodes.values())).store
        async with store.connection() as db:
            await shift(db, seconds)

    async def live(self, seconds: float, *names: str) -> None:
        """Let time pass in which some nodes renew their leases."""
        while seconds > 0:
            step_s = min(seconds, TERMS.beat_s)
            await self.pass_s(step_s)
            seconds -= step_s
            for name in names:
                await self.nodes[name].beat()

    async def close(self) -> None:
        """Let go of all connections."""
        for node in self.nodes.values():
            await node.close()


async def shift(db: Connection, seconds: float) -> None:
    """Move all times of the nodes back."""
    await db.execute(
        "UPDATE nodes SET renewed = renewed - %(s)s * interval '1 s', "
        "until = until - %(s)s * interval '1 s', "
        "steady = steady - %(s)s * interval '1 s'",
        {"s": seconds},
    )
