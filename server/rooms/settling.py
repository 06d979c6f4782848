"""Holding a reveal back until the votes of every site are in, 2 s at most.

A vote that was stamped in time counts if it comes before the reveal. VOTE and REVOTE
are closed before they are revealed; FIX and TRANSFER are revealed by their close, so
that their sites are asked for what they have when the close is asked for.
"""

from __future__ import annotations

from server.game.commands import CloseVotes, Reveal
from server.game.phases import OPEN_BALLOT, Ballot
from server.game.state import GRACE_MS, RoomState
from server.relay.gateway import Gateway, Link
from server.rooms.clock import Clock
from server.rooms.inbox import Inbox, Request, Say

OWN_REVEAL = (Ballot.FIX, Ballot.TRANSFER)
"""Ballots whose close shows the answer at once."""


class Settling:
    """What one room holds back, and since when."""

    def __init__(self, gateway: Gateway, clock: Clock, inbox: Inbox) -> None:
        self._gateway = gateway
        self._clock = clock
        self._inbox = inbox
        self._held: list[Request] = []
        self._since_ms = 0
        self._version = 0
        self._asked: int | None = None
        """The version that the sites were asked to flush for a close."""

    @property
    def is_holding(self) -> bool:
        """Whether anything waits, to be looked at again soon."""
        return bool(self._held) or self._asked is not None

    def closed(self, at_ms: int, version: int) -> None:
        """A ballot was closed: the view of this version asks for flush marks."""
        self._since_ms, self._version, self._asked = at_ms, version, None

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Return what may be decided now, and keep the rest for later."""
        waiting = [*self._held, *batch]
        self._held = []
        reveals = _reveals_at_close(state)
        if reveals and any(_is(request, CloseVotes) for request in waiting):
            self._ask(state)
        if self._is_settled(state):
            return waiting
        ready: list[Request] = []
        hosts: set[Link] = set()
        for request in waiting:
            is_early = _is(request, Reveal) or (reveals and _is(request, CloseVotes))
            if is_early or request.link in hosts:
                hosts.add(request.link)  # what a host says next comes after it
                self._held.append(request)
            else:
                ready.append(request)
        return ready

    def may_close(self, state: RoomState) -> bool:
        """Whether a ballot that is due may close by itself now."""
        if not _reveals_at_close(state):
            return True
        self._ask(state)
        return self._is_settled(state)

    def _ask(self, state: RoomState) -> None:
        """Ask the sites for what they have, once for a close."""
        if self._asked is None:
            self._since_ms, self._version = self._clock.now_ms(), state.version + 1
            self._asked = self._version
            self._gateway.ask_flush(state.code, self._version)

    def _is_settled(self, state: RoomState) -> bool:
        is_over = self._clock.now_ms() >= self._since_ms + GRACE_MS
        is_in = self._gateway.is_settled(state.code, self._version)
        if is_over or (is_in and not len(self._inbox)):
            self._asked = None
            return True
        return False


def _reveals_at_close(state: RoomState) -> bool:
    return OPEN_BALLOT.get(state.phase) in OWN_REVEAL


def _is(request: Request, message: type) -> bool:
    return isinstance(request, Say) and isinstance(request.message, message)
