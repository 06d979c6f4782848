"""The flow of a test: it scores what is handed in, and never says a verdict."""

from __future__ import annotations

import pytest

from scenarios.build import build_plan
from scenarios.model import Flow, PlannedRound, Truth
from server.game.advice import advised_command
from server.game.commands import (
    ChangeSettings,
    CloseVotes,
    Finish,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    SkipRound,
)
from server.game.engine import can
from server.game.errors import Refused
from server.game.outcomes import taken_up
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings, SettingsChange
from server.game.views.host import host_view
from server.game.views.player import private_view
from server.game.views.stage import player_view
from server.game.views.stage_types import FinishedView
from server.report.sample import revealed
from tests.support.game import Game
from tests.support.presses import LIBRARY, PEOPLE, Lesson, lesson


def other(planned: PlannedRound) -> PlannedRound:
    """Return a round with another verdict, and another text if one tells of it."""
    case = planned.case
    told = {key: f"other {key}" for key in type(case.breakdown).model_fields}
    return PlannedRound(
        case=case.model_copy(
            update={
                "truth": Truth(outer=case.truth.inner, inner=case.truth.outer),
                "breakdown": type(case.breakdown)(**told),
                "tempting": "other tempting",
            }
        )
    )


def test_a_test_tells_no_verdict_to_its_end() -> None:
    """Wall, phones and terminal are the same whatever the verdicts are."""
    deck = LIBRARY.deck("pre-test")
    assert deck.flow == "test"
    plan = build_plan(deck, LIBRARY, seed=1, length=None, two_link=False)
    twin = plan.model_copy(update={"rounds": tuple(map(other, plan.rounds))})
    settings = RoomSettings(podium=True, teams=("Red", "Blue"), auto_close=None)
    one, two = (Lesson(each, settings, "by number").play() for each in (plan, twin))
    assert one.seen == two.seen
    assert one.terminal.export_text() == two.terminal.export_text()
    assert one.names == two.names
    assert {"reveal", "ask_fix", "transfer", "discuss"}.isdisjoint(one.names)
    texts = "".join(one.seen)
    for planned in plan.rounds:
        for key, text in planned.case.breakdown:
            assert text not in texts, (planned.case.id, key)


def test_the_end_of_a_test_has_no_figure_that_a_verdict_is_in() -> None:
    state = lesson("pre-test", None).state
    view = player_view(state, 0)
    assert isinstance(view, FinishedView)
    assert view.room.is_test
    assert view.class_mean is None
    assert not view.reached_goal
    assert (view.rounds, view.podium, view.teams, view.cohorts) == ((), (), (), ())
    assert (view.cases, view.take_home) == ((), ())
    mine = private_view(state, PEOPLE[0], 0, set())
    assert (mine.points, mine.rounds, mine.mean, mine.score) == (0, 0, None, None)
    assert mine.card == ()
    assert mine.figures is not None
    assert mine.figures.judged == 0


def test_the_teacher_of_a_test_has_its_scores_and_its_figures() -> None:
    state = lesson("pre-test", None).state
    assert len(list(revealed(state))) == 10
    assert len(taken_up(state)) == 10
    view = host_view(state, 0)
    assert {line.rounds for line in view.standings} == {10}
    assert {item.status for item in view.plan} == {"handed in"}


def in_test(*, rounds: int = 2) -> Game:
    game = Game(RoomSettings(flow="test"), rounds=rounds)
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes())
    return game


def test_the_next_round_of_a_test_opens_from_a_closed_vote() -> None:
    game = in_test()
    assert advised_command(game.state) == "open_round"
    game.do(OpenRound())
    assert game.state.round_index == 1
    game.do(OpenVote(), CloseVotes())
    assert advised_command(game.state) == "finish"
    with pytest.raises(Refused, match="Every round has been played"):
        game.do(OpenRound())


@pytest.mark.parametrize("flow", ["quick", "full"])
def test_no_other_flow_leaves_a_closed_vote_behind(flow: Flow) -> None:
    game = Game(RoomSettings(flow=flow))
    game.join("ann")
    game.do(OpenRound(), OpenVote(), CloseVotes())
    assert not can(game.state, OpenRound())
    with pytest.raises(Refused, match="Reveal this case first"):
        game.do(OpenRound())


def test_a_vote_counts_in_a_test_until_its_end() -> None:
    """A vote that was stamped in time may come from another site after the close."""
    game = in_test()
    stamped_ms = game.now_ms
    game.do(OpenRound())
    game.vote(
        "bob", "outer", 90, ballot=Ballot.VOTE, round_index=0, stamped_ms=stamped_ms
    )
    game.do(Finish())
    assert set(game.state.rounds[0].scores) == {"p-ann", "p-bob"}
    assert not game.state.rounds[1].is_counted
    late = game.vote("bob", "inner", 90, round_index=0, ballot=Ballot.VOTE, client="d")
    assert [event.type for event in late] == ["vote_kept_late"]


def test_a_round_that_was_skipped_in_a_test_has_no_scores() -> None:
    game = in_test(rounds=1)
    game.do(SkipRound())
    assert game.state.phase is Phase.FINISHED
    assert not game.state.rounds[0].is_counted
    assert game.state.rounds[0].scores == {}


def test_skipping_the_last_round_of_a_test_still_scores_the_others() -> None:
    game = in_test(rounds=2)
    game.do(OpenRound(), SkipRound())
    assert game.state.phase is Phase.FINISHED
    assert [round_.is_counted for round_ in game.state.rounds] == [True, False]


def test_a_test_that_became_a_lesson_reveals_what_it_has_kept() -> None:
    game = in_test()
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "inner", 80)
    game.do(CloseVotes(), ChangeSettings(change=SettingsChange(flow="quick")))
    game.do(Reveal(), NextStep(all=True), OpenRound())
    assert (game.state.round_index, game.state.phase) == (0, Phase.VOTE_CLOSED)
    game.do(Reveal(), Finish())
    assert all(round_.is_revealed for round_ in game.state.rounds)
    assert [event.type for event in game.journal].count("round_counted") == 0
