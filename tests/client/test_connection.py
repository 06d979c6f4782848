"""Coming in, coming back, and staying away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from random import Random

import pytest

from client import CannotConnect, Link, connect, host
from client.connection import Backoff
from client.errors import BadToken, Kicked, RoomLocked, TakenOver, WrongKey
from server.protocol.client_messages import Hello, Prove
from server.protocol.server_messages import (
    Bye,
    Challenge,
    Notice,
    RefusedMessage,
    View,
)
from tests.client.conftest import fake_server
from tests.client.fake_server import KEY, FakeServer, Peer, lobby


async def test_a_player_joins_by_name_and_comes_back_by_token(
    fake: FakeServer, no_wait: Backoff
) -> None:
    async def serve() -> None:
        first = await fake.peer()
        hello = await first.admit(name="Ada 2")
        assert (hello.name, hello.token, hello.room) == ("Ada", None, "K7MQ2P")
        await first.drop()
        second = await fake.peer()
        hello = await second.admit(lobby(9), name="Ada 2")
        assert (hello.name, hello.token) == (None, "p1.mac")

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "k7mq2p ", "Ada", backoff=no_wait) as player:
            assert (player.name, player.id, player.token) == ("Ada 2", "p1", "p1.mac")
            async for view in player.views():
                if view == lobby(9):
                    break
            assert player.state is Link.OPEN


async def test_final_refusals_of_a_hello_are_typed(fake: FakeServer) -> None:
    async def refuse(code: str) -> None:
        peer = await fake.peer()
        await peer.take(Hello)
        await peer.send(RefusedMessage(code=code, detail="No."))

    for code, kind in (("room_locked", RoomLocked), ("bad_token", BadToken)):
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse(code))
            with pytest.raises(kind, match="No"):
                async with connect(fake.url, "K7MQ2P", "Ada"):
                    pass
    assert fake.opened == 2


@pytest.mark.parametrize("code", ["busy", "storage_unavailable", "shutting_down"])
async def test_passing_refusals_of_a_hello_are_tried_again(
    fake: FakeServer, no_wait: Backoff, code: str
) -> None:
    async def serve() -> None:
        first = await fake.peer()
        await first.take(Hello)
        await first.send(RefusedMessage(code=code, detail="Later."))
        await (await fake.peer()).admit()

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada", backoff=no_wait) as player:
            assert player.state is Link.OPEN


@pytest.mark.parametrize(
    ("code", "kind"), [("taken_over", TakenOver), ("kicked", Kicked)]
)
async def test_a_removed_client_stays_away(
    fake: FakeServer, no_wait: Backoff, code: str, kind: type[Exception]
) -> None:
    async def serve() -> Peer:
        peer = await fake.peer()
        await peer.admit()
        await peer.send(Bye(code=code, detail="Elsewhere.", come_back=False))
        return peer

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada", backoff=no_wait) as player:
            assert [view async for view in player.views()] == [lobby()]
            assert player.state is Link.OVER
            assert isinstance(player.cause, kind)
            with pytest.raises(kind):
                await player.ping()
    assert fake.opened == 1


async def come_back(
    url: str, backoff: Backoff, serve: Coroutine[None, None, None]
) -> None:
    """Join, and stay until the second lobby is there, while a server does its part."""
    async with asyncio.TaskGroup() as group:
        group.create_task(serve)
        async with connect(url, "K7MQ2P", "Ada", backoff=backoff) as player:
            async for view in player.views():
                if view == lobby(2):
                    break


async def test_a_goodbye_that_asks_to_come_back_is_followed(
    fake: FakeServer, no_wait: Backoff
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit()
        await peer.send(Bye(code="shutting_down", detail="Back soon.", come_back=True))
        await peer.socket.close()
        await (await fake.peer()).admit(lobby(2))

    await come_back(fake.url, no_wait, serve())
    assert fake.opened == 2


async def test_a_client_continues_at_the_next_address_that_the_server_has_named(
    no_wait: Backoff,
) -> None:
    async with fake_server() as other, fake_server() as first:
        named = (f"ws://{first.url}/ws", f"ws://{other.url}/ws")

        async def serve() -> None:
            peer = await first.peer()
            await peer.admit(addresses=named)
            await peer.drop()
            await (await first.peer()).drop()
            hello = await (await other.peer()).admit(lobby(2))
            assert (hello.name, hello.token) == (None, "p1.mac")

        await come_back(first.url, no_wait, serve())


async def test_goodbyes_in_order_do_not_make_the_next_wait_longer(
    fake: FakeServer,
) -> None:
    """A fleet's nodes are restarted one after another, and each says goodbye."""
    backoff = Backoff(Random(1), first_s=0.001, cap_s=60)

    async def serve() -> None:
        for _ in range(6):
            peer = await fake.peer()
            await peer.admit()
            await peer.send(Bye(code="moved", detail="There.", come_back=True))
            await peer.socket.close()
        await (await fake.peer()).admit(lobby(2))

    await come_back(fake.url, backoff, serve())
    assert backoff.ceiling_s == 0.002


async def test_a_missing_server_is_reported_after_a_few_tries(no_wait: Backoff) -> None:
    with pytest.raises(CannotConnect, match="No game server answers"):
        async with connect("127.0.0.1:1", "K7MQ2P", "Ada", backoff=no_wait):
            pass


async def test_an_exception_of_the_block_leaves_as_it_is(fake: FakeServer) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_admit(fake))
        with pytest.raises(KeyError, match="mine"):
            async with connect(fake.url, "K7MQ2P", "Ada"):
                raise KeyError("mine")


async def _admit(fake: FakeServer) -> None:
    await (await fake.peer()).admit()


async def test_a_wrong_key_is_final(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.take(Hello)
        await peer.send(Challenge(nonce="n"))
        await peer.take(Prove)
        await peer.send(RefusedMessage(code="wrong_proof", detail="Not this key."))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        with pytest.raises(WrongKey):
            async with host(fake.url, "K7MQ2P", KEY[::-1]):
                pass


async def test_a_malformed_key_is_refused(fake: FakeServer) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.take(Hello)
        await peer.send(Challenge(nonce="n"))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        with pytest.raises(WrongKey, match="hex"):
            async with host(fake.url, "K7MQ2P", "open sesame"):
                pass


async def test_a_slow_reader_sees_the_newest_view(fake: FakeServer) -> None:
    has_read = asyncio.Event()

    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit()
        await has_read.wait()
        for version in range(2, 50):
            await peer.send(View(version=version, view=lobby(version)))
        await peer.send(View(version=7, view=lobby(7)))  # late: must not win
        await peer.send(Notice(code="storage_back", detail="end"))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            views = player.views()
            await anext(views)
            has_read.set()
            await player.news.until(lambda message: isinstance(message, Notice))
            assert await anext(views) == lobby(49)


async def test_a_frame_that_is_not_understood_is_skipped(
    fake: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve() -> None:
        peer = await fake.peer()
        await peer.admit()
        await peer.socket.send('{"type": "from the future"}')
        await peer.send(View(version=2, view=lobby(2)))

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        async with connect(fake.url, "K7MQ2P", "Ada") as player:
            async for view in player.views():
                if view == lobby(2):
                    break
    assert "not understood" in caplog.text


async def test_a_server_that_is_not_known_by_this_name_says_what_to_do() -> None:
    asked = 0

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        text = b"'x.example' is not known. Use --public-url.\n"
        head = f"HTTP/1.1 421 Misdirected Request\r\nContent-Length: {len(text)}\r\n"
        writer.write(f"{head}\r\n".encode() + text)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(CannotConnect, match="--public-url"):
        async with connect(f"http://127.0.0.1:{port}", "K7MQ2P", "Ann"):
            pass
    server.close()
    assert asked == 1
