"""A socket written by hand: sends any bytes at all, and never complains.

Frames are masked with zeros, which the protocol allows, so that many can be put
together cheaply. What comes back is read for its type, code and ref only.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
from base64 import b64encode
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

NEWS = {"view", "host_view", "panel", "progress", "you", "notice"}
"""What is sent because something happened, not in answer to a frame."""


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame: final, masked with zeros."""
    n = len(payload)
    if n < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | n)
    elif n < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, n)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, n)
    return head + b"\0\0\0\0" + payload


class RawSocket(asyncio.Protocol):
    """One connection, and what the server said on it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self.sent = 0
        """Frames with a message that were sent."""
        self.answers = 0
        """Frames that answer one: nothing is left without an answer."""
        self.pong = -1
        """The ref of the last pong."""
        self.codes: set[str] = set()
        """Codes of the refusals that came."""
        self.bye: str | None = None
        self.close_code: int | None = None
        self.is_lost = False
        self.last: dict[str, dict[str, Any]] = {}
        """The last challenge and the last welcome."""

    # --- asyncio -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = b64encode(os.urandom(16)).decode()
        transport.write(
            "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.opened.done():
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._buffer = bytearray(rest)
            self.opened.set_result(None)
        while self._take():
            pass
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._news.set()

    # --- frames ------------------------------------------------------------------

    def _take(self) -> bool:
        """Take one whole frame off the buffer; False if there is none."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        n, start = buffer[1] & 0x7F, 2
        if n >= 126:
            start = 4 if n == 126 else 10
            if len(buffer) < start:
                return False
            n = int.from_bytes(buffer[2:start])
        if len(buffer) < start + n:
            return False
        payload = bytes(buffer[start : start + n])
        opcode = buffer[0] & 0x0F
        del buffer[: start + n]
        self._receive(opcode, payload)
        return True

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2]) if payload else 1005
            self.write(frame(payload, CLOSE))  # or the server waits for it
        elif opcode == PING:
            self.write(frame(payload, PONG))
        elif opcode == TEXT:
            kind = payload[9 : payload.index(b'"', 9)].decode()
            if kind not in NEWS:
                self.answers += 1
            if kind in ("refused", "pong", "bye", "challenge", "welcome"):
                self._note(kind, json.loads(payload))

    def _note(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "refused":
            self.codes.add(message["code"])
        elif kind == "pong":
            self.pong = message["ref"] if message["ref"] is not None else self.pong
        elif kind == "bye":
            self.bye = message["code"]
        else:
            self.last[kind] = message

    # --- used by tests -----------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def say(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send a message's frame."""
        self.sent += 1
        self.write(frame(payload, opcode))

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        self.say(json.dumps({"type": kind, **fields}).encode())

    async def until(self, what: str) -> dict[str, Any] | None:
        """Wait for a challenge or a welcome; None if it is refused instead."""
        async with asyncio.timeout(60):
            while what not in self.last:
                if self.codes or self.is_lost:
                    return None
                self._news.clear()
                await self._news.wait()
        return self.last[what]

    async def settle(self, ref: int) -> None:
        """Wait until everything that was sent has been dealt with, or it is closed."""
        self.tell("ping", ref=ref)
        async with asyncio.timeout(60):
            while not (self.is_lost or self.pong == ref or self.answers >= self.sent):
                self._news.clear()
                await self._news.wait()

    def close(self) -> None:
        """Drop the connection."""
        if self.transport is not None:
            self.transport.abort()


async def raw(port: int) -> RawSocket:
    """Open a socket."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(RawSocket, "127.0.0.1", port)
    async with asyncio.timeout(60):
        await protocol.opened
    return protocol
