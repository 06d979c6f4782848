"""One frame for many: the library's own bytes, and nothing out of turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from server.net.connection import HIGH_BYTES, Framer, Line, text_frame
from tests.support.wires import Ends, exchange, in_two_parts, until


@given(st.binary(max_size=300))
@example(b"")
@example(b"x" * 125)
@example(b"x" * 126)
@example(b"x" * 0xFFFF)
@example(b"x" * 0x10000)
def test_a_frame_is_byte_for_byte_the_librarys(payload: bytes) -> None:
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_what_goes_to_many_is_framed_once() -> None:
    framer = Framer()
    view = b'{"type":"view"}'
    assert framer.frame(view) is framer.frame(view)
    assert framer.made == 1
    assert framer.frame(b"other") == text_frame(b"other")
    assert framer.frame(view) == text_frame(view)
    assert framer.made == 3


@contextlib.asynccontextmanager
async def line(compression: str | None = None) -> AsyncIterator[Ends]:
    """Open a websocket, and hold both of its ends."""
    async with exchange(compression) as wires:
        yield await wires.dial(compression)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 0xFFFF, 0x10000, 300_000])
async def test_a_message_arrives_as_it_was_sent(size: int) -> None:
    async with line() as (ws, client):
        text = "ä" * (size // 2) + "x" * (size % 2)
        assert Line(ws, Framer()).write(text.encode())
        assert await client.recv() == text


async def test_a_compressed_connection_gets_the_librarys_frames() -> None:
    async with line("deflate") as (ws, client):
        framer = Framer()
        out = Line(ws, framer)
        assert out.write(b"tell " * 1000)
        assert await client.recv() == "tell " * 1000
        assert framer.made == 0


async def test_nothing_is_written_to_a_connection_that_is_closing() -> None:
    async with line() as (ws, client):
        closing = asyncio.create_task(ws.close(), name="closing")
        await asyncio.sleep(0)
        assert Line(ws, Framer()).write(b"too late"), "it has nowhere to wait for"
        assert [message async for message in client] == []
        await closing


async def test_a_message_waits_while_another_goes_out_in_fragments() -> None:
    go_on = asyncio.Event()
    async with line() as (ws, client):
        out = Line(ws, Framer())
        sending = asyncio.create_task(ws.send(in_two_parts(go_on)), name="fragments")
        await until(lambda: ws.protocol.expect_continuation_frame)
        assert not out.write(b"three")
        go_on.set()
        await sending
        assert out.write(b"three")
        assert [await client.recv(), await client.recv()] == ["one two", "three"]


async def test_a_message_waits_while_too_much_is_unsent() -> None:
    async with line() as (ws, client):
        out = Line(ws, Framer())
        client.transport.pause_reading()
        sent = 0
        while out.write(b"%7d" % sent + b"x" * 50_000):
            sent += 1
        assert ws.transport.get_write_buffer_size() >= HIGH_BYTES
        assert not out.write(b"waits")
        client.transport.resume_reading()
        for number in range(sent):
            assert int(str(await client.recv())[:7]) == number
        await until(lambda: out.write(b"waits"))
        assert await client.recv() == "waits"
