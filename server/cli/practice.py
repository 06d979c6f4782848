"""Practice players that the server itself brings to a rehearsal."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from client.practice import PracticeSettings, knowledge_of, run_practice
from scenarios.shelf import Shelf
from server.game.ids import RoomCode
from server.net.admin import BringPractice

log = logging.getLogger("twogaps.practice")

PAUSE_S = (2.0, 12.0)
"""How long a practice player thinks."""


def practice_bringer(url: str, folders: tuple[Path, ...] = ()) -> BringPractice:
    """Return what brings practice players to a room of the server at ``url``.

    They know the built-in cases and those in ``folders``.
    """
    tasks: set[asyncio.Task[None]] = set()
    shelf = Shelf(*folders, is_quiet=True)

    async def bring(code: RoomCode, n: int) -> None:
        knowledge = knowledge_of(shelf.current().cases.values())
        seed = int.from_bytes(code.encode(), "big") % 2**31
        settings = PracticeSettings(n=n, seed=seed, delay_s=PAUSE_S)
        work = run_practice(url, code, settings, knowledge)
        task = asyncio.get_running_loop().create_task(work, name=f"practice-{code}")
        tasks.add(task)
        task.add_done_callback(_forget)

    def _forget(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.warning("practice players left: %s", exc)

    return bring
