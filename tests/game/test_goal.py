"""The goal of a class: what it depends on, and that it is fixed when a room opens."""

from __future__ import annotations

import pytest

from server.game.engine import open_room, replay
from server.game.goal import (
    FEWEST_KNOWN,
    MOST_SEEN,
    USUAL_CHANCE,
    FirstVotes,
    chance_of,
    first_votes,
    goal_of,
    goal_points,
    learned,
    par,
    shift,
    shift_of,
    shifted,
    together,
)
from server.game.phases import Ballot
from server.game.scoring import NEW_CLASS, Earlier, Seen
from server.game.settings import RoomSettings
from server.journal.codec import decode, encode
from server.rooms.loading import NewRoom
from tests.game.test_last_words import SAID, lesson
from tests.support.cases import make_plan, opened
from tests.support.game import Game

CHANCES = (0.55, 0.65, 0.70, 0.80, 0.90)
"""Computed independently with scipy: par 75.25 to 91, their mean 81.3."""

BEFORE = Earlier(30, 90, (Seen(0.7, 18, 30), Seen(0.6, 15, 30), Seen(0.8, 21, 30)))
"""An earlier lesson of 30 people, who were right less often than others."""


def test_par_is_what_honest_players_score() -> None:
    assert [round(par(p), 2) for p in CHANCES] == [75.25, 77.25, 79, 84, 91]
    assert par(0.3) == par(0.5) == 75


def test_the_goal_is_par_and_a_little_more() -> None:
    assert goal_points("brier", CHANCES, has_revote=True) == 83
    assert goal_points("brier", CHANCES, has_revote=False) == 82
    assert goal_points("accuracy", CHANCES, has_revote=True) == 74
    assert goal_points("certainty", CHANCES, has_revote=True) == 1.5
    assert goal_points("speed", CHANCES, has_revote=True) == 60
    assert goal_points("brier", (), has_revote=True) == 84


def test_the_next_goal_goes_by_the_lessons_before() -> None:
    by = shift_of(BEFORE)
    assert by == pytest.approx(-0.4366, abs=5e-5)
    chances = [shifted(p, by) for p in CHANCES]
    assert [round(p, 3) for p in chances] == [0.441, 0.545, 0.601, 0.721, 0.853]
    assert goal_points("brier", chances, has_revote=True) == 81
    assert shift([Seen(0.7, 300, 300)]) == 1
    assert shift([Seen(0.7, 0, 300)]) == -1


@pytest.mark.parametrize(("people", "votes"), [(9, 90), (10, 29)])
def test_a_class_of_which_little_is_known_has_the_goal_of_a_new_one(
    people: int, votes: int
) -> None:
    assert shift_of(Earlier(people, votes, BEFORE.seen)) == 0
    assert shift_of(NEW_CLASS) == 0


def test_from_30_votes_of_all_classes_a_question_has_its_own_chance() -> None:
    known = {"boat": (20, 30), "coin": (29, 29), "coin/outer": (0, 40)}
    assert chance_of("boat", known) == pytest.approx(20.5 / 31)  # Jeffreys
    assert chance_of("coin", known) == chance_of("unseen", known) == USUAL_CHANCE
    assert chance_of("coin/outer", known) == pytest.approx(0.5 / 41)


def goal_when_opened(
    settings: RoomSettings,
    earlier: Earlier = NEW_CLASS,
    known: FirstVotes | None = None,
) -> float:
    """Return the goal that a new room's journal begins with."""
    room = NewRoom(make_plan(3), settings, 7, "", "", earlier, known or {})
    events = room.events(opened().code, "00", 1)
    assert [decode(encode(event)) for event in events] == events
    state = replay(events)
    assert state.earlier == earlier
    return goal_of(state)


def test_the_goal_is_journaled_when_a_room_is_opened() -> None:
    assert goal_when_opened(RoomSettings()) == 81
    assert goal_when_opened(RoomSettings(flow="quick")) == 80
    assert goal_when_opened(RoomSettings(score_mode="accuracy")) == 72
    assert goal_when_opened(RoomSettings(class_goal=77.5)) == 77.5
    assert goal_when_opened(RoomSettings(), BEFORE) == 78  # par(.601) = 76.0


def test_hard_cases_lower_the_goal_and_easy_ones_raise_it() -> None:
    cases = [planned.case.id for planned in make_plan(3).rounds]
    hard = dict.fromkeys(cases, (FEWEST_KNOWN // 2, FEWEST_KNOWN))
    easy = dict.fromkeys(cases, (FEWEST_KNOWN, FEWEST_KNOWN))
    assert goal_when_opened(RoomSettings(), known=hard) == 77  # par(.5) = 75
    assert goal_when_opened(RoomSettings(), known=easy) == 100  # par(.984) = 98.4
    links = {f"{case}/{gap}": (30, 30) for case in cases for gap in ("outer", "inner")}
    assert goal_when_opened(RoomSettings(), known=links) == 81
    assert goal_when_opened(RoomSettings(two_link=True), known=links) == 100


def test_a_room_of_before_keeps_the_goal_of_its_mode() -> None:
    assert goal_of(open_room(opened())) == 84
    speed = opened(RoomSettings(score_mode="speed"))
    assert goal_of(open_room(speed)) == 60


def played(people: int = 30) -> Game:
    """Return a lesson that was played to its end: 204 of 300 first votes are right."""
    return lesson(SAID, people)


def test_the_first_votes_of_a_lesson_are_known_by_question() -> None:
    state = played().state
    votes = first_votes(state)
    assert list(votes) == [round_.case.id for round_ in state.rounds]
    assert sum(right for right, _ in votes.values()) == 204
    assert {n for _, n in votes.values()} == {30}
    two_link = RoomSettings(auto_close=False, time_factor=None, two_link=True)
    links = first_votes(lesson({90: (90, 150)}, settings=two_link).state)
    case = state.rounds[0].case.id
    assert list(links)[:2] == [f"{case}/outer", f"{case}/inner"]
    assert sum(right for right, _ in links.values()) == 180
    assert together([votes, votes])[case] == tuple(2 * n for n in votes[case])


def test_the_next_lesson_begins_with_what_all_before_it_showed() -> None:
    first = learned(played().state, {})
    assert (first.people, first.votes, len(first.seen)) == (30, 300, 10)
    assert 0.68 < shifted(USUAL_CHANCE, shift_of(first)) < 0.70
    game = played(20)
    game.state.earlier = first
    second = learned(game.state, {})
    assert (second.people, second.votes, len(second.seen)) == (30, 600, 25)
    game.state.earlier = Earlier(30, 9_000, BEFORE.seen * 100)
    assert len(learned(game.state, {}).seen) == MOST_SEEN


def test_what_all_classes_show_is_expected_of_the_class() -> None:
    state = played().state
    case = state.rounds[0].case.id
    known = {case: (50, 100)}
    expected = [one.chance for one in learned(state, known).seen]
    assert expected == [pytest.approx(50.5 / 101), *[USUAL_CHANCE] * 9]


def test_a_round_that_was_left_teaches_nothing() -> None:
    game = played()
    game.state.rounds[0].is_counted = False
    assert len(first_votes(game.state)) == 9
    del game.state.rounds[1].polls[Ballot.VOTE]
    assert len(first_votes(game.state)) == 8
