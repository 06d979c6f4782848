"""Advice after VOTE: the chance-corrected thresholds, and Wilson's interval."""

import pytest

from scenarios.model import Label
from server.game.advice import advise
from server.game.answers import GapAnswer
from server.game.intervals import wilson
from server.game.scoring import Tally
from tests.support.cases import make_case


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(14, 20, 0.4810, 0.8545), (10, 12, 0.5520, 0.9530), (0, 10, 0, 0.2775)],
)
def test_wilson(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


def _tally(right: int, wrong: int, confidence: int | None) -> Tally:
    tally = Tally()
    for _ in range(right):
        tally.add(GapAnswer(Label.OUTER, confidence))
    for _ in range(wrong):
        tally.add(GapAnswer(Label.INNER, confidence))
    return tally


@pytest.mark.parametrize(
    ("right", "wrong", "confidence", "action"),
    [
        (2, 2, 80, "none"),
        (8, 12, 60, "contrast"),
        (10, 10, 60, "contrast"),
        (10, 10, 80, "discuss"),
        (14, 6, 60, "discuss"),
        (16, 4, 60, "discuss"),
        (18, 2, 80, "reveal"),
        (18, 2, 60, "discuss"),
    ],
)
def test_advice(right: int, wrong: int, confidence: int, action: str) -> None:
    tally = _tally(right, wrong, confidence)
    advice = advise(tally, make_case("a"), two_link=False, has_contrast=True)
    assert advice.action == action


def test_without_a_contrast_case_it_is_discussed() -> None:
    advice = advise(
        _tally(8, 12, 60), make_case("a"), two_link=False, has_contrast=False
    )
    assert advice.action == "discuss"


def test_contested_cases_are_always_discussed() -> None:
    case = make_case("a", contested="argued")
    advice = advise(_tally(19, 1, 90), case, two_link=False, has_contrast=True)
    assert advice.action == "discuss"
    few = advise(_tally(1, 1, 90), case, two_link=False, has_contrast=True)
    assert few.action == "discuss"
