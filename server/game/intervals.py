"""Intervals: Wilson's for a proportion, and the jackknife's for pooled figures.

This module also has the quantiles of beta and Student's t, which the standard library
lacks; they are tested against SciPy. It defines the types of figures that are shown
with an interval: those of sites and teams, side by side, each with its own n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

_TINY = 1e-300
_TERMS = 10_000


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (0-1) (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return P(X <= x) for X ~ Beta(a, b), a and b above 0.

    This is the regularized incomplete beta function, computed as a continued fraction
    by Lentz's method (Press et al., Numerical Recipes, 6.4).
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    log_front = (
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with P(X <= x) = p for X ~ Beta(a, b), by bisection."""
    return bisect(lambda x: beta_cdf(x, a, b) - p, 0.0, 1.0)


def bisect(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a rising function crosses 0, to the precision of a float."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_quantile(p: float, df: float) -> float:
    """Return the quantile of Student's t for p >= .5 and df > 0."""
    x = beta_quantile(2 * (1 - p), df / 2, 0.5)
    return math.sqrt(df * (1 - x) / x) if x > 0 else math.inf


# --- pooled over people --------------------------------------------------------------

Row = Sequence[float]
"""The counts of one person. A figure is a function of the column sums."""
Combine = Callable[[Sequence[float]], float | None]


def totals(rows: Sequence[Row]) -> list[float]:
    """Return the column sums."""
    return [sum(column) for column in zip(*rows, strict=True)]


def jackknife_interval(
    rows: Sequence[Row], figure: Combine
) -> tuple[float, float] | None:
    """Return the 95% interval of a figure, leaving out one learner at a time.

    Student's t with (learners - 1) degrees of freedom around the figure itself (Tukey
    1958). None with fewer than two learners, or if the figure is undefined without
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


# --- groups side by side -------------------------------------------------------------

WhyHidden = Literal["few", "cover"]
"""``few``: fewer people than may be shown. ``cover``: left out so that a smaller group
cannot be worked out from the figures of the whole class."""


@dataclass(frozen=True, slots=True)
class Portion:
    """How many people of a group chose something, with Wilson's 95% interval."""

    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Portions:
    """How one site answered: its number of people, and each option's share."""

    n: int
    options: dict[str, Portion]


@dataclass(frozen=True, slots=True)
class Cohort:
    """How one site voted, or why this is hidden."""

    name: str
    n: int
    before: Portions | None
    after: Portions | None
    """Includes carried votes; also None if there was no second vote."""
    hidden: WhyHidden | None


@dataclass(frozen=True, slots=True)
class GroupMean:
    """The mean of a group's people (each the mean of their round scores).

    ``low`` and ``high`` are Student's 95% interval; None with fewer than two people.
    """

    name: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    hidden: WhyHidden | None
