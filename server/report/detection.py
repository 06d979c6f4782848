"""Signal detection: can outer be told from inner, and which way do the answers lean?

The signal is outer. d' says how well the two are told apart, c which of them is called
too often: below 0, outer is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from server.report.clusters import bootstrap_errors, totals
from server.report.proportions import t_quantile

FEWEST_LEARNERS = 10
"""A class's d' is hidden below."""

FEWEST_ANSWERS = 30
"""A class's d' is hidden below so many answers to cases of either kind."""

_Z = NormalDist()
_RARE = 5

Lean = Literal["outer", "inner"]


@dataclass(frozen=True, slots=True)
class Detection:
    """What one table of hits and false alarms says. Rates 0-1, the rest in z units."""

    hits: int
    signals: int
    false_alarms: int
    noises: int

    @property
    def hit_rate(self) -> float:
        """H = (hits+.5)/(signals+1): the log-linear rule, always (Hautus 1995)."""
        return (self.hits + 0.5) / (self.signals + 1)

    @property
    def false_alarm_rate(self) -> float:
        """F = (false alarms+.5)/(noises+1)."""
        return (self.false_alarms + 0.5) / (self.noises + 1)

    @property
    def d_prime(self) -> float:
        """d' = z(H) - z(F) (Macmillan & Creelman 2005)."""
        return _Z.inv_cdf(self.hit_rate) - _Z.inv_cdf(self.false_alarm_rate)

    @property
    def criterion(self) -> float:
        """c = -½(z(H)+z(F)); below 0 the signal is called too often."""
        return -(_Z.inv_cdf(self.hit_rate) + _Z.inv_cdf(self.false_alarm_rate)) / 2

    @property
    def d_error(self) -> float:
        """SE(d') of independent answers (Gourevitch & Galanter 1967)."""
        return math.sqrt(
            _z_variance(self.hit_rate, self.signals)
            + _z_variance(self.false_alarm_rate, self.noises)
        )

    @property
    def c_error(self) -> float:
        """SE(c) = ½ SE(d')."""
        return self.d_error / 2


def _z_variance(rate: float, n: int) -> float:
    return float(rate * (1 - rate) / (n * _Z.pdf(_Z.inv_cdf(rate)) ** 2))


@dataclass(frozen=True, slots=True)
class ClassDetection:
    """The pooled table of a class, with 95 % intervals over learners like these."""

    table: Detection
    learners: int
    d_interval: tuple[float, float]
    c_interval: tuple[float, float]

    @property
    def words(self) -> str:
        """What it says, in words."""
        return words(self.table, self.d_interval, self.c_interval)

    @property
    def lean(self) -> Lean | None:
        """Which way the answers lean, where they clearly do."""
        return lean(self.table.criterion, self.c_interval)


def class_detection(learners: Sequence[Detection], seed: int) -> ClassDetection | None:
    """Return the pooled d' and c of these cases over learners like these.

    Cluster bootstrap by learner, seeded; Student's t with (learners - 1) degrees of
    freedom around the pooled figure. Where a cell of the table is nearly empty, every
    resample may be alike: there the error of independent answers is the least that is
    used. None below 10 learners, or 30 answers to cases of either kind.
    """
    rows = [
        (one.hits, one.signals, one.false_alarms, one.noises)
        for one in learners
        if one.signals + one.noises
    ]
    if len(rows) < FEWEST_LEARNERS:
        return None
    pooled = _table(totals(rows))
    if min(pooled.signals, pooled.noises) < FEWEST_ANSWERS:
        return None
    errors = bootstrap_errors(
        rows,
        (lambda sums: _table(sums).d_prime, lambda sums: _table(sums).criterion),
        seed,
    )
    d_error, c_error = (error or 0.0 for error in errors)
    if _has_rare_cell(pooled):
        d_error, c_error = max(d_error, pooled.d_error), max(c_error, pooled.c_error)
    t = t_quantile(0.975, len(rows) - 1)
    return ClassDetection(
        pooled,
        len(rows),
        (pooled.d_prime - t * d_error, pooled.d_prime + t * d_error),
        (pooled.criterion - t * c_error, pooled.criterion + t * c_error),
    )


def _table(sums: Sequence[float]) -> Detection:
    hits, signals, false_alarms, noises = (int(value) for value in sums)
    return Detection(hits, signals, false_alarms, noises)


def _has_rare_cell(table: Detection) -> bool:
    cells = (
        table.hits,
        table.signals - table.hits,
        table.false_alarms,
        table.noises - table.false_alarms,
    )
    return min(cells) < _RARE


def words(
    table: Detection,
    d_interval: tuple[float, float],
    c_interval: tuple[float, float],
) -> str:
    """Return in words how well the two are told apart, and which way it leans."""
    way = lean(table.criterion, c_interval)
    return _told_apart(table.d_prime, d_interval) + (f", leaning {way}" if way else "")


def _told_apart(d_prime: float, interval: tuple[float, float]) -> str:
    low, high = interval
    if high < 0:
        return "swapping the two"
    if low <= 0:
        return "not yet telling them apart"
    if d_prime >= 1:
        return "telling them apart well"
    return "beginning to tell them apart"


def lean(criterion: float, interval: tuple[float, float]) -> Lean | None:
    """Return the lean where c's interval excludes 0 and c is at least .3 from it."""
    low, high = interval
    if low <= 0 <= high or abs(criterion) < 0.3:
        return None
    return "outer" if criterion < 0 else "inner"


def individual_words(table: Detection) -> str | None:
    """Return one learner's result in words; figures are never shown for one learner.

    By the normal intervals of independent answers, which below 10 cases of either kind
    are rough. None without cases of both kinds.
    """
    if not table.signals or not table.noises:
        return None
    d, c = 1.96 * table.d_error, 1.96 * table.c_error
    return words(
        table,
        (table.d_prime - d, table.d_prime + d),
        (table.criterion - c, table.criterion + c),
    )
