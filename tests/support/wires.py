"""Websockets of which a test holds both ends."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve

from server.net.connection import DirectConnection

GUARD_S = 20

Ends = tuple[DirectConnection, ClientConnection]


class Exchange:
    """A server that hands out its end of every websocket that is opened."""

    def __init__(self, server: Server, opened: asyncio.Queue[DirectConnection]) -> None:
        self._port = next(iter(server.sockets)).getsockname()[1]
        self._opened = opened
        self._stack = contextlib.AsyncExitStack()

    async def dial(
        self, compression: str | None = None, tls: ssl.SSLContext | None = None
    ) -> Ends:
        """Open a websocket; return the server's end and the client's."""
        client = await self._stack.enter_async_context(
            connect(
                f"{'wss' if tls else 'ws'}://127.0.0.1:{self._port}/",
                compression=compression,
                max_queue=None,
                max_size=None,
                ssl=tls,
                server_hostname="localhost" if tls else None,
            )
        )
        return await self._opened.get(), client

    async def hang_up(self) -> None:
        """Close every websocket."""
        await self._stack.aclose()


@contextlib.asynccontextmanager
async def exchange(
    compression: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Exchange]:
    """Serve for as long as the block lasts, at most ``GUARD_S`` seconds."""
    opened: asyncio.Queue[DirectConnection] = asyncio.Queue()

    async def receive(ws: ServerConnection) -> None:
        assert isinstance(ws, DirectConnection)
        await opened.put(ws)
        with contextlib.suppress(Exception):
            async for _ in ws:
                pass

    async with (
        asyncio.timeout(GUARD_S),
        serve(
            receive,
            "127.0.0.1",
            0,
            create_connection=DirectConnection,
            compression=compression,
            ssl=tls,
        ) as server,
    ):
        made = Exchange(server, opened)
        try:
            yield made
        finally:
            await made.hang_up()


async def in_two_parts(go_on: asyncio.Event) -> AsyncIterator[str]:
    """Yield a message in fragments: the second once it may go on."""
    yield "one "
    await go_on.wait()
    yield "two"


async def until(is_so: Callable[[], bool]) -> None:
    """Let others run until something is so; the exchange's guard ends it otherwise."""
    while not is_so():  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)
