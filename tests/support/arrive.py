"""Coming in at a site that may not have heard of the room yet."""

from __future__ import annotations

import asyncio
import contextlib

from client import Player, connect
from client.errors import Rejected

GUARD_S = 40


async def arrive(
    stack: contextlib.AsyncExitStack, url: str, room: str, name: str
) -> Player:
    """Let a player in at a site, as soon as it knows the room."""
    async with asyncio.timeout(GUARD_S):
        while True:
            try:
                return await stack.enter_async_context(connect(url, room, name))
            except Rejected as exc:  # not yet known here, or known to be gone from here
                if exc.code not in ("unknown_room", "room_moved"):
                    raise
                await asyncio.sleep(0.05)


async def see(player: Player, phase: str) -> None:
    """Wait until a player sees a phase."""
    async with asyncio.timeout(GUARD_S):
        async for view in player.views():
            if view.phase == phase:
                return
