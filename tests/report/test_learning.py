"""Calibration: the worked bins, and Murphy's partition of the Brier score."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.report.learning import calibration, of_counts


def test_the_worked_bins() -> None:
    found = of_counts({60: (5, 10), 80: (7, 10), 90: (9, 10)})
    assert found.brier == pytest.approx(0.1900)
    assert found.reliability == pytest.approx(0.00667, abs=5e-6)
    assert found.resolution == pytest.approx(0.02667, abs=5e-6)
    assert found.uncertainty == pytest.approx(0.2100)
    assert found.ece == pytest.approx(0.0667, abs=5e-5)
    assert found.bias == pytest.approx(0.0667, abs=5e-5)
    assert found.skill == pytest.approx(0.24)


ANSWERS = st.lists(
    st.tuples(st.sampled_from((50, 60, 70, 80, 90, 100)), st.booleans()), min_size=1
)


@settings(deadline=None)
@given(ANSWERS)
def test_murphys_partition_adds_up(answers: list[tuple[int, bool]]) -> None:
    found = calibration(answers)
    assert found is not None
    parts = found.reliability - found.resolution + found.uncertainty
    assert found.brier == pytest.approx(parts, abs=1e-12)
    direct = sum((right - sure / 100) ** 2 for sure, right in answers) / len(answers)
    assert found.brier == pytest.approx(direct, abs=1e-12)
    assert found.n == len(answers)
    assert abs(found.bias) <= found.ece + 1e-12


def test_without_answers_there_is_no_calibration() -> None:
    assert calibration([]) is None
