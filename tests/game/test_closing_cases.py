"""What closes a lesson: its closing cases, and the four kinds side by side."""

from __future__ import annotations

import pytest

from scenarios.model import Flow
from server.game.advice import advised_command
from server.game.commands import (
    BackToLobby,
    CloseVotes,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    ShowExample,
)
from server.game.engine import can
from server.game.errors import Refused
from server.game.settings import RoomSettings
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import ExampleView
from tests.support.game import Game
from tests.support.presses import at_reveal


def closing(flow: Flow = "quick") -> Game:
    """Return a room whose only round is played, with two cases to close with."""
    game = Game(RoomSettings(flow=flow), rounds=1, opening=True)
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes())
    return game


def example(game: Game) -> ExampleView:
    """Show the next example, and return what the wall shows."""
    game.do(ShowExample())
    view = screen_view(game.state, 0)
    assert isinstance(view, ExampleView)
    assert view == player_view(game.state, 0)
    return view


def test_the_lesson_closes_with_its_cases_and_the_four_kinds() -> None:
    game = closing()
    game.do(Reveal(), NextStep(all=True))
    assert advised_command(game.state) == "show_example"
    shown = [example(game) for _ in range(3)]
    assert [view.example.story.title for view in shown[:2]] == [
        "Title end-0",
        "Title end-1",
    ]
    assert [(view.index, view.of, view.is_closing) for view in shown] == [
        (0, 2, True),
        (1, 2, True),
        (2, 2, True),
    ]
    assert [view.square for view in shown[:2]] == [(), ()]
    assert {(one.outer, one.inner): one.title for one in shown[2].square} == {
        (True, False): "Title case-0",
        (False, True): "",  # no case of the lesson was inner
        (True, True): "Title end-0",
        (False, False): "Title end-1",
    }
    assert not can(game.state, ShowExample())
    assert advised_command(game.state) == "finish"


def test_closing_cases_wait_for_the_last_round() -> None:
    game = Game(rounds=2, opening=True)
    game.join("ann")
    game.do(OpenRound(), OpenVote(), CloseVotes(), Reveal(), NextStep(all=True))
    with pytest.raises(Refused, match="no more worked examples"):
        game.do(ShowExample())


def test_a_deck_without_closing_cases_ends_after_its_last_round() -> None:
    game = at_reveal("quick")
    for index in (1, 2):
        game.do(NextStep(all=True), OpenRound(round=index), OpenVote(), CloseVotes())
        game.do(Reveal())
    game.do(NextStep(all=True))
    assert not can(game.state, ShowExample())
    assert advised_command(game.state) == "finish"


def test_the_four_kinds_name_no_case_of_a_test() -> None:
    """A host may show them all the same; the cases of the test stay hidden."""
    game = closing("test")
    assert advised_command(game.state) == "finish"
    game.do(BackToLobby())
    shown = [example(game) for _ in range(3)]
    titles = {one.title for one in shown[2].square}
    assert titles == {"", "Title end-0", "Title end-1"}
