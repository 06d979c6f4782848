"""Several rooms: pooling by case, and the same people before and after."""

from __future__ import annotations

import dataclasses

import pytest

from server.game.ids import PlayerId, RoomCode
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.protocol.report_types import Estimate, Hidden
from server.report.across import (
    across,
    first_sight,
    pooled_cases,
    pseudonyms_by_name,
)
from server.report.report import CannotReport
from tests.support.cases import new_state
from tests.support.simulated_class import ClassModel, simulate


def room(code: str, model: ClassModel, seed: int = 1) -> RoomState:
    state = simulate(model, seed)
    state.code = RoomCode(code)
    return state


WEAK = ClassModel(learners=20, cases=8, d_prime=0.6)
STRONG = ClassModel(learners=20, cases=8, d_prime=2.2)
HARD = dataclasses.replace(WEAK, d_prime=2.0, strengths=(1, 1, 0, 1))


def test_cases_are_pooled_from_thirty_answers_on() -> None:
    one = pooled_cases([room("AAAAAA", HARD)])
    assert all(isinstance(case.difficulty, Hidden) for case in one)
    two = pooled_cases([room("AAAAAA", HARD), room("BBBBBB", HARD, 2)])
    assert {case.case for case in two[:2]} == {"case-2", "case-6"}
    for case in two:
        assert isinstance(case.difficulty, Estimate)
        assert isinstance(case.right, Estimate)
        assert (case.difficulty.n, case.right.n, case.rooms) == (40, 40, 2)


def test_before_and_after_are_matched_by_name() -> None:
    first, last = room("AAAAAA", WEAK), room("BBBBBB", STRONG, 2)
    for number in range(4):
        last.players[PlayerId(f"p{number}")].name = f"New {number}"
    last.players[PlayerId("p4")].name = "p  5"  # looks like another: neither counts
    found = across([first, last], match_names=True).before_after
    assert found is not None
    assert (found.matched, found.only_before, found.only_after) == (14, 6, 4)
    assert found.cases_in_both == 8
    assert isinstance(found.change, Estimate)
    assert found.change.low > 0
    assert found.gain is not None
    assert found.gain > 0.3


def test_few_matches_are_not_averaged() -> None:
    small = dataclasses.replace(WEAK, learners=6)
    found = across(
        [room("AAAAAA", small), room("BBBBBB", small, 2)], match_names=True
    ).before_after
    assert found is not None
    assert isinstance(found.change, Hidden)
    assert found.change.why.text == "needs 10 people, has 6"
    assert found.change.n == 6
    assert found.before is found.gain is None


def test_the_forgotten_are_not_matched() -> None:
    states = [room("AAAAAA", WEAK), room("BBBBBB", WEAK, 2)]
    for state in states:
        state.players[PlayerId("p0")].name = "erased"
    found = across(states, match_names=True).before_after
    assert found is not None
    assert found.matched == 19


def test_pseudonyms_by_name_hold_across_rooms() -> None:
    first, last = room("AAAAAA", WEAK), room("BBBBBB", WEAK, 2)
    name = pseudonyms_by_name(b"k" * 16)
    assert name(first, PlayerId("p1")) == name(last, PlayerId("p1"))
    assert name(first, PlayerId("p1")) != name(first, PlayerId("p2"))
    first.players[PlayerId("p2")].name = first.players[PlayerId("p3")].name
    assert name(first, PlayerId("p2")) != name(first, PlayerId("p3"))


def test_unlike_rooms_are_not_pooled() -> None:
    first = room("AAAAAA", WEAK)
    with pytest.raises(CannotReport, match="two or more"):
        across([first, first])
    with pytest.raises(CannotReport, match="Rehearsals"):
        across([first, new_state()])
    with pytest.raises(CannotReport, match="two links"):
        across([first, new_state(RoomSettings(two_link=True, simulated=True))])


def test_first_sight_counts_first_votes() -> None:
    state = room("AAAAAA", WEAK)
    found = first_sight([state, room("BBBBBB", WEAK, 2)])
    assert set(found) == {f"case-{i}" for i in range(8)}
    assert all(n == 40 for _, n in found.values())
