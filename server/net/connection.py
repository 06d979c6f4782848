"""An extended websocket connection, and all use of the library's private API.

Four things are added to ``ServerConnection``:

- It reports when its socket becomes free or stops being free. Asking each connection
  before each message whether it is open and not backed up is expensive: with thousands
  of connections, each check reads memory that is not in any cache. The answer changes
  rarely, and only on a few events, so it is computed when those happen.
- It writes frames that were built once for many connections (crowd.py). This is safe
  because the port offers no extensions and nothing is sent in fragments.
- It offers each message to the session as it arrives. The library queues every message
  and wakes the task that reads the queue, which costs about as much as deciding a vote.
  A message is offered only while the queue is empty, so the order is kept.
- It limits the work that clients can cause in the library: pings, pongs and fragments
  have a rate limit from the first frame on, and data is parsed a piece at a time.

Uses of the internals of ``websockets`` are marked "private" with the reason; every
version that pyproject.toml allows is tested (tests/net/test_library_versions.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import Event, State

from server.net.crowd import Framer
from server.net.limits import Bucket

NO_FILE = -1

HIGH_BYTES = 64 * 1024
"""Messages are held back while at least this much is unsent in the transport."""

PIECE_BYTES = 512
"""Bytes parsed before other tasks get a turn: at most 86 frames."""

PAUSE_S = 0.05
"""Seconds for which reading is paused while the message queue is full."""

_RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER: on, with a timeout of 0 s."""

Made = TypeVar("Made")
Options = ParamSpec("Options")


class Connection(ServerConnection):
    """A connection that reports when its socket is free and offers its messages."""

    waiting: Waiting
    control: Bucket
    """Limits the rate of pings, pongs and message fragments."""
    on_slowed: Callable[[], None]
    """Called when reading is slowed because of that rate."""
    file = NO_FILE
    """The socket's descriptor, if bytes may be written to it directly: there is no TLS,
    and the event loop does not track the socket's writes itself. Valid until the
    connection is lost."""
    is_free = False
    """Whether a frame may be written to the socket now: the connection is open and
    nothing is unsent."""
    on_free: Callable[[], None] | None = None
    """Called whenever :attr:`is_free` has changed."""
    take: Callable[[str], bool] | None = None
    """Handles a text message immediately, or returns False so that it is queued."""
    unread = 0
    """The number of queued messages not yet handled. The reader decrements it."""
    _is_backed_up = False
    _unparsed = b""
    _wait_s = 0.0
    _timer: asyncio.TimerHandle | None = None

    # --- what sessions and links use -------------------------------------------------

    def write(self, payload: bytes, framer: Framer) -> bool:
        """Write a text message; return False if it has to wait.

        It has to wait while too much is unsent. A closing connection drops the message
        and returns True.
        """
        if self.is_free:
            self.transport.write(framer.frame(payload))
            return True
        if self.state is not State.OPEN:
            return True
        if self.transport.get_write_buffer_size() >= HIGH_BYTES:
            return False
        self.transport.write(framer.frame(payload))
        return True

    def write_rest(self, rest: bytes) -> None:
        """Write the part of a frame that the socket did not accept."""
        self.transport.write(rest)

    def limit_frames(self, most_bytes: int) -> None:
        """Accept frames of up to ``most_bytes`` from now on; close with 1009 beyond.

        Private: ``max_message_size``. The public ``max_size`` is set for all
        connections of a port, before it is known who is staff.
        """
        self.protocol.max_message_size = most_bytes

    def limit_unsent(self, most_bytes: int) -> None:
        """Limit the send buffer for a client that does not read to ``most_bytes``.

        By default, Linux lets it grow to four megabytes per connection.
        """
        if (line := self._socket) is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, most_bytes)

    def reset(self) -> None:
        """End the connection immediately and discard all unsent data.

        After a normal close, the system would keep trying to send the rest for minutes.
        """
        if (line := self._socket) is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.abort()

    def abort(self) -> None:
        """Drop the connection. Idempotent, and safe after a failed TLS handshake."""
        if hasattr(self, "transport"):  # private: set in connection_made
            self.transport.abort()

    @property
    def is_tls(self) -> bool:
        """Whether the client has checked this server's certificate."""
        return self.transport.get_extra_info("sslcontext") is not None

    @property
    def _socket(self) -> socket.socket | None:
        line: socket.socket | None = self.transport.get_extra_info("socket")
        return line

    # --- overrides of the library's private methods ----------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Record the socket. Private: a connection is its own asyncio protocol.

        With a high-water mark of 0, the transport reports any unsent byte.
        """
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        self.file = _file_of(self.transport)
        self.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the descriptor before the system reuses it for another connection.

        Private: as above.
        """
        self.waiting.remove(self)
        self.file = NO_FILE
        self._set_free(False)
        self.on_free = None  # it refers to this connection: leave no reference cycle
        self._unparsed = b""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Record that the transport has unsent data. Private: as above.

        This is not passed on to the library, which would hold back its pings and then
        not notice that a client is gone. It sends nothing else here that could pile up.
        """
        self._is_backed_up = True
        self._look()

    def resume_writing(self) -> None:
        """Record that all data has been sent. Private: as above."""
        self._is_backed_up = False
        self._look()

    def data_received(self, data: bytes) -> None:
        """Read data, a piece at a time. Private: as above."""
        if self._timer is not None:
            self._unparsed += data
            self.transport.pause_reading()  # the library may have resumed it
        elif len(data) > PIECE_BYTES:
            self._unparsed = data
            self._parse_piece()
        else:
            super().data_received(data)
            if self._wait_s:
                self._go_on()

    def send_data(self) -> None:
        """Send the library's pending data in one write.

        Private: there is no public notification of state changes. The state changes to
        OPEN and to CLOSING only when data is sent through here. The library itself
        would write each pong separately, even to a transport that has failed.
        """
        waiting = self.protocol.data_to_send()
        if waiting and not self.transport.is_closing():
            if data := b"".join(waiting):
                self.transport.write(data)
            if b"" in waiting:  # the end of the stream
                self._end_stream()
        self._look()

    def process_event(self, event: Event) -> None:
        """Offer a message, or let the library queue it.

        Private: the library has no callback for messages, only its queue.
        """
        if isinstance(event, Frame):
            if event.opcode not in DATA_OPCODES or not event.fin:
                self._wait_s = self.control.take()
            elif not self.unread and event.opcode is Opcode.TEXT and self._taken(event):
                return
            else:
                self.unread += 1
        super().process_event(event)

    # --- our own private methods -----------------------------------------------------

    def _parse_piece(self) -> None:
        """Parse a piece of the received data, or pause if the message queue is full.

        Private: ``recv_messages.paused`` shows that the queue is full. Only the library
        may then resume reading.
        """
        self._timer = None
        if self.recv_messages.paused and self._unparsed:
            self._rest(PAUSE_S)
            return
        piece, self._unparsed = (
            self._unparsed[:PIECE_BYTES],
            self._unparsed[PIECE_BYTES:],
        )
        super().data_received(piece)
        self._go_on()

    def _go_on(self) -> None:
        """Continue reading, now or after a pause."""
        wait_s, self._wait_s = self._wait_s, 0.0
        if wait_s > 0:
            self.on_slowed()
        if self.transport.is_closing():
            self._unparsed = b""
        elif wait_s > 0 or self._unparsed:
            self._rest(wait_s)
        elif not self.recv_messages.paused:
            self.transport.resume_reading()

    def _rest(self, wait_s: float) -> None:
        self.transport.pause_reading()
        self._timer = self.loop.call_later(wait_s, self._parse_piece)

    def _end_stream(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # as the library does
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.transport.close()

    def _taken(self, frame: Frame) -> bool:
        if self.take is None:
            return False
        try:
            text = bytes(frame.data).decode()
        except UnicodeDecodeError:
            return False  # the library closes the connection with the right code
        return self.take(text)

    def _look(self) -> None:
        self._set_free(self.state is State.OPEN and not self._is_backed_up)

    def _set_free(self, is_free: bool) -> None:
        if is_free is not self.is_free:
            self.is_free = is_free
            if self.on_free is not None:
                self.on_free()


def drop(connection: ClientConnection) -> None:
    """Drop a connection to another server. Private: its transport."""
    connection.transport.abort()


def _file_of(transport: asyncio.Transport) -> int:
    """Return the descriptor of a plain socket, otherwise ``NO_FILE``."""
    is_plain = (
        os.name == "posix"
        and isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        and transport.get_extra_info("sslcontext") is None
    )
    plain = transport.get_extra_info("socket") if is_plain else None
    return NO_FILE if plain is None else int(plain.fileno())


class Waiting:
    """Connections that are not websockets yet, oldest first: half-open ones and
    those that fetch pages.

    Clients that connect and then send their request slowly or never, or do not read the
    response, occupy a slot here. They do not cause other clients to be refused: beyond
    a maximum, the connection that has waited longest is dropped. Well-behaved clients
    never wait that long.
    """

    def __init__(
        self,
        most: int,
        late_s: float,
        on_drop: Callable[[], None],
        on_late: Callable[[], None],
        spared_s: float = 2.0,
    ) -> None:
        """``on_drop`` is called for each connection dropped because more than ``most``
        are waiting, and ``on_late`` for each that the library drops after ``late_s``
        seconds. Connections younger than ``spared_s`` seconds are not dropped unless
        more than twice ``most`` are waiting.
        """
        self._most = most
        self._late_s = late_s
        self._on_drop = on_drop
        self._on_late = on_late
        self._spared_s = spared_s
        self._since: OrderedDict[ServerConnection, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, connection: Connection) -> None:
        """Record a new connection."""
        now = asyncio.get_running_loop().time()
        self._since[connection] = now
        while len(self._since) > self._most:
            oldest, since = next(iter(self._since.items()))
            is_young = now - since < self._spared_s
            if is_young and len(self._since) <= 2 * self._most:
                return
            del self._since[oldest]
            self._on_drop()
            oldest.transport.abort()

    def remove(self, connection: ServerConnection) -> None:
        """Record that a connection was lost or became a websocket. Idempotent."""
        since = self._since.pop(connection, None)
        now = asyncio.get_running_loop().time()
        if since is not None and now - since >= self._late_s:
            self._on_late()


def announced(
    make: Callable[Options, Made], announce: Callable[[Made], None]
) -> Callable[Options, Made]:
    """Wrap ``make`` so that ``announce`` is called with each object it makes."""

    def make_and_announce(*args: Options.args, **options: Options.kwargs) -> Made:
        made = make(*args, **options)
        announce(made)
        return made

    return make_and_announce
