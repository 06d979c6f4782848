"""What a room is asked, and the bounded queue in which it waits."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from server.game.commands import Command, Join
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.protocol.client_messages import GetRoster
from server.relay.gateway import Audience, Link

CAPACITY = 32_768
BATCH = 1_024
"""At most so many requests share a step, and so a commit."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Somebody new wants to play."""

    link: Link
    join: Join


@dataclass(frozen=True, slots=True)
class Return:
    """A player is back with a token that has been checked."""

    link: Link
    player: PlayerId


@dataclass(frozen=True, slots=True)
class Attend:
    """A host or a screen that has proved its key."""

    link: Link
    audience: Audience


@dataclass(frozen=True, slots=True)
class Leave:
    """A connection is gone."""

    link: Link
    audience: Audience
    player: PlayerId | None


@dataclass(frozen=True, slots=True)
class Do:
    """A command of a player or a host."""

    link: Link
    command: Command


@dataclass(frozen=True, slots=True)
class AskRoster:
    """A host wants a page of the roster."""

    link: Link
    ask: GetRoster


Request = Enter | Return | Attend | Leave | Do | AskRoster


class Inbox:
    """A bounded queue that wakes its one reader for requests and for alarms."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._queue: deque[Request] = deque()
        self._capacity = capacity
        self._signal = asyncio.Event()

    def put(self, request: Request) -> None:
        """Queue a request. Raises :class:`Refused` ("busy") where the queue is full.

        A Leave always finds room: who is gone must be forgotten.
        """
        if len(self._queue) >= self._capacity and not isinstance(request, Leave):
            raise Refused("busy", "More is waiting than can be queued; resend shortly.")
        self._queue.append(request)
        self._signal.set()

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
