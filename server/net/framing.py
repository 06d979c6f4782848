"""One frame, built once, for as many websockets as there are.

``websockets`` frames a message again for every connection, also in its ``broadcast``,
which is more than the kernel charges for sending it. A frame from a server carries no
mask and, without extensions, nothing that belongs to one connection (RFC 6455, section
5.2), so the same bytes do for all. They are written to the connection's transport, as
the library itself would write them.

Whatever makes a connection special is left to others: one that is closing gets nothing,
one that is busy or slow is reported as such, and nothing is written to it out of turn.
Reading, pings and the closing handshake stay with the library. Nothing here knows of
links, rooms or messages.
"""

from __future__ import annotations

import struct

from websockets.asyncio.server import broadcast
from websockets.protocol import State

from server.net.direct import DirectConnection

_FIN_TEXT = 0x81
"""A whole message of text in one frame."""

HIGH_BYTES = 64 * 1024
"""With so much unsent in the transport, further messages wait."""

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
