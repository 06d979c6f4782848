"""Figures with their intervals, or the reason why n cannot carry them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from server.game.errors import Sentence, sentence
from server.game.intervals import t_quantile, wilson
from server.game.outcomes import NOISE_DIGITS
from server.protocol.report_types import Estimate, Figure, Hidden
from server.report.intervals import (
    Row,
    clustered_proportion,
    jackknife_interval,
    totals,
)

FEWEST_FOR_SHARE = 5
"""A proportion of fewer answers is shown as a count."""

FEWEST_TO_POOL = 10
"""Figures pooled over learners are hidden below this number of them."""

FEWEST_ANSWERS = 30
"""Shares pooled over learners are hidden below this number of answers."""

UNSCORED = Hidden(sentence("not_scored", "not scored"))


def needs_people(people: int, found: int) -> Sentence:
    """Return why a figure is hidden that rests on too few people."""
    needs = "needs {people} people, has {found}"
    return sentence("needs_people_has", needs, people=people, found=found)


def needs_answers(answers: int) -> Sentence:
    """Return why a figure is hidden that rests on too few answers."""
    return sentence("needs_answers", "needs {answers} answers", answers=answers)


def _fewer(key: str, what: str) -> Sentence:
    fewer = "fewer than {least} " + what
    return sentence(key, fewer, least=FEWEST_FOR_SHARE)


def proportion(right: int, n: int) -> Figure:
    """Return the share right where each person answered once (Wilson)."""
    if n < FEWEST_FOR_SHARE:
        return few(right, n)
    return Estimate(right / n, *wilson(right, n), n)


def few(right: int, n: int) -> Hidden:
    """Return a share that is shown as a count."""
    if not n:
        return Hidden(sentence("no_answers", "no answers"))
    return Hidden(_fewer("fewer_answers", "answers"), n, right)


def clustered(counts: Sequence[tuple[int, int]]) -> Figure:
    """Return the share right where a person may answer more than once.

    ``counts`` holds (right, n) of each learner. Hidden below 10 learners and below 30
    answers: there the interval would cover too much to say anything (docs/report.md).
    """
    answered = [(right, n) for right, n in counts if n]
    right, n = sum(right for right, _ in answered), sum(n for _, n in answered)
    if n == len(answered):
        return proportion(right, n)
    if len(answered) < FEWEST_TO_POOL or n < FEWEST_ANSWERS:
        needs = "needs {people} people and {answers} answers"
        why = sentence(
            "needs_people_answers",
            needs,
            people=FEWEST_TO_POOL,
            answers=FEWEST_ANSWERS,
        )
        return Hidden(why, n, right)
    return Estimate(right / n, *clustered_proportion(answered), n)


def pooled(
    rows: Sequence[Row], figure: Callable[[Sequence[float]], float | None], n: int
) -> Figure:
    """Return a figure of the learners' column sums, with its jackknife interval."""
    if len(rows) < FEWEST_TO_POOL:
        return Hidden(needs_people(FEWEST_TO_POOL, len(rows)), n)
    value, interval = figure(totals(rows)), jackknife_interval(rows, figure)
    if value is None or interval is None:
        why = sentence("rests_on_few", "rests on too few people")
        return Hidden(why, n)
    return Estimate(value, *interval, n)


def mean_of(values: Sequence[float]) -> Figure:
    """Return the mean of one value a person, with Student's interval."""
    n = len(values)
    if n < FEWEST_FOR_SHARE:
        return Hidden(_fewer("fewer_people", "people"), n)
    mean = round(math.fsum(values) / n, NOISE_DIGITS)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = t_quantile(0.975, n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)
