"""Figures of a round and of a game: what counts, and how it is rounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios.model import Label
from server.game.answers import GapAnswer
from server.game.commands import (
    AskFix,
    ChooseTeam,
    CloseVotes,
    Discuss,
    Finish,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
    Transfer,
)
from server.game.engine import open_room, replay
from server.game.ids import PlayerId
from server.game.outcomes import mean_score, percent, scored, teams_of, tenth
from server.game.settings import RoomSettings
from server.game.views.host import host_panel
from server.game.views.player import private_view
from server.game.views.role_types import LinkShare, Measures
from server.game.views.stage import player_view
from server.game.views.stage_types import FinishedView, RevealView
from tests.support.cases import make_case, opened
from tests.support.game import Game, fix, links


def test_every_share_of_up_to_600_people_is_rounded_as_whole_numbers_say() -> None:
    """As in parts/percent.test.ts: halves up, as no division of floats alone does."""
    wrong = [
        (k, n)
        for n in range(1, 601)
        for k in range(n + 1)
        if percent(k / n) != (200 * k + n) // (2 * n)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (76.25, 76.3),
        (76.35, 76.4),
        (76.249, 76.2),
        (-1.25, -1.3),
        (14.549999999999999, 14.6),
        (0, 0),
        (99, 99),
    ],
)
def test_points_have_one_decimal_rounded_as_the_pages_do(
    value: float, shown: float
) -> None:
    assert tenth(value) == shown


def twice() -> Game:
    """Two votes: three of four right at first, then four answer, two of them new."""
    game = Game()
    game.join("ann", "bob", "cy", "dan")
    game.do(OpenRound(), OpenVote())
    for name in ("ann", "bob", "cy"):
        game.vote(name, "outer", 90)
    game.vote("dan", "inner", 90)
    game.do(CloseVotes(), Discuss())
    game.join("eve", "flo")
    game.do(Revote())
    game.vote("eve", "inner", 90)
    game.vote("flo", "inner", 90)
    game.vote("dan", "outer", 60)
    game.vote("ann", "outer", 100)
    game.do(CloseVotes())
    return game


def measures(game: Game) -> Measures:
    found = host_panel(game.state, game.now_ms, game.present).measures
    assert found is not None
    return found


def test_a_share_after_discussion_is_one_of_those_who_are_counted_in_it() -> None:
    game = twice()
    game.do(Reveal(), Finish())
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, FinishedView)
    (one,) = view.rounds
    assert (one.right_before, one.n) == (3, 4)
    assert (one.right_after, one.n_after) == (4, 6)


def test_the_panel_counts_carried_votes_as_the_wall_does_and_says_so() -> None:
    game = twice()
    closed = measures(game)
    game.do(Reveal())
    wall = player_view(game.state, game.now_ms)
    assert isinstance(wall, RevealView)
    assert wall.after is not None
    for found in (closed, measures(game)):
        assert (found.right, found.n, found.carried) == (4, 6, 2)
        assert found.bars == wall.after
    assert wall.carried == 2


def test_of_two_links_the_panel_says_how_many_are_right_about_both() -> None:
    game = Game(RoomSettings(two_link=True))
    game.join("ann", "bob", "cy", "dan", "eve")
    game.do(OpenRound(), OpenVote())
    for name in ("ann", "bob", "cy"):
        game.vote(name, links(outer=True, inner=False))
    game.vote("dan", links(outer=True, inner=True))
    game.vote("eve", links(outer=False, inner=True))
    game.do(CloseVotes())
    found = measures(game)
    assert (found.right, found.n) == (3, 5)
    assert found.right == found.bars.options["outer"]
    assert found.weaker == LinkShare("inner", 3)
    panel = host_panel(game.state, game.now_ms, game.present)
    assert panel.advice is not None
    assert "60% are right about the inner link" in panel.advice.reason.text


def test_of_a_contested_case_no_surface_says_who_was_right_but_of_the_repair() -> None:
    first = opened()
    planned = first.plan.rounds[0]
    argued = make_case("case-0", contested="both sides")
    rounds = (planned.model_copy(update={"case": argued}), *first.plan.rounds[1:])
    game = Game()
    game.state = open_room(
        replace(first, plan=first.plan.model_copy(update={"rounds": rounds}))
    )
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 90)
    game.do(CloseVotes())
    assert measures(game).right is None
    game.do(Reveal(), NextStep(all=True), AskFix())
    game.vote("ann", fix(1))
    game.do(CloseVotes())
    assert measures(game).right is not None
    mine = private_view(game.state, PlayerId("p-ann"), game.now_ms, game.present)
    assert [vote.is_right is None for vote in mine.votes] == [True, False]
    game.do(Finish())
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, FinishedView)
    assert view.rounds[0].right_before is None


def test_a_vote_on_the_twin_earns_no_points_and_says_so() -> None:
    game = Game()
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 90)
    game.do(CloseVotes(), Reveal(), NextStep(all=True), Transfer())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes())
    mine = private_view(game.state, PlayerId("p-ann"), game.now_ms, game.present)
    assert [(vote.is_right, vote.points) for vote in mine.votes] == [
        (True, 99),
        (True, None),
    ]


def test_each_player_counts_once_in_the_mean_of_the_class() -> None:
    game = Game()
    game.join("ann", "bob")
    for names in (("ann", "bob"), ("ann",), ("ann",)):
        game.present = {PlayerId(f"p-{name}") for name in names}
        game.do(OpenRound(), OpenVote())
        right = Label.OUTER if game.state.round.case.truth.outer else Label.INNER
        for name in names:
            game.vote(name, GapAnswer(right, 100 if name == "ann" else 50))
        game.do(CloseVotes(), Reveal())
    assert mean_score(scored(game.state)) == (100 + 75) / 2


def card(*votes: tuple[str, int]) -> Game:
    """A finished game of one player, who says this of rounds outer, inner, outer, …"""
    game = Game(rounds=len(votes))
    game.join("ann")
    for label, confidence in votes:
        game.do(OpenRound(), OpenVote())
        game.vote("ann", label, confidence)
        game.do(CloseVotes(), Reveal())
    game.do(Finish())
    return game


def test_a_card_names_what_was_missed_though_sure_and_which_way_misses_go() -> None:
    game = card(("inner", 80), ("inner", 90), ("inner", 70), ("outer", 50))
    mine = private_view(game.state, PlayerId("p-ann"), game.now_ms, game.present)
    assert mine.figures is not None
    assert (mine.figures.judged, mine.figures.right) == (4, 1)
    assert mine.figures.sure_and_wrong == (0,)
    assert mine.figures.lean == "none"
    assert (mine.figures.said, mine.figures.share) == (0.725, 0.25)
    assert mine.figures.bias == "over"
    one = card(("inner", 80))
    mine = private_view(one.state, PlayerId("p-ann"), one.now_ms, one.present)
    assert mine.figures is not None
    assert (mine.figures.lean, mine.figures.bias) == ("few", None)


def test_a_score_counts_for_the_team_in_which_the_player_answered() -> None:
    game = Game(RoomSettings(teams=("red", "blue"), min_cell=1))
    game.join("ann", "bob")
    ann, bob = PlayerId("p-ann"), PlayerId("p-bob")
    game.do(ChooseTeam(ann, "red"), ChooseTeam(bob, "blue"))
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 100)
    game.vote("bob", "inner", 100)
    game.do(CloseVotes(), ChooseTeam(bob, "red"), Reveal())
    right = {team: [m.mean for m in who] for team, who in teams_of(game.state).items()}
    assert right == {"red": [100], "blue": [0]}  # joining the winners adds nothing
    game.do(ChooseTeam(ann, "blue"))
    assert [member.id for member in teams_of(game.state)["red"]] == [ann]
    again = replay(game.journal)
    assert again.rounds[0].teams == {ann: "red", bob: "blue"}
