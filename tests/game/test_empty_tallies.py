"""A ballot without answers shows the options of its own question."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from client.terminal.draw import fix_reveal, tallies
from server.game.commands import (
    AskFix,
    CloseVotes,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
    Transfer,
)
from server.game.settings import RoomSettings
from server.game.views.host import host_panel
from server.game.views.stage import player_view
from server.game.views.stage_types import FixRevealView, RevealView, TransferRevealView
from tests.support.game import Game

GAPS = {"outer": 0, "inner": 0}
LINKS = {"outer": 0, "inner": 0, "both": 0, "neither": 0}
REPAIRS = {"0": 0, "1": 0, "2": 0}


def silent(*, two_link: bool) -> Game:
    """Return a room of two who do not answer; VOTE has just opened."""
    game = Game(RoomSettings(two_link=two_link))
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    return game


def panel(game: Game) -> dict[str, int]:
    """Return the options that the host's panel shows."""
    measures = host_panel(game.state, game.now_ms, game.present).measures
    assert measures is not None
    return measures.bars.options


@pytest.mark.parametrize(("two_link", "gaps"), [(False, GAPS), (True, LINKS)])
def test_every_surface_shows_the_options_of_the_question(
    two_link: bool, gaps: dict[str, int]
) -> None:
    game = silent(two_link=two_link)
    assert panel(game) == gaps
    game.do(CloseVotes(), Revote())
    assert panel(game) == gaps
    game.do(CloseVotes(), Reveal())
    shown = player_view(game.state, game.now_ms)
    assert isinstance(shown, RevealView)
    assert shown.after is not None
    assert (shown.before.options, shown.after.options) == (gaps, gaps)
    game.do(AskFix())
    assert panel(game) == REPAIRS
    game.do(CloseVotes())
    fixed = player_view(game.state, game.now_ms)
    assert isinstance(fixed, FixRevealView)
    assert fixed.bars.options == REPAIRS
    game.do(Transfer(), CloseVotes())
    moved = player_view(game.state, game.now_ms)
    assert isinstance(moved, TransferRevealView)
    assert moved.bars.options == gaps


def test_the_terminal_draws_three_repairs_and_four_combinations() -> None:
    game = silent(two_link=True)
    game.do(CloseVotes(), Reveal())
    first = player_view(game.state, game.now_ms)
    assert isinstance(first, RevealView)
    game.do(AskFix(), CloseVotes())
    second = player_view(game.state, game.now_ms)
    assert isinstance(second, FixRevealView)
    drawn = io.StringIO()
    console = Console(file=drawn, width=100)
    console.print(tallies(first), fix_reveal(second))
    text = drawn.getvalue().lower()
    assert "outer only" in text
    assert "neither" in text
    tallied = text[text.index("which repair?") :]
    assert "outer" not in tallied
