"""The one port: websockets at /ws, pages everywhere else."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

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
        self._open = 0
        self._metrics = desk.metrics
        self._metrics.watch("sockets", lambda: self._open)

    @property
    def sockets(self) -> int:
        """How many websockets are open."""
        return self._open

    @property
    def why_closed(self) -> str | None:
        """Why nobody new is let in now; None while the door is open."""
        return "full" if self._open >= self._desk.limits.sockets else None

    async def check(self, _: ServerConnection, request: Request) -> Response | None:
        """Answer a plain request, or let a websocket pass (None)."""
        if urlsplit(request.path).path != SOCKET_PATH:
            answer = await self._operations.answer(request)
            return answer or self._pages.answer(request)
        if not self._is_welcome_origin(request):
            self._metrics.turned_away["origin"].inc()
            return forbidden("This page may not open a socket here.\n")
        if self.why_closed == "full":
            self._metrics.turned_away["full"].inc()
            return unavailable("The server is full; please try again in a minute.\n")
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
        self._open += 1
        self._metrics.sockets_opened.inc()
        try:
            await Session(ws, self._desk).run()
        finally:
            self._open -= 1


async def listen(door: Door, host: str, port: int, max_frame: int) -> Server:
    """Open the port. Raises OSError where that cannot be done."""
    return await serve(
        door.receive,
        host,
        port,
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
