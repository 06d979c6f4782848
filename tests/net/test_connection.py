"""The server's end of a websocket: when it is free, what it writes, what it limits."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import CloseCode, Frame, Opcode

from server.net.connection import HIGH_BYTES, NO_FILE, Connection
from server.net.crowd import Framer, text_frame
from tests.support.until import until
from tests.support.wires import exchange


def told(ws: Connection) -> list[bool]:
    """Return where it will be noted how it changes."""
    changes: list[bool] = []
    ws.on_free = lambda: changes.append(ws.is_free)
    return changes


def fill(ws: Connection) -> None:
    """Write until something has to wait in the transport."""
    while not ws.transport.get_write_buffer_size():
        ws.transport.write(b"\x81\x7e\x40\x00" + b"x" * 0x4000)


@pytest.mark.posix
async def test_an_open_socket_is_free_and_has_its_descriptor() -> None:
    async with exchange() as wires:
        ws, _ = await wires.dial()
        assert ws.is_free
        assert ws.file == ws.transport.get_extra_info("socket").fileno()


async def test_a_socket_that_backs_up_is_free_again_once_all_is_out() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        changes = told(ws)
        client.transport.pause_reading()
        fill(ws)
        assert changes == [False]
        client.transport.resume_reading()
        await until(lambda: not ws.transport.get_write_buffer_size())
        assert changes == [False, True]


async def test_pings_are_queued_behind_frames_and_block_no_sender() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        client.transport.pause_reading()
        fill(ws)
        answered = await ws.ping()  # returns, though nothing of it can have gone out
        client.transport.resume_reading()
        await answered


@pytest.mark.parametrize("who", ["server", "client", "neither"])
async def test_a_socket_that_closes_is_not_free_and_loses_its_descriptor(
    who: str,
) -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        changes = told(ws)
        match who:
            case "server":
                closing = asyncio.create_task(ws.close(), name="closing")
                await asyncio.sleep(0)
                assert changes == [False], "the close frame is the last one"
                await closing
            case "client":
                await client.close()
            case _:
                client.transport.abort()
        await ws.wait_closed()
        assert changes == [False]
        assert ws.file == NO_FILE


async def test_a_descriptor_is_let_go_of_before_it_is_closed() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        line = ws.transport.get_extra_info("socket")
        still_open: list[bool] = []
        ws.on_free = lambda: still_open.append(line.fileno() != -1)
        client.transport.abort()
        await ws.wait_closed()
        assert still_open == [True]
        assert ws.on_free is None, "or a circle is left behind"


async def test_no_frame_bypasses_tls() -> None:
    authority = trustme.CA()
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(here)
    there = ssl.create_default_context()
    authority.configure_trust(there)
    async with exchange(tls=here) as wires:
        ws, _ = await wires.dial(there)
        assert ws.file == NO_FILE


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


@pytest.mark.parametrize("size", [0, 1, 125, 126, 0xFFFF, 0x10000, 300_000])
async def test_a_message_arrives_as_it_was_sent(size: int) -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        text = "ä" * (size // 2) + "x" * (size % 2)
        assert ws.write(text.encode(), Framer())
        assert await client.recv() == text


async def test_nothing_is_written_to_a_connection_that_is_closing() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        closing = asyncio.create_task(ws.close(), name="closing")
        await asyncio.sleep(0)
        assert ws.write(b"too late", Framer()), "it has nowhere to wait for"
        assert [message async for message in client] == []
        await closing


async def test_a_message_waits_while_too_much_is_unsent() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        framer = Framer()
        client.transport.pause_reading()
        sent = 0
        while ws.write(b"%7d" % sent + b"x" * 50_000, framer):
            sent += 1
        assert ws.transport.get_write_buffer_size() >= HIGH_BYTES
        assert not ws.write(b"waits", framer)
        client.transport.resume_reading()
        for number in range(sent):
            assert int(str(await client.recv())[:7]) == number
        await until(lambda: ws.write(b"waits", framer))
        assert await client.recv() == "waits"


async def test_the_longest_frame_that_is_read_can_be_changed_later() -> None:
    async with exchange() as wires:
        small, client = await wires.dial()
        small.limit_frames(100)
        await client.send("x" * 101)
        await client.wait_closed()
        assert client.close_code == CloseCode.MESSAGE_TOO_BIG
        large, client = await wires.dial()
        large.limit_frames(2**21)
        await client.send("x" * 2**21)
        await (await client.ping())


def read_all(line: socket.socket) -> None:
    while line.recv(65_536):
        pass


async def test_what_is_kept_for_a_deaf_reader_is_bounded_and_gone_after_a_reset() -> (
    None
):
    async with exchange() as wires:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            ws = await wires.dial_raw(deaf)
            ws.limit_unsent(65_536)
            line = ws.transport.get_extra_info("socket")
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 65_536
            ws.transport.write(b"x" * 4_000_000)
            assert ws.transport.get_write_buffer_size() > 3_000_000  # not in the system
            ws.reset()
            await asyncio.sleep(0)  # the transport closes on the loop's next turn
            deaf.setblocking(True)
            deaf.settimeout(10)
            with pytest.raises(ConnectionResetError):
                read_all(deaf)
