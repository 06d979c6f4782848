"""Websockets of which a test holds both ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve

from server.net.connection import Connection, Waiting, announced
from server.net.limits import Bucket

GUARD_S = 20

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)

Ends = tuple[Connection, ClientConnection]


def wait_freely(connection: Connection) -> None:
    """Let a new connection wait as long as it likes."""
    connection.waiting = Waiting(100, GUARD_S, lambda: None, lambda: None)
    connection.control = Bucket(10, 100)
    connection.on_slowed = lambda: None


class Exchange:
    """A server that hands out its end of every websocket that is opened."""

    def __init__(self, server: Server, opened: asyncio.Queue[Connection]) -> None:
        self._port = next(iter(server.sockets)).getsockname()[1]
        self._opened = opened
        self._stack = contextlib.AsyncExitStack()

    async def dial(self, tls: ssl.SSLContext | None = None) -> Ends:
        """Open a websocket; return the server's end and the client's."""
        client = await self._stack.enter_async_context(
            connect(
                f"{'wss' if tls else 'ws'}://127.0.0.1:{self._port}/",
                compression=None,
                max_queue=None,
                max_size=None,
                ssl=tls,
                server_hostname="localhost" if tls else None,
            )
        )
        return await self._opened.get(), client

    async def dial_raw(self, client: socket.socket) -> Connection:
        """Open a websocket from a bare socket; return the server's end."""
        loop = asyncio.get_running_loop()
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", self._port))
        await loop.sock_sendall(client, UPGRADE)
        return await self._opened.get()

    async def hang_up(self) -> None:
        """Close every websocket."""
        await self._stack.aclose()


@contextlib.asynccontextmanager
async def exchange(tls: ssl.SSLContext | None = None) -> AsyncIterator[Exchange]:
    """Serve for as long as the block lasts, at most ``GUARD_S`` seconds."""
    opened: asyncio.Queue[Connection] = asyncio.Queue()

    async def receive(ws: ServerConnection) -> None:
        assert isinstance(ws, Connection)
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
            create_connection=announced(Connection, wait_freely),  # type: ignore[arg-type] # a wrapper will do
            compression=None,
            ssl=tls,
        ) as server,
    ):
        made = Exchange(server, opened)
        try:
            yield made
        finally:
            await made.hang_up()
