"""What a room is asked, and the bounded queue in which it waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from server.federation.gateway import Link
from server.game.errors import Refused
from server.protocol.client_messages import Hello, HostMessage, PlayerMessage

CAPACITY = 32_768
BATCH = 1_024
"""At most so many requests share a step, and so a commit."""


Ack = Callable[[], None]
"""Called once a request has been dealt with for good: stored, or finally refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """Somebody says hello by name; the same hello again is the same player."""

    link: Link
    hello: Hello
    site: str | None = None
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A player is back with a token."""

    link: Link
    token: str
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attend:
    """A host or a screen answers a challenge."""

    link: Link
    nonce: str
    proof: str
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A connection is gone."""

    link: Link
    ack: Ack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A message of somebody who is welcome, stamped where it was received (UTC ms).

    ``token`` speaks for a player whose link is not known any more.
    """

    link: Link
    message: PlayerMessage | HostMessage
    stamped_ms: int
    token: str | None = None
    ack: Ack | None = None


Request = Enter | Return | Attend | Leave | Say


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
