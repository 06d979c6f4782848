"""Messages that are taken directly: in their order, and only whole text ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from server.net.connection import Connection, announced
from tests.fuzz.raw import frame
from tests.support.wires import wait_freely

GUARD_S = 20


class Seen:
    """What one connection took directly, and what it read from the queue."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str | bytes]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.news = asyncio.Event()
        self.ws: Connection | None = None

    def take(self, text: str) -> bool:
        if text.startswith("slow"):
            return False
        self.add("direct", text)
        return True

    def add(self, how: str, message: str | bytes) -> None:
        self.log.append((how, message))
        self.news.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(GUARD_S):
            while len(self.log) < count:
                self.news.clear()
                await self.news.wait()


@contextlib.asynccontextmanager
async def line() -> AsyncIterator[tuple[Seen, ClientConnection]]:
    seen = Seen()

    async def receive(ws: ServerConnection) -> None:
        assert isinstance(ws, Connection)
        ws.take, seen.ws = seen.take, ws
        with contextlib.suppress(ConnectionClosed):
            async for message in ws:
                await seen.go_on.wait()
                seen.add("queued", message)
                ws.unread -= 1

    async with serve(
        receive,
        "127.0.0.1",
        0,
        create_connection=announced(Connection, wait_freely),  # type: ignore[arg-type] # a wrapper will do
        compression=None,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", compression=None) as client:
            await client.send("slow hello")
            await seen.until(1)
            seen.log.clear()
            yield seen, client


async def test_a_message_is_taken_directly_if_none_waits_before_it() -> None:
    async with line() as (seen, client):
        await client.send("one")
        await client.send("two")
        await seen.until(2)
        assert seen.log == [("direct", "one"), ("direct", "two")]


async def test_nothing_overtakes_what_is_queued() -> None:
    async with line() as (seen, client):
        seen.go_on.clear()
        for text in ("slow one", "two", "three"):
            await client.send(text)
        await client.ping()
        seen.go_on.set()
        await seen.until(3)
        assert seen.log == [
            ("queued", "slow one"),
            ("queued", "two"),
            ("queued", "three"),
        ]
        await client.send("four")
        await seen.until(4)
        assert seen.log[3] == ("direct", "four")


async def test_fragments_and_bytes_go_the_usual_way_and_keep_their_place() -> None:
    async with line() as (seen, client):
        await client.send(["in ", "three ", "parts"])
        await client.send(b"bytes")
        await seen.until(2)
        await client.send("after")
        await seen.until(3)
        assert seen.log == [
            ("queued", "in three parts"),
            ("queued", b"bytes"),
            ("direct", "after"),
        ]


async def test_a_binary_frame_ends_the_connection_with_the_librarys_code() -> None:
    async with line() as (seen, client):
        await client.send(b"\xff\xfe", text=True)
        async with asyncio.timeout(GUARD_S):
            await client.wait_closed()
        assert client.close_code == 1007
        assert seen.log == []


async def test_reading_rests_while_the_queue_is_full_and_all_of_it_arrives() -> None:
    async with line() as (seen, client):
        seen.go_on.clear()
        sent = [f"slow {n} " + "x" * 1_000 for n in range(500)]
        client.transport.write(b"".join(frame(text.encode()) for text in sent))
        await asyncio.sleep(0.2)  # as long as it likes: nothing reads the queue
        queued = seen.ws.unread if seen.ws else 0
        seen.go_on.set()
        assert 0 < queued < 25
        await seen.until(500)
        assert [message for _, message in seen.log] == sent
