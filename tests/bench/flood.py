"""``python -m tests.bench.flood``: a class of 50 beside a flood of one address.

Pings, bad requests and joins come as fast as one process sends them, beside a class
that votes. The class's p99 from vote to recorded must stay within the larger of 20 ms
and twice its quiet figure, measured in the same run. The same flood at a second server
on this machine shows what sharing the processors costs alone. The three parts take
turns, so that whatever else the machine does meets each of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.node import Node, Ready
from tests.support.wire import Wire, wire

PEOPLE = 50
TURNS, SECONDS = 3, 10
"""How often each of the three parts has its turn, and how long a turn is measured."""

LEAST_MS = 20.0
CLASS = {"X-Forwarded-For": "192.0.2.7"}
"""As a proxy on this machine has it: otherwise nothing counts by address."""

FROM = "X-Forwarded-For: 198.51.100.9"
BAD = f"GET //[ HTTP/1.1\r\nHost: x\r\n{FROM}\r\n\r\n".encode()
OPEN = (
    f"GET /ws HTTP/1.1\r\nHost: x\r\n{FROM}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
).encode()
PINGS = (b"\x89\x80" + bytes(4)) * 5_000
HELD = 200
"""Sockets of joined ghosts that are kept open."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one part gave: times from vote to recorded, in milliseconds."""

    name: str
    times_ms: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    """Load of the machine at the end of each turn."""

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.times_ms, n=100)[98]

    def text(self) -> str:
        p50 = statistics.median(self.times_ms)
        return (
            f"{self.name}: p50 {p50:.1f} ms, p99 {self.p99:.1f} ms, "
            f"{len(self.times_ms)} votes, load {max(self.loads):.1f}"
        )


# --- the flood, in a process of its own ----------------------------------------------


async def _pinging(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(OPEN)
    await reader.readuntil(b"\r\n\r\n")
    while True:
        writer.write(PINGS)
        await writer.drain()


async def _asking(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(BAD)
    await reader.read()
    writer.close()


async def _joining(port: int, room: str, held: list[asyncio.StreamWriter]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(OPEN)
    await reader.readuntil(b"\r\n\r\n")
    hello = {"type": "hello", "version": 1, "role": "player", "room": room}
    text = json.dumps({**hello, "name": f"Ghost {random.random()}"}).encode()
    writer.write(b"\x81" + struct.pack("!BH4x", 0x80 | 126, len(text)) + text)
    await reader.read(100)
    held.append(writer)
    if len(held) > HELD:
        held.pop(0).close()


async def attack(port: int, room: str) -> None:
    """Flood a server until killed."""
    held: list[asyncio.StreamWriter] = []

    async def forever(kind: str) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                match kind:
                    case "ping":
                        await _pinging(port)
                    case "ask":
                        await _asking(port)
                    case _:
                        await _joining(port, room, held)
            await asyncio.sleep(0)

    kinds = ["ping"] * 10 + ["ask"] * 10 + ["join"] * 10
    await asyncio.gather(*(forever(kind) for kind in kinds))


@contextlib.asynccontextmanager
async def flooded(at: Ready) -> AsyncIterator[None]:
    """Flood a server for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.flood", "--attack", str(at.port), at.room
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


# --- the class -----------------------------------------------------------------------


async def _vote(player: Wire, number: int, counter: int) -> float:
    began = time.monotonic()
    answer = await player.vote(counter=counter, client=f"p{number}")
    assert answer["type"] == "recorded", answer
    return 1_000 * (time.monotonic() - began)


async def measure(
    players: list[Wire], counter: itertools.count[int], into: Measured
) -> None:
    """Let each of the class vote once a second, at moments of their own."""
    chance = random.Random(7)

    async def one(player: Wire, number: int) -> None:
        await asyncio.sleep(chance.random())
        into.times_ms.append(await _vote(player, number, next(counter)))

    for _ in range(SECONDS):
        start = time.monotonic()
        await asyncio.gather(*(one(each, n) for n, each in enumerate(players)))
        await asyncio.sleep(max(0.0, start + 1 - time.monotonic()))
    into.loads.append(os.getloadavg()[0])


async def run(folder: Path) -> list[Measured]:
    """Measure a class quiet, beside a flood elsewhere, and in a flood."""
    nodes = Node(folder / "class"), Node(folder / "decoy")
    here, decoy = [await node.start() for node in nodes]
    counter = itertools.count(1)
    quiet, elsewhere, flood = map(Measured, ("quiet", "flood elsewhere", "flood"))
    try:
        async with contextlib.AsyncExitStack() as stack:
            host = await stack.enter_async_context(wire(here.port))
            await host.prove("host", here.room, here.key)
            players = []
            for number in range(PEOPLE):
                link = wire(here.port, additional_headers=CLASS)
                players.append(await stack.enter_async_context(link))
                await players[-1].join(here.room, f"Pupil {number}")
            await host.do("open_round", "open_vote")
            await measure(players, counter, Measured("warm-up"))
            for _ in range(TURNS):
                await measure(players, counter, quiet)
                async with flooded(decoy):
                    await measure(players, counter, elsewhere)
                async with flooded(here):
                    await measure(players, counter, flood)
            return [quiet, elsewhere, flood]
    finally:
        for node in nodes:
            await node.kill()


async def main() -> int:
    """Measure, print, and judge; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        quiet, elsewhere, flood = parts = await run(Path(folder))
    for part in parts:
        print(part.text())
    limit = max(LEAST_MS, 2 * quiet.p99, 2 * elsewhere.p99)
    print(f"flood / quiet: {flood.p99 / quiet.p99:.1f}; limit {limit:.1f} ms")
    return int(flood.p99 > limit)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        asyncio.run(attack(int(sys.argv[2]), sys.argv[3]))
    sys.exit(asyncio.run(main()))
