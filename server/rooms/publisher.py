"""Sends frames of a room's state: encoded once per role, coalesced under load.

This module makes no decisions, and it is called only after the journal has stored the
state that it shows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from server.game.errors import required
from server.game.features import Effects
from server.game.features.discussion import talks
from server.game.features.timing import (
    answered_and_expected,
    has_own_time,
    settles_in_ms,
)
from server.game.ids import PlayerId
from server.game.phases import Phase
from server.game.state import RoomState
from server.game.views.host import cohost_panel, host_panel, host_view, person_card
from server.game.views.player import private_view
from server.game.views.role_types import Talk
from server.game.views.stage import player_view, screen_view
from server.protocol.client_messages import GetRoster
from server.protocol.codec import encode_server
from server.protocol.server_messages import (
    HostViewMessage,
    Notice,
    Panel,
    Progress,
    Roster,
    SitePanel,
    View,
    You,
)
from server.rooms.clock import Clock
from server.rooms.ports import AUDIENCES, STAFF, Audience, Barrier, Gateway, Link
from server.rooms.presence import Presence

FRESH_MS = 250
"""Milliseconds for which an encoded view with a running clock may be reused."""

FAST_MS = 200
"""Minimum time between two progress frames to hosts and screens, in milliseconds."""

SLOW_MS = 1_000
"""Minimum time between two progress frames to players, in milliseconds."""

REST = 10
"""The pause between two counts, as a multiple of the time the last one took. Without
it, a very large room would do nothing but count."""

ALL_RESULTS = Effects(results=True)

ROSTER_PAGE = 50

YIELD_EVERY = 200
"""The number of private frames encoded before other tasks get a turn."""


@dataclass(slots=True)
class _Encoded:
    version: int
    made_ms: int
    frame: bytes


@dataclass(slots=True)
class _Figures:
    phase: Phase
    made_ms: int
    frame: bytes


class Publisher:
    """Sends one room's views, private views and figures through the gateway."""

    def __init__(
        self, gateway: Gateway, clock: Clock, presence: Presence, barrier: Barrier
    ) -> None:
        self._barrier = barrier
        self._gateway = gateway
        self._clock = clock
        self._presence = presence
        self._views: dict[Audience, _Encoded] = {}
        self._talks: dict[PlayerId, Talk] = {}
        self._met: tuple[int, int] | None = None
        """The versions of the state and the presence from which groups were formed."""
        self._again: int | None = None
        """The round whose reveal is shown again, as last sent to players."""
        self._fast_ms: int | None = None
        self._slow_ms: int | None = None
        self._last_fast_ms = 0
        self._last_slow_ms = 0
        self._fast_gap_ms = FAST_MS
        self._slow_gap_ms = SLOW_MS
        self._figures: _Figures | None = None
        self._told: tuple[Phase, bytes] | None = None
        """The last figures sent to all players, with their phase."""

    # --- the stage -------------------------------------------------------------------

    def stage(self, state: RoomState) -> None:
        """Send the view of a new phase or step to all audiences."""
        for audience in AUDIENCES:
            if audience == "cohost" and not self._gateway.links(state.code, audience):
                continue
            frame = self.view(state, audience)
            self._gateway.show(state.code, audience, frame, state.version)

    def view(self, state: RoomState, audience: Audience) -> bytes:
        """Return the frame of a role's view, cached per version."""
        now_ms = self._clock.now_ms()
        known = self._views.get(audience)
        if known is not None and known.version == state.version:
            is_fresh = now_ms - known.made_ms <= FRESH_MS
            if is_fresh or state.deadline_ms is None:
                return known.frame
        frame = self._encode(state, audience, now_ms)
        self._views[audience] = _Encoded(state.version, now_ms, frame)
        return frame

    def _encode(self, state: RoomState, audience: Audience, now_ms: int) -> bytes:
        version = state.version
        if audience == "host":
            return encode_server(
                HostViewMessage(version=version, view=host_view(state, now_ms))
            )
        make = player_view if audience == "player" else screen_view
        return encode_server(View(version=version, view=make(state, now_ms)))

    def notify(
        self,
        state: RoomState,
        code: Literal["storage_unavailable", "storage_back"],
        detail: str,
    ) -> None:
        """Notify everyone in the room that votes cannot be stored, or can be again."""
        frame = encode_server(Notice(code=code, detail=detail))
        for audience in AUDIENCES:
            self._gateway.broadcast(state.code, audience, frame)

    # --- one person ------------------------------------------------------------------

    def show_all(self, state: RoomState, audience: Audience, link: Link) -> None:
        """Send a newly connected client everything that its role may see now."""
        link.push(self.view(state, audience), "view")
        if audience == "host":
            link.push(self._panel(state), "panel")
        if audience == "cohost":
            link.push(self._site_panel(state, link), "panel")
        link.push(self._recent_progress(state), "progress")

    def you(self, state: RoomState, player: PlayerId) -> None:
        """Send a player what only that player sees."""
        link = self._gateway.player(state.code, player)
        if link is not None:
            link.push(self.you_frame(state, player), "you")

    async def private(self, state: RoomState, effects: Effects) -> None:
        """Send players their private view if it has changed."""
        meeting = set(self.meet(state))
        if state.again != self._again:  # an earlier reveal was shown or hidden
            self._again, effects = state.again, effects | ALL_RESULTS
        if not (effects.results or effects.timed or effects.persons or meeting):
            return
        links = list(self._gateway.links(state.code, "player"))
        connected = [link.player for link in links if link.player is not None]
        for number, player in enumerate(connected, start=1):
            own_time = effects.timed and has_own_time(state, state.players[player])
            is_named = player in effects.persons or player in meeting
            if effects.results or own_time or is_named:
                self.you(state, player)
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)

    def you_frame(self, state: RoomState, player: PlayerId) -> bytes:
        """Return the frame of a player's private view."""
        now_ms = self._clock.now_ms()
        present = self._presence.present(now_ms)
        talk = self._talks.get(player)
        mine = private_view(state, player, now_ms, present, talk)
        return encode_server(You(you=mine))

    def meet(self, state: RoomState) -> list[PlayerId]:
        """Form groups for discussion; return the players whose group has changed.

        Does nothing if neither the state nor the set of present players has changed.
        """
        before = self._talks
        if state.phase is not Phase.DISCUSS and not before:
            return []
        present = self._presence.present(self._clock.now_ms())
        seen = (state.version, self._presence.version)
        if seen == self._met:
            return []
        self._met = seen
        self._talks = talks(state, present)
        if state.phase is not Phase.DISCUSS:
            return []  # phones show it only during the discussion
        concerned = before.keys() | self._talks.keys()
        return [p for p in concerned if before.get(p) != self._talks.get(p)]

    def roster(self, state: RoomState, ask: GetRoster, link: Link) -> bytes:
        """Return the frame of a roster page; a co-host sees only their own site."""
        is_cohost = link.audience == "cohost"
        site = link.site if is_cohost else ask.site
        wanted = ask.search.casefold()
        people = [
            player
            for player in state.players.values()
            if player.is_kicked is ask.removed
            and wanted in player.name.casefold()
            and site in (None, player.site)
        ]
        page = people[ask.offset : ask.offset + ROSTER_PAGE]
        present = self._presence.present(self._clock.now_ms())
        return encode_server(
            Roster(
                ref=ask.ref,
                offset=ask.offset,
                total=len(people),
                people=tuple(
                    person_card(state, player, present, has_points=not is_cohost)
                    for player in page
                ),
            )
        )

    # --- figures that change with every vote -----------------------------------------

    def mark(self, *, for_newcomers: bool = False) -> None:
        """Record that the figures may have changed; they are sent when they are due.

        Players are not sent the same figures twice unless some have just joined.
        """
        if for_newcomers:
            self._told = None
        now_ms = self._clock.now_ms()
        if self._fast_ms is None:
            self._fast_ms = max(now_ms, self._last_fast_ms + self._fast_gap_ms)
        if self._slow_ms is None:
            self._slow_ms = max(now_ms, self._last_slow_ms + self._slow_gap_ms)

    def next_change_ms(self, state: RoomState, now_ms: int) -> int | None:
        """Return when figures next change without a vote.

        That is at a deadline, or when a disconnected player stops counting as present.
        """
        if state.poll is None and state.phase is not Phase.DISCUSS:
            return None
        times = (state.deadline_ms, self._presence.next_expiry_ms())
        return min((ms for ms in times if ms is not None and ms > now_ms), default=None)

    def due_ms(self) -> int | None:
        """Return when figures are next due to be sent; None if nothing has changed."""
        due = [ms for ms in (self._fast_ms, self._slow_ms) if ms is not None]
        return min(due, default=None)

    def flush(self, state: RoomState) -> None:
        """Send the figures that are due."""
        now_ms = self._clock.now_ms()
        if self._fast_ms is not None and now_ms >= self._fast_ms:
            self._fast_ms, self._last_fast_ms = None, now_ms
            self._flush_fast(state)
            self._fast_gap_ms = self._gap(FAST_MS, now_ms)
        now_ms = self._clock.now_ms()
        if self._slow_ms is not None and now_ms >= self._slow_ms:
            self._slow_ms, self._last_slow_ms = None, now_ms
            self._flush_slow(state)
            self._slow_gap_ms = self._gap(SLOW_MS, now_ms)

    def _gap(self, least_ms: int, began_ms: int) -> int:
        """Return the minimum time until figures are sent again."""
        return max(least_ms, REST * (self._clock.now_ms() - began_ms))

    def _flush_slow(self, state: RoomState) -> None:
        news = (state.phase, self._progress(state))
        if news != self._told:
            self._told = news
            self._gateway.broadcast(state.code, "player", news[1], "progress")

    def _flush_fast(self, state: RoomState) -> None:
        code = state.code
        progress = self._progress(state)
        for audience in STAFF:
            self._gateway.broadcast(code, audience, progress, "progress")
        self.panel(state)
        if state.phase is Phase.LOBBY:
            for audience in STAFF:
                frame = self.view(state, audience)
                self._gateway.show(code, audience, frame, state.version)

    def panel(self, state: RoomState) -> None:
        """Send hosts and co-hosts their figures now."""
        if self._gateway.links(state.code, "host"):
            self._gateway.broadcast(state.code, "host", self._panel(state), "panel")
        for link in list(self._gateway.links(state.code, "cohost")):
            link.push(self._site_panel(state, link), "panel")

    def _site_panel(self, state: RoomState, link: Link) -> bytes:
        site = required(link.site, "a co-host's site")
        now_ms = self._clock.now_ms()
        present = self._presence.present(now_ms)
        panel = cohost_panel(state, site, now_ms, present)
        return encode_server(SitePanel(version=state.version, panel=panel))

    def _recent_progress(self, state: RoomState) -> bytes:
        """Return figures that may be a moment old; newcomers soon get newer ones.

        Counting takes longer with more players, and a thousand may join in a second.
        """
        known = self._figures
        if known is None or known.phase is not state.phase:
            return self._progress(state)
        is_fresh = self._clock.now_ms() - known.made_ms <= FRESH_MS
        return known.frame if is_fresh else self._progress(state)

    def _progress(self, state: RoomState) -> bytes:
        now_ms = self._clock.now_ms()
        present = self._presence.present(now_ms)
        answered, expected = answered_and_expected(state, present)
        frame = encode_server(
            Progress(
                answered=answered,
                expected=expected,
                joined=state.joined,
                closes_in_ms=settles_in_ms(state, now_ms, present),
            )
        )
        self._figures = _Figures(state.phase, now_ms, frame)
        return frame

    def _panel(self, state: RoomState) -> bytes:
        now_ms = self._clock.now_ms()
        present = self._presence.present(now_ms)
        barrier = self._barrier
        screens = self._gateway.links(state.code, "screen")
        walls = (len(screens), self._presence.silent(screens))
        panel = host_panel(state, now_ms, present, barrier.sites, barrier.held, walls)
        return encode_server(Panel(version=state.version, panel=panel))
