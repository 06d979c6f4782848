"""How well the class tells the gaps apart, and what it takes for what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from server.game.answers import GapAnswer, LinksAnswer
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
from server.report.clusters import totals
from server.report.detection import (
    FEWEST_ANSWERS,
    FEWEST_LEARNERS,
    Detection,
    class_detection,
)
from server.report.sample import Counted, Sample, verdict_of

About = Literal["outer against inner", "the outer link", "the inner link"]


def detections(sample: Sample) -> Iterator[DetectionFigures]:
    """Yield the signal detection of the class; in two-link rooms one a link."""
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
        words=_words_about(found.words, about) if found else None,
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


def _why_none(learners: int) -> str:
    if learners < FEWEST_LEARNERS:
        return f"needs {FEWEST_LEARNERS} people, has {learners}"
    return f"needs {FEWEST_ANSWERS} answers to cases of either kind"


def _words_about(words: str, about: About) -> str:
    """Turn words about two gaps into words about a single link."""
    if about == "outer against inner":
        return words
    for gaps, link in (
        ("telling them apart", "telling when it broke"),
        ("tell them apart", "tell when it broke"),
        ("swapping the two", "saying it the wrong way round"),
        (", leaning outer", ", saying too often that it broke"),
        (", leaning inner", ", saying too seldom that it broke"),
    ):
        words = words.replace(gaps, link)
    return words


def option_keys(state: RoomState) -> tuple[str, ...]:
    """Return what can be answered in VOTE, in the order in which it is shown."""
    links = ("outer", "inner", "both", "neither")
    return links if state.settings.two_link else links[:2]


def confusion(sample: Sample) -> Iterator[MatrixRow]:
    """Yield for each verdict how its cases were answered."""
    keys = option_keys(sample.state)
    for verdict in keys:
        counts = dict.fromkeys(keys, 0)
        for answer in sample.answers:
            if verdict_of(answer.case) == verdict:
                counts[option_of(answer.vote.answer)] += 1
        if total := sum(counts.values()):
            cells = tuple(Cell(key, n) for key, n in counts.items())
            yield MatrixRow(verdict, total, cells)
