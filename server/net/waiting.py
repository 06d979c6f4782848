"""Connections that have not become a websocket: half-open ones, and page readers.

Clients that connect and then ask slowly, or never, or do not read what they asked for,
hold a place here. Nobody is turned away for them: beyond a number, the one that has
waited for longest is dropped, which among honest clients none ever is.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection

from server.net.prompt import PromptConnection

SPARED_S = 2.0
"""A connection is spared for so long, unless there are twice as many as may wait."""


class Waiting:
    """The connections that wait, oldest first."""

    def __init__(
        self,
        most: int,
        late_s: float,
        on_drop: Callable[[], None],
        on_late: Callable[[], None],
    ) -> None:
        """``on_drop`` is called for each that makes place, ``on_late`` for each that
        has waited for ``late_s`` seconds, and is dropped by the library.
        """
        self._most = most
        self._late_s = late_s
        self._on_drop = on_drop
        self._on_late = on_late
        self._since: OrderedDict[ServerConnection, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, connection: ServerConnection) -> None:
        """A connection was made."""
        now = asyncio.get_running_loop().time()
        self._since[connection] = now
        while len(self._since) > self._most:
            oldest, since = next(iter(self._since.items()))
            if now - since < SPARED_S and len(self._since) <= 2 * self._most:
                return
            del self._since[oldest]
            self._on_drop()
            oldest.transport.abort()

    def remove(self, connection: ServerConnection) -> None:
        """A connection is gone, or has become a websocket. Idempotent."""
        since = self._since.pop(connection, None)
        now = asyncio.get_running_loop().time()
        if since is not None and now - since >= self._late_s:
            self._on_late()


class WaitingConnection(PromptConnection):
    """A connection of the library that is kept account of from its first moment."""

    waiting: Waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self.waiting.remove(self)
        super().connection_lost(exc)
