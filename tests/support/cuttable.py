"""A line between a node and the broker that can be cut: nothing passes or ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Cuttable:
    """Carries bytes both ways until it is cut; then both ends hear nothing at all."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._far_port = port
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._swallowed: set[asyncio.Task[None]] = set()

    def swallow(self) -> None:
        """Drop what the connections open now carry, without a sign; let new ones pass.

        A phone that slept through a change of network has such a connection.
        """
        self._swallowed |= self._tasks

    def cut(self) -> None:
        """Let nothing pass any more; connections stay open, as behind a dead link."""
        self._is_whole.clear()

    def heal(self) -> None:
        """Let everything pass again, also what has waited."""
        self._is_whole.set()

    async def _meet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._swallowed.discard)
        await self._is_whole.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self._far_port
            )
        except OSError:
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(task, reader, far_writer))
                both.create_task(self._carry(task, far_reader, writer))
        except asyncio.CancelledError:
            writer.transport.abort()
            far_writer.transport.abort()
            raise

    async def _carry(
        self,
        connection: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._is_whole.wait()
                if connection in self._swallowed:
                    continue
                writer.write(data)
                await writer.drain()
        if connection in self._swallowed:
            return
        with contextlib.suppress(OSError):
            writer.close()

    async def close(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def cuttable(port: int) -> AsyncIterator[Cuttable]:
    """Open a line to a port of this machine."""
    line = Cuttable(port)
    server = await asyncio.start_server(line._meet, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        await line.close()
        await server.wait_closed()
