"""A server process of its own, for tests that kill it.

Run as a program it serves the journal folder and port it is given, opens a room if
there is none, and prints one line of JSON when it is ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from server.app import Config, running, tune_garbage_collection
from server.game.settings import RoomSettings
from server.protocol.client_messages import OpenRoom
from tests.support.server import UNHURRIED

ROOT = Path(__file__).parent.parent.parent
PATIENT = RoomSettings(time_factor=10, max_players=20_000)


@dataclass(frozen=True, slots=True)
class Ready:
    """What a started node says of itself."""

    port: int
    room: str
    key: str
    pid: int
    """Of the server itself, whatever it runs under."""


class Node:
    """A server in a process of its own."""

    def __init__(
        self, data: Path, broker: str = "", site: str = "", host: str = "127.0.0.1"
    ) -> None:
        self._data = data
        self.host = host
        self._relay = (broker, site) if broker else ()
        self._process: asyncio.subprocess.Process | None = None
        self._pid = 0
        self.port = 0

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://{self.host}:{self.port}"

    async def start(self, *before: str) -> Ready:
        """Start it, under the programs ``before``, and wait until it serves."""
        self._process = await asyncio.create_subprocess_exec(
            *before,
            sys.executable,
            "-m",
            "tests.support.node",
            str(self._data),
            str(self.port),
            self.host,
            *self._relay,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            line = await self._process.stdout.readline()
        ready = Ready(**json.loads(line))
        self.port, self._pid = ready.port, ready.pid
        return ready

    async def kill(self) -> None:
        """Kill it as a power cut would (SIGKILL), if it still runs."""
        assert self._process is not None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        await self._process.wait()

    async def ended(self) -> int:
        """Wait until it is gone; return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop (SIGTERM); return its exit code."""
        if self._process is None or self._process.returncode is not None:
            return -1
        os.kill(self._pid, signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self._process.wait()


async def _serve(
    data: Path, port: int, host: str, broker: str | None = None, site: str | None = None
) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = Config(
        host=host,
        port=port,
        data=data,
        broker=broker,
        site=site,
        limits=UNHURRIED,
    )
    async with running(config) as server:
        live = server.directory.live
        if live:
            room, key = live[0].code, live[0].key_of("host")
        else:
            order = OpenRoom(deck="first-class", seed=1, settings=PATIENT)
            room, key = await server.admin.open_room(order)
        ready = {"port": server.port, "room": room, "key": key, "pid": os.getpid()}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    tune_garbage_collection()  # as `twogaps serve` does
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
