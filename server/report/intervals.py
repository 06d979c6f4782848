"""Proportions and pooled figures with their intervals: Wilson, clusters, bootstrap.

Answers of one learner resemble each other, so whole learners are resampled or left
out, never single answers. A learner is a row of counts; a figure is a function of the
column sums.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from server.game.intervals import beta_cdf, t_quantile

Interval = tuple[float, float]


def above_half(right: int, n: int) -> float:
    """Return P(p > .5), from 0 to 1: how sure one may be that no coin was at work.

    Of the posterior Beta(right+.5, n-right+.5) under Jeffreys' prior (Brown, Cai &
    DasGupta 2001).
    """
    return 1 - beta_cdf(0.5, right + 0.5, n - right + 0.5)


def clustered_proportion(counts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the 95 % interval of a pooled proportion whose answers come in clusters.

    ``counts`` holds (right, n) of each learner. Uses Wilson's interval at the effective
    sample size: n over the design effect. That is estimated by linearization between
    learners, with Student's t of (learners - 1) degrees of freedom (Korn & Graubard
    1998, there for the exact interval). The design effect is taken as at least one
    half: learners who happen to score alike are not evidence of precision.
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
    """Return the 95 % interval of p1 - p2 (-1 to 1), from those of p1 and p2.

    Newcombe's (1998) hybrid for two independent proportions.
    """
    down = math.hypot(p1 - around_1[0], around_2[1] - p2)
    up = math.hypot(around_1[1] - p1, p2 - around_2[0])
    return p1 - p2 - down, p1 - p2 + up


Row = Sequence[float]
Figure = Callable[[Sequence[float]], float | None]

RESAMPLES = 1000
_MOST_DRAWS = 400_000


def totals(rows: Sequence[Row]) -> list[float]:
    """Return the column sums."""
    return [sum(column) for column in zip(*rows, strict=True)]


def bootstrap_errors(
    rows: Sequence[Row], figures: Sequence[Figure], seed: int
) -> list[float | None]:
    """Return the standard error of each figure, by a cluster bootstrap over learners.

    Draws learners with replacement, up to 1,000 times (fewer above 400 learners), and
    corrects the deviation for n - 1 (Efron & Tibshirani 1993). The same seed gives the
    same errors. None for a figure that is undefined in any resample.
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


def jackknife_interval(
    rows: Sequence[Row], figure: Figure
) -> tuple[float, float] | None:
    """Return the 95 % interval of a figure, leaving out one learner at a time.

    Student's t with (learners - 1) degrees of freedom around the figure itself (Tukey
    1958). None with fewer than two learners, or where the figure is undefined without
    one of them.
    """
    n = len(rows)
    if n < 2:
        return None
    sums = totals(rows)
    value = figure(sums)
    without = [
        figure([whole - part for whole, part in zip(sums, row, strict=True)])
        for row in rows
    ]
    known = [part for part in without if part is not None]
    if value is None or len(known) < n:
        return None
    mean = math.fsum(known) / n
    variance = (n - 1) / n * math.fsum((part - mean) ** 2 for part in known)
    half = t_quantile(0.975, n - 1) * math.sqrt(variance)
    return value - half, value + half
