"""Sends the same frame to thousands of sockets with little overhead over the kernel's.

``websockets`` frames a message separately for every connection, even in ``broadcast``.
A frame from a server has no mask and, without extensions, contains nothing that is
specific to one connection (RFC 6455, section 5.2), so here it is built only once.

Free sockets (see ``connection.py``) are kept by descriptor. Sending to all of them is a
bare loop of writes that checks no state and touches none of our objects per socket. A
descriptor is listed only while its connection owns it and has no unsent data. If the
kernel accepts only part of a frame, the rest goes to the transport, and the socket is
not free again until that has been sent.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from os import write

from server.rooms.ports import Link, Slot

_FIN_TEXT = 0x81
"""First byte of a frame that is a complete text message: FIN bit and opcode."""

_SHORT, _MEDIUM = 125, 0xFFFF
"""Longest payloads whose length fits in the second byte, and in two further bytes."""


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
    """Frames payloads, reusing the last frame if the same payload comes again."""

    __slots__ = ("_frame", "_payload", "made")

    def __init__(self) -> None:
        self._payload = b""
        self._frame = text_frame(b"")
        self.made = 0
        """The number of frames built so far."""

    def frame(self, payload: bytes) -> bytes:
        """Return the frame for a payload; only the last one is cached."""
        if payload is not self._payload:
            self._payload, self._frame = payload, text_frame(payload)
            self.made += 1
        return self._frame


class DirectLink(Link, ABC):
    """A link whose socket a crowd may write to directly while it is free."""

    __slots__ = ()

    @abstractmethod
    def enter(self, crowd: SocketCrowd) -> None:
        """Join a crowd: notify it from now on when the socket becomes free."""

    @abstractmethod
    def exit(self, crowd: SocketCrowd) -> None:
        """Leave a crowd: it may no longer write to the socket directly."""

    @abstractmethod
    def send_rest(self, rest: bytes) -> None:
        """Send the part of a directly written frame that the socket did not accept."""


class SocketCrowd:
    """Links that get the same frames: a Crowd for this node's own websockets."""

    __slots__ = ("_free", "_others", "_write")

    def __init__(self, write: Callable[[int, bytes], int] = write) -> None:
        """``write`` writes bytes to a descriptor and returns how many were accepted."""
        self._write = write
        self._free: dict[int, DirectLink] = {}
        """Links whose socket may be written to directly, by descriptor."""
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
        """Send through the link from now on: its socket is no longer free."""
        del self._free[file]
        self._others[link] = None

    def push(self, payload: bytes, slot: Slot | None = None) -> None:
        """Send a message to every link, in no particular order."""
        frame = text_frame(payload)
        size, write = len(frame), self._write
        others = tuple(self._others)  # before some of the free ones join them
        short: list[tuple[int, int]] = []
        for file in self._free:
            try:
                sent = write(file, frame)
            except OSError:  # full or broken: the transport will find out
                sent = 0
            if sent != size:
                short.append((file, sent))
        for file, sent in short:
            self._free[file].send_rest(frame[sent:])
        for link in others:
            link.push(payload, slot)
