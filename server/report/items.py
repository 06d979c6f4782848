"""Item analysis of the cases: discrimination, consistency and difficulty.

Discrimination and consistency are computed from a table with one row per learner and
one column per case: True for right, False for wrong, None for a case that the learner
did not see.

Difficulties are on one scale, even when they are pooled over rooms with different
learners. We use the Rasch (1960) model, P(right) = 1/(1+exp(b-θ)), with ability θ and
difficulty b in logits. The estimate is the mode of the posterior under θ, b ~ N(0, 1).
The abilities are integrated out (Bock & Aitkin 1981; Mislevy 1986), so that the scale
is not distorted when there are only thirty learners with a few cases each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Matrix = Sequence[Sequence[bool | None]]

FEWEST_LEARNERS = 20
"""With fewer learners, discrimination and KR-20 are hidden."""

FEWEST_ITEMS = 8
"""With fewer cases, KR-20 is hidden."""

_FEWEST_OTHERS = 0.5
"""Share of the other cases that a learner must have answered to get a rest score."""


@dataclass(frozen=True, slots=True)
class Discrimination:
    """Whether learners who do well on the other cases also do well on this one.

    ``r`` is a correlation from -1 to 1, ``low`` to ``high`` is its 95% interval, and
    ``n`` is the number of learners.
    """

    r: float
    low: float
    high: float
    n: int

    @property
    def asks_to_check(self) -> bool:
        """Whether r is clearly below 0 for 20 or more learners: check the key."""
        return self.n >= FEWEST_LEARNERS and self.high < 0


def point_biserial(right: Sequence[bool], rest: Sequence[float]) -> float | None:
    """Return the point-biserial correlation r = (M1-M0)/s·√(pq), from -1 to 1.

    M1 and M0 are the mean rest scores of the learners who were right and wrong, ``s``
    is the population standard deviation of the rest score, p is the share of learners
    who were right, and q = 1-p (Lord & Novick 1968). Returns None if all are right, all
    are wrong, or all rest scores are equal.
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
    """Return the 95% interval of a correlation by Fisher's z (Fisher 1921).

    With fewer than 4 learners, or if r is -1 or 1, the interval is (-1, 1).
    """
    if n < 4 or abs(r) >= 1:
        return -1.0, 1.0
    z, half = math.atanh(r), 1.96 / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)


def discrimination(matrix: Matrix, item: int) -> Discrimination | None:
    """Return a case's point-biserial correlation with the rest score.

    The rest score is the share of right answers among the other cases that the learner
    answered, which must be at least half of them. If the table has no gaps, this is the
    usual rest score divided by a constant.
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

    It uses the population variance of the learners who answered every case (Kuder &
    Richardson 1937). Returns None if there are fewer than two cases, no such learners,
    or no differences between their scores.
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


FEWEST_ANSWERS = 30
"""With fewer answers, a case's difficulty is hidden."""

_STEP = 0.25
_EDGE = 5.0
_ROUNDS = 200
_CLOSE = 1e-7


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A case's difficulty in logits; at 0, the average learner has even odds."""

    b: float
    error: float
    """Posterior standard deviation (normal approximation at the mode)."""
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval from the answers alone, without the prior b ~ N(0, 1).

        It is centered one Newton step away from the mode of the posterior, toward the
        mode of the likelihood. An interval of the posterior would have the right
        coverage only if the difficulties were distributed like the prior.
        """
        information = max(1 / self.error**2 - 1, 1e-3)
        middle, half = self.b * (1 + 1 / information), 1.96 / math.sqrt(information)
        return middle - half, middle + half


def difficulties(learners: Sequence[Mapping[str, bool]]) -> dict[str, Difficulty]:
    """Return the difficulty of every case that has been answered.

    ``learners`` contains one mapping per learner, from case to whether the answer was
    right. Expectation and maximization steps alternate until no difficulty changes by
    more than 1e-7 logits. Errors are calculated from the marginal likelihood (Louis
    1982), for each case separately. Cases with few answers are included: hide those
    with fewer than 30.
    """
    items = sorted({item for answers in learners for item in answers})
    found = dict.fromkeys(items, 0.0)
    groups = _alike(learners)
    for _ in range(_ROUNDS):
        tables = _expect(groups, found)
        moved = {item: _mode(found[item], tables[item]) for item in items}
        change = max((abs(moved[item] - found[item]) for item in items), default=0)
        found = moved
        if change < _CLOSE:
            break
    tables, errors = _expect(groups, found), _errors(groups, found)
    return {
        item: Difficulty(found[item], errors[item], round(_n(tables[item])))
        for item in items
    }


_Table = list[tuple[float, float, float]]
"""(ability, right answers, all answers) at each node of the quadrature."""
_Groups = Mapping[tuple[tuple[str, bool], ...], int]


def _alike(learners: Sequence[Mapping[str, bool]]) -> _Groups:
    counts: dict[tuple[tuple[str, bool], ...], int] = {}
    for answers in learners:
        key = tuple(sorted(answers.items()))
        counts[key] = counts.get(key, 0) + 1
    return counts


def _nodes() -> list[tuple[float, float]]:
    """Return abilities and their weights: N(0, 1) on an even grid, normalized."""
    steps = round(_EDGE / _STEP)
    grid = [i * _STEP for i in range(-steps, steps + 1)]
    density = [math.exp(-x * x / 2) for x in grid]
    whole = math.fsum(density)
    return [(x, d / whole) for x, d in zip(grid, density, strict=True)]


def _p(ability: float, b: float) -> float:
    return 1 / (1 + math.exp(b - ability))


def _posterior(
    answers: Sequence[tuple[str, bool]],
    curves: Mapping[str, Sequence[float]],
    nodes: Sequence[tuple[float, float]],
) -> list[float]:
    weights = [weight for _, weight in nodes]
    for item, is_right in answers:
        curve = curves[item]
        weights = [
            w * (p if is_right else 1 - p) for w, p in zip(weights, curve, strict=True)
        ]
    whole = math.fsum(weights)
    return [w / whole for w in weights]


def _expect(groups: _Groups, found: Mapping[str, float]) -> dict[str, _Table]:
    """Return the expected number of right answers and all answers at each ability."""
    nodes = _nodes()
    curves = {item: [_p(x, b) for x, _ in nodes] for item, b in found.items()}
    right = {item: [0.0] * len(nodes) for item in found}
    seen = {item: [0.0] * len(nodes) for item in found}
    for answers, count in groups.items():
        posterior = _posterior(answers, curves, nodes)
        for item, is_right in answers:
            for i, weight in enumerate(posterior):
                seen[item][i] += count * weight
                right[item][i] += count * weight * is_right
    return {
        item: [(x, right[item][i], seen[item][i]) for i, (x, _) in enumerate(nodes)]
        for item in found
    }


def _errors(groups: _Groups, found: Mapping[str, float]) -> dict[str, float]:
    """Return posterior deviations, from the curvature of the marginal likelihood."""
    nodes = _nodes()
    curves = {item: [_p(x, b) for x, _ in nodes] for item, b in found.items()}
    information = dict.fromkeys(found, 1.0)
    for answers, count in groups.items():
        posterior = _posterior(answers, curves, nodes)
        for item, is_right in answers:
            slopes = [p - is_right for p in curves[item]]
            mean = math.fsum(w * s for w, s in zip(posterior, slopes, strict=True))
            square = math.fsum(
                w * (p * (1 - p) - s * s)
                for w, s, p in zip(posterior, slopes, curves[item], strict=True)
            )
            information[item] += count * (square + mean * mean)
    return {item: 1 / math.sqrt(max(value, 1.0)) for item, value in information.items()}


def _n(table: _Table) -> float:
    return math.fsum(n for _, _, n in table)


def _mode(b: float, table: _Table) -> float:
    """Return the mode of a difficulty's posterior, by Newton's method."""
    for _ in range(50):
        slope = math.fsum(n * _p(x, b) - right for x, right, n in table) - b
        step = slope / _information(b, table)
        b += max(-1.0, min(1.0, step))
        if abs(step) < 1e-12:
            break
    return b


def _information(b: float, table: _Table) -> float:
    return 1 + math.fsum(n * _p(x, b) * (1 - _p(x, b)) for x, _, n in table)
