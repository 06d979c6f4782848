"""A class that votes while others jam the server: readers that never read, a flood."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from dataclasses import dataclass, field
from statistics import quantiles

from server.net.links import STUCK_S
from tests.fuzz.raw import RawSocket, frame, raw
from tests.support.node import Node, Ready
from tests.support.process import rss_mb
from tests.support.wire import Wire, wire

SMALL = 2_048
"""Bytes a stuck reader's system takes for it: all else has to wait at the server."""

FLOOD = 2_000
"""Votes that the flooding player hands over at a time."""

SPREAD_S = 3.0
"""A class answers within so long."""


class Timed(RawSocket):
    """A player whose votes are timed, from the send to the receipt."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded = asyncio.Event()
        self.viewed = asyncio.Event()

    def _receive(self, opcode: int, payload: bytes) -> None:
        super()._receive(opcode, payload)
        if payload.startswith(b'{"type":"recorded"'):
            self.recorded.set()
        elif payload.startswith(b'{"type":"view"'):
            self.viewed.set()

    async def vote(self, counter: int) -> float:
        """Vote; return how long it took until it was recorded (s)."""
        self.recorded.clear()
        start = time.perf_counter()
        self.tell(
            "vote", round=0, ballot="vote", client="tab", counter=counter,
            answer={"kind": "gap", "label": "outer", "confidence": 80},
        )  # fmt: skip
        async with asyncio.timeout(60):
            await self.recorded.wait()
        return time.perf_counter() - start


@dataclass(slots=True)
class Figures:
    """What was measured. Times in ms, memory in MiB."""

    people: int
    stuck: int
    quiet_ms: list[float] = field(default_factory=list)
    jammed_ms: list[float] = field(default_factory=list)
    flooded: int = 0
    cut_loose: int = 0
    rss_before: float = 0
    rss_after: float = 0
    pushed: int = 0
    """Frames that were sent to every stuck reader."""

    @property
    def quiet_p99(self) -> float:
        """The class's own 99th percentile, without obstacles."""
        return p99(self.quiet_ms)

    @property
    def jammed_p99(self) -> float:
        """The same beside those who jam."""
        return p99(self.jammed_ms)

    def text(self) -> str:
        """Return the figures as one line."""
        ratio = self.jammed_p99 / self.quiet_p99
        return (
            f"{self.people} voters: p99 vote to recorded {self.quiet_p99:.1f} ms; "
            f"beside {self.stuck} readers that never read and a flood of "
            f"{self.flooded:,} votes {self.jammed_p99:.1f} ms ({ratio:.2f} times); "
            f"server {self.rss_before:.0f} MiB, {self.rss_after:.0f} after "
            f"{self.pushed} views to each that never reads"
            + (f"; {self.cut_loose} of them cut loose" if self.cut_loose else "")
        )


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(values, n=100)[98]


async def jam(
    node: Node, people: int, stuck: int, rounds: int, views: int, *, until_cut: bool
) -> Figures:
    """Let a class vote, quietly and then beside those who jam; measure both.

    Before the second time, all players are sent more views than fit the
    way to those who never read: the server has to hold what comes. With ``until_cut``,
    wait in the end until it has cut them loose.
    """
    ready = await node.start()
    figures = Figures(people, stuck)
    async with contextlib.AsyncExitStack() as stack:
        host = await stack.enter_async_context(wire(ready.port))
        await host.prove("host", ready.room, ready.key)
        joined = Joined()
        reading = asyncio.create_task(joined.follow(host))
        voters = [await _voter(ready, number) for number in range(people)]
        stack.callback(lambda: [voter.close() for voter in voters])
        await host.send("open_round", ref=1)
        await host.send("open_vote", ref=2)
        await asyncio.sleep(0.5)  # until all have seen it
        figures.rss_before = rss_mb(ready.pid)
        figures.quiet_ms = await _vote_all(voters, rounds, 0)
        deaf = [await _deaf(ready, number) for number in range(stuck)]
        stack.callback(lambda: [one.close() for one in deaf])
        await joined.reach(people + stuck)
        await _push(host, voters[0], figures, views)
        figures.rss_after = rss_mb(ready.pid)
        flood = asyncio.create_task(_flood(ready, figures))
        figures.jammed_ms = await _vote_all(voters, rounds, 1_000)
        figures.rss_after = max(figures.rss_after, rss_mb(ready.pid))
        flood.cancel()
        if until_cut:
            await _until_cut(deaf, figures)
        reading.cancel()
        await asyncio.gather(flood, reading, return_exceptions=True)
    await node.stop()
    return figures


class Joined:
    """How many are in the room, as the host sees it."""

    def __init__(self) -> None:
        self._n = 0
        self._news = asyncio.Event()

    async def follow(self, host: Wire) -> None:
        """Read what the host is sent, and keep this alone."""
        async for text in host.ws:
            message = json.loads(text)
            if message["type"] == "progress":
                self._n = message["joined"]
                self._news.set()

    async def reach(self, n: int) -> None:
        """Wait until ``n`` people are in the room."""
        async with asyncio.timeout(60):
            while self._n < n:
                self._news.clear()
                await self._news.wait()


async def _voter(ready: Ready, number: int) -> Timed:
    loop = asyncio.get_running_loop()
    _, voter = await loop.create_connection(Timed, "127.0.0.1", ready.port)
    await voter.opened
    name = f"Voter {number}"
    voter.tell("hello", version=1, role="player", room=ready.room, name=name)
    await voter.until("welcome")
    return voter


async def _vote_all(voters: list[Timed], rounds: int, start: int) -> list[float]:
    """Let all players vote within three seconds, several times; times in ms."""
    took: list[float] = []

    async def one(number: int, voter: Timed, counter: int) -> None:
        await asyncio.sleep(SPREAD_S * number / len(voters))
        took.append(1_000 * await voter.vote(counter))

    for round_index in range(rounds):
        counter = start + round_index + 1
        people = enumerate(voters)
        await asyncio.gather(*(one(number, who, counter) for number, who in people))
    return took


async def _deaf(ready: Ready, number: int) -> socket.socket:
    """Join, and never read a byte."""
    loop = asyncio.get_running_loop()
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    deaf.setblocking(False)
    await loop.sock_connect(deaf, ("127.0.0.1", ready.port))
    ask = (
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    hello = {
        "type": "hello", "version": 1, "role": "player", "room": ready.room,
        "name": f"Deaf {number}",
    }  # fmt: skip
    await loop.sock_sendall(deaf, ask.encode() + frame(json.dumps(hello).encode()))
    return deaf


async def _until_cut(deaf: list[socket.socket], figures: Figures) -> None:
    """Wait until the server has dropped all that never read; count them."""
    left = list(deaf)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3 * STUCK_S):
            while left:
                left = [one for one in left if not _is_cut(one)]
                figures.cut_loose = len(deaf) - len(left)
                await asyncio.sleep(0.5)


def _is_cut(one: socket.socket) -> bool:
    """Whether the other side has reset the connection: there is no need to read."""
    return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


async def _flood(ready: Ready, figures: Figures) -> None:
    """Vote as fast as the socket takes it, without end."""
    player = await raw(ready.port)
    player.tell("hello", version=1, role="player", room=ready.room, name="Flood")
    await player.until("welcome")
    assert player.transport is not None
    while not player.is_lost:
        if not player.transport.get_write_buffer_size():
            player.write(b"".join(map(_flooding, range(FLOOD))))
            figures.flooded += FLOOD
        await asyncio.sleep(0.02)


def _flooding(counter: int) -> bytes:
    answer = {"kind": "gap", "label": "inner", "confidence": 50}
    vote = {
        "type": "vote", "round": 0, "ballot": "vote", "client": "flood",
        "counter": counter, "answer": answer,
    }  # fmt: skip
    return frame(json.dumps(vote).encode())


async def _push(host: Wire, voter: Timed, figures: Figures, views: int) -> None:
    """Change what all players see, again and again, each time as a view of its own."""
    for number in range(views):
        voter.viewed.clear()
        await host.send(("lock", "unlock")[number % 2], ref=10 + number)
        async with asyncio.timeout(60):
            await voter.viewed.wait()
        figures.pushed += 1
