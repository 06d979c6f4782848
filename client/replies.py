"""Questions in flight: each has a number, which its answer repeats."""

from __future__ import annotations

import asyncio

from client.errors import ClientError, CommandRefused, TooMuchWaiting
from server.protocol.server_messages import RefusedMessage, ServerMessage

IN_FLIGHT = 64


class Replies:
    """Matches answers to questions by ``ref``. At most 64 wait at a time."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[ServerMessage]] = {}
        self._last = 0

    def expect(self) -> tuple[int, asyncio.Future[ServerMessage]]:
        """Return a new number, and the future of its answer."""
        if len(self._waiting) >= IN_FLIGHT:
            raise TooMuchWaiting(f"{IN_FLIGHT} commands wait for an answer already.")
        self._last += 1
        future: asyncio.Future[ServerMessage] = asyncio.Future()
        self._waiting[self._last] = future
        return self._last, future

    def forget(self, ref: int) -> None:
        """Nobody waits for this answer any more. Idempotent."""
        self._waiting.pop(ref, None)

    def settle(self, message: ServerMessage) -> bool:
        """Hand an answer to whoever asked; False where nobody did."""
        ref = getattr(message, "ref", None)
        future = self._waiting.pop(ref, None) if ref is not None else None
        if future is None:
            return False
        if future.done():
            return True
        if isinstance(message, RefusedMessage):
            future.set_exception(CommandRefused(message.code, message.detail))
        else:
            future.set_result(message)
        return True

    def fail(self, cause: ClientError) -> None:
        """No answer will come to anything in flight."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(cause)
