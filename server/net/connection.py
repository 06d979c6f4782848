"""A websocket connection of the library, extended; and all use of its private API.

Four things are added to ``ServerConnection``:

- It reports when its socket becomes free or stops being free. To ask each connection
  before each message whether it is open and not backed up costs more than it sounds:
  with thousands of them, each question reads memory that is in no cache. The answer
  changes rarely, and only when one of a few things happens; it is computed then.
- It writes frames that were built once for many connections (crowd.py). The port offers
  no extension, and nothing is sent in fragments.
- It offers each message to the session the moment it arrives. The library queues every
  message and wakes the task that reads the queue, which costs about as much as deciding
  a vote. A message is offered only while none is queued before it, so order is kept.

- It paces what the library sends on its own: pings, pongs and pieces of messages have
  a rate of their own, from the first frame on, and data is read a piece at a time.

What is private in ``websockets`` is marked "private" with its reason; the versions
that pyproject.toml allows are tested one by one (tests/net/test_library_versions.py).
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
"""With this much unsent in the transport, further messages wait."""

PIECE_BYTES = 512
"""Bytes parsed before other tasks get a turn: at most 86 frames."""

PAUSE_S = 0.05
"""How long reading rests while the queue of messages is full."""

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for 0 s."""

Made = TypeVar("Made")
Options = ParamSpec("Options")


class Connection(ServerConnection):
    """A connection that reports when its socket is free, and offers its messages."""

    waiting: Waiting
    control: Bucket
    """The rate of pings, pongs and pieces of messages."""
    on_slowed: Callable[[], None]
    """Called when reading is slowed because of them."""
    file = NO_FILE
    """The descriptor of the socket, if bytes written to it go out as they are: not
    through TLS, and not on an event loop that keeps its own account of the socket. It
    is valid until the connection is lost."""
    is_free = False
    """Whether a frame may be written to the socket now: the connection is open and
    nothing is unsent."""
    on_free: Callable[[], None] | None = None
    """Called whenever :attr:`is_free` has changed."""
    take: Callable[[str], bool] | None = None
    """Handles a text message immediately, or returns False to have it queued."""
    unread = 0
    """Messages that were queued and are not handled yet. The reader counts down."""
    _is_backed_up = False
    _unparsed = b""
    _wait_s = 0.0
    _timer: asyncio.TimerHandle | None = None

    # --- what sessions and links use -------------------------------------------------

    def write(self, payload: bytes, framer: Framer) -> bool:
        """Write a text message; return False if it has to wait.

        It waits while too much is unsent. A closing connection drops it: True.
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
        """Write what the socket did not take of a frame."""
        self.transport.write(rest)

    def limit_frames(self, most_bytes: int) -> None:
        """Read frames of at most ``most_bytes`` from now on; 1009 for longer ones.

        Private: ``max_message_size``. The public ``max_size`` is set for all
        connections of a port, before it is known who is staff.
        """
        self.protocol.max_message_size = most_bytes

    def limit_unsent(self, most_bytes: int) -> None:
        """Let the system keep ``most_bytes`` for a client that does not read.

        By default, Linux lets this grow to four megabytes a connection.
        """
        if (line := self._socket) is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, most_bytes)

    def reset(self) -> None:
        """End the connection now: unread data is lost, and none of it is kept.

        A mere close would have the system offer the rest for minutes.
        """
        if (line := self._socket) is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.abort()

    def abort(self) -> None:
        """Drop the connection. Idempotent, even if TLS has failed before it."""
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
        """Note the socket. Private: that a connection is its own asyncio protocol.

        With a high mark of 0, every byte that has to wait is reported.
        """
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        self.file = _file_of(self.transport)
        self.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the descriptor, before the system gives it to another connection.

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
        """Note that data waits in the transport. Private: as above.

        The library is not told. It would hold back its pings, by which it notices that
        a client is gone, and sends nothing else here that could pile up.
        """
        self._is_backed_up = True
        self._look()

    def resume_writing(self) -> None:
        """Note that all data has gone out. Private: as above."""
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
        """Send what the library has to send, in one write.

        Private: nothing public reports that the state has changed. It changes to OPEN
        and to CLOSING only with data that is sent through here. The library would write
        each pong on its own, also to a transport that has failed.
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

    # --- private parts of our own ----------------------------------------------------

    def _parse_piece(self) -> None:
        """Parse a piece of what was received; leave the rest for later, or rest.

        Private: ``recv_messages.paused`` tells that the queue is full. Only the library
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
        """Read on, now or after a rest."""
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
            return False  # the library closes for that, with the right code
        return self.take(text)

    def _look(self) -> None:
        self._set_free(self.state is State.OPEN and not self._is_backed_up)

    def _set_free(self, is_free: bool) -> None:
        if is_free is not self.is_free:
            self.is_free = is_free
            if self.on_free is not None:
                self.on_free()


def drop(connection: ClientConnection) -> None:
    """Cut a connection to another server. Private: its transport."""
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
    """Connections that are not a websocket yet, oldest first: half-open ones, and
    readers of pages.

    Clients that connect and then send their request slowly or never, or do not read the
    response, hold a place here. No client is refused because of them: beyond a number,
    the one that has waited longest is dropped, which honest clients never reach.
    """

    def __init__(
        self,
        most: int,
        late_s: float,
        on_drop: Callable[[], None],
        on_late: Callable[[], None],
        spared_s: float = 2.0,
    ) -> None:
        """``on_drop`` is called for each that is dropped because of ``most``,
        ``on_late`` for each that has waited for ``late_s`` seconds, and is dropped by
        the library. A connection younger than ``spared_s`` seconds is spared, unless
        twice as many as ``most`` are waiting.
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
        """Note that a connection was made."""
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
        """Note that a connection is lost, or is a websocket now. Idempotent."""
        since = self._since.pop(connection, None)
        now = asyncio.get_running_loop().time()
        if since is not None and now - since >= self._late_s:
            self._on_late()


def announced(
    make: Callable[Options, Made], announce: Callable[[Made], None]
) -> Callable[Options, Made]:
    """Return ``make`` with a call of ``announce`` for each object that it makes."""

    def make_and_announce(*args: Options.args, **options: Options.kwargs) -> Made:
        made = make(*args, **options)
        announce(made)
        return made

    return make_and_announce
