"""Resampling learners: seeded, and equal to the formula if there is one."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from server.game.intervals import jackknife_interval
from server.report.figures import bootstrap_errors

ROWS = [(random.Random(i).gauss(0, 1), 1.0) for i in range(40)]
VALUES = [value for value, _ in ROWS]


def mean(sums: object) -> float | None:
    total, n = sums  # type: ignore[misc] # two columns
    return total / n if n else None


def test_the_jackknife_of_a_mean_is_students_interval() -> None:
    expected = stats.t.interval(
        0.95, len(VALUES) - 1, sum(VALUES) / len(VALUES), stats.sem(VALUES)
    )
    assert jackknife_interval(ROWS, mean) == pytest.approx(expected)


def test_the_bootstrap_of_a_mean_is_its_standard_error() -> None:
    (error,) = bootstrap_errors(ROWS, (mean,), seed=3)
    assert error == pytest.approx(stats.sem(VALUES), rel=0.08)
    assert bootstrap_errors(ROWS, (mean,), 3) == [error]
    assert bootstrap_errors(ROWS, (mean,), 4) != [error]


def test_unknown_figures_are_left_out() -> None:
    assert jackknife_interval(ROWS[:1], mean) is None
    assert jackknife_interval([(1, 1), (0, 0)], mean) is None
    assert bootstrap_errors([(0.0, 0.0)] * 3, (mean,), 1) == [None]
