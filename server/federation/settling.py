"""Holds a reveal until the votes of every site are in, or the host continues.

A vote that was stamped in time counts if it comes before the reveal. VOTE and REVOTE
are closed before they are revealed; FIX and TRANSFER are revealed by their close, so
that their sites are asked for what they have when the close is asked for. A requested
reveal waits until the host overrides it; the console lists the sites it waits for. A
ballot that closes automatically waits for 2 s at most.
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
"""What waits shorter than this is not worth a word."""

LOOK_MS = 250
"""How often the sites are looked at for the host."""

QUICK_MS, SLOW_MS = 20, 200
"""How often what waits is looked at: at first, and after the first 2 s."""

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
"""Commands that take the place of a reveal that waits already."""

_AFTER: _Kinds = (*_INSTEAD, AskFix, AskSay, NextStep, Transfer)
"""Commands that come after a reveal that was sent in the same batch."""

_SHOWING: _Kinds = (Reveal, CloseVotes, Finish)
"""Commands that show an answer, close a ballot that does, or may score a test."""

_OVERTAKEN = Refused("overtaken", "Another command has replaced this one.")


class Sites(Protocol):
    """What is asked of other sites before a reveal."""

    def behind(self, room: RoomCode, version: int) -> tuple[str, ...]:
        """Return the sites that have not sent all they received before a version."""
        ...

    def sites(self, room: RoomCode, version: int) -> tuple[SiteLink, ...]:
        """Return every site that is known, this one first; none if it is alone."""
        ...

    def ask_flush(
        self, room: RoomCode, version: int, *, is_first: bool = False
    ) -> None:
        """Ask every site for what it has received so far, as if before a version.

        The first time, earlier answers for this version do not count.
        """
        ...


class Settling:
    """The Barrier of one room: what is held back, since when, and for which sites."""

    def __init__(
        self, sites: Sites, gateway: Gateway, clock: Clock, is_idle: Callable[[], bool]
    ) -> None:
        """``is_idle`` tells whether no request of the room waits."""
        self._sites = sites
        self._gateway = gateway
        self._clock = clock
        self._is_idle = is_idle
        self._held: list[Say] = []
        self._held_ms = 0
        self._version = 0
        self._closing_ms: int | None = None
        """When the sites were asked for a close that is not decided yet."""
        self._asked_ms = 0
        self._waived: set[str] = set()
        """Sites that the host continues without, until they have caught up."""
        self._seen: tuple[tuple[SiteLink, ...], HeldReveal | None] = ((), None)
        self._looked_ms = 0

    # --- what the host sees ----------------------------------------------------------

    @property
    def sites(self) -> tuple[SiteLink, ...]:
        """The sites as they were last looked at."""
        return self._seen[0]

    @property
    def held(self) -> HeldReveal | None:
        """The reveal that waits, as it was last looked at."""
        return self._seen[1]

    def has_news(self, state: RoomState) -> bool:
        """Look at the sites, not too often; return whether anything has changed."""
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
        """Return in how many milliseconds to look again; None if there is no need."""
        now_ms = self._clock.now_ms()
        if self._closing_ms is not None and not self._held:
            return QUICK_MS
        if self._held:
            return QUICK_MS if now_ms < self._held_ms + GRACE_MS else SLOW_MS
        return LOOK_MS if self._gateway.links(state.code, "host") else None

    # --- what waits ------------------------------------------------------------------

    def closed(self, version: int) -> None:
        """A ballot was closed: the view of this version asks for flush marks."""
        self._version, self._closing_ms = version, None

    def ready(self, state: RoomState, batch: list[Request]) -> list[Request]:
        """Return what may be decided now, and keep the rest for later."""
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
        """Return all that waits: votes that have just come before what they hold up.

        Going on without a site takes the place of waiting, and so does another move.
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
        """Whether a ballot that is due may close automatically; 2 s late at most."""
        if not _reveals_at_close(state):
            return True
        closing_ms = self._ask_for_close(state)
        is_over = self._clock.now_ms() >= closing_ms + GRACE_MS
        return is_over or self._is_settled(state)

    def _ask_for_close(self, state: RoomState) -> int:
        """Ask the sites for what they have, once for a close; return when (UTC ms)."""
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
    """Return what waits for sites: what shows an answer, and the end of a test."""
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
