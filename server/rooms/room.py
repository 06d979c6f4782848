"""The actor of one room: decide, append, evolve, publish.

A step takes all requests that wait, decides them one after another, and stores their
events in one append. The state evolves at once, but what would leave the room is held
until the append has returned: nobody hears of anything that a crash could take back.
Where the append fails, the room is rebuilt from its journal, and everybody concerned is
told that nothing was counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Literal, assert_never

from server.federation.settling import Settling
from server.game.commands import Command, Resume, Tick
from server.game.engine import decide, effects_of, evolve, replay
from server.game.errors import Refused
from server.game.events import BallotClosed, Event
from server.game.features import Effects
from server.game.features.timing import has_own_time, is_due, next_due_ms
from server.game.ids import PlayerId, RoomCode
from server.game.phases import Phase
from server.game.state import RoomState
from server.journal.store import EventStore, StoreUnavailable
from server.metrics import Metrics
from server.protocol.client_messages import ALLOWED, GetRoster, Ping, Vote
from server.protocol.codec import encode_server
from server.protocol.keys import cohost_key, is_equal, player_token, prove, screen_key
from server.protocol.server_messages import Notice
from server.rooms import replies, requests
from server.rooms.clock import Clock
from server.rooms.inbox import Inbox
from server.rooms.ports import (
    AUDIENCES,
    Attend,
    Audience,
    Enter,
    Gateway,
    Leave,
    Link,
    Request,
    Return,
    Say,
)
from server.rooms.presence import Presence
from server.rooms.publisher import Publisher

log = logging.getLogger("twogaps.room")

RETRY_MS = 500
"""How often a room that cannot write tries again."""

YIELD_EVERY = 200
"""Private frames encoded in a row before others get a turn."""

QUESTIONS = frozenset({"get_roster", "ping"})
"""Messages that are answered and change nothing."""

_STORAGE = Refused(
    "storage_unavailable",
    "The server cannot write its journal now. Nothing was counted; it is sent again.",
)
PASSING = ("storage_unavailable", "internal")
"""Refusals that say nothing about the request: it may be sent again as it is."""

_FAULT = Refused("internal", "A fault of ours. Nothing was counted; please try again.")


@dataclass(slots=True)
class _Step:
    """What one step has decided, held back until it is stored."""

    batch: list[Request] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refusals: list[Refused | None] = field(default_factory=list)
    """For each request of the batch: why it was refused, or None."""
    proven: set[Link] = field(default_factory=set)
    """Hosts, co-hosts and screens that have proven their key in this step."""
    is_answered: bool = False
    is_suspect: bool = False
    """A rule has failed in a way that it never should."""


class Room:
    """One live room. Put requests with :meth:`put`; :meth:`run` does the rest."""

    def __init__(
        self,
        state: RoomState,
        store: EventStore,
        gateway: Gateway,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._about = {"room": state.code}
        self._state = state
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._touched_ms = clock.now_ms()
        self._inbox = Inbox()
        self._genuine: set[str] = set()
        """Tokens of this room that were shown; one for each player."""
        self._presence = Presence()
        here = (p.id for p in state.players.values() if not p.is_kicked)
        self._presence.expect(here, clock.now_ms())
        self._settling = Settling(gateway, clock, self._inbox)
        self._publisher = Publisher(gateway, clock, self._presence, self._settling)
        self._is_stalled = False
        self._is_blind = False
        self._alarm: asyncio.TimerHandle | None = None
        self._figures_ms: int | None = None

    # --- asked by the sessions -------------------------------------------------------

    @property
    def state(self) -> RoomState:
        """The state, for reading. It may be one step ahead of the journal."""
        return self._state

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        return self._state.code

    @property
    def is_attended(self) -> bool:
        """Whether anybody is connected."""
        return any(self._gateway.count(self.code, kind) for kind in AUDIENCES)

    @property
    def touched_ms(self) -> int:
        """When something was last stored here, or the room was taken up."""
        return self._touched_ms

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._inbox)

    def put(self, request: Request) -> None:
        """Queue a request; raises :class:`Refused` ("busy") where that is too much."""
        self._inbox.put(request)

    def key_of(self, audience: Audience, site: str | None = None) -> str:
        """Return the key (hex) that a host, a site's co-host or a screen has to prove.

        Raises :class:`Refused` for a co-host where there are no sites.
        """
        secret = self._state.secret
        if audience == "cohost":
            if site is None:
                raise Refused("wrong_proof", "This server has no sites to co-host.")
            return cohost_key(secret, site)
        return secret if audience == "host" else screen_key(secret)

    def player_of(self, token: str) -> PlayerId:
        """Return whose resume token this is; raises :class:`Refused`."""
        player = _bearer(token)
        found = self._state.players.get(player)
        if found is None or not self._is_genuine(token, player):
            raise Refused("bad_token", "This token is not of this room; join by name.")
        if found.is_kicked:
            raise Refused("kicked", "The host has removed you from this room.")
        return player

    def _is_genuine(self, token: str, player: PlayerId) -> bool:
        """Compare a token once: a site shows it with every vote."""
        if token not in self._genuine:
            if not is_equal(token, player_token(self._state.secret, player)):
                return False
            self._genuine.add(token)
        return True

    def finish(self) -> None:
        """Serve what has come in, and then end: :meth:`run` returns."""
        self._inbox.end()

    # --- the loop --------------------------------------------------------------------

    async def run(self) -> None:
        """Serve requests until cancelled or told to finish."""
        await self._resume()
        self._publisher.stage(self._state)
        while not self._inbox.is_over:
            self._set_alarm()
            step = _Step(self._settling.ready(self._state, await self._inbox.batch()))
            try:
                await self._serve(step)
            except StoreUnavailable as exc:
                log.warning("%s", exc, extra=self._about)
                await self._fail(step, _STORAGE)
            except Exception:
                log.exception("a step failed", extra=self._about)
                self._metrics.steps_failed.inc()
                await self._fail(step, _FAULT)

    async def _resume(self) -> None:
        """Take up the deadlines that ran when the server stopped."""
        step = _Step()
        try:
            self._apply(step, Resume())
            await self._store_events(step)
        except StoreUnavailable as exc:
            log.warning("%s", exc, extra=self._about)
            await self._fail(step, _STORAGE)

    async def _serve(self, step: _Step) -> None:
        if self._is_stalled:
            await self._recover()
        step.refusals = [self._decide(step, request) for request in step.batch]
        if self._is_time_up():
            self._apply(step, Tick())
        await self._store_events(step)
        step.is_answered = True
        effects = effects_of(step.events)
        if effects.stage:  # before the answers: who hears "done" has the new view
            self._publisher.stage(self._state)
            self._publisher.panel(self._state)
        for request, refusal in zip(step.batch, step.refusals, strict=True):
            self._answer(request, refusal)
        if step.is_suspect:
            await self._rebuild()
        await self._publish(effects, has_news=bool(step.events))

    def _is_time_up(self) -> bool:
        """Whether the open ballot closes by itself now."""
        is_up = not self._is_stalled and is_due(self._state, *self._moment())
        return is_up and self._settling.may_close(self._state)

    def _decide(self, step: _Step, request: Request) -> Refused | None:
        """Decide what a request changes; return the refusal if it is one."""
        try:
            if self._is_stalled and isinstance(request, Enter | Say):
                raise _STORAGE
            match request:
                case Say():
                    self._check_role(request, step.proven)
                    if request.message.type not in QUESTIONS:
                        self._apply(step, self._command(request))
                case Enter(hello=hello, site=site):
                    self._apply(step, requests.join(self._state, hello, site))
                case Return(token=token):
                    self._must_see()
                    self.player_of(token)
                case Attend():
                    self._must_see()
                    self._check_proof(request)
                    step.proven.add(request.link)
                case Leave():
                    pass
                case _:
                    assert_never(request)
        except Refused as refusal:
            return refusal
        except Exception:
            log.exception("a rule failed", extra=self._about)
            self._metrics.steps_failed.inc()
            step.is_suspect = True
            return _FAULT
        return None

    def _must_see(self) -> None:
        """Let nobody in while the state itself is in doubt."""
        if self._is_blind:
            raise _STORAGE

    def _check_proof(self, request: Attend) -> None:
        audience = request.link.audience
        key = self.key_of(audience, request.link.site)
        right = prove(key, audience, self.code, request.nonce)
        if not is_equal(request.proof, right):
            raise Refused("wrong_proof", "This key does not open this; check the link.")

    def _check_role(self, request: Say, proven: Set[Link]) -> None:
        """Check the role again if the session is on another node, and untrusted."""
        role, kind = request.link.audience, request.message.type
        if not request.is_permitted and kind not in ALLOWED[role]:
            raise Refused("not_allowed", f"A {role} may not send '{kind}'.")
        link = request.link
        is_in = link in proven or self._gateway.hears(self.code, link)
        if role != "player" and not is_in:
            raise Refused("hello_expected", f"This {role} has not proven its key.")

    def _command(self, request: Say) -> Command:
        """Return the command a message stands for, in the name of who sent it."""
        player = self.player_of(request.token) if request.token else request.link.player
        message = requests.limited(request.message, request.link)
        return requests.command(message, player, request.stamped_ms)

    def _apply(self, step: _Step, command: Command) -> None:
        for event in decide(self._state, command, *self._moment()):
            evolve(self._state, event)
            step.events.append(event)
            if isinstance(event, BallotClosed):
                self._settling.closed(self._state.version)

    def _moment(self) -> tuple[int, Set[PlayerId]]:
        now_ms = self._clock.now_ms()
        return now_ms, self._presence.present(now_ms)

    # --- storage ---------------------------------------------------------------------

    async def _store_events(self, step: _Step) -> None:
        if step.events:
            before = self._state.version - len(step.events)
            with self._metrics.append_seconds.time():
                await self._store.append(self.code, before, step.events)
            self._metrics.stored(step.events)
            self._touched_ms = self._clock.now_ms()

    async def _fail(self, step: _Step, refusal: Refused) -> None:
        """Nothing of this step holds: rebuild, and tell everybody it concerns."""
        self._metrics.appends_failed.inc()
        was_stalled, self._is_stalled, self._is_blind = self._is_stalled, True, True
        await self._rebuild()
        if not was_stalled:
            self._notify("storage_unavailable", refusal.detail)
        if step.is_answered:
            return
        earlier = step.refusals or [refusal] * len(step.batch)
        for request, decided in zip(step.batch, earlier, strict=True):
            is_change = isinstance(request, Enter | Say)
            hides = self._is_blind and not isinstance(request, Leave)
            self._answer(request, refusal if is_change or hides else decided)

    async def _rebuild(self) -> None:
        """Take the state from the journal again: the truth about what was stored."""
        try:
            self._state = replay(await self._store.load(self.code))
            self._is_blind = False
        except StoreUnavailable as exc:
            log.warning("cannot read the journal: %s", exc, extra=self._about)

    async def _recover(self) -> None:
        """Go on as soon as the journal can be written again."""
        try:
            await self._store.check()
        except StoreUnavailable:
            return
        if self._is_blind:
            await self._rebuild()
        if self._is_blind:
            return
        self._is_stalled = False
        self._notify("storage_back", "The server can write again. Go on.")
        self._publisher.mark()

    def _notify(
        self, code: Literal["storage_unavailable", "storage_back"], detail: str
    ) -> None:
        frame = encode_server(Notice(code=code, detail=detail))
        for audience in AUDIENCES:
            self._gateway.broadcast(self.code, audience, frame)

    # --- what leaves the room --------------------------------------------------------

    def _answer(self, request: Request, refusal: Refused | None) -> None:
        match request:
            case Say():
                self._reply(request, refusal)
            case Leave():
                self._leave(request)
            case Enter() | Return() | Attend() if refusal is not None:
                request.link.turn_away(refusal)
            case Enter(hello=hello):
                self._greet(request, requests.player_for(self._state, hello))
            case Return(token=token):
                self._greet(request, _bearer(token))
            case Attend():
                self._attend(request)
            case _:
                assert_never(request)
        if request.ack is not None and (refusal is None or refusal.code not in PASSING):
            request.ack()

    def _reply(self, request: Say, refusal: Refused | None) -> None:
        message, link = request.message, request.link
        if refusal is not None:
            self._metrics.refusals[refusal.code].inc()
            link.push(replies.refused(refusal, message))
        elif isinstance(message, Vote):
            link.push(replies.recorded(self._state, message, self._speaker(request)))
            taken_ms = self._clock.now_ms() - request.stamped_ms
            self._metrics.vote_seconds.observe(max(0, taken_ms) / 1000)
        elif isinstance(message, GetRoster):
            link.push(self._publisher.roster(self._state, message, link))
        elif isinstance(message, Ping):
            link.push(replies.pong(message, self._clock.now_ms()))
        elif message.ref is not None:
            link.push(replies.done(message.ref))

    def _speaker(self, request: Say) -> PlayerId:
        player = _bearer(request.token) if request.token else request.link.player
        assert player is not None
        return player

    def _greet(self, request: Enter | Return, player: PlayerId) -> None:
        """Attach a player and show everything, in one go: nothing can fall between."""
        link, now_ms = request.link, self._clock.now_ms()
        replaced = self._gateway.attach(self.code, link, player)
        if replaced is not None:
            replaced.part(replies.TAKEN_OVER)
        self._presence.arrive(player)
        welcome = replies.welcome(self._state, "player", now_ms, link, player)
        link.greet(welcome, player)
        self._publisher.show_all(self._state, "player", link)
        link.push(self._publisher.you_frame(self._state, player), "you")
        self._publisher.mark(for_newcomers=True)

    def _attend(self, request: Attend) -> None:
        link = request.link
        self._gateway.attach(self.code, link, None)
        now_ms = self._clock.now_ms()
        link.greet(replies.welcome(self._state, link.audience, now_ms, link), None)
        self._publisher.show_all(self._state, link.audience, link)

    def _leave(self, request: Leave) -> None:
        link = request.link
        if not self._gateway.detach(self.code, link) or link.player is None:
            return
        self._presence.leave(link.player, self._clock.now_ms())
        self._publisher.mark()

    async def _publish(self, effects: Effects, *, has_news: bool) -> None:
        for player in effects.kicked:
            self._presence.remove(player)
            self._gateway.dismiss(self.code, player, replies.KICKED)
        await self._publish_private(effects)
        figures_ms = self._figures_ms
        has_news |= self._settling.has_news(self._state)
        if has_news or (figures_ms is not None and self._clock.now_ms() >= figures_ms):
            self._publisher.mark()
        if not self._is_blind:
            self._publisher.flush(self._state)

    async def _publish_private(self, effects: Effects) -> None:
        meeting = set(self._publisher.meet(self._state))
        if not (effects.results or effects.timed or effects.persons or meeting):
            return
        connected = self._gateway.players(self.code)
        for number, player in enumerate(connected, start=1):
            person = self._state.players[player]
            own_time = effects.timed and has_own_time(self._state, person)
            is_told = player in effects.persons or player in meeting
            if effects.results or own_time or is_told:
                self._publisher.you(self._state, player)
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)

    # --- time ------------------------------------------------------------------------

    def _set_alarm(self) -> None:
        """Wake up when the figures or the poll next need a look."""
        now_ms, present = self._moment()
        self._figures_ms = self._next_figures_ms(now_ms)
        due = [self._figures_ms, next_due_ms(self._state, now_ms, present)]
        future = [ms for ms in due if ms is not None and ms > now_ms]
        if (flush_ms := self._publisher.due_ms()) is not None:
            future.append(max(flush_ms, now_ms + 1))
        if self._is_stalled:
            future.append(now_ms + RETRY_MS)
        if (look_ms := self._settling.look_in_ms(self._state)) is not None:
            future.append(now_ms + look_ms)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if future:
            wait_s = (min(future) - now_ms) / 1000
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(wait_s, self._inbox.wake)

    def _next_figures_ms(self, now_ms: int) -> int | None:
        """When the figures change by themselves: a deadline, or somebody fades out."""
        if self._state.poll is None and self._state.phase is not Phase.DISCUSS:
            return None
        times = (self._state.deadline_ms, self._presence.next_expiry_ms())
        return min((ms for ms in times if ms is not None and ms > now_ms), default=None)


def _bearer(token: str) -> PlayerId:
    """Return whom a token names; whether it is genuine is for ``player_of`` to say."""
    return PlayerId(token.partition(".")[0])
