"""A real Mosquitto on a port of its own, that a test may kill."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from pathlib import Path

from tests.support.missing import need


class Mosquitto:
    """A broker process with a configuration of the test's."""

    def __init__(self, folder: Path, *lines: str) -> None:
        need(_program(), "mosquitto (apt-get install mosquitto)")
        self.port = _free_port()
        self._path = folder / "mosquitto.conf"
        self._process: asyncio.subprocess.Process | None = None
        usual = ("allow_anonymous true", "set_tcp_nodelay true")
        settings = (f"listener {self.port} 127.0.0.1", *(lines or usual))
        self._path.write_text("\n".join(settings) + "\n")

    def configure(self, text: str) -> None:
        """Use another configuration from the next start on."""
        keep = "user root\n" if os.geteuid() == 0 else ""  # the files are the test's
        self._path.write_text(keep + text)

    def url(self, user: str = "", password: str = "") -> str:
        """Return the broker's address for a user."""
        who = f"{user}:{password}@" if user else ""
        return f"mqtt://{who}127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        program = _program()
        assert program is not None
        self._process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(self._path),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def _program() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
