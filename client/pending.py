"""Tracks requests until they are answered, and votes until they are stored.

A request has a number, which its answer repeats; it fails when the connection drops.
A vote keeps its stamp (client, counter) when it is resent, so the server counts it only
once, no matter how often it arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from client.connection import Backoff
from client.errors import (
    PASSING,
    ClientError,
    CommandRefused,
    ConnectionLost,
    TooMuchWaiting,
    VoteRefused,
    VoteSuperseded,
)
from server.game.phases import Ballot
from server.protocol.client_messages import Vote
from server.protocol.server_messages import Recorded, RefusedMessage, ServerMessage

IN_FLIGHT = 64


class Replies:
    """Matches answers to requests by ``ref``. Up to 64 requests can be in flight."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[ServerMessage]] = {}
        self._last = 0

    def expect(self) -> tuple[int, asyncio.Future[ServerMessage]]:
        """Return a new request number, and a future for the answer."""
        if len(self._waiting) >= IN_FLIGHT:
            raise TooMuchWaiting(
                f"{IN_FLIGHT} commands are already waiting for an answer."
            )
        self._last += 1
        future: asyncio.Future[ServerMessage] = asyncio.Future()
        self._waiting[self._last] = future
        return self._last, future

    def forget(self, ref: int) -> None:
        """Stop waiting for an answer. Idempotent."""
        self._waiting.pop(ref, None)

    def settle(self, message: ServerMessage) -> bool:
        """Deliver an answer to its request; return False if no request is waiting."""
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
        """Fail every request in flight with this cause."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(cause)


SILENCE_S = 5.0
"""Time without an answer after which a vote is resent, in seconds."""

Slot = tuple[int, Ballot]
Post = Callable[[Vote], None]


@dataclass(slots=True, eq=False)
class _Pending:
    vote: Vote
    outcome: asyncio.Future[Recorded]
    backoff: Backoff
    timer: asyncio.TimerHandle | None = None


class PendingVotes:
    """Votes waiting for an answer. A newer vote in a ballot replaces an older one."""

    def __init__(self, post: Post, backoff: Backoff) -> None:
        self._post = post
        self._backoff = backoff
        self._pending: dict[Slot, _Pending] = {}

    @property
    def votes(self) -> tuple[Vote, ...]:
        """The votes not yet confirmed as stored, oldest first."""
        return tuple(entry.vote for entry in self._pending.values())

    def add(self, vote: Vote) -> asyncio.Future[Recorded]:
        """Send a vote and return a future for its outcome.

        An older vote in the same ballot that is still pending fails with
        VoteSuperseded.
        """
        self._drop(
            (vote.round, vote.ballot), VoteSuperseded("A newer answer is being sent.")
        )
        entry = _Pending(vote, asyncio.Future(), self._backoff.fresh())
        self._pending[vote.round, vote.ballot] = entry
        self._send(entry)
        return entry.outcome

    def resend(self) -> None:
        """Resend all pending votes on a new socket, perhaps to another node."""
        for entry in self._pending.values():
            entry.backoff.reset()
            self._send(entry)

    def pause(self) -> None:
        """Stop sending, since no socket is open, until :meth:`resend` is called."""
        for entry in self._pending.values():
            _stop(entry)

    def recorded(self, message: Recorded) -> None:
        """Handle the receipt for a vote; ignore it if the vote is not pending."""
        entry = self._find(message)
        if entry is not None:
            self._remove(entry)
            _settle(entry.outcome, message)

    def refused(self, message: RefusedMessage) -> None:
        """Retry or give up a refused vote; ignore refusals of other requests."""
        entry = self._find(message)
        if entry is None:
            return
        if message.code in PASSING:
            self._send_in(entry, entry.backoff.wait_s())
        else:
            self._remove(entry)
            _settle(entry.outcome, VoteRefused(message.code, message.detail))

    def fail(self, cause: ClientError) -> None:
        """Fail every pending vote with this cause: the connection has ended."""
        for slot in list(self._pending):
            self._drop(slot, cause)

    def _find(self, message: Recorded | RefusedMessage) -> _Pending | None:
        if message.round is None or message.ballot is None:
            return None
        entry = self._pending.get((message.round, message.ballot))
        if entry is None or entry.vote.counter != message.counter:
            return None
        return entry if entry.vote.client == message.client else None

    def _send(self, entry: _Pending) -> None:
        try:
            self._post(entry.vote)
        except ConnectionLost:
            _stop(entry)  # it is sent after the next welcome
        except TooMuchWaiting:
            self._send_in(entry, entry.backoff.wait_s())
        else:
            self._send_in(entry, SILENCE_S)

    def _send_in(self, entry: _Pending, wait_s: float) -> None:
        _stop(entry)
        loop = asyncio.get_running_loop()
        entry.timer = loop.call_later(wait_s, self._send, entry)

    def _remove(self, entry: _Pending) -> None:
        _stop(entry)
        del self._pending[entry.vote.round, entry.vote.ballot]

    def _drop(self, slot: Slot, cause: ClientError) -> None:
        entry = self._pending.get(slot)
        if entry is not None:
            self._remove(entry)
            _settle(entry.outcome, cause)


def _stop(entry: _Pending) -> None:
    if entry.timer is not None:
        entry.timer.cancel()
        entry.timer = None


def _settle(future: asyncio.Future[Recorded], outcome: Recorded | ClientError) -> None:
    if future.done():
        return
    if isinstance(outcome, Recorded):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
        future.exception()  # retrieved, so that asyncio does not log it as unhandled
