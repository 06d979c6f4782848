"""The one port: websockets at /ws, pages everywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import CONNECTING, State

from server.net.connection import PromptConnection, Waiting, WaitingConnection, bound
from server.net.context import Desk
from server.net.gate import BUSY_RETRY_MS
from server.net.limits import Limits
from server.net.operations import Operations
from server.net.pages import Pages, forbidden, later
from server.net.session import Session
from server.protocol.codec import encode_server
from server.protocol.server_messages import Bye

log = logging.getLogger("twogaps.net")

SOCKET_PATH = "/ws"

PING_S = 20
"""A socket is asked so often whether it is still there, and has as long to answer."""

QUEUED_FRAMES = 8
"""Frames of one socket that are taken in before the first of them is dealt with."""

_FULL = {
    "sockets": "This server has as many connections as it may have.",
    "sockets_address": "Your network has as many connections as it may have here.",
}


class Door:
    """Lets requests in: to a session, or to a page."""

    def __init__(
        self,
        desk: Desk,
        pages: Pages,
        operations: Operations,
        origins: Iterable[str],
    ) -> None:
        self._desk = desk
        self._gate = desk.gate
        self._operations = operations
        self._pages = pages
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._sessions: set[Session] = set()
        self._metrics = desk.metrics
        self._metrics.watch("sockets", lambda: self._gate.sockets)
        limits = desk.limits
        self.waiting = Waiting(
            limits.waiting,
            limits.request_s,
            on_drop=lambda: self._gate.hit("waiting"),
            on_late=lambda: self._gate.hit("request_s"),
        )
        self._metrics.watch("connections_waiting", lambda: len(self.waiting))

    @property
    def limits(self) -> Limits:
        """The limits it keeps."""
        return self._desk.limits

    async def check(self, ws: ServerConnection, request: Request) -> Response | None:
        """Answer a plain request, or let a websocket pass (None)."""
        if urlsplit(request.path).path != SOCKET_PATH:
            return await self._page(ws, request)
        if not self._is_welcome_origin(request):
            self._metrics.turned_away["origin"].inc()
            return forbidden("This page may not open a socket here.\n")
        why = "stopping" if self._desk.stopping.is_set() else None
        if self._gate.is_overfull:
            why = "full"
            self._gate.hit("sockets")
        if why is not None:
            self._metrics.turned_away[why].inc()
            text = f"The server is {why}; please try again in a minute.\n"
            return later(HTTPStatus.SERVICE_UNAVAILABLE, text, BUSY_RETRY_MS / 1000)
        return None

    async def _page(self, ws: ServerConnection, request: Request) -> Response:
        wait_s = self._gate.page_wait_s(self._desk.peers.address(ws, request))
        if wait_s > 0:
            text = "Too many pages were asked for from your network; wait a moment.\n"
            return later(HTTPStatus.TOO_MANY_REQUESTS, text, wait_s)
        answer = await self._operations.answer(request)
        return answer or self._pages.answer(request)

    def _is_welcome_origin(self, request: Request) -> bool:
        """Programs send no Origin; a browser's must be this very server's."""
        origin = request.headers.get("Origin")
        if origin is None or origin.lower() in self._origins:
            return True
        return (
            urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
        )

    async def receive(self, ws: ServerConnection) -> None:
        """Hold a conversation on a websocket, or say that there is no place for it."""
        self.waiting.remove(ws)
        address = self._desk.peers.address(ws, ws.request)
        limit = self._gate.enter(address)
        try:
            if limit is None:
                await self._converse(ws, address)
            else:
                await self._send_away(ws, limit)
        finally:
            self._gate.leave(address)

    async def _converse(self, ws: ServerConnection, address: str) -> None:
        assert isinstance(ws, PromptConnection)
        bound(ws.transport, self._desk.limits.unsent)
        session = Session(ws, self._desk, address)
        self._sessions.add(session)
        self._metrics.sockets_opened.inc()
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    async def _send_away(self, ws: ServerConnection, limit: str) -> None:
        self._metrics.turned_away["full"].inc()
        detail = f"{_FULL[limit]} Those inside play on; please try again in a moment."
        bye = Bye(code="full", detail=detail, come_back=True, retry_ms=BUSY_RETRY_MS)
        self._metrics.goodbyes["full"].inc()
        with contextlib.suppress(ConnectionClosed):
            await ws.send(encode_server(bye), text=True)

    def stop(self) -> None:
        """Let nobody new in, and read nothing more."""
        self._desk.stopping.set()

    def part_all(self, bye: bytes) -> None:
        """Send everybody a last frame and close."""
        for session in list(self._sessions):
            session.part(bye)


class Port:
    """An open port, and every connection on it."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._connections: WeakSet[ServerConnection] = WeakSet()

    def connection_type(self, waiting: Waiting) -> type[ServerConnection]:
        """Return the type of connections that are remembered here, and wait there."""
        remembered = self._connections

        class Remembered(WaitingConnection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.waiting = waiting
                remembered.add(self)

        return Remembered

    def opened(self, server: Server) -> None:
        """Note what listens."""
        self._server = server

    async def close(self, most_s: float) -> None:
        """Close the port: sockets in good order, or cut where that takes too long.

        Connections that have not become sockets (a browser keeps some in reserve) are
        cut at once; they would hold the end up until they time out.
        """
        assert self._server is not None
        self._server.close()
        self._cut(CONNECTING)
        try:
            async with asyncio.timeout(most_s):
                await self._server.wait_closed()
        except TimeoutError:
            self._cut(*State)
            await self._server.wait_closed()

    def _cut(self, *states: State) -> None:
        for connection in list(self._connections):
            is_there = hasattr(connection, "transport")  # not where TLS has failed
            if is_there and connection.protocol.state in states:
                connection.transport.abort()


async def listen(
    door: Door, sock: socket.socket, tls: ssl.SSLContext | None = None
) -> Port:
    """Serve on a bound socket, with TLS where a context is given."""
    made, limits = Port(), door.limits
    server = await serve(
        door.receive,
        sock=sock,
        create_connection=made.connection_type(door.waiting),
        process_request=door.check,
        compression=None,
        max_size=limits.stranger_frame,
        max_queue=QUEUED_FRAMES,
        open_timeout=limits.request_s,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        close_timeout=2,
        server_header=None,
        backlog=2048,
        logger=logging.getLogger("twogaps.websockets"),
        ssl=tls,
        ssl_handshake_timeout=limits.request_s if tls else None,
    )
    made.opened(server)
    return made
