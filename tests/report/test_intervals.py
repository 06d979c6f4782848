"""Wilson, Jeffreys, beta and t: the worked numbers, and agreement with scipy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from server.game.intervals import beta_cdf, beta_quantile, t_quantile, wilson
from server.report.figures import (
    above_half,
    clustered_proportion,
    difference_interval,
)

COUNTS = st.integers(1, 2000).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n))
)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(14, 20, 0.4810, 0.8545), (10, 12, 0.5520, 0.9530), (0, 10, 0, 0.2775)],
)
def test_wilson(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


def test_above_half() -> None:
    assert above_half(14, 20) == pytest.approx(0.9645, abs=5e-5)


@settings(deadline=None)
@given(COUNTS)
def test_wilson_agrees_with_statsmodels(counts: tuple[int, int]) -> None:
    expected = proportion_confint(
        *counts, alpha=2 * stats.norm.sf(1.96), method="wilson"
    )
    assert wilson(*counts) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(COUNTS)
def test_above_half_agrees_with_scipy(counts: tuple[int, int]) -> None:
    right, n = counts
    posterior = stats.beta(right + 0.5, n - right + 0.5)
    assert above_half(right, n) == pytest.approx(posterior.sf(0.5), abs=1e-9)


SHAPES = st.floats(0.5, 2000)


@settings(deadline=None)
@given(st.floats(0, 1), SHAPES, SHAPES)
def test_beta_agrees_with_scipy(x: float, a: float, b: float) -> None:
    """Near 1 the ways differ by the rest of ``1 - x`` in a float; so does scipy's."""
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-8)


@settings(deadline=None)
@given(st.floats(0.001, 0.999), SHAPES, SHAPES)
def test_beta_quantile_agrees_with_scipy(p: float, a: float, b: float) -> None:
    assert beta_quantile(p, a, b) == pytest.approx(stats.beta.ppf(p, a, b), abs=1e-6)


@settings(deadline=None)
@given(st.floats(0.51, 0.999), st.integers(1, 5000))
def test_t_agrees_with_scipy(p: float, df: int) -> None:
    assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-6)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_the_difference_agrees_with_statsmodels(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    expected = confint_proportions_2indep(
        *one, *other, method="newcomb", alpha=2 * stats.norm.sf(1.96)
    )
    found = difference_interval(
        one[0] / one[1], wilson(*one), other[0] / other[1], wilson(*other)
    )
    assert found == pytest.approx(expected, abs=1e-9)


def test_clusters_widen_where_answers_of_a_learner_are_alike() -> None:
    mixed = [(1, 2)] * 20
    alike = [(2, 2), (0, 2)] * 10
    narrow, wide = clustered_proportion(mixed), clustered_proportion(alike)
    assert wide[0] < narrow[0] < 0.5 < narrow[1] < wide[1]
    assert narrow == pytest.approx(wilson(20, 40), abs=0.015)  # t instead of z
    assert wide == pytest.approx(wilson(10, 20), abs=0.03)


def test_a_single_cluster_has_no_interval() -> None:
    assert clustered_proportion([(3, 4), (0, 0)]) == (0, 1)
    low, high = clustered_proportion([(2, 2)] * 10)
    assert 0.7 < low < high == 1
