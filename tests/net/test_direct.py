"""Whether a socket may be written to directly: known at every moment, told at once."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme

from server.net.connection import NO_FILE, DirectConnection
from tests.support.wires import exchange, in_two_parts, until


def told(ws: DirectConnection) -> list[bool]:
    """Return where it will be noted how it changes."""
    changes: list[bool] = []
    ws.on_free = lambda: changes.append(ws.is_free)
    return changes


def fill(ws: DirectConnection) -> None:
    """Write until something has to wait in the transport."""
    while not ws.transport.get_write_buffer_size():
        ws.transport.write(b"\x81\x7e\x40\x00" + b"x" * 0x4000)


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


async def test_pings_go_out_behind_what_waits_and_nobody_waits_for_that() -> None:
    async with exchange() as wires:
        ws, client = await wires.dial()
        client.transport.pause_reading()
        fill(ws)
        answered = await ws.ping()  # returns, though nothing of it can have gone out
        client.transport.resume_reading()
        await answered


async def test_a_socket_is_not_free_in_the_middle_of_a_message() -> None:
    go_on = asyncio.Event()
    async with exchange() as wires:
        ws, _ = await wires.dial()
        changes = told(ws)
        sending = asyncio.create_task(ws.send(in_two_parts(go_on)), name="fragments")
        await until(lambda: changes == [False])
        go_on.set()
        await sending
        assert changes == [False, True]


@pytest.mark.parametrize("who", ["server", "client", "nobody"])
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


async def test_a_compressed_socket_is_never_free() -> None:
    async with exchange("deflate") as wires:
        ws, client = await wires.dial("deflate")
        assert not ws.is_free
        await ws.send("hello")
        assert await client.recv() == "hello"
        assert not ws.is_free


async def test_nobody_writes_past_tls() -> None:
    authority = trustme.CA()
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(here)
    there = ssl.create_default_context()
    authority.configure_trust(there)
    async with exchange(tls=here) as wires:
        ws, _ = await wires.dial(tls=there)
        assert ws.file == NO_FILE
