"""Practice players that the server itself brings to a rehearsal."""

from __future__ import annotations

import logging
from pathlib import Path

from client.errors import ClientError
from client.practice import PracticeSettings, knowledge_of, run_practice
from scenarios.load import Shelf
from server.game.ids import RoomCode
from server.net.admin import BringPractice

log = logging.getLogger("twogaps.practice")

PAUSE_S = (2.0, 12.0)
"""How long a practice player thinks."""


def practice_bringer(url: str, folders: tuple[Path, ...] = ()) -> BringPractice:
    """Return what plays as practice players in a room of the server at ``url``.

    They know the built-in cases and those in ``folders``.
    """
    shelf = Shelf(*folders, is_quiet=True)

    async def play(code: RoomCode, n: int) -> None:
        knowledge = knowledge_of(shelf.current().cases.values())
        seed = int.from_bytes(code.encode(), "big") % 2**31
        settings = PracticeSettings(n=n, seed=seed, delay_s=PAUSE_S)
        try:
            await run_practice(url, code, settings, knowledge)
        except* ClientError as left:
            log.warning("practice players left: %s", left.exceptions[0])

    return play
