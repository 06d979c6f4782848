"""Signal detection: the worked numbers, the words, and the class's intervals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from server.report.detection import (
    Detection,
    class_detection,
    told,
)


@pytest.mark.parametrize(
    ("hits", "false_alarms", "d_prime", "criterion"),
    [
        (8, 5, 0.7479, -0.3739),
        (10, 0, 3.3812, 0),
        (10, 10, 0, -1.6906),
        (9, 8, 0.3489, -0.9223),
        (9, 2, 1.8447, -0.1745),
    ],
)
def test_d_prime_and_criterion(
    hits: int, false_alarms: int, d_prime: float, criterion: float
) -> None:
    found = Detection(hits, 10, false_alarms, 10)
    assert found.d_prime == pytest.approx(d_prime, abs=5e-5)
    assert found.criterion == pytest.approx(criterion, abs=5e-5)


def test_rates_and_errors() -> None:
    found = Detection(8, 10, 5, 10)
    assert found.hit_rate == pytest.approx(0.7727, abs=5e-5)
    assert found.false_alarm_rate == 0.5
    assert found.d_error == pytest.approx(0.5917, abs=5e-5)
    assert found.c_error == pytest.approx(0.5917 / 2, abs=5e-5)


N = st.integers(1, 500)
TABLES = st.tuples(N, N).flatmap(
    lambda n: st.builds(
        Detection,
        st.integers(0, n[0]),
        st.just(n[0]),
        st.integers(0, n[1]),
        st.just(n[1]),
    )
)


@settings(deadline=None)
@given(TABLES)
def test_it_agrees_with_scipy(table: Detection) -> None:
    z_hit = stats.norm.ppf(table.hit_rate)
    z_false = stats.norm.ppf(table.false_alarm_rate)
    assert table.d_prime == pytest.approx(z_hit - z_false, abs=1e-9)
    assert table.criterion == pytest.approx(-(z_hit + z_false) / 2, abs=1e-9)


@settings(deadline=None)
@given(TABLES)
def test_calling_signals_noise_turns_both_round(table: Detection) -> None:
    mirrored = Detection(
        table.noises - table.false_alarms,
        table.noises,
        table.signals - table.hits,
        table.signals,
    )
    assert mirrored.d_prime == pytest.approx(table.d_prime, abs=1e-9)
    assert mirrored.criterion == pytest.approx(-table.criterion, abs=1e-9)


@pytest.mark.parametrize(
    ("d_interval", "c_interval", "said"),
    [
        ((-2, -0.1), (-0.2, 0.2), "swapping the two"),
        ((-0.5, 0.5), (-0.2, 0.2), "not yet telling them apart"),
        ((0.9, 2), (-0.2, 0.2), "telling them apart well"),
        ((0.1, 0.9), (-0.2, 0.2), "beginning to tell them apart"),
        ((-0.5, 0.5), (-1.2, -0.9), "not yet telling them apart, leaning outer"),
        ((0.9, 2), (0.2, 0.8), "telling them apart well, leaning inner"),
        ((0.9, 2), (0.1, 0.3), "telling them apart well"),
    ],
)
def test_words(
    d_interval: tuple[float, float], c_interval: tuple[float, float], said: str
) -> None:
    d, c = sum(d_interval) / 2, sum(c_interval) / 2
    rates = stats.norm.cdf(d / 2 - c), stats.norm.cdf(-d / 2 - c)
    table = Detection(round(1e6 * rates[0]), 10**6, round(1e6 * rates[1]), 10**6)
    assert told(table, d_interval, c_interval).text == said


def test_a_class_is_pooled_and_its_interval_comes_from_the_seed() -> None:
    learners = [Detection(3, 4, 1, 4), Detection(4, 4, 2, 4), Detection(2, 4, 0, 4)] * 5
    found = class_detection(learners, seed=1)
    assert found is not None
    assert found.table == Detection(45, 60, 15, 60)
    assert found == class_detection(learners, seed=1)
    assert found != class_detection(learners, seed=2)
    low, high = found.d_interval
    assert low < found.table.d_prime < high
    assert found.told("outer against inner").text == "telling them apart well"


def test_learners_who_differ_make_the_interval_wider() -> None:
    alike = class_detection([Detection(4, 8, 2, 8)] * 20, 1)
    differ = class_detection([Detection(8, 8, 4, 8), Detection(0, 8, 0, 8)] * 10, 1)
    assert alike is not None
    assert differ is not None
    assert alike.table == differ.table
    assert differ.d_interval[1] > alike.d_interval[1]


def test_small_or_one_sided_classes_have_no_d_prime() -> None:
    assert class_detection([Detection(3, 4, 1, 4)] * 9, 1) is None
    assert class_detection([Detection(3, 4, 0, 0)] * 30, 1) is None
    assert class_detection([Detection(0, 0, 0, 0)] * 30, 1) is None


def test_a_class_that_is_all_right_still_has_an_interval() -> None:
    found = class_detection([Detection(4, 4, 0, 4)] * 12, 1)
    assert found is not None
    assert found.d_interval[1] - found.d_interval[0] > 1
