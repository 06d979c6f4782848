"""Points: every worked number of the score rules."""

from dataclasses import replace

import pytest

from scenarios.model import Truth
from server.game.answers import LinkAnswer, LinksAnswer
from server.game.commands import CloseVotes, OpenRound, OpenVote, Reveal
from server.game.engine import replay
from server.game.events import VoteCast
from server.game.phases import Ballot, Phase
from server.game.scoring import (
    brier_points,
    chips,
    gap_points,
    links_points,
    round_score,
)
from server.game.settings import RoomSettings, ScoreMode
from server.game.views.stage import player_view, screen_view
from tests.support.cases import make_case
from tests.support.game import Game


@pytest.mark.parametrize(
    ("confidence", "right", "wrong"),
    [
        (50, 75, 75),
        (60, 84, 64),
        (70, 91, 51),
        (80, 96, 36),
        (90, 99, 19),
        (100, 100, 0),
    ],
)
def test_brier_points(confidence: int, right: int, wrong: int) -> None:
    assert brier_points(True, confidence) == right
    assert brier_points(False, confidence) == wrong


@pytest.mark.parametrize(("report", "expected"), [(60, 78), (70, 79), (80, 78)])
def test_brier_is_proper_at_belief_of_seven_tenths(
    report: int, expected: float
) -> None:
    mean = 0.7 * brier_points(True, report) + 0.3 * brier_points(False, report)
    assert mean == pytest.approx(expected)


@pytest.mark.parametrize(("level", "expected"), [(60, 0.75), (75, 1.0), (90, 0.75)])
def test_certainty_marks_at_belief_of_three_quarters(
    level: int, expected: float
) -> None:
    right = gap_points("certainty", is_right=True, confidence=level)
    wrong = gap_points("certainty", is_right=False, confidence=level)
    assert 0.75 * right + 0.25 * wrong == pytest.approx(expected)


def test_an_untouched_confidence_counts_as_the_lowest() -> None:
    assert gap_points("brier", is_right=False, confidence=None) == 75
    assert gap_points("certainty", is_right=True, confidence=None) == 1


def test_speed_halves_over_the_limit_and_pays_nothing_for_wrong() -> None:
    assert gap_points("speed", is_right=True, confidence=None, elapsed=0) == 100
    assert gap_points("speed", is_right=True, confidence=None, elapsed=1) == 50
    assert gap_points("speed", is_right=True, confidence=None, elapsed=9) == 50
    assert gap_points("speed", is_right=False, confidence=None, elapsed=0) == 0


def test_two_links_score_each_by_its_own_confidence() -> None:
    answer = LinksAnswer(LinkAnswer(True, 90), LinkAnswer(False, 60))
    assert links_points("brier", answer, Truth(outer=True, inner=True)) == 81.5


def test_two_links_by_accuracy_earn_half_each() -> None:
    answer = LinksAnswer(LinkAnswer(True, 90), LinkAnswer(False, 60))
    assert links_points("accuracy", answer, Truth(outer=True, inner=True)) == 50


@pytest.mark.parametrize(
    ("vote", "revote", "missed", "revoted", "expected"),
    [
        (96, 36, None, True, 66),
        (96, None, None, True, 96),  # carried: counts again
        (None, 96, 50, True, 73),  # missed the VOTE
        (None, None, 50, True, 50),
        (None, 96, None, True, 96),  # came after the VOTE
        (None, None, None, True, None),  # did not see the round
        (96, None, None, False, 96),
        (None, None, None, False, None),
    ],
)
def test_round_score(
    vote: float | None,
    revote: float | None,
    missed: float | None,
    revoted: bool,
    expected: float | None,
) -> None:
    assert round_score(vote, revote, missed=missed, revoted=revoted) == expected


def test_chips_say_what_they_win_and_risk() -> None:
    shown = [(chip.confidence, chip.right, chip.wrong) for chip in chips("brier")]
    assert shown[0] == (50, 75, 75)
    assert shown[-1] == (100, 100, 0)
    assert [chip.confidence for chip in chips("certainty")] == [60, 75, 90]


def test_a_contested_case_has_no_label() -> None:
    assert make_case("c", contested="both sides have a point").label is None


@pytest.mark.parametrize(
    "stamped_ms", [-(10**400), 10**400, 10**20], ids=["early", "late", "large"]
)
@pytest.mark.parametrize("mode", ["brier", "certainty", "speed"])
def test_a_journal_with_an_absurd_stamp_replays_and_is_scored(
    stamped_ms: int, mode: ScoreMode
) -> None:
    """Versions that took stamps of other sites as they came have journaled some."""
    game = Game(RoomSettings(score_mode=mode))
    (ann,) = game.join("Ann")
    game.do(OpenRound(), OpenVote())
    game.vote("Ann", "outer", 90 if mode == "certainty" else 80)
    game.do(CloseVotes(override=True), Reveal())
    absurd = [
        replace(event, at_ms=stamped_ms) if isinstance(event, VoteCast) else event
        for event in game.journal
    ]
    state = replay(absurd)
    assert state.phase is Phase.REVEAL
    for view in (player_view(state, 1), screen_view(state, 1)):
        assert view is not None
    assert state.vote_points(state.rounds[0], Ballot.VOTE, ann) is not None
