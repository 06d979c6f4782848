"""A whole fleet, of the parts of ``twogaps fleet up``: a test may kill them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg

from client import admin
from server.cli.fleet import Crew
from server.cli.fleet.parts import (
    HERE,
    Brokers,
    Database,
    NodeSettings,
    Program,
    node,
)
from server.cli.fleet.proxies import Door, installed_proxy, proxy
from tests.support.broker import free_port
from tests.support.fleet import PATIENT, Opened
from tests.support.http import get

NODES = ("node-1", "node-2", "node-3")
BROKERS = ("broker-1", "broker-2", "broker-3")
LOOK_S = 0.05
GUARD_S = 180

Ready = Callable[[], Awaitable[bool]]


class WholeFleet:
    """PostgreSQL with a standby, three brokers, three nodes and a proxy."""

    def __init__(self, folder: Path, sites: Sequence[str] = ()) -> None:
        """``sites`` outside of the fleet may connect to the brokers as well."""
        self._folder = folder
        self.crew = Crew(folder)
        self.database = Database(folder / "postgres", _ports(2), "secret")
        self.brokers = Brokers(folder, ports := _ports(3), _ports(3), "secret")
        self._broker_ports = ports
        self._node_ports = dict(zip(NODES, _ports(3), strict=True))
        self._port = free_port()
        self._ready: dict[str, Ready] = {}
        self._primary = 0
        self.urls = {
            name: self.brokers.let_in(name, number)
            for number, name in enumerate((*NODES, *sites))
        }
        """The brokers, as each node and each site is admitted."""

    @property
    def url(self) -> str:
        """Its one address."""
        return f"http://{HERE}:{self._port}"

    async def start(self) -> None:
        """Start all programs."""
        await self.database.make()
        await self._start_database(0)
        await self.database.create()
        await self._add_standby()
        for program, port in self.brokers.programs():
            await self._start(program, partial(_listens, port))
        for name, port in self._node_ports.items():
            own = NodeSettings(
                name,
                port,
                self._folder / name,
                self.database.url,
                self.urls[name],
                self.url,
            )
            await self._start(node(own), partial(_is_well, port))
        addresses = [f"{HERE}:{port}" for port in self._node_ports.values()]
        door = Door(self._port, addresses)
        front = proxy(installed_proxy(), self._folder / "proxy", door)
        await self._start(front, partial(_is_well, self._port))

    async def _start(self, program: Program, is_ready: Ready) -> None:
        self._ready[program.name] = is_ready
        await self.crew.start(program, is_ready)

    async def _start_database(self, one: int) -> None:
        database = self.database
        await self._start(database.program(one), lambda: database.answers(one))

    async def _add_standby(self) -> None:
        other = 1 - self._primary
        await self.database.copy(self._primary, other)
        await self._start_database(other)
        await self.database.wait_for_standby(self._primary)

    async def open_rooms(self, number: int) -> list[Opened]:
        """Open rooms by the proxy."""
        key = await self.database.admin_key()
        async with admin(self.url, key) as desk:
            codes = [
                await desk.open_room("first-class", settings=PATIENT, seed=seed)
                for seed in range(number)
            ]
        return [Opened(each.room, each.host_key) for each in codes]

    def homes(self) -> dict[str, str]:
        """Return the node of each room."""
        with psycopg.connect(self.database.url, autocommit=True) as db:
            return dict(db.execute("SELECT code, node FROM rooms").fetchall())

    # --- what is done to it ----------------------------------------------------------

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a program a signal."""
        os.kill(self.crew.pid(name), number)

    async def kill(self, name: str) -> None:
        """Kill a program as a power cut would, and wait until it is gone."""
        pid = self.crew.pid(name)
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            async with asyncio.timeout(GUARD_S):
                while True:
                    os.kill(pid, 0)
                    await asyncio.sleep(LOOK_S)

    async def start_again(self, name: str) -> None:
        """Start a program again."""
        await self.crew.start(self.crew.program(name), self._ready[name])

    async def kill_primary(self) -> None:
        """Kill the primary; the standby does not take over on its own."""
        await self.kill(self.database.program(self._primary).name)

    async def promote(self) -> None:
        """Let the standby take over."""
        self._primary = 1 - self._primary
        await self.database.promote(self._primary)

    async def rebuild(self) -> None:
        """Build a new standby."""
        await self._add_standby()

    def said(self, pattern: str) -> int:
        """Return how many lines of the nodes' logs match."""
        texts = [(self._folder / f"{name}.log").read_text() for name in NODES]
        return sum(len(re.findall(pattern, text)) for text in texts)

    async def stop_nodes(self) -> None:
        """Stop the nodes in order: what has come in is stored."""
        for name in NODES:
            self.send(name, signal.SIGTERM)
        for name in NODES:
            pid = self.crew.pid(name)
            with contextlib.suppress(ProcessLookupError):
                async with asyncio.timeout(GUARD_S):
                    while True:
                        os.kill(pid, 0)
                        await asyncio.sleep(LOOK_S)


@contextlib.asynccontextmanager
async def whole_fleet(
    folder: Path, sites: Sequence[str] = ()
) -> AsyncIterator[WholeFleet]:
    """Run a fleet while the block lasts, in a folder that other users can reach."""
    fleet = WholeFleet(folder, sites)
    try:
        await fleet.start()
        yield fleet
    finally:
        await fleet.crew.stop()


def _ports(number: int) -> list[int]:
    return [free_port() for _ in range(number)]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HERE, port)
    except OSError:
        return False
    writer.close()
    return True


async def _is_well(port: int) -> bool:
    with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError):
        return (await get(port, "/readyz")).status == 200
    return False
