"""The actor of one room: decide, append, evolve, publish.

A step takes all queued requests, decides them one after another, and stores their
events in one append. The state evolves immediately, but messages are held back until
the append has returned, so no client sees anything that a crash could undo. If the
append fails, the room is rebuilt from its journal, and the senders are notified that
their requests had no effect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from typing import assert_never

from server.game.commands import Command, Resume, Tick
from server.game.engine import effects_of, evolve, replay
from server.game.errors import Refused
from server.game.events import BallotClosed, Event
from server.game.features import Effects
from server.game.features.timing import is_due, next_due_ms
from server.game.ids import PlayerId, RoomCode
from server.game.state import RoomState
from server.journal.store import EventStore, StoreUnavailable, TenureLost
from server.metrics import Metrics
from server.rooms import replies, requests
from server.rooms.audience import NoBarrier
from server.rooms.clock import Clock
from server.rooms.ports import (
    AUDIENCES,
    Attend,
    Audience,
    Barrier,
    Enter,
    Gateway,
    Leave,
    Link,
    MakeBarrier,
    Request,
    Return,
    Say,
)
from server.rooms.presence import Newcomers, Presence
from server.rooms.publisher import Publisher
from server.rooms.replies import Step
from server.rooms.requests import Bounds, Changes, Inbox

log = logging.getLogger("twogaps.room")

RETRY_MS = 250
"""Milliseconds to wait before a room that cannot write to its journal retries."""


class Room:
    """One live room. Put requests with :meth:`put`; :meth:`run` does the rest."""

    def __init__(
        self,
        state: RoomState,
        store: EventStore,
        gateway: Gateway,
        clock: Clock,
        metrics: Metrics | None = None,
        barrier: MakeBarrier | None = None,
        bounds: Bounds | None = None,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        """``barrier`` makes the barrier that holds reveals back, ``bounds`` limits how
        much one person may change; ``confirm`` raises if the room's home is not here.
        """
        self._confirm = confirm
        self._metrics = metrics or Metrics()
        self._about = {"room": state.code}
        self._state = state
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._touched_ms = clock.now_ms()
        self._inbox = Inbox()
        self._tokens, bounds = requests.Tokens(), bounds or Bounds()
        self._changes, self._newcomers = Changes(bounds), Newcomers(bounds)
        self._presence = Presence()
        here = (p.id for p in state.players.values() if not p.is_kicked)
        self._presence.expect(here, self._touched_ms)
        self._barrier: Barrier = (
            barrier(clock, lambda: self._inbox.is_idle) if barrier else NoBarrier()
        )
        self._publisher = Publisher(gateway, clock, self._presence, self._barrier)
        self._answers = replies.Answers(
            gateway, clock, self._presence, self._publisher, self._metrics
        )
        self._stored = state.version
        """The number of events known to be in the journal."""
        self._is_serving = False
        self._is_stalled = self._is_blind = False
        self._alarm: asyncio.TimerHandle | None = None
        self._figures_ms: int | None = None

    # --- asked by the sessions -------------------------------------------------------

    @property
    def state(self) -> RoomState:
        """The current state (read-only). It may be one step ahead of the journal."""
        return self._state

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        return self._state.code

    @property
    def is_attended(self) -> bool:
        """Whether anyone is connected or waiting for an answer."""
        here = any(self._gateway.links(self.code, kind) for kind in AUDIENCES)
        return here or self._is_serving or not self._inbox.is_idle

    @property
    def touched_ms(self) -> int:
        """When an event was last stored here or, before that, the room was loaded."""
        return self._touched_ms

    @property
    def waiting(self) -> int:
        """The number of queued requests."""
        return len(self._inbox)

    def put(self, request: Request) -> None:
        """Queue a request.

        Raises :class:`Refused`: "busy" if the queue is full, or why the room is closed.
        """
        self._inbox.put(request)

    def key_of(self, audience: Audience, site: str | None = None) -> str:
        """Return the key (hex) that a host, a site's co-host or a screen must prove.

        Raises :class:`Refused` for a co-host if there are no sites.
        """
        return requests.key_of(self._state, audience, site)

    def player_of(self, token: str) -> PlayerId:
        """Return the player that a token belongs to; raises :class:`Refused`."""
        return self._tokens.player_of(self._state, token)

    def finish(self) -> None:
        """Serve the requests already queued, then make :meth:`run` return."""
        self._inbox.end()

    def close(self, refusal: Refused) -> None:
        """Stop serving: refuse all queued and all future requests."""
        for request in self._inbox.close(refusal):
            self._answers.give(self._state, request, refusal)

    # --- the loop --------------------------------------------------------------------

    async def run(self) -> None:
        """Serve requests until cancelled or asked to finish.

        Raises any error that the room cannot recover from, such as a damaged journal.
        """
        try:
            await self._resume()
            self._publisher.stage(self._state)
            while not self._inbox.is_over:
                self._set_alarm()
                await self._take(Step(await self._inbox.batch()))
        finally:
            if self._alarm is not None:
                self._alarm.cancel()

    async def _take(self, step: Step) -> None:
        """Serve a batch; every request is answered, even if something fails."""
        self._is_serving = True
        try:
            try:
                await self._serve(step)
            except StoreUnavailable as exc:
                log.warning("%s", exc, extra=self._about)
                await self._fail(step, replies.STORAGE)
            except TenureLost:
                raise
            except Exception:
                log.exception("a step failed", extra=self._about)
                self._metrics.steps_failed.inc()
                await self._fail(step, replies.FAULT)
        except (asyncio.CancelledError, TenureLost):
            self._end(step, replies.INTERRUPTED)
            raise
        except Exception:
            self._end(step, replies.CLOSED)
            raise
        self._is_serving = False

    async def _resume(self) -> None:
        """Restart the deadlines that were running when the server stopped."""
        step = Step()
        try:
            self._apply(step, Resume())
            await self._store_events(step)
        except StoreUnavailable as exc:
            log.warning("%s", exc, extra=self._about)
            await self._fail(step, replies.STORAGE)

    async def _serve(self, step: Step) -> None:
        if self._is_stalled:
            await self._recover()
        else:
            self._confirm()
        step.batch = self._barrier.ready(self._state, step.batch)
        step.refusals = [self._decide(step, request) for request in step.batch]
        if self._is_time_up():
            self._apply(step, Tick())
        await self._store_events(step)
        step.is_stored = True
        effects = effects_of(step.events)
        self._show_stage(effects)  # before the answers: clients that get "done" have it
        self._answer_all(step, step.refusals)
        if step.is_suspect:
            await self._rebuild()
        await self._publish(effects, step.hosts_by, has_news=bool(step.events))

    def _is_time_up(self) -> bool:
        """Whether the open ballot must close now because its time is up."""
        is_up = not self._is_stalled and is_due(self._state, *self._moment())
        return is_up and self._barrier.may_close(self._state)

    def _decide(self, step: Step, request: Request) -> Refused | None:
        """Decide what a request changes; return the refusal if it is refused."""
        try:
            if self._is_stalled and isinstance(request, Enter | Say):
                raise replies.STORAGE
            match request:
                case Say():
                    self._check_role(request, step)
                    if request.message.type not in requests.QUESTIONS:
                        self._apply(step, self._command(request))
                    if request.message.type == "call_back_link":
                        step.hosts_by = request.link
                case Enter():
                    self._apply(step, self._newcomers.join(self._state, request))
                case Return(token=token):
                    self._must_see()
                    self.player_of(token)
                case Attend():
                    self._must_see()
                    requests.check_proof(self._state, request)
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
            return replies.FAULT
        return None

    def _must_see(self) -> None:
        """Refuse clients that connect while the state cannot be trusted."""
        if self._is_blind:
            raise replies.STORAGE

    def _check_role(self, request: Say, step: Step) -> None:
        link, role = request.link, request.link.audience
        staff = self._gateway.links(self.code, role) if role != "player" else ()
        is_in = link in step.proven or link in staff
        requests.check_role(request, step.hosts_by, is_proven=is_in)

    def _command(self, request: Say) -> Command:
        """Translate a message into a command on behalf of its sender."""
        player = self.player_of(request.token) if request.token else request.link.player
        return requests.command(request, player)

    def _apply(self, step: Step, command: Command) -> None:
        for event in self._changes.decide(self._state, command, *self._moment()):
            evolve(self._state, event)
            step.events.append(event)
            if isinstance(event, BallotClosed):
                self._barrier.closed(self._state.version)

    def _moment(self) -> tuple[int, Set[PlayerId]]:
        now_ms = self._clock.now_ms()
        return now_ms, self._presence.present(now_ms)

    # --- storage ---------------------------------------------------------------------

    async def _store_events(self, step: Step) -> None:
        if step.events:
            before = self._state.version - len(step.events)
            with self._metrics.append_seconds.time():
                await self._store.append(self.code, before, step.events)
            self._note_stored(step.events)

    def _note_stored(self, events: Sequence[Event]) -> None:
        self._metrics.stored(events)
        self._touched_ms = self._clock.now_ms()
        self._stored = self._state.version

    async def _fail(self, step: Step, refusal: Refused) -> None:
        """Undo this step: rebuild the state and answer the senders."""
        self._metrics.appends_failed.inc()
        was_stalled, self._is_stalled, self._is_blind = self._is_stalled, True, True
        await self._rebuild()
        if not was_stalled:
            self._publisher.notify(self._state, "storage_unavailable", refusal.detail)
        self._end(step, refusal, is_over=False)

    def _end(self, step: Step, refusal: Refused, *, is_over: bool = True) -> None:
        """Answer a step's remaining requests: as decided if stored, else refused."""
        decided = step.refusals or [refusal] * len(step.batch)
        if not step.is_stored:
            for number, request in enumerate(step.batch):
                is_change = isinstance(request, Enter | Say)
                hides = self._is_blind and not isinstance(request, Leave)
                if is_change or hides or is_over:
                    decided[number] = refusal
        self._answer_all(step, decided)

    async def _rebuild(self) -> None:
        """Rebuild the state from the journal, which is authoritative.

        Publishes events of an append that failed and yet turns out to be stored.
        """
        try:
            events = await self._store.load(self.code)
        except StoreUnavailable as exc:
            log.warning("cannot read the journal: %s", exc, extra=self._about)
            return
        self._state, self._is_blind = replay(events), False
        if found := events[self._stored :]:
            self._note_stored(found)
            self._show_stage(effects_of(found))
            await self._publish(effects_of(found), None, has_news=True)

    async def _recover(self) -> None:
        """Resume normal service if the journal can be written again."""
        try:
            await self._store.check()
        except StoreUnavailable:
            return
        if self._is_blind:
            await self._rebuild()
        if self._is_blind:
            return
        self._is_stalled = False
        detail = "The server can save again. Keep going."
        self._publisher.notify(self._state, "storage_back", detail)
        self._publisher.mark()

    # --- what leaves the room --------------------------------------------------------

    def _answer_all(self, step: Step, refusals: Sequence[Refused | None]) -> None:
        """Answer each request of a step exactly once, even if answering one fails."""
        while step.answered < len(step.batch):
            number, step.answered = step.answered, step.answered + 1
            self._answers.give(self._state, step.batch[number], refusals[number])

    def _show_stage(self, effects: Effects) -> None:
        if effects.stage:
            self._publisher.stage(self._state)
            self._publisher.panel(self._state)

    async def _publish(
        self, effects: Effects, by: Link | None, *, has_news: bool
    ) -> None:
        self._answers.show_out(self._state, effects, by)
        await self._publisher.private(self._state, effects)
        figures_ms = self._figures_ms
        has_news |= self._barrier.has_news(self._state)
        if has_news or (figures_ms is not None and self._clock.now_ms() >= figures_ms):
            self._publisher.mark()
        if not self._is_blind:
            self._publisher.flush(self._state)

    # --- time ------------------------------------------------------------------------

    def _set_alarm(self) -> None:
        """Schedule the next wake-up: for figures, a deadline, a flush or a retry."""
        now_ms, present = self._moment()
        self._figures_ms = self._publisher.next_change_ms(self._state, now_ms)
        due = [self._figures_ms, next_due_ms(self._state, now_ms, present)]
        future = [ms for ms in due if ms is not None and ms > now_ms]
        flush_ms = self._publisher.due_ms()
        if flush_ms is not None and not self._is_blind:
            future.append(max(flush_ms, now_ms + 1))
        if self._is_stalled:
            future.append(now_ms + RETRY_MS)
        if (look_ms := self._barrier.look_in_ms(self._state)) is not None:
            future.append(now_ms + look_ms)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if future:
            wait_s = (min(future) - now_ms) / 1000
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(wait_s, self._inbox.wake)
