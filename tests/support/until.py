"""Waiting for what sets no event: a figure, a log line, several objects together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TURNS = 50
"""Turns of the loop that are waited without sleeping. Most conditions need a few."""


async def until(condition: Callable[[], object], guard_s: float = 20.0) -> None:
    """Wait until a condition holds. Raises TimeoutError after ``guard_s`` seconds."""
    turn = 0
    async with asyncio.timeout(guard_s):
        while not condition():
            await asyncio.sleep(0 if turn < TURNS else 0.005)
            turn += 1
