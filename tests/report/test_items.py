"""Discrimination and KR-20: the worked matrix, and agreement with scipy."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from server.report.items import (
    Discrimination,
    discrimination,
    fisher_interval,
    kr20,
    point_biserial,
)

MATRIX = [
    [mark == "1" for mark in row]
    for row in (
        "111110", "111101", "111010", "110100", "101010", "010100", "100000", "001001",
    )
]  # fmt: skip


def test_discrimination() -> None:
    found = [discrimination(MATRIX, item) for item in range(6)]
    assert found[1] is not None
    assert found[5] is not None
    assert found[1].r == pytest.approx(0.3464, abs=5e-5)
    assert found[5].r == pytest.approx(-0.1588, abs=5e-5)
    assert sum(row[1] for row in MATRIX) / 8 == 0.625


def test_kr20() -> None:
    assert kr20(MATRIX) == pytest.approx(0.3429, abs=5e-5)
    assert kr20([*MATRIX, [True, None, True, True, True, True]]) == kr20(MATRIX)
    assert kr20([[True, True]] * 5) is None
    assert kr20([[True]] * 5) is None
    assert kr20([]) is None


@pytest.mark.parametrize(
    ("r", "low", "high", "flagged"),
    [(-0.30, -0.656, 0.164, False), (-0.50, -0.772, -0.074, True)],
)
def test_the_key_is_to_be_checked(
    r: float, low: float, high: float, flagged: bool
) -> None:
    interval = fisher_interval(r, 20)
    assert interval == pytest.approx((low, high), abs=5e-4)
    assert Discrimination(r, *interval, n=20).asks_to_check is flagged
    assert not Discrimination(r, *interval, n=19).asks_to_check


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=3, max_size=60))
def test_the_point_biserial_agrees_with_scipy(pairs: list[tuple[bool, int]]) -> None:
    right, rest = zip(*pairs, strict=True)
    found = point_biserial(right, rest)
    assume(len(set(right)) > 1)
    assume(len(set(rest)) > 1)
    expected = stats.pointbiserialr(right, rest).statistic
    assert found == pytest.approx(expected, abs=1e-9)


def test_unknown_figures_are_left_out() -> None:
    assert point_biserial([True, True], [1, 2]) is None
    assert point_biserial([True, False], [1, 1]) is None
    assert discrimination([[True, None]] * 5, 0) is None
    assert fisher_interval(1.0, 20) == fisher_interval(0.5, 3) == (-1, 1)


def test_learners_who_saw_little_have_no_rest_score() -> None:
    seen_little = [True, True, None, None, None, None]
    assert discrimination([*MATRIX, seen_little], 1) == discrimination(MATRIX, 1)
