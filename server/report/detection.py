"""Signal detection: can players tell outer from inner, and which way do they lean?

The signal is outer. d' measures how well players tell the two apart, and c which of
them they choose too often; below 0, that is outer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from server.game.answers import GapAnswer, LinksAnswer
from server.game.errors import Sentence, sentence
from server.game.intervals import t_quantile, totals
from server.game.scoring import option_of
from server.game.state import RoomState
from server.protocol.report_types import (
    Cell,
    DetectionFigures,
    Estimate,
    Figure,
    Hidden,
    MatrixRow,
)
from server.report.figures import bootstrap_errors, needs_people
from server.report.sample import Counted, Sample, verdict_of

FEWEST_LEARNERS = 10
"""With fewer learners, a class's d' is hidden."""

FEWEST_ANSWERS = 30
"""With fewer answers to cases of either kind, a class's d' is hidden."""

_Z = NormalDist()
_RARE = 5

Lean = Literal["outer", "inner"]
About = Literal["outer against inner", "the outer link", "the inner link"]
_LINKS: dict[About, str] = {
    "outer against inner": "",
    "the outer link": "outer",
    "the inner link": "inner",
}


@dataclass(frozen=True, slots=True)
class Detection:
    """The figures for one table of hits and false alarms.

    Rates are from 0 to 1; the other figures are in z units.
    """

    hits: int
    signals: int
    false_alarms: int
    noises: int

    @property
    def hit_rate(self) -> float:
        """H = (hits+.5)/(signals+1): always the log-linear rule (Hautus 1995)."""
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
        """c = -½(z(H)+z(F)); below 0, the signal is chosen too often."""
        return -(_Z.inv_cdf(self.hit_rate) + _Z.inv_cdf(self.false_alarm_rate)) / 2

    @property
    def d_error(self) -> float:
        """SE(d') for independent answers (Gourevitch & Galanter 1967)."""
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
    """The pooled table of a class, with 95% intervals over learners like these."""

    table: Detection
    learners: int
    d_interval: tuple[float, float]
    c_interval: tuple[float, float]

    def told(self, about: About) -> Sentence:
        """Return the result in words."""
        return told(self.table, self.d_interval, self.c_interval, about)

    @property
    def lean(self) -> Lean | None:
        """Which way the answers lean, if they clearly do."""
        return lean(self.table.criterion, self.c_interval)


def class_detection(learners: Sequence[Detection], seed: int) -> ClassDetection | None:
    """Return the pooled d' and c for these cases, over learners like these.

    Errors are estimated with a seeded cluster bootstrap by learner, and intervals use
    Student's t with (learners - 1) degrees of freedom around the pooled figure. If a
    cell of the table is nearly empty, all resamples may be alike; then the error is at
    least that of independent answers. Returns None for fewer than 10 learners, or for
    fewer than 30 answers to cases of either kind.
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


_TOLD = {
    "swapping": ("swapping the two", "getting it backward"),
    "not_apart": ("not yet telling them apart", "not yet telling when it broke"),
    "apart_well": ("telling them apart well", "telling when it broke well"),
    "beginning": ("beginning to tell them apart", "beginning to tell when it broke"),
}
_LEANING = {
    "outer": (", leaning outer", ", saying too often that it broke"),
    "inner": (", leaning inner", ", saying too rarely that it broke"),
}
"""In words, for two gaps and for a single link."""


def told(
    table: Detection,
    d_interval: tuple[float, float],
    c_interval: tuple[float, float],
    about: About = "outer against inner",
) -> Sentence:
    """Return in words how well players tell the two apart, and which way they lean."""
    way = lean(table.criterion, c_interval)
    key = _told_apart(table.d_prime, d_interval)
    is_link = about != "outer against inner"
    leaning = _LEANING[way][is_link] if way else ""
    return sentence(
        key, _TOLD[key][is_link] + leaning, lean=way or "", link=_LINKS[about]
    )


def _told_apart(d_prime: float, interval: tuple[float, float]) -> str:
    low, high = interval
    if high < 0:
        return "swapping"
    if low <= 0:
        return "not_apart"
    return "apart_well" if d_prime >= 1 else "beginning"


def lean(criterion: float, interval: tuple[float, float]) -> Lean | None:
    """Return the lean if c's interval excludes 0 and c is at least .3 from it."""
    low, high = interval
    if low <= 0 <= high or abs(criterion) < 0.3:
        return None
    return "outer" if criterion < 0 else "inner"


def detections(sample: Sample) -> Iterator[DetectionFigures]:
    """Yield the class's signal detection; in two-link rooms, one for each link."""
    if not sample.state.settings.two_link:
        yield _detection(sample, "outer against inner", _called_outer)
        return
    yield _detection(sample, "the outer link", _called_outer)
    yield _detection(sample, "the inner link", _called_inner)


def _detection(
    sample: Sample, about: About, said: Callable[[Counted], bool]
) -> DetectionFigures:
    is_inner = about == "the inner link"
    learners = [learner_table(answers, said, is_inner) for answers in sample.learners]
    table = _together(learners)
    found = class_detection(learners, sample.state.seed)
    n = table.signals + table.noises
    d_prime: Figure = Hidden(_why_none(len(learners)), n)
    criterion = d_prime
    if found:
        d_prime = Estimate(found.table.d_prime, *found.d_interval, n)
        criterion = Estimate(found.table.criterion, *found.c_interval, n)
    return DetectionFigures(
        about=about,
        d_prime=d_prime,
        criterion=criterion,
        hit_rate=table.hits / table.signals if table.signals else None,
        false_alarm_rate=table.false_alarms / table.noises if table.noises else None,
        signals=table.signals,
        noises=table.noises,
        words=found.told(about) if found else None,
    )


def _called_outer(answer: Counted) -> bool:
    given = answer.vote.answer
    if isinstance(given, LinksAnswer):
        return given.outer.broke
    return isinstance(given, GapAnswer) and given.label == "outer"


def _called_inner(answer: Counted) -> bool:
    given = answer.vote.answer
    return isinstance(given, LinksAnswer) and given.inner.broke


def learner_table(
    answers: Iterable[Counted],
    said: Callable[[Counted], bool] = _called_outer,
    is_inner: bool = False,
) -> Detection:
    """Return one learner's hits and false alarms on clean cases."""
    hits = signals = false_alarms = noises = 0
    for answer in answers:
        if not answer.case.is_clean:
            continue
        truth = answer.case.truth.inner if is_inner else answer.case.truth.outer
        signals += truth
        noises += not truth
        hits += truth and said(answer)
        false_alarms += not truth and said(answer)
    return Detection(hits, signals, false_alarms, noises)


def _together(learners: Iterable[Detection]) -> Detection:
    rows = [(o.hits, o.signals, o.false_alarms, o.noises) for o in learners]
    return Detection(*(int(n) for n in totals(rows or [(0, 0, 0, 0)])))


def _why_none(learners: int) -> Sentence:
    if learners < FEWEST_LEARNERS:
        return needs_people(FEWEST_LEARNERS, learners)
    needs = "needs {answers} answers to cases of either kind"
    return sentence("needs_answers_each", needs, answers=FEWEST_ANSWERS)


def option_keys(state: RoomState) -> tuple[str, ...]:
    """Return the possible answers to VOTE, in the order in which they are shown."""
    links = ("outer", "inner", "both", "neither")
    return links if state.settings.two_link else links[:2]


def confusion(sample: Sample) -> Iterator[MatrixRow]:
    """Yield one row per verdict, with the number of each answer to its cases."""
    keys = option_keys(sample.state)
    for verdict in keys:
        counts = dict.fromkeys(keys, 0)
        for answer in sample.answers:
            if verdict_of(answer.case) == verdict:
                counts[option_of(answer.vote.answer)] += 1
        if total := sum(counts.values()):
            cells = tuple(Cell(key, n) for key, n in counts.items())
            yield MatrixRow(verdict, total, cells)
