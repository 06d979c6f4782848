"""The one port: websockets at /ws, pages everywhere else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.protocol import CONNECTING, State

from server.net.operations import Operations
from server.net.pages import Pages
from server.net.responses import forbidden, unavailable
from server.net.session import Desk, Session

log = logging.getLogger("twogaps.net")

SOCKET_PATH = "/ws"
OPEN_TIMEOUT_S = 25
"""Covers sending a page over a slow line, and ends sockets that never ask."""

PING_S = 20


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
        self._operations = operations
        self._pages = pages
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._sessions: set[Session] = set()
        self._metrics = desk.metrics
        self._metrics.watch("sockets", lambda: self.sockets)

    @property
    def sockets(self) -> int:
        """How many websockets are open."""
        return len(self._sessions)

    @property
    def why_closed(self) -> str | None:
        """Why nobody new is let in now; None while the door is open."""
        if self._desk.stopping.is_set():
            return "stopping"
        return "full" if self.sockets >= self._desk.limits.sockets else None

    async def check(self, _: ServerConnection, request: Request) -> Response | None:
        """Answer a plain request, or let a websocket pass (None)."""
        if urlsplit(request.path).path != SOCKET_PATH:
            answer = await self._operations.answer(request)
            return answer or self._pages.answer(request)
        if not self._is_welcome_origin(request):
            self._metrics.turned_away["origin"].inc()
            return forbidden("This page may not open a socket here.\n")
        if (why := self.why_closed) is not None:
            self._metrics.turned_away[why].inc()
            text = f"The server is {why}; please try again in a minute.\n"
            return unavailable(text)
        return None

    def _is_welcome_origin(self, request: Request) -> bool:
        """Programs send no Origin; a browser's must be this very server's."""
        origin = request.headers.get("Origin")
        if origin is None or origin.lower() in self._origins:
            return True
        return (
            urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
        )

    async def receive(self, ws: ServerConnection) -> None:
        """Hold a conversation on a websocket."""
        session = Session(ws, self._desk)
        self._sessions.add(session)
        self._metrics.sockets_opened.inc()
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

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

    @property
    def number(self) -> int:
        """The port's number."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def connection_type(self) -> type[ServerConnection]:
        """Return the type of connections that are remembered here."""
        remembered = self._connections

        class Remembered(ServerConnection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
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
            if connection.protocol.state in states:
                connection.transport.abort()


async def listen(door: Door, host: str, port: int, max_frame: int) -> Port:
    """Open the port. Raises OSError where that cannot be done."""
    made = Port()
    server = await serve(
        door.receive,
        host,
        port,
        create_connection=made.connection_type(),
        process_request=door.check,
        compression=None,
        max_size=max_frame,
        max_queue=16,
        open_timeout=OPEN_TIMEOUT_S,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        close_timeout=2,
        server_header=None,
        backlog=2048,
        logger=logging.getLogger("twogaps.websockets"),
    )
    made.opened(server)
    return made
