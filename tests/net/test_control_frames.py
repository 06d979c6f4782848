"""Automatic answers of the library have a rate, and much data is read in pieces."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct

import pytest

from server.net.connection import PIECE_BYTES
from server.net.limits import Limits
from tests.fuzz.raw import PING, PONG, frame, raw
from tests.support.server import Hall, hall
from tests.support.until import until
from tests.support.wire import wire
from tests.support.wires import UPGRADE, exchange

LIMITS = Limits(control_rate=1, lag_ms=10**9)
"""Ten frames in a burst, and one a second: a test never waits for the next."""

MOST = 10 + PIECE_BYTES // 6 + 1
"""Frames that are read of a flood: the burst, and a piece of data."""

PIECE_OF_A_MESSAGE = b"\x00\x80" + bytes(4)
FLOODS = {
    "pings": frame(b"", PING),
    "pongs": frame(b"", PONG),
    "pieces": PIECE_OF_A_MESSAGE,
}


def slowed(at: Hall) -> float:
    """Return how often a connection was slowed because of its control frames."""
    found = at.server.metrics.registry.get_sample_value(
        "twogaps_limits_hit_total", {"limit": "control_rate"}
    )
    assert found is not None
    return found


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("is_inside", [False, True], ids=["stranger", "player"])
async def test_a_flood_of_control_frames_is_read_at_its_rate(
    flood: bytes, is_inside: bool
) -> None:
    async with hall(limits=LIMITS) as at, wire(at.port) as ann:
        await ann.join(at.room)
        eve = await raw(at.port)
        if is_inside:
            eve.tell("hello", version=1, role="player", room=at.room, name="Eve")
            await eve.until("welcome")
        start = b"\x01\x81" + bytes(4) + b"x" if flood is PIECE_OF_A_MESSAGE else b""
        eve.write(start + flood * 40_000)
        eve.tell("ping", ref=1)  # behind the flood: it is not read
        for ref in range(5):
            await ann.send("ping", ref=ref)
            await ann.until("pong", ref=ref)
        assert slowed(at) == 1
        assert eve.transport is not None
        assert eve.pong == -1
        eve.close()


@pytest.mark.parametrize("opcode", [PING, PONG])
async def test_few_control_frames_are_answered_as_ever(opcode: int) -> None:
    async with hall(limits=LIMITS) as at:
        ann = await raw(at.port)
        ann.write(frame(b"", opcode) * 10)
        ann.tell("hello", version=1, role="player", room=at.room, name="Ann")
        await ann.until("welcome")
        assert slowed(at) == 0
        ann.close()


async def test_a_client_that_floods_and_leaves_writes_nothing_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with hall(limits=LIMITS) as at, wire(at.port) as ann:
        await ann.join(at.room)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                await asyncio.to_thread(flood_and_reset, at.port)
            for ref in range(5):
                await ann.send("ping", ref=ref)
                await ann.until("pong", ref=ref)
        assert [r for r in caplog.records if r.name == "asyncio"] == []


def flood_and_reset(port: int) -> None:
    """Send 256 KB of pings, and reset the connection without reading one pong."""
    with socket.create_connection(("127.0.0.1", port)) as eve:
        eve.sendall(UPGRADE)
        assert eve.recv(4096).startswith(b"HTTP/1.1 101")
        eve.sendall(frame(b"", PING) * 43_690)
        linger = struct.pack("ii", 1, 0)
        eve.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


async def test_a_flood_sent_with_the_request_is_also_throttled() -> None:
    async with hall(limits=LIMITS) as at, wire(at.port) as ann:
        await ann.join(at.room)
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(UPGRADE + frame(b"", PING) * 40_000)
        assert b"HTTP/1.1 101" in await reader.readuntil(b"\r\n\r\n")
        await ann.send("ping", ref=1)
        await ann.until("pong", ref=1)
        assert slowed(at) == 1
        writer.close()


async def test_much_that_comes_in_one_write_is_read_whole_and_in_order() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        taken: list[str] = []

        def take(text: str) -> bool:
            taken.append(text)
            return True

        ws.take = take
        sent = [f"{n} " + "x" * 700 for n in range(300)]
        client.transport.write(b"".join(frame(text.encode()) for text in sent))
        await client.close()
        await ws.wait_closed()
        assert taken == sent


async def test_a_message_longer_than_a_piece_arrives_whole() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        taken: list[str] = []
        ws.take = lambda text: not taken.append(text)  # type: ignore[func-returns-value] # None
        await client.send("ä" * 100_000)
        await until(lambda: taken)  # type: ignore[arg-type, return-value] # true or not
        assert taken == ["ä" * 100_000]
