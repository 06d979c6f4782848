"""Confidence, learning, and the influence of the crowd, pooled over learners.

Calibration tells whether confidence matches accuracy, for a class but never for a
single learner.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.game.errors import sentence
from server.game.ids import PlayerId
from server.game.intervals import totals
from server.game.outcomes import is_judged
from server.game.phases import Ballot
from server.game.scoring import option_of
from server.game.state import RoomState, Round
from server.protocol.report_types import (
    CalibrationFigures,
    Dot,
    Estimate,
    Figure,
    HerdingFigures,
    Hidden,
    TransferFigures,
)
from server.report.figures import (
    FEWEST_ANSWERS,
    FEWEST_TO_POOL,
    Switching,
    clustered,
    clustered_proportion,
    difference_interval,
    needs_people,
    normalized_gain,
    pooled,
)
from server.report.sample import Counted, Sample, rights, verdict_of, votes
from server.report.sentences import calibration_words

ENOUGH_FOR_ECE = 300
"""With fewer answers, the expected calibration error is mostly noise."""

COIN = 0.25
"""The Brier score of a coin flip with a confidence of 50%."""


@dataclass(frozen=True, slots=True)
class Bin:
    """All answers given at one confidence (0-1)."""

    confidence: float
    right: int
    n: int

    @property
    def share(self) -> float:
        """Proportion right (0-1)."""
        return self.right / self.n


@dataclass(frozen=True, slots=True)
class Calibration:
    """The pooled calibration of some answers, in proportions from 0 to 1."""

    bins: tuple[Bin, ...]
    """In order of confidence, without empty bins."""

    @property
    def n(self) -> int:
        """The number of answers with a confidence."""
        return sum(b.n for b in self.bins)

    @property
    def accuracy(self) -> float:
        """Proportion right (0-1)."""
        return sum(b.right for b in self.bins) / self.n

    @property
    def mean_confidence(self) -> float:
        """Mean confidence (0-1)."""
        return math.fsum(b.confidence * b.n for b in self.bins) / self.n

    @property
    def bias(self) -> float:
        """Mean confidence - accuracy; above 0, overconfidence (Lichtenstein 1982)."""
        return self.mean_confidence - self.accuracy

    @property
    def brier(self) -> float:
        """Mean squared difference of confidence and outcome, 0 to 1 (Brier 1950)."""
        total = math.fsum(
            b.right * (1 - b.confidence) ** 2 + (b.n - b.right) * b.confidence**2
            for b in self.bins
        )
        return total / self.n

    @property
    def reliability(self) -> float:
        """REL: how far the bins are from the diagonal; 0 is perfect (Murphy 1973)."""
        return self._mean(lambda b: (b.confidence - b.share) ** 2)

    @property
    def resolution(self) -> float:
        """RES: how far the bins are from the overall share; more is better."""
        return self._mean(lambda b: (b.share - self.accuracy) ** 2)

    @property
    def uncertainty(self) -> float:
        """UNC = p(1-p) of the outcomes. Brier = REL - RES + UNC."""
        return self.accuracy * (1 - self.accuracy)

    @property
    def skill(self) -> float:
        """1 - Brier/.25: 0 is a coin flip, 1 is perfect."""
        return 1 - self.brier / COIN

    @property
    def ece(self) -> float:
        """Expected calibration error, 0 to 1; show it only for 300 or more answers."""
        return self._mean(lambda b: abs(b.confidence - b.share))

    def _mean(self, of: Callable[[Bin], float]) -> float:
        return math.fsum(b.n * of(b) for b in self.bins) / self.n


def calibration(answers: Sequence[tuple[int, bool]]) -> Calibration | None:
    """Return the calibration of (confidence in percent, right) pairs; None if none."""
    counts: dict[int, tuple[int, int]] = {}
    for confidence, is_right in answers:
        right, n = counts.get(confidence, (0, 0))
        counts[confidence] = (right + is_right, n + 1)
    return of_counts(counts) if counts else None


def of_counts(counts: Mapping[int, tuple[int, int]]) -> Calibration:
    """Return the calibration of (right, n) by confidence in percent."""
    return Calibration(
        tuple(
            Bin(confidence / 100, right, n)
            for confidence, (right, n) in sorted(counts.items())
        )
    )


def calibration_figures(sample: Sample) -> CalibrationFigures | None:
    """Return the calibration of VOTE; None if no confidence was tapped."""
    chosen = [answer for answer in sample.answers if answer.confidence is not None]
    found = calibration([(a.confidence or 0, a.is_right) for a in chosen])
    if found is None:
        return None
    by_level = _by_level(chosen)
    bias = _bias(chosen)
    is_enough = isinstance(bias, Estimate)
    return CalibrationFigures(
        n=found.n,
        dots=tuple(
            Dot(b.confidence, b.n, clustered(by_level[round(100 * b.confidence)]))
            for b in found.bins
        ),
        bias=bias,
        brier=found.brier if is_enough else None,
        reliability=found.reliability if is_enough else None,
        resolution=found.resolution if is_enough else None,
        uncertainty=found.uncertainty if is_enough else None,
        skill=found.skill if is_enough else None,
        ece=found.ece if found.n >= ENOUGH_FOR_ECE else None,
        words=calibration_words(bias),
    )


def _by_level(answers: Iterable[Counted]) -> dict[int, list[tuple[int, int]]]:
    """Return (right, n) of each learner at each confidence (percent)."""
    found: dict[int, dict[PlayerId, tuple[int, int]]] = {}
    for answer in answers:
        level = found.setdefault(answer.confidence or 0, {})
        right, n = level.get(answer.player, (0, 0))
        level[answer.player] = (right + answer.is_right, n + 1)
    return {level: list(counts.values()) for level, counts in found.items()}


def _bias(chosen: Sequence[Counted]) -> Figure:
    rows: dict[PlayerId, list[float]] = {}
    for answer in chosen:
        row = rows.setdefault(answer.player, [0, 0])
        row[0] += (answer.confidence or 0) / 100 - answer.is_right
        row[1] += 1
    return pooled(list(rows.values()), _ratio, len(chosen))


def _ratio(sums: Sequence[float]) -> float | None:
    return sums[0] / sums[1] if sums[1] else None


def transfer_figures(sample: Sample) -> TransferFigures | None:
    """Compare VOTE with TRANSFER for the same people; None if no twin was played."""
    state = sample.state
    rows: dict[PlayerId, list[float]] = {}
    for _, round_ in sample.rounds:
        before = rights(state, round_, Ballot.VOTE)
        after = rights(state, round_, Ballot.TRANSFER)
        for player in before.keys() & after.keys():
            row = rows.setdefault(player, [0, 0, 0])
            row[0] += before[player]
            row[1] += after[player]
            row[2] += 1
    if not rows:
        return None
    first, second, pairs = totals(list(rows.values()))
    change = pooled(list(rows.values()), _rise, int(pairs))
    if isinstance(change, Hidden):
        return TransferFigures(int(pairs), None, None, change, None)
    share_1, share_2 = first / pairs, second / pairs
    gain = normalized_gain(share_1, share_2)
    return TransferFigures(int(pairs), share_1, share_2, change, gain)


def _rise(sums: Sequence[float]) -> float | None:
    before, after, pairs = sums
    return (after - before) / pairs if pairs else None


def herding_figures(sample: Sample) -> HerdingFigures | None:
    """Return how many switched toward the crowd; None if no second vote was held.

    Rounds in which VOTE was a tie have no crowd, and are left out.
    """
    by_learner: dict[PlayerId, Switching] = {}
    by_outcome = {True: Switching(), False: Switching()}
    held = [round_ for _, round_ in sample.rounds if Ballot.REVOTE in round_.polls]
    for round_ in held:
        crowd = _majority(sample.state, round_)
        if crowd is None or not is_judged(sample.state, round_.case):
            continue
        is_right = crowd == verdict_of(round_.case)
        for player, is_minor, switched in _switches(sample.state, round_, crowd):
            old = by_learner.get(player, Switching())
            by_learner[player] = old.plus(is_minor, switched)
            by_outcome[is_right] = by_outcome[is_right].plus(is_minor, switched)
    return _herded(list(by_learner.values()), by_outcome) if held else None


def _switches(
    state: RoomState, round_: Round, crowd: str
) -> Iterable[tuple[PlayerId, bool, bool]]:
    """Yield players who voted twice, if in the minority, and if they switched."""
    second = votes(state, round_, Ballot.REVOTE)
    for player, vote in votes(state, round_, Ballot.VOTE).items():
        if player in second:
            side = option_of(vote.answer)
            turned = option_of(second[player].answer) != side
            yield player, side != crowd, turned


def _majority(state: RoomState, round_: Round) -> str | None:
    """Return the option that the most people chose in VOTE; None for a tie."""
    tally = round_.polls[Ballot.VOTE].tally
    counts = tally.options(Ballot.VOTE, two_link=state.settings.two_link)
    ranked = sorted(counts, key=lambda option: counts[option])
    if len(ranked) < 2 or counts[ranked[-1]] == counts[ranked[-2]]:
        return None
    return ranked[-1]


def _herded(
    learners: Sequence[Switching], by_outcome: Mapping[bool, Switching]
) -> HerdingFigures:
    right, wrong = by_outcome[True], by_outcome[False]
    both = right.and_also(wrong)
    n = both.minority + both.majority
    needed = sentence(
        "needs_either_side",
        "needs {answers} answers, {people} on either side",
        answers=FEWEST_ANSWERS,
        people=FEWEST_TO_POOL,
    )
    figure: Figure = Hidden(needed, n)
    if n >= FEWEST_ANSWERS and min(both.minority, both.majority) >= FEWEST_TO_POOL:
        figure = _herding(learners, both)
    is_shown = isinstance(figure, Estimate)
    return HerdingFigures(
        all=figure,
        majority_right=right.herding if is_shown else None,
        majority_wrong=wrong.herding if is_shown else None,
        n_right=right.minority + right.majority,
        n_wrong=wrong.minority + wrong.majority,
    )


def _herding(learners: Sequence[Switching], both: Switching) -> Figure:
    """Return the difference between two shares, each pooled over learners."""
    n = both.minority + both.majority
    if len(learners) < FEWEST_TO_POOL or both.herding is None:
        return Hidden(needs_people(FEWEST_TO_POOL, len(learners)), n)
    interval = difference_interval(
        both.minority_switched / both.minority,
        clustered_proportion([(s.minority_switched, s.minority) for s in learners]),
        both.majority_switched / both.majority,
        clustered_proportion([(s.majority_switched, s.majority) for s in learners]),
    )
    return Estimate(both.herding, *interval, n)
