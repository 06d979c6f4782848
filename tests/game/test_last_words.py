"""What a class reads at the end of a lesson: facts, and never a verdict."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from scenarios.model import Label
from server.game.advice import best_chip
from server.game.commands import (
    AskFix,
    CloseVotes,
    Finish,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Transfer,
)
from server.game.engine import open_room
from server.game.phases import LAST_STEP, Ballot
from server.game.settings import RoomSettings
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import FinishedView
from server.report.report import build_report
from tests.support.cases import opened
from tests.support.game import Game, fix, links

BY_HAND = RoomSettings(auto_close=False, time_factor=None)
I18N = Path(__file__).parents[2] / "client" / "web" / "src" / "i18n"

# --- a lesson ------------------------------------------------------------------------

SAID = {
    100: (31, 40),
    90: (42, 60),
    80: (56, 80),
    70: (40, 60),
    60: (24, 40),
    50: (11, 20),
}
"""Right and n at each confidence: 204 of 300, mean 76.8, mean confidence .78."""


def lesson(
    said: dict[int, tuple[int, int]],
    people: int = 30,
    *,
    twins: int = 0,
    settings: RoomSettings = BY_HAND,
    goal: float | None = 81,
) -> Game:
    """Play a lesson in which these answers are given, spread over all people.

    Of the first case, ``twins`` people also answer the twin.
    """
    answers = [
        (sure, number < right)
        for sure, (right, n) in said.items()
        for number in range(n)
    ]
    answers = [answers[i * 7 % len(answers)] for i in range(len(answers))]
    rounds, left = divmod(len(answers), people)
    assert not left
    game = Game(settings, rounds)
    game.state = open_room(replace(opened(settings, rounds), goal=goal))
    names = [f"n{number}" for number in range(people)]
    game.join(*names)
    for index in range(rounds):
        game.do(OpenRound(), OpenVote())
        for name in names:
            sure, is_right = answers.pop()
            truth = game.state.round.case.truth
            if settings.two_link:
                outer, inner = truth.outer is is_right, truth.inner is is_right
                game.vote(name, links(outer, inner, sure, sure))
            else:
                label = Label.OUTER if truth.outer is is_right else Label.INNER
                has_chips = settings.confidence
                game.vote(name, label.value, sure if has_chips else None)
        game.do(CloseVotes(override=True), Reveal())
        if not index and twins:
            game.do(*[NextStep()] * LAST_STEP, AskFix())
            game.vote("n0", fix(1))
            game.do(CloseVotes(override=True), Transfer())
            for number, name in enumerate(names[:twins]):
                case = game.state.round.case_of(Ballot.TRANSFER)
                right, wrong = (
                    ("outer", "inner") if case.truth.outer else ("inner", "outer")
                )
                game.vote(name, right if number % 5 else wrong, 80)
            game.do(CloseVotes(override=True))
    game.do(Finish())
    return game


def told(game: Game) -> list[str]:
    """Return the last words, in English; the wall and the phones say the same."""
    view = player_view(game.state, game.now_ms)
    wall = screen_view(game.state, game.now_ms)
    assert isinstance(view, FinishedView)
    assert isinstance(wall, FinishedView)
    assert view.last_words == wall.last_words
    return [one.text for one in view.last_words]


def test_a_class_that_was_too_sure_hears_what_one_confidence_was_worth() -> None:
    game = lesson(SAID)
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, FinishedView)
    assert view.class_mean == 76.8
    assert view.room.goal == 81
    assert not view.reached_goal
    assert told(game)[:2] == [
        "You were right 68% of the time and said 78%.",
        "Saying 70% throughout would have scored 78.2.",
    ]


def test_the_best_confidence_is_the_one_nearest_to_the_share_right() -> None:
    chip, worth = best_chip(0.68)
    assert (chip, round(worth, 2)) == (70, 78.2)


def test_a_class_about_as_sure_as_right_hears_of_its_dearest_case() -> None:
    said = told(lesson({70: (105, 150), 60: (90, 150)}))
    assert said[0] == "You were about as sure as you were right."
    assert re.fullmatch(r"The case that cost most: “Title case-\d”\.", said[1])


def test_a_class_that_knew_more_than_it_said_hears_that() -> None:
    said = told(lesson({50: (120, 150), 60: (130, 150)}))
    assert said[0] == "You knew more than you said."
    assert "cost most" not in " ".join(said)


def test_at_its_goal_a_class_hears_only_what_comes_next() -> None:
    game = lesson({100: (290, 300)})
    assert [text.split(":")[0] for text in told(game)] == ["To take up next"]


def test_a_class_that_was_right_throughout_hears_nothing_more() -> None:
    assert told(lesson({100: (300, 300)})) == []


def test_a_test_ends_without_last_words() -> None:
    of_a_test = RoomSettings(auto_close=False, time_factor=None, flow="test")
    assert told(lesson(SAID, settings=of_a_test)) == []


def test_the_twin_is_there_from_ten_pairs() -> None:
    said = " ".join(told(lesson(SAID, twins=10)))
    assert re.search(r"First vote: \d+ of 10 right\. Twin: 8 of 10\.", said)
    assert "Twin" not in " ".join(told(lesson(SAID, twins=9)))
    assert "Twin: 24 of 30." in " ".join(told(lesson({100: (290, 300)}, twins=30)))


def test_of_a_few_people_no_confidence_is_there() -> None:
    few = {100: (8, 16)}
    assert [text.split(":")[0] for text in told(lesson(few, 4))] == ["To take up next"]
    more = {100: (10, 20)}
    assert told(lesson(more, 5))[0] == "You were right 50% of the time and said 100%."


def test_without_confidences_the_dearest_case_is_there() -> None:
    settings = RoomSettings(
        auto_close=False, time_factor=None, confidence=False, score_mode="accuracy"
    )
    said = told(lesson({50: (90, 150)}, settings=settings))
    assert said[0].startswith("The case that cost most: ")


def test_each_of_two_links_counts() -> None:
    settings = RoomSettings(auto_close=False, time_factor=None, two_link=True)
    said = told(lesson({90: (90, 150)}, settings=settings))
    assert said[0] == "You were right 60% of the time and said 90%."
    assert said[1] == "Saying 60% throughout would have scored 76."


def test_the_goal_of_the_report_is_that_of_the_wall() -> None:
    assert build_report(lesson(SAID).state).goal == 81


BANNED = (
    "not reached", "failed", "great", "well done", "nicht erreicht", "verfehlt",
    "gescheitert", "super", "toll", "gut gemacht",
)  # fmt: skip


def test_no_language_praises_or_blames() -> None:
    for path in sorted(I18N.glob("??.late.ts")):
        text = path.read_text(encoding="utf-8")
        lines = re.findall(
            r"^    (?:last_\w+|setOut|gotThere):.*(?:\n      .*)*", text, re.M
        )
        assert lines, path.name
        for word in BANNED:
            assert not re.search(rf"\b{word}\b", "\n".join(lines).lower()), word
    for said in (
        SAID,
        {70: (105, 150), 60: (90, 150)},
        {50: (120, 150), 60: (130, 150)},
    ):
        words = " ".join(told(lesson(said, twins=30))).lower()
        assert not [word for word in BANNED if word in words]
