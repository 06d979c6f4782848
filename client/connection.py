"""One connection that reconnects: hello, proof, reading, writing and backoff.

It knows nothing about votes or commands, which are left to its :class:`Owner`. One task
runs the connection, and one task per socket writes; there are no others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Sequence
from enum import StrEnum
from random import Random
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from client.errors import (
    PASSING,
    BadAddress,
    CannotConnect,
    ClientError,
    ConnectionLost,
    LeftByUs,
    TooMuchWaiting,
    WrongKey,
    rejected,
)
from client.latest import Latest
from server.protocol.client_messages import ClientMessage, Hello, Prove
from server.protocol.codec import decode_server, encode_client
from server.protocol.keys import next_host_key, prove
from server.protocol.server_messages import (
    Bye,
    Challenge,
    RefusedMessage,
    ServerMessage,
    Welcome,
)

PATH = "/ws"
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def socket_url(address: str) -> str:
    """Return the WebSocket address of a server.

    Accepts ``host:port``, ``http://host:port``, ``ws://host:port``, or a link to one of
    the server's pages. Path, query and fragment are dropped, but the path of a ``ws``
    address is kept. Raises :class:`BadAddress`.
    """
    text = address.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not parts.hostname or not _has_port_or_none(parts.netloc):
        raise BadAddress(
            f"{address!r} is not a server address; "
            "write it like 192.168.0.7:8000 or http://192.168.0.7:8000"
        )
    is_socket = parts.scheme.lower() in ("ws", "wss")
    path = parts.path if is_socket and parts.path not in ("", "/") else PATH
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def socket_urls(addresses: str) -> tuple[str, ...]:
    """Return the WebSocket addresses of a fleet's nodes from a comma-separated list.

    Addresses without a scheme use that of the first. Raises :class:`BadAddress`.
    """
    first, *more = addresses.split(",")
    scheme = first.partition("://")[0].strip() if "://" in first else "http"
    rest = (one if "://" in one else f"{scheme}://{one.strip()}" for one in more)
    return tuple(socket_url(one) for one in (first, *rest))


def further(known: Collection[str], named: Sequence[str]) -> list[str]:
    """Return the new addresses, but only those with TLS if all known ones use it."""
    least = "" if any(url.startswith("ws:") for url in known) else "wss:"
    return [url for url in named if url not in known and url.startswith(least)]


def _has_port_or_none(netloc: str) -> bool:
    try:
        return urlsplit(f"//{netloc}").port != 0
    except ValueError:
        return False


log = logging.getLogger("twogaps.client")

MISDIRECTED = 421
"""The HTTP status with which a server rejects a host name that it does not serve."""

FIRST_ATTEMPTS = 6
"""How many times to try a server that has never answered before giving up."""

OUTBOX = 64
GREETING_S = 10.0
MAX_FRAME = 8 * 2**20


class Backoff:
    """Exponential backoff with full jitter: up to ``first_s``, then twice that, …

    Full jitter spreads the clients of a whole class best when they all reconnect at
    the same time (Brooker 2015, "Exponential Backoff and Jitter"). All randomness comes
    from ``random``.
    """

    def __init__(
        self, random: Random, first_s: float = 0.2, cap_s: float = 5.0
    ) -> None:
        self._random = random
        self._first_s = first_s
        self._cap_s = cap_s
        self._failures = 0

    @property
    def ceiling_s(self) -> float:
        """The longest possible next wait, in seconds."""
        return min(self._cap_s, self._first_s * 2.0 ** min(self._failures, 30))

    @property
    def cap_s(self) -> float:
        """The longest possible wait, in seconds."""
        return self._cap_s

    def wait_s(self) -> float:
        """Return how long to wait now, in seconds, and make the next wait longer."""
        wait_s = self._random.uniform(0, self.ceiling_s)
        self._failures += 1
        return wait_s

    def reset(self) -> None:
        """Start again from the shortest wait."""
        self._failures = 0

    def fresh(self) -> Backoff:
        """Return a new backoff with the same bounds, starting at the shortest wait."""
        return Backoff(self._random, self._first_s, self._cap_s)


class Link(StrEnum):
    """The state of a connection."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting to try again"
    OVER = "over"


class Owner(Protocol):
    """The user of a connection. None of its methods may block."""

    def hello(self) -> Hello:
        """Return the hello to send; after a welcome, it should include the token."""
        ...

    def opened(self, welcome: Welcome) -> None:
        """Send what is pending: the hello was accepted. Called once per socket."""
        ...

    def received(self, message: ServerMessage) -> None:
        """Handle a message that has arrived."""
        ...

    def dropped(self) -> None:
        """Handle a lost socket; the next call is ``opened`` or ``over``."""
        ...

    def over(self, cause: ClientError) -> None:
        """Handle the end of the connection, which is final. Called once."""
        ...


class _TryAgain(Exception):  # noqa: N818 - not an error: a reason to wait
    """The connection on this socket failed; another attempt may succeed."""

    def __init__(self, detail: str, retry_ms: int | None) -> None:
        super().__init__(detail)
        self.retry_ms = retry_ms


class Connection:
    """Keeps one socket open until the server says that it must not reconnect."""

    def __init__(
        self,
        urls: Sequence[str],
        owner: Owner,
        backoff: Backoff,
        key: str | None = None,
    ) -> None:
        """``urls`` belong to one server, or to nodes that serve the same rooms.

        If one does not answer or is full, the next is tried; a welcome can add more.
        """
        self.links: Latest[Link] = Latest()
        self.cause: ClientError | None = None
        self._urls = deque(urls)
        self._owner = owner
        self._backoff = backoff
        self._key = key
        self._next_key: str | None = None
        """The key of the new link, which may already have replaced the current one."""
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(OUTBOX)
        self._attempts_left: int | None = FIRST_ATTEMPTS * len(urls)
        self.links.put(Link.CONNECTING)

    @property
    def link(self) -> Link:
        """The current state of the connection."""
        return self.links.value or Link.OVER

    def post(self, message: ClientMessage) -> None:
        """Queue a message for the open socket, in order.

        Raises :class:`ConnectionLost` if no socket is open, the final cause if the
        connection has ended, or :class:`TooMuchWaiting` if the queue is full.
        """
        if self.cause is not None:
            raise self.cause
        if self.link is not Link.OPEN:
            raise ConnectionLost("Not connected right now; trying again.")
        try:
            self._outbox.put_nowait(encode_client(message))
        except asyncio.QueueFull as exc:
            raise TooMuchWaiting("The server accepts nothing more right now.") from exc

    def expect_key(self, salt: str) -> str:
        """Prepare for a change of key; return the new key, derived from ``salt``."""
        if self._key is None:
            raise WrongKey("wrong_proof", "This connection has no key.")
        self._next_key = next_host_key(self._key, salt)
        return self._next_key

    def use_next_key(self) -> None:
        """Switch to the expected key, if there is one."""
        self._key, self._next_key = self._next_key or self._key, None

    async def wait_open(self) -> None:
        """Wait for the welcome; raise the cause if the connection ends first."""
        await self.links.until(lambda link: link in (Link.OPEN, Link.OVER))
        if self.cause is not None:
            raise self.cause

    async def run(self) -> None:
        """Connect and keep reconnecting until the end. Cancel it to leave."""
        try:
            while self.cause is None:
                await self._attempt()
        finally:
            self._end(LeftByUs())

    async def _attempt(self) -> None:
        """Use one socket until it closes, then wait before the next attempt."""
        self.links.put(Link.CONNECTING)
        started = asyncio.get_running_loop().time()
        least_s = 0.0
        try:
            if bye := await self._live():  # an orderly close: reconnecting is expected
                self._backoff.reset()
                least_s = (bye.retry_ms or 0) / 1000
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as exc:
            self._count_failure(exc)
            self._urls.rotate(-1)
        except _TryAgain as again:
            least_s = (again.retry_ms or 0) / 1000
            self._urls.rotate(-1)
        except ClientError as exc:
            self._end(exc)
        if self.cause is not None:
            return
        if asyncio.get_running_loop().time() - started > self._backoff.cap_s:
            self._backoff.reset()
        self.links.put(Link.WAITING)
        await asyncio.sleep(least_s + self._backoff.wait_s())

    def _count_failure(self, exc: Exception) -> None:
        """Count a failed attempt; give up if the server has never answered."""
        if isinstance(exc, InvalidStatus) and exc.response.status_code == MISDIRECTED:
            self._end(CannotConnect(bytes(exc.response.body).decode().strip()))
            return
        if self._attempts_left is None:
            return
        self._attempts_left -= 1
        if self._attempts_left <= 0:
            tried = " or ".join(self._urls)
            self._end(CannotConnect(f"No game server answers at {tried} ({exc})."))

    def _end(self, cause: ClientError) -> None:
        if self.cause is None:
            self.cause = cause
            self.links.put(Link.OVER)
            self.links.close()
            self._owner.over(cause)

    # --- one socket ------------------------------------------------------------------

    async def _live(self) -> Bye | None:
        """Open a socket and use it until it closes; return the goodbye, if any."""
        async with open_socket(
            self._urls[0],
            compression=None,
            proxy=None,  # the game is on the local network, not behind a proxy
            max_size=MAX_FRAME,
            close_timeout=1,
            logger=logging.getLogger("twogaps.client.socket"),
        ) as socket:
            async with asyncio.timeout(GREETING_S):
                welcome = await self._greet(socket)
            self._attempts_left = None
            self._urls.extend(further(self._urls, welcome.addresses))
            self._outbox = asyncio.Queue(OUTBOX)
            self.links.put(Link.OPEN)
            try:
                self._owner.opened(welcome)
                farewell = await self._exchange(socket)
            finally:
                self.links.put(Link.WAITING)
                self._owner.dropped()
                await socket.close()  # or it would close with an internal error (1011)
        if farewell is not None and not farewell.come_back:
            raise rejected(farewell.code, farewell.detail)
        return farewell

    async def _greet(self, socket: ClientConnection) -> Welcome:
        """Send the hello, and prove possession of the key if the server asks for it."""
        hello = self._owner.hello()
        await socket.send(encode_client(hello), text=True)
        while True:
            match _decode(await socket.recv(decode=False)):
                case Welcome() as welcome:
                    return welcome
                case Challenge(nonce=nonce):
                    await socket.send(
                        encode_client(self._prove(hello, nonce)), text=True
                    )
                case RefusedMessage(code=code) as refused if code in PASSING:
                    raise _TryAgain(refused.detail, refused.retry_ms)
                case RefusedMessage(code="link_called_back") if self._next_key:
                    self.use_next_key()
                    raise _TryAgain("The link has been replaced.", 0)
                case RefusedMessage(code=code, detail=detail):
                    raise rejected(code, detail)
                case Bye(come_back=True, detail=detail, retry_ms=retry_ms):
                    raise _TryAgain(detail, retry_ms)
                case Bye(code=code, detail=detail):
                    raise rejected(code, detail)
                case _:
                    continue

    def _prove(self, hello: Hello, nonce: str) -> Prove:
        if self._key is None:
            raise WrongKey("wrong_proof", "This server asks for a key.")
        room = hello.room.upper() if hello.room else None
        try:
            return Prove(proof=prove(self._key, hello.role, room, nonce))
        except ValueError as exc:
            raise WrongKey("wrong_proof", "The key is not 32 hex digits.") from exc

    async def _exchange(self, socket: ClientConnection) -> Bye | None:
        """Read and write until the socket closes; return the goodbye, if any."""
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._write(socket), name="client writer")
            try:
                return await self._read(socket)
            finally:
                writer.cancel()

    async def _read(self, socket: ClientConnection) -> Bye | None:
        try:
            while True:
                message = _decode(await socket.recv(decode=False))
                if isinstance(message, Bye):
                    return message
                if message is not None:
                    self._owner.received(message)
        except ConnectionClosed:
            return None

    async def _write(self, socket: ClientConnection) -> None:
        outbox = self._outbox
        try:
            while True:
                await socket.send(await outbox.get(), text=True)
        except ConnectionClosed:
            return  # the reader gets the same exception and ends the connection


def _decode(frame: bytes) -> ServerMessage | None:
    try:
        return decode_server(frame)
    except ValueError as exc:
        log.warning("skipped a frame that was not understood: %s", exc)
        return None
