"""Classes that are known: their answers are drawn, their events folded by the rules.

Evidence for outer is normal with mean ±d'/2, as in signal detection; players who find
more than their criterion say outer, and are surer the further it is from there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from scenarios.model import Case, Label, Plan
from server.game.answers import GapAnswer
from server.game.engine import replay
from server.game.events import (
    BallotClosed,
    BallotOpened,
    Event,
    PlayerJoined,
    RoomOpened,
    RoundOpened,
    RoundRevealed,
    VoteCast,
)
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from tests.support.cases import SECRET, make_plan

LEVELS = (50, 60, 70, 80, 90, 100)


@dataclass(frozen=True, slots=True)
class ClassModel:
    """What is true of a class. Sensitivity and criterion in z units."""

    learners: int = 30
    cases: int = 16
    d_prime: float = 1.0
    criterion: float = 0.0
    boldness: float | None = None
    """Slope of subjective log odds on evidence; as large as d', it is calibrated."""
    d_spread: float = 0.0
    """Standard deviation of d' between learners."""
    lean_spread: float = 0.0
    shifts: tuple[float, ...] = ()
    """Evidence added to each case in turn: how far it looks outer."""
    strengths: tuple[float, ...] = ()
    """Factor on d' of each case in turn: 0 a coin, below 0 misleading."""
    misses: float = 0.0
    """Chance that a learner does not answer a case."""
    revote: tuple[float, float] | None = None
    """Chances of switching, in the minority and in the majority of VOTE."""
    transfer_d: float | None = None
    """d' on transfer cases; None if there are no such cases."""
    teams: tuple[str, ...] = ()
    plan: Plan | None = field(default=None, compare=False)

    def strength(self, case: int) -> float:
        """Return the factor on d' of a case."""
        return self.strengths[case % len(self.strengths)] if self.strengths else 1.0

    def shift(self, case: int) -> float:
        """Return how far a case looks outer."""
        return self.shifts[case % len(self.shifts)] if self.shifts else 0.0

    @property
    def slope(self) -> float:
        """Return the slope of subjective log odds."""
        return self.d_prime if self.boldness is None else self.boldness


@dataclass(slots=True)
class _Learner:
    id: PlayerId
    d_prime: float
    criterion: float


def simulate(model: ClassModel, seed: int) -> RoomState:
    """Return the room of one class drawn from the model, after the real rules."""
    return replay(events(model, seed))


def events(model: ClassModel, seed: int) -> Iterator[Event]:
    """Yield the journal of one class drawn from the model."""
    rng = Random(seed)
    plan = model.plan or make_plan(model.cases)
    yield RoomOpened(
        code=RoomCode("SXMXXT"),
        plan=plan,
        settings=RoomSettings(simulated=True, teams=model.teams),
        seed=seed,
        secret=SECRET,
        at_ms=0,
    )
    crowd = [_learner(model, rng, number) for number in range(model.learners)]
    for number, learner in enumerate(crowd):
        team = model.teams[number % len(model.teams)] if model.teams else None
        yield PlayerJoined(learner.id, f"P {number}", team, True, at_ms=0)
    for index in range(len(plan.rounds)):
        yield from _round(model, rng, crowd, plan, index)


def _learner(model: ClassModel, rng: Random, number: int) -> _Learner:
    return _Learner(
        PlayerId(f"p{number}"),
        rng.gauss(model.d_prime, model.d_spread),
        rng.gauss(model.criterion, model.lean_spread),
    )


def _round(
    model: ClassModel, rng: Random, crowd: list[_Learner], plan: Plan, index: int
) -> Iterator[Event]:
    planned = plan.rounds[index]
    at_ms = 100_000 * (index + 1)
    yield RoundOpened(index, Phase.READ, at_ms)
    there = [one for one in crowd if rng.random() >= model.misses]
    first = {
        one.id: answer(model, rng, one.d_prime, one.criterion, planned.case, index)
        for one in there
    }
    yield from _ballot(index, Ballot.VOTE, at_ms, first)
    if model.revote:
        second = _second(model.revote, rng, first)
        yield from _ballot(index, Ballot.REVOTE, at_ms + 40_000, second)
    yield RoundRevealed(index, at_ms + 60_000)
    if model.transfer_d is not None and planned.transfer:
        twin = {
            one.id: answer(
                model, rng, model.transfer_d, one.criterion, planned.transfer, index
            )
            for one in there
        }
        yield from _ballot(index, Ballot.TRANSFER, at_ms + 70_000, twin)


def _ballot(
    index: int, ballot: Ballot, at_ms: int, answers: dict[PlayerId, GapAnswer]
) -> Iterator[Event]:
    yield BallotOpened(index, ballot, at_ms, None)
    for number, (player, given) in enumerate(answers.items()):
        yield VoteCast(
            player, ClientId("c"), index, index, ballot, given, "", at_ms + 10 * number
        )
    yield BallotClosed(index, ballot, at_ms + 30_000, ())


def answer(
    model: ClassModel,
    rng: Random,
    d_prime: float,
    criterion: float,
    case: Case,
    index: int,
) -> GapAnswer:
    """Draw one answer to the case at this place of the deck."""
    side = 0.5 if case.truth.outer else -0.5
    mean = side * d_prime * model.strength(index) + model.shift(index)
    beyond = rng.gauss(mean, 1) - criterion
    label = Label.OUTER if beyond > 0 else Label.INNER
    return GapAnswer(label, confidence(model.slope, abs(beyond)))


def confidence(slope: float, distance: float) -> int:
    """Return the level nearest to the subjective probability of being right."""
    belief = 1 / (1 + math.exp(-min(slope * distance, 50)))
    return 10 * round(10 * belief)


def _second(
    switch: tuple[float, float], rng: Random, first: dict[PlayerId, GapAnswer]
) -> dict[PlayerId, GapAnswer]:
    outer = sum(one.label is Label.OUTER for one in first.values())
    crowd = Label.OUTER if 2 * outer > len(first) else Label.INNER
    return {
        player: GapAnswer(old.label.other, old.confidence)
        if rng.random() < switch[old.label is crowd]
        else old
        for player, old in first.items()
    }
