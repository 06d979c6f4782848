"""The same frame to thousands of sockets, at little more than what the kernel charges.

``websockets`` frames a message again for every connection, also in its ``broadcast``. A
frame from a server has no mask and, without extensions, nothing that belongs to one
connection (RFC 6455, section 5.2): it is built once for all of them.

The sockets that are free (``connection.py``) are kept by descriptor, so that sending to
all of them is a bare loop of writes: no call, no question, and nothing of ours that has
to be fetched from memory for each of them. A descriptor is in here only while its
connection has it, and nothing else is unsent there; what the kernel does not take of a
frame is left to the transport, which is then not free until it has gone out.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from os import write

from server.rooms.ports import Link, Slot

_FIN_TEXT = 0x81
"""A whole message of text in one frame."""

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


class DirectLink(Link, ABC):
    """A link whose socket a crowd may write to directly while it is free."""

    __slots__ = ()

    @abstractmethod
    def enter(self, crowd: SocketCrowd) -> None:
        """Tell this crowd from now on when the socket is free."""

    @abstractmethod
    def exit(self, crowd: SocketCrowd) -> None:
        """Let a crowd write no more to the socket directly."""

    @abstractmethod
    def send_rest(self, rest: bytes) -> None:
        """Send what the socket did not take of a frame that was written directly."""


class SocketCrowd:
    """Links that get the same frames: a Crowd for this node's own websockets."""

    __slots__ = ("_free", "_others", "_write")

    def __init__(self, write: Callable[[int, bytes], int] = write) -> None:
        """``write`` writes bytes to a descriptor, and returns how many it took."""
        self._write = write
        self._free: dict[int, DirectLink] = {}
        """By descriptor: links whose socket may be written to directly."""
        self._others: dict[Link, None] = {}

    def add(self, link: Link) -> None:
        """Send a link all frames from now on. Idempotent."""
        self._others[link] = None
        if isinstance(link, DirectLink):
            link.enter(self)

    def discard(self, link: Link) -> None:
        """Forget a link. Idempotent."""
        if isinstance(link, DirectLink):
            link.exit(self)
        self._others.pop(link, None)

    def free(self, link: DirectLink, file: int) -> None:
        """Write to a link's socket directly from now on."""
        self._others.pop(link, None)
        self._free[file] = link

    def engage(self, link: DirectLink, file: int) -> None:
        """Leave it to the link how it sends: its socket is not free any more."""
        del self._free[file]
        self._others[link] = None

    def push(self, payload: bytes, slot: Slot | None = None) -> None:
        """Send a message to every link, in no order of theirs."""
        frame = text_frame(payload)
        size, write = len(frame), self._write
        others = tuple(self._others)  # before some of the free ones join them
        short: list[tuple[int, int]] = []
        for file in self._free:
            try:
                sent = write(file, frame)
            except OSError:  # it is full, or broken: the transport will see for itself
                sent = 0
            if sent != size:
                short.append((file, sent))
        for file, sent in short:
            self._free[file].send_rest(frame[sent:])
        for link in others:
            link.push(payload, slot)
