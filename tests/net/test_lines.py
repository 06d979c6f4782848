"""What the system keeps for a connection that is not read."""

from __future__ import annotations

import asyncio
import socket

import pytest

from server.net.connection import bound, reset


def read_all(line: socket.socket) -> None:
    while line.recv(65_536):
        pass


async def test_what_is_kept_for_a_deaf_reader_is_bounded_and_gone_at_once() -> None:
    met: asyncio.Future[asyncio.StreamWriter] = (
        asyncio.get_running_loop().create_future()
    )
    server = await asyncio.start_server(lambda _, w: met.set_result(w), "127.0.0.1", 0)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        deaf.connect(server.sockets[0].getsockname())
        transport = (await met).transport
        bound(transport, 65_536)
        line = transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 65_536
        transport.write(b"x" * 4_000_000)
        assert transport.get_write_buffer_size() > 3_000_000  # not in the system
        reset(transport)
        await asyncio.sleep(0)  # the transport closes on the loop's next turn
        deaf.setblocking(True)
        deaf.settimeout(10)
        with pytest.raises(ConnectionResetError):
            read_all(deaf)
    server.close()
    await server.wait_closed()
