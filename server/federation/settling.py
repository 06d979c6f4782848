"""Delays a reveal until the votes of every site have arrived, or the host overrides it.

A vote with a timestamp before the close counts if it arrives before the reveal. The
ballots VOTE and REVOTE are closed before they are revealed. Closing FIX or TRANSFER
reveals its answer, so sites are asked to flush when the host requests the close. A
requested reveal waits until the host overrides the wait; the console lists the sites
that it waits for. A ballot that closes automatically waits 2 s at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from server.game.commands import (
    AskFix,
    AskSay,
    BackToLobby,
    CloseVotes,
    Contrast,
    Discuss,
    Finish,
    NextStep,
    OpenRound,
    PlayAgain,
    ReopenVote,
    Reveal,
    Revote,
    SkipRound,
    Transfer,
)
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.phases import OPEN_BALLOT, Ballot
from server.game.state import GRACE_MS, RoomState
from server.game.views.role_types import HeldReveal, SiteLink
from server.rooms import replies
from server.rooms.clock import Clock
from server.rooms.ports import Gateway, Request, Say

OWN_REVEAL = (Ballot.FIX, Ballot.TRANSFER)
"""Ballots whose close shows the answer immediately."""

ASK_MS = 1_000
"""How often sites that are behind are asked again."""

SHOWN_MS = 300
"""A wait that is shorter than this is not shown to the host."""

LOOK_MS = 250
"""How often the state of the sites is checked for the host."""

QUICK_MS, SLOW_MS = 20, 200
"""How often a waiting reveal is checked: during the first 2 s, and after that."""

_Kinds = tuple[type[object], ...]

_INSTEAD: _Kinds = (
    BackToLobby,
    Contrast,
    Discuss,
    Finish,
    OpenRound,
    PlayAgain,
    ReopenVote,
    Revote,
    SkipRound,
)
"""Commands that replace a reveal that is already waiting."""

_AFTER: _Kinds = (*_INSTEAD, AskFix, AskSay, NextStep, Transfer)
"""Commands that wait behind a reveal that was sent in the same batch."""

_SHOWING: _Kinds = (Reveal, CloseVotes, Finish)
"""Commands that reveal an answer, close a ballot, or may score a test."""

_OVERTAKEN = Refused("overtaken", "Another command has replaced this one.")


class Sites(Protocol):
    """The state of other sites, which is checked before a reveal."""

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        """Return the sites that have not sent everything received before a version."""
        ...

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        """Return all known sites, this one first; empty if there are no others."""
        ...

    def ask_flush(
        self, room: RoomCode, version: int, *, is_first: bool = False
    ) -> None:
        """Ask every site to send everything that it received before a version.

        With ``is_first``, earlier answers for this version do not count.
        """
        ...


class Settling:
    """The Barrier of one room: holds commands until sites have sent their votes."""

    def __init__(
        self, sites: Sites, gateway: Gateway, clock: Clock, is_idle: Callable[[], bool]
    ) -> None:
        """``is_idle`` returns whether the room has no waiting requests."""
        self._sites = sites
        self._gateway = gateway
        self._clock = clock
        self._is_idle = is_idle
        self._held: list[Say] = []
        self._held_ms = 0
        self._version = 0
        self._closing_ms: int | None = None
        """When the sites were asked to flush for a close that is still pending."""
        self._asked_ms = 0
        self._waived: set[str] = set()
        """Sites that the host continues without, until they have caught up."""
        self._seen: tuple[tuple[SiteLink, ...], HeldReveal | None] = ((), None)
        self._looked_ms = 0

    # --- what the host sees ----------------------------------------------------------

    @property
    def sites(self) -> tuple[SiteLink, ...]:
        """The state of the sites at the last check."""
        return self._seen[0]

    @property
    def held(self) -> HeldReveal | None:
        """The waiting reveal at the last check, or None."""
        return self._seen[1]

    def has_news(self, state: RoomState) -> bool:
        """Check the sites, but not too often; return whether anything has changed."""
        now_ms = self._clock.now_ms()
        if now_ms - self._looked_ms < LOOK_MS:
            return False
        self._looked_ms = now_ms
        sites = self._sites.sites(state.code, self._version)
        held = self._shown(state, sites, now_ms)
        old, self._seen = self._seen, (sites, held)
        return old != self._seen

    def _shown(
        self, state: RoomState, sites: tuple[SiteLink, ...], now_ms: int
    ) -> HeldReveal | None:
        if not self._held or now_ms - self._held_ms < SHOWN_MS:
            return None
        names = self._behind(state)
        waited = tuple(site for site in sites if site.name in names)
        return HeldReveal(self._held[0].message.type, waited) if waited else None

    def look_in_ms(self, state: RoomState) -> int | None:
        """Return the milliseconds until the next check; None if none is needed."""
        now_ms = self._clock.now_ms()
        if self._closing_ms is not None and not self._held:
            return QUICK_MS
        if self._held:
            return QUICK_MS if now_ms < self._held_ms + GRACE_MS else SLOW_MS
        return LOOK_MS if self._gateway.links(state.code, "host") else None

    # --- waiting commands ------------------------------------------------------------

    def closed(self, version: int) -> None:
        """Note that a ballot was closed: views of this version ask for flush marks."""
        self._version, self._closing_ms = version, None

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Return the requests that may be handled now, and keep the others back."""
        if not self._held and not any(_is(one, _SHOWING) for one in batch):
            return batch
        waiting = self._in_turn(batch)
        own = _reveals_at_close(state)
        early = _held_in(state)
        if own and any(_is(one, (CloseVotes,)) for one in waiting):
            self._ask_for_close(state)
        if any(_is_without(one) for one in waiting):
            self._waived |= set(self._behind(state))
        if self._is_settled(state):
            self._held, self._closing_ms = [], None
            self._seen = (self._seen[0], None)
            return waiting
        return self._hold(state, waiting, early)

    def _in_turn(self, batch: list[Request]) -> list[Request]:
        """Return all waiting requests in order: new votes go before a waiting reveal.

        A command to continue without a site replaces the waiting one, and so do
        commands that lead to another phase.
        """
        if self._held and any(_is_without(one) or _is(one, _INSTEAD) for one in batch):
            for one in self._held:
                one.link.push(replies.refused(_OVERTAKEN, one.message))
            self._held, self._closing_ms = [], None
        if not self._held:
            return batch
        hosts = [one for one in batch if one.link.audience == "host"]
        votes = [one for one in batch if one.link.audience != "host"]
        return [*votes, *self._held, *hosts]

    def _hold(
        self, state: RoomState, waiting: list[Request], early: _Kinds
    ) -> list[Request]:
        ready: list[Request] = []
        held: list[Say] = []
        for one in waiting:
            if isinstance(one, Say) and (
                _is(one, early) or (held and _is(one, _AFTER))
            ):
                held.append(one)
            else:
                ready.append(one)
        now_ms = self._clock.now_ms()
        if held and not self._held:
            self._held_ms = now_ms
        if held and now_ms - self._asked_ms >= ASK_MS:
            self._asked_ms = now_ms
            self._sites.ask_flush(state.code, self._version)
        self._held = held
        return ready

    def may_close(self, state: RoomState) -> bool:
        """Whether a due ballot may close automatically; it waits 2 s at most."""
        if not _reveals_at_close(state):
            return True
        closing_ms = self._ask_for_close(state)
        is_over = self._clock.now_ms() >= closing_ms + GRACE_MS
        return is_over or self._is_settled(state)

    def _ask_for_close(self, state: RoomState) -> int:
        """Ask the sites to flush, once per close; return when that was (UTC ms)."""
        if self._closing_ms is None:
            self._closing_ms = self._asked_ms = self._clock.now_ms()
            self._version = state.version + 1
            self._sites.ask_flush(state.code, self._version, is_first=True)
        return self._closing_ms

    def _behind(self, state: RoomState) -> set[str]:
        self._version = self._version or state.version  # after a restart
        behind = set(self._sites.behind(state.code, self._version))
        self._waived &= behind
        return behind - self._waived

    def _is_settled(self, state: RoomState) -> bool:
        return self._is_idle() and not self._behind(state)


def _held_in(state: RoomState) -> _Kinds:
    """Return the commands that wait for sites: they reveal an answer or end a test."""
    if state.flow == "test" and any(map(state.is_handed_in, state.rounds)):
        return (Reveal, Finish)
    return (Reveal, CloseVotes) if _reveals_at_close(state) else (Reveal,)


def _reveals_at_close(state: RoomState) -> bool:
    return OPEN_BALLOT.get(state.phase) in OWN_REVEAL


def _is(request: Request, kinds: _Kinds) -> bool:
    return isinstance(request, Say) and isinstance(request.message, kinds)


def _is_without(request: Request) -> bool:
    return (
        isinstance(request, Say)
        and isinstance(request.message, Reveal | CloseVotes | Finish)
        and request.message.without
    )
