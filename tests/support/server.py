"""A real server on a port of its own, with a room."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from server.app import Config, Running, running
from server.game.settings import RoomSettings
from server.net.limits import Limits
from server.protocol.client_messages import OpenRoom


@dataclass(frozen=True, slots=True)
class Hall:
    """A running server and one open room."""

    server: Running
    room: str
    key: str

    @property
    def port(self) -> int:
        return self.server.port


UNHURRIED = Limits(lag_ms=10**9, changes=10**9)
"""Refuse no one because the machine that runs the tests is busy, or because a voter of
a test changes the answer all the time."""


@contextlib.asynccontextmanager
async def hall(
    settings: RoomSettings | None = None, length: int | None = 2, **config: Any
) -> AsyncIterator[Hall]:
    """Run a server with a room of the first-class deck."""
    setup = {"host": "127.0.0.1", "port": 0, "limits": UNHURRIED, **config}
    async with running(Config(**setup)) as server:
        order = OpenRoom(
            deck="first-class",
            length=length,
            seed=1,
            settings=settings or RoomSettings(),
        )
        room, key = await server.admin.open_room(order)
        yield Hall(server, room, key)
