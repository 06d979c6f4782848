"""The bounded queue in which requests to a room wait."""

from __future__ import annotations

import asyncio
from collections import deque

from server.game.errors import Refused
from server.rooms.ports import Leave, Request

CAPACITY = 32_768
BATCH = 1_024
"""At most so many requests share a step, and so a commit."""


class Inbox:
    """A bounded queue that wakes its one reader for requests and for alarms."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._queue: deque[Request] = deque()
        self._capacity = capacity
        self._signal = asyncio.Event()
        self._is_ending = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, request: Request) -> None:
        """Queue a request. Raises :class:`Refused` ("busy") where the queue is full.

        A Leave always finds room: who is gone must be forgotten.
        """
        if len(self._queue) >= self._capacity and not isinstance(request, Leave):
            raise Refused("busy", "More is waiting than can be queued; resend shortly.")
        self._queue.append(request)
        self._signal.set()

    def end(self) -> None:
        """Let the reader have what waits, and then nothing more."""
        self._is_ending = True
        self._signal.set()

    @property
    def is_over(self) -> bool:
        """Whether the end was asked for and nothing waits any more."""
        return self._is_ending and not self._queue

    def wake(self) -> None:
        """Wake the reader without a request: something is due."""
        self._signal.set()

    async def batch(self) -> list[Request]:
        """Wait for requests or an alarm; return what waits, oldest first."""
        await self._signal.wait()
        taken = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        if not self._queue:
            self._signal.clear()
        return taken
