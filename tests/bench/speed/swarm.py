"""The driver: thousands of sockets on one epoll, and nothing per socket but bytes.

It must cost less than what it measures, so it knows only the headers of frames: what
is sent was built and masked before, frames are identified by their first bytes.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from websockets.frames import Frame, Opcode

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
OPENING = 128
"""Sockets that are being opened at the same time."""

CHUNK = 256 * 1024
GUARD_S = 60.0
"""Silence for so long is a fault."""

Heard = Callable[[int, bytes, int], bool]
"""Called with (socket, payload, monotonic ns); True ends listening."""


class Silence(Exception):  # noqa: N818 - names a condition
    """The server has not sent what was waited for, or has hung up."""


def masked(payload: bytes, opcode: Opcode = Opcode.TEXT) -> bytes:
    """Return a frame as a client sends it."""
    return Frame(opcode, payload).serialize(mask=True)


@dataclass(slots=True)
class Seat:
    """One socket of the swarm."""

    socket: socket.socket
    rest: bytes = b""
    """What has come of a frame that is not whole yet."""
    is_open: bool = False
    """The server has answered the upgrade; frames follow."""


@dataclass(slots=True)
class Swarm:
    """Sockets to one server, driven by the calls below; nothing runs on its own."""

    port: int
    seats: list[Seat] = field(default_factory=list)
    received: int = 0
    """Bytes that have come, headers of frames included."""
    busy_ns: int = 0
    """Time spent on what had come, not on looking for it."""
    is_awake: bool = False
    """Look without ever sleeping, so that the server is not charged for waking us: on
    a network, no server pays for its clients' waking up."""
    _poll: select.epoll = field(default_factory=select.epoll)
    _by_file: dict[int, int] = field(default_factory=dict)
    _unheard: set[int] = field(default_factory=set)
    """Sockets of which frames may be left from the last time of listening."""

    def enter(
        self, hellos: list[bytes], ready: bytes, tell: Callable[[int], None]
    ) -> float:
        """Open a websocket for each hello; return seconds until the last is ready.

        A socket says its hello once it is open, and is ready when a payload begins
        with ``ready``; with an empty hello, when it is open.
        """
        begin, n = len(self.seats), len(hellos)
        done = 0

        def heard(index: int, payload: bytes, _: int) -> bool:
            nonlocal done
            if payload == UPGRADED and (hello := hellos[index - begin]):
                self.send(index, hello)
            elif payload.startswith(ready):
                done += 1
                tell(done)
                if len(self.seats) < begin + n:
                    self._open()
            return done >= n

        started = time.perf_counter()
        for _ in range(min(n, OPENING)):
            self._open()
        self.listen(heard)
        return time.perf_counter() - started

    def connect(self, n: int) -> None:
        """Open ``n`` raw sockets, on which the server sends frames immediately."""
        for _ in range(n):
            self._plug().is_open = True

    def _open(self) -> None:
        self._plug().socket.send(UPGRADE)

    def _plug(self) -> Seat:
        plugged = socket.create_connection(("127.0.0.1", self.port), timeout=GUARD_S)
        plugged.setblocking(False)
        plugged.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._by_file[plugged.fileno()] = len(self.seats)
        self._poll.register(plugged, select.EPOLLIN)
        seat = Seat(plugged)
        self.seats.append(seat)
        return seat

    def send(self, index: int, frame: bytes) -> None:
        """Send a masked frame on one socket."""
        self.seats[index].socket.send(frame)

    def listen(
        self,
        heard: Heard,
        until_s: float = GUARD_S,
        idle: Callable[[], float] | None = None,
    ) -> None:
        """Hand over what comes until ``heard`` returns True.

        ``idle`` is called in every turn: it may send something, and returns for how
        long (s) to wait at most; below 0 ends listening. Raises :class:`Silence`.
        """
        seats, by_file = self.seats, self._by_file
        silent_since = time.monotonic()
        for index in tuple(self._unheard):
            if self._hear(index, b"", heard):
                return
        while True:
            wait_s = until_s if idle is None else idle()
            if wait_s < 0:
                return
            ready = self._poll.poll(0 if self.is_awake else wait_s, 4096)
            if ready:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since >= until_s:
                raise Silence(f"nothing has come for {until_s:.0f} s")
            began_ns = time.monotonic_ns()
            is_over = False
            for file, _ in ready:
                index = by_file[file]
                data = seats[index].socket.recv(CHUNK)
                if not data:
                    raise Silence(f"the server has closed socket {index}")
                self.received += len(data)
                if self._hear(index, data, heard):
                    is_over = True
                    break
            self.busy_ns += time.monotonic_ns() - began_ns
            if is_over:
                return

    def _hear(self, index: int, data: bytes, heard: Heard) -> bool:
        """Hand over the frames in some bytes; return whether listening is over."""
        now_ns = time.monotonic_ns()
        for payload in self._payloads(index, self.seats[index], data):
            if heard(index, payload, now_ns):
                self._unheard.add(index)
                return True
        self._unheard.discard(index)
        return False

    def _payloads(self, index: int, seat: Seat, data: bytes) -> Iterator[bytes]:
        """Yield what whole frames carry; answer pings, as clients must."""
        if seat.rest:
            data, seat.rest = seat.rest + data, b""
        if not seat.is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                seat.rest = head
                return
            if b" 101 " not in head:
                raise Silence(f"no websocket: {head[:80]!r}")
            seat.is_open = True
            yield UPGRADED
        at = 0
        while (span := _frame_at(data, at)) is not None:
            start, stop = span
            opcode, at = data[at] & 15, stop
            if at < len(data):
                seat.rest = data[at:]  # before the yield: the reader may stop here
            if opcode == Opcode.TEXT:
                yield data[start:stop]
            elif opcode == Opcode.PING:
                self.send(index, masked(data[start:stop], Opcode.PONG))
        seat.rest = data[at:]

    def close(self) -> None:
        """Hang up without closing: the server must also survive that."""
        for seat in self.seats:
            seat.socket.close()
        self._poll.close()


UPGRADED = b"HTTP/1.1 101"
"""Stands for a payload once the server has answered the upgrade."""


def _frame_at(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at a place begins and ends, if whole."""
    have = len(data) - at
    if have < 2:
        return None
    length, start = data[at + 1], at + 2
    if length == 126:
        if have < 4:
            return None
        (length,), start = struct.unpack_from("!H", data, at + 2), at + 4
    elif length == 127:
        if have < 10:
            return None
        (length,), start = struct.unpack_from("!Q", data, at + 2), at + 10
    return (start, start + length) if start + length <= len(data) else None
