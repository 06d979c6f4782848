"""What stands between a browser and the server in schools and behind tunnels."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Literal

Kind = Literal["forbids", "redirects", "hangs", "strips", "renames", "passes"]

_ANSWERS = {
    "forbids": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n",
    "redirects": b"HTTP/1.1 302 Found\r\nLocation: http://filter.invalid/blocked\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n",
}
_UPGRADE = re.compile(rb"(?mi)^(upgrade|connection):.*\r\n")
_HOST = re.compile(rb"(?mi)^host:.*\r\n")


class Obstacle:
    """A proxy in front of a server that meddles with requests for a websocket.

    ``forbids``, ``redirects`` and ``hangs`` answer them like filters do, ``strips``
    drops their Upgrade header, and ``renames`` changes the Host of every request.
    ``passes`` is none yet: see :meth:`turn`.
    """

    def __init__(self, kind: Kind, port: int) -> None:
        self.kind = kind
        self.port = 0
        self._far_port = port
        self._tasks: set[asyncio.Task[None]] = set()

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def turn(self, kind: Kind) -> None:
        """Become an obstacle of another kind, and cut every connection."""
        self.kind = kind
        await self.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._pass_on(reader, writer)
        finally:
            writer.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self.kind == "renames":
            head = _HOST.sub(b"Host: internal.test\r\n", head)
        elif b"websocket" in head.lower() and self.kind != "passes":
            if self.kind == "hangs":
                await asyncio.get_running_loop().create_future()
            if self.kind in _ANSWERS:
                writer.write(_ANSWERS[self.kind])
                return
            head = _UPGRADE.sub(b"", head)
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._far_port
        )
        try:
            far_writer.write(head)
            async with asyncio.TaskGroup() as group:
                up = group.create_task(_relay(reader, far_writer), name="obstacle up")
                await _relay(far_reader, writer)
                up.cancel()
        finally:
            far_writer.close()

    async def close(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def obstacle(kind: Kind, port: int) -> AsyncIterator[Obstacle]:
    """Open a proxy of this kind to a port of this machine."""
    between = Obstacle(kind, port)
    server = await asyncio.start_server(between.meet, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await between.close()
        await server.wait_closed()
