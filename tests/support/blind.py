"""A room played by a script, and its twin with other secrets: what do they show?

If a frame tells nothing that it should not, it is the same, byte for byte, whatever the
secret is (noninterference: Goguen and Meseguer 1982). So a game is played twice. In the
second, the verdicts of all cases from some round on are turned round and their texts
changed, or the votes of all others are turned round. Until the secret's time, every
frame to all clients has to be the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from scenarios.model import Case, Label, PlannedRound
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.engine import open_room
from server.game.errors import Refused
from server.game.events import RoomOpened
from server.game.ids import ClientId, PlayerId
from server.game.phases import VERDICT_STEP, Ballot, Phase
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.protocol.client_messages import AskTime, Hello, Ping, Vote
from server.protocol.keys import prove
from server.rooms.audience import LocalGateway
from server.rooms.ports import Attend, Audience, Enter, Leave, Return, Say, Slot
from server.rooms.room import Room
from tests.support.cases import opened
from tests.support.course import (
    PEOPLE,
    ROUNDS,
    STEPS,
    Action,
    Cast,
    Come,
    Go,
    Script,
    Wait,
    Wish,
)
from tests.support.room import ROOM, ManualClock


class Tap:
    """A link that keeps every frame as it was encoded."""

    def __init__(self, audience: Audience) -> None:
        self.frames: list[bytes] = []
        self.audience: Audience = audience
        self.player: PlayerId | None = None
        self.site: str | None = None
        self.pong = asyncio.Event()

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        self.frames.append(frame)
        if frame.startswith(b'{"type":"pong"'):
            self.pong.set()

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        self.player = player
        self.push(welcome)

    def turn_away(self, refusal: Refused) -> None:
        self.push(f"turned away: {refusal.code}".encode())

    def part(self, bye: bytes) -> None:
        self.push(bye)


@dataclass(frozen=True, slots=True)
class Secret:
    """What a twin has otherwise, from a round on."""

    of: Literal["verdicts", "votes"]
    since: int
    spared: str = ""
    """The onlooker, whose votes stay as they are."""


@dataclass(slots=True)
class Played:
    """A game that was played, by script or from one."""

    room: Room
    actions: list[Action] = field(default_factory=list)
    taps: dict[str, list[Tap]] = field(default_factory=dict)
    lengths: list[dict[str, int]] = field(default_factory=list)
    """Before each action: how many frames each had been sent."""
    states: list[tuple[Phase, int | None, int]] = field(default_factory=list)
    """After each action: phase, round and step."""

    def frames(self, who: str) -> list[bytes]:
        """Return every frame sent to a person, on all links."""
        return [frame for tap in self.taps.get(who, ()) for frame in tap.frames]


def first_event(settings: RoomSettings, secret: Secret | None) -> RoomOpened:
    """Return the room's opening, with other verdicts if a secret wants it."""
    event = opened(settings, rounds=ROUNDS, opening=True)
    if secret is None or secret.of != "verdicts":
        return event
    rounds = tuple(
        _turned_round(planned) if index >= secret.since else planned
        for index, planned in enumerate(event.plan.rounds)
    )
    return replace(event, plan=event.plan.model_copy(update={"rounds": rounds}))


def _turned_round(planned: PlannedRound) -> PlannedRound:
    assert planned.transfer is not None
    return planned.model_copy(
        update={"case": _turned(planned.case), "transfer": _turned(planned.transfer)}
    )


def _turned(case: Case) -> Case:
    """Turn a case's verdict round, and change each text that follows from it."""
    truth = case.truth.model_copy(
        update={"outer": case.truth.inner, "inner": case.truth.outer}
    )
    shown = ("intended", "written", "learned")  # shown before the verdict
    told = case.breakdown.model_dump()
    other = {
        name: text if name in shown else f"OTHER-{text}" for name, text in told.items()
    }
    question = case.fix_question
    assert question is not None
    options = tuple(
        option.model_copy(
            update={"comment": f"OTHER-{option.comment}", "repairs": option.repairs}
        )
        for option in question.options
    )
    return case.model_copy(
        update={
            "truth": truth,
            "breakdown": case.breakdown.model_copy(update=other),
            "tempting": f"OTHER-{case.tempting}",
            "fix_question": question.model_copy(update={"options": options}),
        }
    )


class Play:
    """Carries actions out on a live room, one wholly before the next."""

    def __init__(self, room: Room, clock: ManualClock, secret: Secret | None) -> None:
        self.played = Played(room)
        self._room = room
        self._clock = clock
        self._secret = secret
        self._here: dict[str, Tap] = {}
        self._tokens: dict[str, str] = {}
        self._ref = 0

    async def begin(self) -> None:
        """Let host and screen in."""
        for audience in ("host", "screen"):
            tap = Tap(audience)  # type: ignore[arg-type] # one of the two
            self.played.taps[audience] = [tap]
            self._here[audience] = tap
            proof = prove(self._room.key_of(tap.audience), tap.audience, ROOM, "nonce")
            self._room.put(Attend(link=tap, nonce="nonce", proof=proof))
        await self._settle()

    async def do(self, action: Action) -> None:
        """Carry an action out, and wait until nothing more comes of it."""
        played = self.played
        played.actions.append(action)
        played.lengths.append({who: len(played.frames(who)) for who in played.taps})
        self._put(action)
        await self._settle()
        state = self._room.state
        played.states.append((state.phase, state.round_index, state.step))

    def _put(self, action: Action) -> None:
        match action:
            case Wait(ms=ms):
                self._clock.ms += ms
            case Come(who=who):
                self._come(who)
            case Go(who=who):
                if (tap := self._here.pop(who, None)) is not None:
                    self._room.put(Leave(link=tap))
            case Wish(who=who, percent=percent):
                self._say(who, AskTime(percent=percent))
            case Cast(who=who):
                self._say(who, self._vote(action))
            case _:
                self._ref += 1
                self._say("host", replace(action, ref=self._ref))

    def _say(self, who: str, message: Any) -> None:
        if (tap := self._here.get(who)) is not None:
            self._room.put(Say(link=tap, message=message, stamped_ms=self._clock.ms))

    def _come(self, who: str) -> None:
        tap = Tap("player")
        self.played.taps.setdefault(who, []).append(tap)
        self._here[who] = tap
        if who in self._tokens:
            self._room.put(Return(link=tap, token=self._tokens[who]))
            return
        key = f"{PEOPLE.index(who):032x}"
        hello = Hello(version=1, role="player", room=ROOM, name=who, join_key=key)
        self._room.put(Enter(link=tap, hello=hello))

    def _vote(self, cast: Cast) -> Vote:
        secret = self._secret
        is_turned = (
            secret is not None
            and secret.of == "votes"
            and cast.round >= secret.since
            and cast.who != secret.spared
        )
        return Vote(
            round=cast.round,
            ballot=cast.ballot,
            client=ClientId("tab"),
            counter=cast.counter,
            answer=self._answer(cast, is_turned),
            reason=f"REASON-{cast.who}-{'other' if is_turned else 'first'}",
        )

    def _answer(self, cast: Cast, is_turned: bool) -> Answer:
        is_outer = cast.is_outer != is_turned
        level = (5 - cast.level) if is_turned else cast.level
        sure = (50, 60, 70, 80, 90, 100)[level]
        if cast.ballot is Ballot.FIX:
            return FixAnswer(level % 3)
        if self._room.state.settings.two_link:
            return LinksAnswer(
                LinkAnswer(is_outer, sure), LinkAnswer(not is_outer, sure)
            )
        return GapAnswer(Label.OUTER if is_outer else Label.INNER, sure)

    async def _settle(self) -> None:
        """Let the room do all that is due: the host's ping comes last."""
        host = self._here["host"]
        host.pong.clear()
        self._say("host", Ping())
        async with asyncio.timeout(20):
            await host.pong.wait()
        for who, tap in self._here.items():
            if who in PEOPLE and who not in self._tokens and tap.player is not None:
                self._tokens[who] = _token(tap)


def _token(tap: Tap) -> str:
    import json

    return str(json.loads(tap.frames[0])["token"])


@contextlib.asynccontextmanager
async def stage(settings: RoomSettings, secret: Secret | None) -> AsyncIterator[Play]:
    """Run a room whose clock stands still between actions, and whose alarm is off."""
    event = first_event(settings, secret)
    store, clock = MemoryStore(), ManualClock()
    await store.append(ROOM, 0, [event])
    room = Room(open_room(event), store, LocalGateway(), clock)
    room._inbox.wake = lambda: None  # type: ignore[method-assign] # no real time here
    task = asyncio.create_task(room.run(), name="blind-room")
    try:
        play = Play(room, clock, secret)
        await play.begin()
        yield play
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def play_drawn(seed: int) -> Played:
    """Play a random game."""
    script = Script(seed)
    async with stage(script.settings, None) as play:
        for who in PEOPLE[:3]:
            await play.do(Come(who))
        for _ in range(STEPS):
            await play.do(script.next(play.played.room.state))
        return play.played


async def play_again(first: Played, secret: Secret) -> Played:
    """Play the same game with another secret."""
    async with stage(first.room.state.settings, secret) as play:
        for action in first.actions:
            await play.do(action)
        return play.played


def told_at(played: Played, secret: Secret) -> int:
    """Return the index of the action that may tell the secret; all of them if none.

    Votes may be shown from the reveal on, verdicts from their step on, or when the host
    leaves a reveal for something else: then points are also shown. The end of a game
    tells all, but that of a test nothing that was not revealed.
    """
    is_open = False
    tells_all = played.room.state.flow != "test"
    for index, (phase, round_index, step) in enumerate(played.states):
        is_reveal = (
            phase is Phase.REVEAL
            and round_index is not None
            and round_index >= secret.since
        )
        is_left = is_open and not is_reveal
        is_open_now = is_reveal and (secret.of == "votes" or step >= VERDICT_STEP)
        if is_open_now or is_left or (tells_all and phase is Phase.FINISHED):
            return index
        is_open = is_open or is_reveal
    return len(played.states)
