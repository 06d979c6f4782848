"""The server's port: websockets at /ws, and pages at every other path."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from server.game.errors import Refused
from server.net.addresses import HERE, SOCKET_PATH, Names, web_origin
from server.net.connection import Connection, Waiting, announced
from server.net.context import Desk
from server.net.gate import BUSY_RETRY_MS
from server.net.limits import Bucket, Limits
from server.net.operations import Operations
from server.net.pages import (
    WHERE_PATH,
    Pages,
    bad_request,
    forbidden,
    is_well_formed,
    json_response,
    later,
    misdirected,
    without_body,
)
from server.net.session import Session
from server.protocol.codec import encode_server
from server.protocol.server_messages import Bye

log = logging.getLogger("twogaps.net")

WHY_PATH = "/why.json"

PLAIN_S = 30.0
"""Seconds for which a websocket request without Upgrade header explains a failure."""

BAD_PRICE = 100.0
"""The cost of an invalid request, in pages. Browsers never send one, and opening its
connection is what costs the server most."""

REFUSED_S = 1.0
"""The longest time, in seconds, for which a refusal is delayed, so that a client that
keeps asking ties up its own connections and not the server."""

PLAIN_KEPT = 256
"""Addresses remembered for having sent requests without Upgrade header."""

ACCEPTED_TOGETHER = 4
"""New connections accepted before other tasks get a turn. asyncio uses ``backlog`` for
this, which is also the length of the system's queue."""

PING_S = 20
"""Ping interval and pong timeout, in seconds."""

_FULL = {
    "sockets": "This server has reached its limit of connections.",
    "sockets_address": "Your network has reached its limit of connections here.",
}


class Origins:
    """The web origins whose pages may open a socket."""

    def __init__(self, more: Iterable[str], logged: int = 20) -> None:
        """``more`` are allowed in addition to the server's own origin. The first
        ``logged`` refused origins are logged, once each.
        """
        self._more = frozenset(web_origin(one) or one for one in more)
        self._refused: set[str] = set()
        self._logged = logged

    def admits(self, origin: str | None, host: str) -> bool:
        """Return whether a page may connect, given the request's Host header.

        Other programs send no Origin and are admitted. A browser's Origin must be this
        server's or one of ``more``.
        """
        if origin is None:
            return True
        asked = web_origin(origin)
        if asked is not None:
            scheme = asked.partition(":")[0]
            if asked in self._more or asked == web_origin(f"{scheme}://{host}"):
                return True
        self._log(origin[:200], host[:200])
        return False

    def _log(self, origin: str, host: str) -> None:
        if origin in self._refused or len(self._refused) >= self._logged:
            return
        self._refused.add(origin)
        log.warning(
            "Refused the live connection of a page at %r: the request came for host "
            "%r. If that is where people open this server, a tunnel or proxy changes "
            "its name: start the server with --public-url and that address. For pages "
            "of another site, use --origin.",
            origin,
            host,
        )


class Door:
    """Routes incoming requests to a session or a page."""

    def __init__(
        self,
        desk: Desk,
        pages: Pages,
        operations: Operations,
        origins: Iterable[str],
        names: Names,
        arrived: Callable[[str, str], None] = lambda _host, _peer: None,
    ) -> None:
        """``origins`` are other websites whose pages may connect, and ``names`` are
        this server's host names. ``arrived`` is called with the Host header and the
        address of each websocket from another device.
        """
        self._desk = desk
        self._gate = desk.gate
        self._operations = operations
        self._pages = pages
        self._origins = Origins(origins)
        self._names = names
        self._plain: OrderedDict[str, float] = OrderedDict()
        self._arrived = arrived
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
        """The limits that it enforces."""
        return self._desk.limits

    async def check(self, ws: ServerConnection, request: Request) -> Response | None:
        """Answer a plain request, or return None to accept a websocket."""
        is_sound = is_well_formed(request)
        if not is_sound or urlsplit(request.path).path != SOCKET_PATH:
            return await self._page(ws, request, is_sound=is_sound)
        if not _asks_for_socket(request):
            self._remember_plain(self._desk.peers.address(ws, request))
        host = request.headers.get("Host", "")
        if not self._is_known(ws, host):
            self._metrics.turned_away["host"].inc()
            return misdirected(host)
        if not self._origins.admits(request.headers.get("Origin"), host):
            self._metrics.turned_away["origin"].inc()
            return forbidden("This page may not open a socket here.\n")
        why = self._busy
        if why == "full":
            self._gate.hit("sockets")
        if why is not None:
            self._metrics.turned_away[why].inc()
            text = f"The server is {why}; please try again in a minute.\n"
            return later(HTTPStatus.SERVICE_UNAVAILABLE, text, BUSY_RETRY_MS / 1000)
        return await self._turn(self._desk.peers.address(ws, request))

    async def _turn(self, address: str) -> Response | None:
        """Wait until an address may open another socket; refuse if that takes too long.

        When a whole class reconnects, its sockets are thus opened one after another.
        """
        try:
            wait_s = self._gate.connect_wait_s(address)
        except Refused as refusal:
            self._metrics.turned_away["too_fast"].inc()
            wait_s = (refusal.retry_ms or BUSY_RETRY_MS) / 1000
            return later(HTTPStatus.TOO_MANY_REQUESTS, f"{refusal.detail}\n", wait_s)
        if wait_s:
            await asyncio.sleep(wait_s)
        return None

    def _is_known(self, ws: ServerConnection, host: str) -> bool:
        """Whether a Host header names this server (with TLS, browsers check that)."""
        is_tls = isinstance(ws, Connection) and ws.is_tls
        return is_tls or self._names.admits(host)

    @property
    def _busy(self) -> str | None:
        """Return why sockets are not admitted now: ``full``, ``stopping`` or None."""
        if self._gate.is_overfull:
            return "full"
        return "stopping" if self._desk.stopping.is_set() else None

    def _remember_plain(self, address: str) -> None:
        """Remember that a websocket request from an address had no Upgrade header."""
        self._plain[address] = asyncio.get_running_loop().time()
        self._plain.move_to_end(address)
        if len(self._plain) > PLAIN_KEPT:
            self._plain.popitem(last=False)

    def _why(self, address: str, request: Request, *, is_known: bool) -> Response:
        """Tell a page that cannot open a websocket why, as far as the server can tell.

        ``origin``: its requests arrive under another host name. ``upgrade``: they
        arrive as plain requests. ``full`` or ``stopping``: the server is. None: they
        do not arrive at all.
        """
        origin = parse_qs(urlsplit(request.path).query).get("origin")
        host = request.headers.get("Host", "")
        plain_s = asyncio.get_running_loop().time() - self._plain.get(
            address, -math.inf
        )
        reason = self._busy
        is_own = origin is None or self._origins.admits(origin[0], host)
        if not is_own or not is_known:
            reason = "origin"
        elif reason is None and self._gate.is_crowded(address):
            reason = "full"
        elif reason is None and plain_s < PLAIN_S:
            reason = "upgrade"
        return json_response(HTTPStatus.OK, {"reason": reason, "host": host})

    async def _page(
        self, ws: ServerConnection, request: Request, *, is_sound: bool
    ) -> Response:
        address = self._desk.peers.address(ws, request)
        price = self._pages.price(request) if is_sound else BAD_PRICE
        wait_s = self._gate.page_wait_s(address, price)
        if wait_s > 0:
            await asyncio.sleep(min(wait_s, REFUSED_S))
            text = "Your network requested too many pages; wait a moment.\n"
            return later(HTTPStatus.TOO_MANY_REQUESTS, text, wait_s)
        if not is_sound:
            return bad_request()
        path = urlsplit(request.path).path
        host = request.headers.get("Host", "")
        is_known = path not in (WHY_PATH, WHERE_PATH) or self._is_known(ws, host)
        if path == WHY_PATH:
            return self._why(address, request, is_known=is_known)
        if path == WHERE_PATH and not is_known:
            return misdirected(host)
        answer = await self._operations.answer(request)
        return answer or await self._pages.answer(request)

    async def receive(self, ws: ServerConnection) -> None:
        """Serve a websocket, or send its client a refusal if the server is full."""
        if not isinstance(ws, Connection):
            raise TypeError("listen() makes connections of another type")
        self.waiting.remove(ws)
        address = self._desk.peers.address(ws, ws.request)
        limit = self._gate.enter(address)
        try:
            if ws.request is not None and address != HERE:
                self._arrived(ws.request.headers.get("Host", ""), address)
            if limit is None:
                await self._converse(ws, address)
            else:
                await self._send_away(ws, limit)
        finally:
            self._gate.leave(address)

    async def _converse(self, ws: Connection, address: str) -> None:
        ws.limit_unsent(self._desk.limits.unsent)
        session = Session(ws, self._desk, address)
        self._sessions.add(session)
        self._metrics.sockets_opened.inc()
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    async def _send_away(self, ws: ServerConnection, limit: str) -> None:
        self._metrics.turned_away["full"].inc()
        detail = (
            f"{_FULL[limit]} Those inside can keep playing; please try again in a "
            "moment."
        )
        bye = Bye(code="full", detail=detail, come_back=True, retry_ms=BUSY_RETRY_MS)
        self._metrics.goodbyes["full"].inc()
        with contextlib.suppress(ConnectionClosed):
            await ws.send(encode_server(bye), text=True)

    def slowed(self) -> None:
        """Count a connection that is slowed because of its control frames."""
        self._gate.hit("control_rate")

    def stop(self) -> None:
        """Stop admitting clients and handling messages."""
        self._desk.stopping.set()

    def part_all(self, bye: bytes) -> None:
        """Send a last frame to all sockets and close them."""
        for session in list(self._sessions):
            session.part(bye)


def _asks_for_socket(request: Request) -> bool:
    return any(
        "websocket" in value.lower() for value in request.headers.get_all("Upgrade")
    )


class Port:
    """An open port and all connections on it."""

    def __init__(self, server: Server, connections: WeakSet[Connection]) -> None:
        self._server = server
        self._connections = connections

    async def close(self, most_s: float) -> None:
        """Close the port and its websockets; abort those open after ``most_s`` seconds.

        Connections that have not become websockets (browsers keep spare ones open) are
        aborted immediately. Otherwise the shutdown would have to wait until they time
        out.
        """
        self._server.close()
        self._abort(State.CONNECTING)
        try:
            async with asyncio.timeout(most_s):
                await self._server.wait_closed()
        except TimeoutError:
            self._abort(*State)
            await self._server.wait_closed()

    def _abort(self, *states: State) -> None:
        for connection in list(self._connections):
            if connection.state in states:
                connection.abort()


async def listen(
    door: Door,
    sock: socket.socket,
    tls: ssl.SSLContext | None = None,
    *,
    ping_s: float = PING_S,
    close_s: float = 2.0,
    queued_frames: int = 8,
    backlog: int = 2048,
) -> Port:
    """Serve on a bound socket, with TLS if a context is given.

    ``ping_s`` is both the ping interval and the pong timeout, and ``close_s`` is how
    long a client has to answer a close frame. Up to ``queued_frames`` frames from a
    socket are read before the first one is handled, and up to ``backlog`` connections
    may wait to be accepted.
    """
    limits = door.limits
    connections: WeakSet[Connection] = WeakSet()

    def remember(connection: Connection) -> None:
        connection.waiting = door.waiting
        connection.control = Bucket(limits.control_rate, 10 * limits.control_rate)
        connection.on_slowed = door.slowed
        connections.add(connection)

    server = await serve(
        door.receive,
        sock=sock,
        create_connection=announced(Connection, remember),  # type: ignore[arg-type] # its documentation allows a wrapper
        process_request=door.check,
        process_response=without_body,
        compression=None,
        max_size=limits.stranger_frame,
        max_queue=queued_frames,
        open_timeout=limits.request_s,
        ping_interval=ping_s,
        ping_timeout=ping_s,
        close_timeout=close_s,
        server_header=None,
        backlog=ACCEPTED_TOGETHER,
        logger=logging.getLogger("twogaps.websockets"),
        ssl=tls,
        ssl_handshake_timeout=limits.request_s if tls else None,
    )
    sock.listen(backlog)
    return Port(server, connections)
