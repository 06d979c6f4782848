"""A TCP proxy that can be cut: one phone's radio, in a test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Wire:
    """Passes bytes to a port until it is cut, and again once it is restored."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.port = 0

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def restore(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass one connection on, in both directions, until either side ends."""
        if self._is_cut:
            writer.transport.abort()
            return
        there, thither = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, thither}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, thither), name="out")
                group.create_task(_pass(there, writer), name="in")
        finally:
            self._writers -= {writer, thither}
            writer.close()
            thither.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


@contextlib.asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """Open a wire to a port of this machine."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
