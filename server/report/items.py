"""How each case behaves as a question, and how alike the questions are.

Works on a table of learners by cases: True for right, False for wrong, None for a
case that a learner did not see.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Matrix = Sequence[Sequence[bool | None]]

FEWEST_LEARNERS = 20
"""Discrimination and KR-20 are hidden below."""

FEWEST_ITEMS = 8
"""KR-20 is hidden below."""

_FEWEST_OTHERS = 0.5
"""Share of the other cases that a learner must have answered to have a rest score."""


@dataclass(frozen=True, slots=True)
class Discrimination:
    """Whether those who do well elsewhere do well on this case. r from -1 to 1."""

    r: float
    low: float
    high: float
    n: int

    @property
    def asks_to_check(self) -> bool:
        """Whether the key should be checked: clearly below 0, from 20 learners on."""
        return self.n >= FEWEST_LEARNERS and self.high < 0


def point_biserial(right: Sequence[bool], rest: Sequence[float]) -> float | None:
    """Return r = (M1-M0)/s·√(pq), M the mean rest score of those right and wrong.

    ``s`` is the population standard deviation of the rest score (Lord & Novick 1968).
    -1 to 1; None where all are right, all are wrong, or all rest scores are equal.
    """
    n = len(right)
    ones = [score for is_right, score in zip(right, rest, strict=True) if is_right]
    if not 0 < len(ones) < n:
        return None
    mean = math.fsum(rest) / n
    variance = math.fsum((score - mean) ** 2 for score in rest) / n
    if variance < 1e-12:
        return None
    p = len(ones) / n
    mean_1 = math.fsum(ones) / len(ones)
    mean_0 = (math.fsum(rest) - math.fsum(ones)) / (n - len(ones))
    return (mean_1 - mean_0) / math.sqrt(variance) * math.sqrt(p * (1 - p))


def fisher_interval(r: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a correlation by Fisher's z (Fisher 1921).

    From 4 learners on; (-1, 1) below.
    """
    if n < 4 or abs(r) >= 1:
        return -1.0, 1.0
    z, half = math.atanh(r), 1.96 / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)


def discrimination(matrix: Matrix, item: int) -> Discrimination | None:
    """Return a case's point-biserial correlation with the rest score.

    The rest score is the share right of the other cases answered, at least half of
    them; with no gaps in the table that is the usual rest score, divided by a number.
    """
    right: list[bool] = []
    rest: list[float] = []
    for row in matrix:
        mine = row[item]
        others = [x for i, x in enumerate(row) if i != item and x is not None]
        needed = max(1, math.ceil(_FEWEST_OTHERS * (len(row) - 1)))
        if mine is not None and len(others) >= needed:
            right.append(mine)
            rest.append(sum(others) / len(others))
    r = point_biserial(right, rest) if right else None
    if r is None:
        return None
    low, high = fisher_interval(r, len(right))
    return Discrimination(r, low, high, len(right))


def kr20(matrix: Matrix) -> float | None:
    """Return KR-20, the internal consistency of a test, at most 1.

    Kuder & Richardson (1937), population variance, over the learners who answered
    every case. None with fewer than two cases, nobody complete, or no spread at all.
    """
    rows = [[x for x in row if x is not None] for row in matrix]
    rows = [
        row for row, whole in zip(rows, matrix, strict=True) if len(row) == len(whole)
    ]
    if not rows or len(rows[0]) < 2:
        return None
    n, k = len(rows), len(rows[0])
    scores = [sum(row) for row in rows]
    mean = sum(scores) / n
    variance = math.fsum((score - mean) ** 2 for score in scores) / n
    if not variance:
        return None
    shares = [sum(row[i] for row in rows) / n for i in range(k)]
    noise = math.fsum(p * (1 - p) for p in shares)
    return k / (k - 1) * (1 - noise / variance)
