"""Figures with their intervals, or the reason why n is too small to show them.

Intervals are Wilson's, or based on clusters or a bootstrap. The answers of one learner
resemble each other, so whole learners are resampled or left out, never single answers.
A learner is a row of counts; a figure is a function of the column sums.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from server.game.errors import Sentence, sentence
from server.game.intervals import (
    Combine,
    Row,
    beta_cdf,
    jackknife_interval,
    t_quantile,
    totals,
    wilson,
)
from server.game.outcomes import NOISE_DIGITS
from server.protocol.report_types import Estimate, Figure, Hidden

Interval = tuple[float, float]

FEWEST_FOR_SHARE = 5
"""With fewer answers, a proportion is shown as a count."""

FEWEST_TO_POOL = 10
"""With fewer learners, figures that are pooled over learners are hidden."""

FEWEST_ANSWERS = 30
"""With fewer answers, shares that are pooled over learners are hidden."""

UNSCORED = Hidden(sentence("not_scored", "not scored"))


def needs_people(people: int, found: int) -> Sentence:
    """Return why a figure that is based on too few people is hidden."""
    needs = "needs {people} people, has {found}"
    return sentence("needs_people_has", needs, people=people, found=found)


def needs_answers(answers: int) -> Sentence:
    """Return why a figure that is based on too few answers is hidden."""
    return sentence("needs_answers", "needs {answers} answers", answers=answers)


def _fewer(key: str, what: str) -> Sentence:
    fewer = "fewer than {least} " + what
    return sentence(key, fewer, least=FEWEST_FOR_SHARE)


def proportion(right: int, n: int) -> Figure:
    """Return the share of right answers, if each person answered once (Wilson)."""
    if n < FEWEST_FOR_SHARE:
        return few(right, n)
    return Estimate(right / n, *wilson(right, n), n)


def few(right: int, n: int) -> Hidden:
    """Return a share that is shown as a count."""
    if not n:
        return Hidden(sentence("no_answers", "no answers"))
    return Hidden(_fewer("fewer_answers", "answers"), n, right)


def clustered(counts: Sequence[tuple[int, int]]) -> Figure:
    """Return the share of right answers, if a person may answer more than once.

    ``counts`` contains (right, n) for each learner. The share is hidden for fewer than
    10 learners or 30 answers, since its interval would be too wide to be useful (see
    docs/report.md).
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
    """Return the mean of one value per person, with Student's interval."""
    n = len(values)
    if n < FEWEST_FOR_SHARE:
        return Hidden(_fewer("fewer_people", "people"), n)
    mean = round(math.fsum(values) / n, NOISE_DIGITS)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = t_quantile(0.975, n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)


# --- intervals ------------------------------------------------------------------------


def above_half(right: int, n: int) -> float:
    """Return P(p > .5), the probability (0-1) that people do better than a coin flip.

    It is based on the posterior Beta(right+.5, n-right+.5) under Jeffreys' prior
    (Brown, Cai & DasGupta 2001).
    """
    return 1 - beta_cdf(0.5, right + 0.5, n - right + 0.5)


def clustered_proportion(counts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the 95% interval of a pooled proportion whose answers come in clusters.

    ``counts`` contains (right, n) for each learner. This is Wilson's interval at the
    effective sample size, which is n divided by the design effect. The design effect is
    estimated by linearization between learners, with Student's t with (learners - 1)
    degrees of freedom (Korn & Graubard 1998, who use the exact interval). It is at
    least one half, since learners who happen to score alike are not evidence of
    precision.
    """
    answered = [(right, n) for right, n in counts if n]
    n = sum(n for _, n in answered)
    learners = len(answered)
    if learners < 2:
        return 0.0, 1.0
    p = sum(right for right, _ in answered) / n
    spread = sum((right - p * n_i) ** 2 for right, n_i in answered)
    variance = spread * learners / (learners - 1) / (n * n)
    effective = min(p * (1 - p) / variance, 2 * n) if variance else float(n)
    return _wilson_of(p, effective, t_quantile(0.975, learners - 1))


def _wilson_of(p: float, n: float, z: float) -> tuple[float, float]:
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_interval(
    p1: float, around_1: Interval, p2: float, around_2: Interval
) -> Interval:
    """Return the 95% interval of p1 - p2 (-1 to 1), given those of p1 and p2.

    This is Newcombe's (1998) hybrid method for two independent proportions.
    """
    down = math.hypot(p1 - around_1[0], around_2[1] - p2)
    up = math.hypot(around_1[1] - p1, p2 - around_2[0])
    return p1 - p2 - down, p1 - p2 + up


RESAMPLES = 1000
_MOST_DRAWS = 400_000


def bootstrap_errors(
    rows: Sequence[Row], figures: Sequence[Combine], seed: int
) -> list[float | None]:
    """Return the standard error of each figure, by a cluster bootstrap over learners.

    Draws learners with replacement, up to 1,000 times (less often for more than 400
    learners), and corrects the deviation for n - 1 (Efron & Tibshirani 1993). The same
    seed gives the same errors. The error is None if a figure is undefined in any
    resample.
    """
    n = len(rows)
    times = max(200, min(RESAMPLES, _MOST_DRAWS // n))
    rng = random.Random(seed)  # noqa: S311 - a bootstrap, not a secret
    drawn = [totals(rng.choices(rows, k=n)) for _ in range(times)]
    return [_deviation([figure(sums) for sums in drawn], n) for figure in figures]


def _deviation(values: Sequence[float | None], n: int) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or n < 2:
        return None
    mean = math.fsum(known) / len(known)
    variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
    return math.sqrt(variance * n / (n - 1))
