"""A node of a fleet in a process of its own, for tests that kill, pause and drain it.

Run as a program it joins the fleet on a database, and prints one line of JSON when it
is ready. The first node may open rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.app import Config, running, tune_garbage_collection
from server.cli.logs import LogFormat, set_up_logging
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from tests.support.server import UNHURRIED

ROOT = Path(__file__).parent.parent.parent
FAULT = r" twogaps\S*: .*\nTraceback"
"""How a fault of a node's own begins in its log. The MQTT library leaves futures
unread when a broker is killed, which asyncio reports with a traceback as well."""

PATIENT = RoomSettings(time_factor=10, max_players=20_000)


@dataclass(frozen=True, slots=True)
class Opened:
    """A room of the fleet, and its host key."""

    room: str
    key: str


class NodeProcess:
    """A server of a fleet in a process of its own."""

    def __init__(
        self,
        folder: Path,
        name: str,
        journal: str,
        lease_s: float = 3.0,
        broker: str = "",
    ) -> None:
        self.name = name
        self.port = 0
        self._folder = folder / name
        self._journal = journal
        self._lease_s = lease_s
        self._broker = broker
        self._process: asyncio.subprocess.Process | None = None
        self.log = folder / f"{name}.log"
        self.is_running = False
        self.root = ROOT
        """Where the program is that it runs."""

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, rooms: int = 0) -> list[Opened]:
        """Start it and wait until it serves; return the rooms that it opened."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.support.fleet", self._folder, self.name),
                *(self._journal, str(self.port), str(self._lease_s), str(rooms)),
                self._broker,
                cwd=self.root,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            line = await self._process.stdout.readline()
        assert line, self.log.read_text()[-4_000:]
        ready = json.loads(line)
        self.port, self.is_running = ready["port"], True
        return [Opened(**room) for room in ready["rooms"]]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        self.is_running = False
        self.send(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """Ask it to stop, and wait until it has; return its exit code."""
        self.is_running = False
        if self._process is None or self._process.returncode is not None:
            return -1
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it is gone."""
        assert self._process is not None
        async with asyncio.timeout(60):
            return await self._process.wait()


class FrontDoor:
    """A load balancer: one address, connections to any node that is up.

    It hears which nodes are up from the test, as a real one does from health checks,
    and drops the connections of one that is down.
    """

    def __init__(self, nodes: Sequence[NodeProcess]) -> None:
        self._nodes = nodes
        self._next = 0
        self._writers: dict[str, set[asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None
        self.down: set[str] = set()

    @property
    def url(self) -> str:
        """Its address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> FrontDoor:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for name in list(self._writers):
            self.is_down(name)

    def is_down(self, name: str) -> None:
        """Send no one to a node, and drop who is there."""
        self.down.add(name)
        for writer in self._writers.pop(name, set()):
            writer.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for _ in self._nodes:
            node = self._nodes[self._next % len(self._nodes)]
            self._next += 1
            if not node.is_running or node.name in self.down:
                continue
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", node.port)
                ends = {writer, there[1]}
                self._writers.setdefault(node.name, set()).update(ends)
                await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
                self._writers.get(node.name, set()).difference_update(ends)
                return
        writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until either side is gone."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _serve(
    data: Path,
    name: str,
    journal: str,
    port: int,
    lease_s: float,
    rooms: int,
    broker: str,
) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = Config(
        port=port,
        data=data,
        site=name,
        journal=journal,
        lease_s=lease_s,
        broker=broker or None,
        limits=UNHURRIED,
    )
    async with running(config) as server:
        opened = []
        for number in range(rooms):
            order = OpenRoom(deck="first-class", seed=number, settings=PATIENT)
            room, key = await server.admin.open_room(order)
            opened.append({"room": room, "key": key})
        ready = {"port": server.port, "rooms": opened, "pid": os.getpid()}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    set_up_logging("info", LogFormat.TEXT)
    tune_garbage_collection()
    folder, name, journal, port, lease_s, rooms, broker = sys.argv[1:]
    asyncio.run(
        _serve(
            Path(folder), name, journal, int(port), float(lease_s), int(rooms), broker
        )
    )
