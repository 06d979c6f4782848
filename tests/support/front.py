"""An address in front of a server, which passes connections on, refuses or ignores."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

WAYS = ("open", "refusing", "silent")


class Front:
    """Passes connections on while it is open; counts those that it does not."""

    def __init__(self, far_port: int) -> None:
        self.port = 0
        self.turned_away = 0
        self.next_ones: list[str] = []
        """What happens to the next connections, whatever is set for all others."""
        self._way = "open"
        self._far_port = far_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def set(self, way: str) -> None:
        """Be open, refusing or silent from now on; unless open, end all connections."""
        assert way in WAYS
        self._way = way
        if way != "open":
            self.end()

    def end(self) -> None:
        """End all connections, as the death of the server does."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def meet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Treat one connection as the next one has to be treated."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        way = self.next_ones.pop(0) if self.next_ones else self._way
        self.turned_away += way != "open"
        if way == "refusing":
            writer.transport.abort()
            return
        self._writers.add(writer)
        if way == "silent":
            return
        far = await asyncio.open_connection("127.0.0.1", self._far_port)
        self._writers.add(far[1])
        await asyncio.gather(_copy(reader, far[1]), _copy(far[0], writer))
        self._writers -= {writer, far[1]}

    async def close(self) -> None:
        """End everything."""
        self.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def front_of(far_port: int) -> AsyncIterator[Front]:
    """Open an address in front of a port of this machine while the block lasts."""
    front = Front(far_port)
    server = await asyncio.start_server(front.meet, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        await front.close()
