"""Intervals for figures pooled over learners, who answer more than once each.

Answers of one learner resemble each other, so whole learners are resampled or left
out, never single answers. A learner is a row of counts; a figure is a function of the
column sums.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from server.report.proportions import t_quantile

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
