"""What the operating system keeps for a connection: how much, and for how long."""

from __future__ import annotations

import asyncio
import socket
import struct

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for 0 s."""


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
