"""Rasch difficulty: the mode of the marginal posterior, and one scale for rooms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from server.report.items import difficulties


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_abilities_are_integrated_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(40, 1)) > rng.normal(size=4) + rng.logistic(size=(40, 4))
    learners = [dict(zip("abcd", map(bool, row), strict=True)) for row in matrix]
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)

    def loss(b: np.ndarray) -> float:
        p = 1 / (1 + np.exp(b - nodes[:, None]))
        per_learner = np.where(matrix[:, None, :], p, 1 - p).prod(axis=2) @ weights
        return float(-np.log(per_learner).sum() - stats.norm.logpdf(b).sum())

    expected = optimize.minimize(loss, np.zeros(4))
    found = difficulties(learners)
    assert [found[x].b for x in "abcd"] == pytest.approx(expected.x, abs=2e-3)
    step, errors = 1e-3, []
    for i in range(4):
        d = np.eye(4)[i] * step
        x = expected.x
        errors.append(step / np.sqrt(loss(x + d) - 2 * loss(x) + loss(x - d)))
    assert [found[x].error for x in "abcd"] == pytest.approx(errors, rel=0.02)


def test_rooms_with_a_case_in_common_are_on_one_scale() -> None:
    able = [{"link": True, "hard": i % 2 == 0} for i in range(40)]
    weak = [{"link": i % 4 == 0, "easy": i % 2 == 0} for i in range(40)]
    found = difficulties([*able, *weak])
    assert found["hard"].b > found["easy"].b
    assert (found["link"].n, found["hard"].n) == (80, 40)
    assert difficulties([]) == {}
