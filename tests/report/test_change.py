"""Transitions, gains, McNemar and herding: the worked numbers, and statsmodels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference

from server.report.figures import Switching, Transitions, mcnemar, normalized_gain


def test_transitions() -> None:
    moved = Transitions(rr=10, wr=8, rw=2, ww=4)
    assert moved.n == 24
    assert (moved.before, moved.after, moved.gain) == (0.5, 0.75, 0.5)
    assert moved.right_turn == pytest.approx(0.6667, abs=5e-5)
    assert moved.loss == pytest.approx(0.1667, abs=5e-5)


def test_unknown_transitions_have_no_rates() -> None:
    empty = Transitions()
    assert empty.before is empty.after is empty.gain is None
    assert empty.right_turn is empty.loss is None
    assert Transitions(rr=3, rw=1).gain is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_each_person_is_in_one_cell(people: list[tuple[bool, bool]]) -> None:
    moved = Transitions()
    for before, after in people:
        moved = moved.plus(before, after)
    assert moved.n == len(people)
    assert moved.before == sum(b for b, _ in people) / len(people)
    assert moved.after == sum(a for _, a in people) / len(people)


def test_normalized_gain() -> None:
    assert normalized_gain(0.45, 0.78) == pytest.approx(0.60)
    assert normalized_gain(0.80, 0.60) == pytest.approx(-0.25)
    assert normalized_gain(1, 1) is None
    assert normalized_gain(1, 0.5) is None


@pytest.mark.parametrize(
    ("b", "c", "exact", "mid_p"),
    [
        (7, 1, 0.0703, 0.0391),
        (8, 2, 0.1094, 0.0654),
        (6, 0, 0.03125, 0.015625),
        (5, 5, 1, 0.8770),
    ],
)
def test_mcnemar(b: int, c: int, exact: float, mid_p: float) -> None:
    found = mcnemar(b, c)
    assert (found.exact, found.mid_p) == pytest.approx((exact, mid_p), abs=5e-5)
    assert mcnemar(c, b) == found


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    found = mcnemar(b, c)
    assert found.exact == pytest.approx(reference([[0, b], [c, 0]]).pvalue, abs=1e-9)
    pmf = stats.binom.pmf(b, b + c, 0.5)
    expected = 1 - pmf / 2 if b == c else found.exact - pmf
    assert found.mid_p == pytest.approx(expected, abs=1e-9)


def test_herding() -> None:
    switching = Switching(6, 10, 2, 14)
    assert switching.herding == pytest.approx(0.4571, abs=5e-5)
    assert Switching(0, 0, 2, 14).herding is None
    assert Switching().plus(True, True).plus(False, False).herding == 1
    assert Switching(1, 2, 3, 4).and_also(Switching(1, 1, 1, 1)) == Switching(
        2, 3, 4, 5
    )
