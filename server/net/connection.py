"""Websocket connections: when a socket may be written to, what is taken at once, and
which connections still wait to become a websocket.

To ask a connection before each message whether it is open, idle and not backed up costs
more than it sounds: with thousands of them, every question is for memory that is in no
cache. The answer changes seldom, and only when one of a few things happens; here it is
computed then, and reported to a callback.

One frame is built once for all connections. ``websockets`` frames a message again for
every connection, also in its ``broadcast``. A frame from a server carries no mask and,
without extensions, nothing that belongs to one connection (RFC 6455, section 5.2), so
the same bytes do for all.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import State

NO_FILE = -1

_FIN_TEXT = 0x81
"""A whole message of text in one frame."""

HIGH_BYTES = 64 * 1024
"""With so much unsent in the transport, further messages wait."""

SPARED_S = 2.0
"""A connection is spared for so long, unless there are twice as many as may wait."""

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for 0 s."""

_SHORT, _MEDIUM = 125, 0xFFFF
"""Longest payloads whose length takes one byte, and two more."""


def text_frame(payload: bytes) -> bytes:
    """Return the frame in which a server sends a text message (UTF-8)."""
    size = len(payload)
    if size <= _SHORT:
        head = struct.pack("!BB", _FIN_TEXT, size)
    elif size <= _MEDIUM:
        head = struct.pack("!BBH", _FIN_TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _FIN_TEXT, 127, size)
    return head + payload


class Framer:
    """Frames payloads, and the same one only once in a row."""

    __slots__ = ("_frame", "_payload", "made")

    def __init__(self) -> None:
        self._payload = b""
        self._frame = text_frame(b"")
        self.made = 0
        """Frames that were built so far."""

    def frame(self, payload: bytes) -> bytes:
        """Return the frame of a payload; the last one is remembered."""
        if payload is not self._payload:
            self._payload, self._frame = payload, text_frame(payload)
            self.made += 1
        return self._frame


class DirectConnection(ServerConnection):
    """A connection of the library that tells when its socket is free."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file = NO_FILE
        """The socket's descriptor, if what is written there goes out as it is: not
        through TLS, and not on an event loop that keeps its own account of it. It is
        valid until the connection is lost."""
        self.is_free = False
        """A whole frame may be written now: the connection is open, nothing is unsent,
        no message is going out in fragments, and no extension changes messages."""
        self.on_free: Callable[[], None] | None = None
        """Called whenever :attr:`is_free` has changed."""
        self._is_backed_up = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told from now on of every byte that has to wait."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        self.file = _file_of(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The descriptor will be somebody else's: let go of it first."""
        self.file = NO_FILE
        self._set_free(False)
        self.on_free = None  # whoever was told holds this: no circle is left behind
        super().connection_lost(exc)

    def send_data(self) -> None:
        """Send what the library has to send; its state changes with that."""
        super().send_data()
        self._look()

    def pause_writing(self) -> None:
        """Something has to wait in the transport.

        The library is not told: it would hold back its pings, by which it notices that
        a client is gone, and sends nothing else here that could pile up.
        """
        self._is_backed_up = True
        self._look()

    def resume_writing(self) -> None:
        """Everything has gone out."""
        self._is_backed_up = False
        self._look()

    def _look(self) -> None:
        protocol = self.protocol
        self._set_free(
            protocol.state is State.OPEN
            and not self._is_backed_up
            and not protocol.expect_continuation_frame
            and not protocol.extensions
        )

    def _set_free(self, is_free: bool) -> None:
        if is_free is not self.is_free:
            self.is_free = is_free
            if self.on_free is not None:
                self.on_free()


def _file_of(transport: asyncio.Transport) -> int:
    """Return the descriptor of a plain socket, else ``NO_FILE``."""
    is_plain = (
        os.name == "posix"
        and isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        and transport.get_extra_info("sslcontext") is None
    )
    plain = transport.get_extra_info("socket") if is_plain else None
    return NO_FILE if plain is None else int(plain.fileno())


class PromptConnection(DirectConnection):
    """A connection of the library whose messages may be taken at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.take: Callable[[str], bool] | None = None
        """Takes a message of text, or returns False where it has to be queued."""
        self.unread = 0
        """Messages that were queued and have not been dealt with: whoever reads the
        queue counts this down."""

    def process_event(self, event: Any) -> None:
        """Take a message, or let the library queue it."""
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES and event.fin:
            if not self.unread and event.opcode is Opcode.TEXT and self._taken(event):
                return
            self.unread += 1
        super().process_event(event)

    def _taken(self, frame: Frame) -> bool:
        if self.take is None:
            return False
        try:
            text = bytes(frame.data).decode()
        except UnicodeDecodeError:
            return False  # the library closes for that, with the right code
        return self.take(text)


class Waiting:
    """The connections that wait, oldest first."""

    def __init__(
        self,
        most: int,
        late_s: float,
        on_drop: Callable[[], None],
        on_late: Callable[[], None],
    ) -> None:
        """``on_drop`` is called for each that makes place, ``on_late`` for each that
        has waited for ``late_s`` seconds, and is dropped by the library.
        """
        self._most = most
        self._late_s = late_s
        self._on_drop = on_drop
        self._on_late = on_late
        self._since: OrderedDict[ServerConnection, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, connection: ServerConnection) -> None:
        """A connection was made."""
        now = asyncio.get_running_loop().time()
        self._since[connection] = now
        while len(self._since) > self._most:
            oldest, since = next(iter(self._since.items()))
            if now - since < SPARED_S and len(self._since) <= 2 * self._most:
                return
            del self._since[oldest]
            self._on_drop()
            oldest.transport.abort()

    def remove(self, connection: ServerConnection) -> None:
        """A connection is gone, or has become a websocket. Idempotent."""
        since = self._since.pop(connection, None)
        now = asyncio.get_running_loop().time()
        if since is not None and now - since >= self._late_s:
            self._on_late()


class WaitingConnection(PromptConnection):
    """A connection of the library that is kept account of from its first moment."""

    waiting: Waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self.waiting.remove(self)
        super().connection_lost(exc)


class Line:
    """How text goes out on one websocket. ``framer`` is shared by all of them."""

    __slots__ = ("_framer", "_transport", "_ws")

    def __init__(self, ws: DirectConnection, framer: Framer) -> None:
        self._ws = ws
        self._transport = ws.transport
        self._framer = framer

    def write(self, payload: bytes) -> bool:
        """Write a text message now; return False where it has to wait.

        It has to wait while too much is unsent, and in the middle of a message that is
        sent in fragments. A connection that is closing takes nothing: True.
        """
        if self._ws.is_free:
            self._transport.write(self._framer.frame(payload))
            return True
        return self._write_otherwise(payload)

    def _write_otherwise(self, payload: bytes) -> bool:
        protocol, transport = self._ws.protocol, self._transport
        if protocol.state is not State.OPEN:
            return True
        is_busy = protocol.expect_continuation_frame
        if is_busy or transport.get_write_buffer_size() >= HIGH_BYTES:
            return False
        if protocol.extensions:
            # Compression and the like belong to one connection: the library frames it.
            broadcast((self._ws,), payload, text=True)
        else:
            transport.write(self._framer.frame(payload))
        return True


def bound(transport: asyncio.BaseTransport, unsent: int) -> None:
    """Let the system keep so many bytes for a reader that does not read.

    Left to itself, Linux lets this grow to four megabytes a connection.
    """
    if (line := _socket_of(transport)) is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, unsent)


def reset(transport: asyncio.Transport) -> None:
    """End a connection now: what was not read is lost, and nothing of it is kept.

    A mere close would leave it to the system to offer the rest for minutes.
    """
    if (line := _socket_of(transport)) is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


def _socket_of(transport: asyncio.BaseTransport) -> socket.socket | None:
    line: socket.socket | None = transport.get_extra_info("socket")
    return line
