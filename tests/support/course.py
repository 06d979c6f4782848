"""A random course of a lesson: what people and their host do, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from server.game.commands import (
    AskFix,
    BackToLobby,
    CloseVotes,
    Contrast,
    Discuss,
    Finish,
    GiveTime,
    HostCommand,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    Reveal,
    Revote,
    SkipRound,
    Transfer,
    Unlock,
)
from server.game.engine import TABLE
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.game.state import RoomState

PEOPLE = ("Ann", "Bob", "Cid", "Dan", "Eve")
ROUNDS = 3
STEPS = 120
OPENINGS = (
    OpenRound(), OpenVote(), CloseVotes(), Contrast(), Discuss(), Revote(), Reveal(),
    NextStep(), NextStep(all=True), AskFix(), Transfer(), SkipRound(), BackToLobby(),
    GiveTime(), Lock(), Unlock(), Finish(),
)  # fmt: skip
ODDS = (6, 9, 5, 2, 2, 4, 6, 8, 1, 3, 3, 0.3, 0.5, 0.5, 0.3, 2, 0.1)


@dataclass(frozen=True, slots=True)
class Cast:
    """A player votes; the part of the answer that can be turned round is kept apart."""

    who: str
    round: int
    ballot: Ballot
    is_outer: bool
    level: int
    counter: int


@dataclass(frozen=True, slots=True)
class Come:
    """A player joins, or comes back with the token."""

    who: str


@dataclass(frozen=True, slots=True)
class Go:
    """A player's connection is gone."""

    who: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes (ms)."""

    ms: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A player asks for extra time."""

    who: str
    percent: Literal[100, 150, 0]


Action = HostCommand | Cast | Come | Go | Wait | Wish


class Script:
    """Draws what happens next. Looks at the phase, and at nothing that is secret."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        chance = self.chance
        self.settings = RoomSettings(
            two_link=chance.random() < 0.3,
            auto_close=chance.random() < 0.3,
            podium=chance.random() < 0.5,
            time_factor=chance.choice((None, 1, 3)),
            show_names=chance.random() < 0.7,
            min_cell=1,
            flow=chance.choice((None, "quick", "test")),
        )
        self._counter = 0

    def next(self, state: RoomState) -> Action:
        """Return one more action."""
        chance, roll = self.chance, self.chance.random()
        who = chance.choice(PEOPLE)
        if roll < 0.08:
            return Come(who)
        if roll < 0.11:
            return Go(who)
        if roll < 0.14:
            return Wish(who, chance.choice((100, 150, 0)))
        if roll < 0.28:
            return Wait(chance.choice((1, 250, 1_100, 2_500, 30_000)))
        if roll < 0.31 and state.players:  # in an open vote as well
            return PinReason(player=chance.choice(list(state.players)))
        if state.poll is not None and roll < 0.80:
            assert state.round_index is not None
            assert state.ballot is not None
            return self._cast(who, state.round_index, state.ballot)
        if roll < 0.35:
            return self._cast(
                who, chance.randrange(ROUNDS), chance.choice(list(Ballot))
            )
        return self._command(state)

    def _cast(self, who: str, round_index: int, ballot: Ballot) -> Cast:
        self._counter += 1
        chance = self.chance
        return Cast(
            who, round_index, ballot, chance.random() < 0.5, chance.randrange(6),
            self._counter,
        )  # fmt: skip

    def _command(self, state: RoomState) -> HostCommand:
        fits = [command.type in TABLE[state.phase] for command in OPENINGS]
        odds = [odd * (1 if fit else 0.02) for odd, fit in zip(ODDS, fits, strict=True)]
        return self.chance.choices(OPENINGS, odds)[0]
