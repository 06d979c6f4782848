"""The servers that are measured, each a program of its own on a core of its own.

    python -m tests.bench.speed.subjects KIND CORE [OPTION=VALUE ...]

A subject prints one line of JSON once it serves, then follows orders on its
standard input, a word a line, and ends with it. Two Gaps needs telling nothing: it is
asked over its own sockets, like any.

- ``two-gaps``: the whole server, its journal on a real file, every commit synced.
- ``websockets``: an echo that stores nothing; ``fan`` sends all sockets one message by
  the library's own ``broadcast``.
- ``floor``: no websockets at all: accepts, and ``fan`` writes the same bytes to every
  socket in a bare loop, which is what the kernel charges.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from server.app import Config, running, tune_garbage_collection
from server.game.settings import RoomSettings
from server.net.limits import Limits
from server.protocol.client_messages import OpenRoom
from tests.bench.speed.machine import memory_bytes, pin, raise_file_limit

SETTINGS = RoomSettings(time_factor=10, max_players=20_000)
BACKLOG = 2048


def _say(**ready: Any) -> None:
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


def _message(options: dict[str, str]) -> bytes:
    return Path(options["message"]).read_bytes()


async def _orders() -> asyncio.StreamReader:
    """Return standard input, to be read without blocking."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def two_gaps(options: dict[str, str]) -> None:
    """Serve one room of the real game: the journal's, or a new one."""
    orders = await _orders()
    memory = memory_bytes(os.getpid())
    config = Config(
        host="127.0.0.1",
        port=0,
        data=Path(options["data"]),
        broker=options.get("broker"),
        site=options.get("site"),
        limits=Limits(sockets=20_000, joins_room=10**6, lag_ms=10**9, changes=10**9),
    )
    async with running(config) as server:
        if live := server.directory.live:
            room, key = live[0].code, live[0].key_of("host")
        else:
            order = OpenRoom(deck="first-class", seed=1, settings=SETTINGS)
            room, key = await server.admin.open_room(order)
        _say(port=server.port, room=room, key=key, memory_before=memory)
        while line := await orders.readline():
            _collect_garbage(line.decode().strip())


def _collect_garbage(how: str) -> None:
    """Change how garbage is collected: for the comparison in docs/performance.md."""
    match how.split():
        case ["off"]:
            gc.disable()
        case ["freeze"]:
            gc.collect()
            gc.freeze()
        case ["threshold", *counts]:
            gc.set_threshold(*map(int, counts))
        case _:
            raise SystemExit(f"no such order: {how}")


async def library(options: dict[str, str]) -> None:
    """Echo with the library alone, and broadcast as it does."""
    orders = await _orders()
    sockets: set[ServerConnection] = set()
    message = _message(options)

    async def echo(ws: ServerConnection) -> None:
        sockets.add(ws)
        try:
            async for received in ws:
                await ws.send(received)
        except ConnectionClosed:
            pass
        finally:
            sockets.discard(ws)

    async with serve(
        echo, "127.0.0.1", 0, compression=None, server_header=None, backlog=BACKLOG
    ) as server:
        _say(port=next(iter(server.sockets)).getsockname()[1])
        while await orders.readline():
            broadcast(sockets, message, text=True)


async def floor(options: dict[str, str]) -> None:
    """Accept sockets, and write the same bytes to each: nothing can be cheaper."""
    orders = await _orders()
    frame = _message(options)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setblocking(False)
    sockets: list[socket.socket] = []
    loop = asyncio.get_running_loop()

    def accept() -> None:
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.append(accepted)

    loop.add_reader(listener, accept)
    _say(port=listener.getsockname()[1])
    while await orders.readline():
        for each in sockets:
            each.send(frame)


KINDS = {"two-gaps": two_gaps, "websockets": library, "floor": floor}


def main() -> None:
    """Be one subject until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver ends it
    kind, core, *rest = sys.argv[1:]
    pin(int(core))
    raise_file_limit(12_000)
    options = dict(pair.split("=", 1) for pair in rest)
    if kind == "two-gaps":  # as `twogaps serve` does
        tune_garbage_collection()
    asyncio.run(KINDS[kind](options))
    os._exit(0)  # thousands of sockets need no goodbye


if __name__ == "__main__":
    main()
