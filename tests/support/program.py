"""``twogaps serve`` as an operator runs it: a process of its own, with its output."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
GUARD_S = 40
RESTLESS = ("--limit", "changes=1000000000")
"""For voters who change their answer as fast as it is recorded."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a server ended."""

    code: int
    took_s: float
    log: str
    """All that it wrote to stderr, since it was started."""


class Program:
    """``twogaps serve`` with options; ``--host 127.0.0.1`` and a free port are given.

    What it prints is read until it serves; its log goes to a file.
    """

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self._options = options
        self._environment = environment
        self._log = folder / "program.log"
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0
        self.said = ""
        """What it printed before it served."""

    async def start(self, *more: str, before: tuple[str, ...] = ()) -> None:
        """Start it under the programs ``before``, and wait until it serves."""
        words = ("serve", "--host", "127.0.0.1", "--port", str(self.port))
        with self._log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *before, sys.executable, "-m", "twogaps",
                *words, *self._options, *more,
                cwd=ROOT, env={**os.environ, "COLUMNS": "200", **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        await self._read_greeting()
        if not self.port:
            found = re.search(r"https?://127\.0\.0\.1:(\d+)/host", self.said)
            assert found is not None, self.said
            self.port = int(found[1])

    async def _read_greeting(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self.said = ""
        async with asyncio.timeout(GUARD_S):
            while "Stop with Ctrl-C" not in self.said:
                line = await self._process.stdout.readline()
                assert line, f"it ended: {self.log}"
                self.said += line.decode()

    @property
    def room(self) -> tuple[str, str]:
        """Code and host key of the room it opened."""
        found = re.search(r"#room=([A-Z0-9]+)&key=([0-9a-f]+)", self.said)
        assert found is not None, self.said
        return found[1], found[2]

    @property
    def admin_key(self) -> str:
        """The key of its admin link."""
        found = re.search(r"#admin=([0-9a-f]+)", self.said)
        assert found is not None, self.said
        return found[1]

    @property
    def log(self) -> str:
        """What it wrote to stderr."""
        return self._log.read_text()

    async def says(self, text: str) -> None:
        """Wait until its log holds a text."""
        async with asyncio.timeout(GUARD_S):
            while True:
                if text in self.log:
                    return
                await asyncio.sleep(0.02)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    async def interrupt(self, pid: int) -> None:
        """Ask a process that it runs under another program to stop."""
        os.kill(pid, signal.SIGTERM)

    async def stop(self) -> Stopped:
        """Ask it to stop (SIGTERM), and wait until it is gone."""
        assert self._process is not None
        if self._process.returncode is None:
            self.signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> Stopped:
        """Wait until it is gone."""
        assert self._process is not None
        started = time.monotonic()
        async with asyncio.timeout(GUARD_S):
            code = await self._process.wait()
        return Stopped(code, time.monotonic() - started, self.log)

    async def kill(self) -> None:
        """Kill it if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self.signal(signal.SIGKILL)
            await self._process.wait()
