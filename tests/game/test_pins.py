"""Reasons that the host shows to the class: whose, when, and in which words."""

from __future__ import annotations

import pytest

from server.game.commands import (
    CloseVotes,
    Discuss,
    Kick,
    PinReason,
    ReopenVote,
    Reveal,
    Revote,
    UnpinReason,
)
from server.game.engine import can, replay
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.phases import Ballot
from server.game.views.host import host_panel
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import RevealView, StoryView
from tests.support.game import Game, voting

ANN, BOB = PlayerId("p-ann"), PlayerId("p-bob")


def shown(game: Game) -> list[tuple[str, str]]:
    """Return the texts that the class sees now, with their sides."""
    views = [view(game.state, game.now_ms) for view in (player_view, screen_view)]
    found = []
    for view in views:
        assert isinstance(view, StoryView | RevealView)
        found.append([(pin.text, pin.side) for pin in view.pinned])
    assert found[0] == found[1]
    return found[0]


def is_pinned(game: Game) -> list[str]:
    """Return the reasons that the host's panel calls pinned."""
    panel = host_panel(game.state, game.now_ms, game.present)
    return [card.text for card in panel.reasons if card.is_pinned]


def test_a_pinned_reason_shows_its_side_and_not_its_author() -> None:
    game = voting()
    game.vote("ann", "outer", reason="  the points\n\twere for   targets ")
    game.do(CloseVotes(), PinReason(player=PlayerId("p-ann")))
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, StoryView)
    (pin,) = view.pinned
    assert (pin.text, pin.side) == ("the points were for targets", "outer")
    with pytest.raises(Refused, match="no_reason"):
        game.do(PinReason(player=PlayerId("p-bob")))


def test_a_reason_pinned_in_an_open_vote_is_shown_after_it() -> None:
    game = voting()
    game.vote("ann", "outer", reason="points for targets")
    game.do(PinReason(player=ANN))
    assert shown(game) == []
    assert is_pinned(game) == ["points for targets"]
    game.do(CloseVotes())
    assert shown(game) == [("points for targets", "outer")]
    assert not can(game.state, ReopenVote())
    assert replay(game.journal) == game.state


def test_in_a_second_vote_the_reasons_of_the_first_stay_and_new_ones_wait() -> None:
    game = voting()
    game.vote("ann", "outer", reason="first")
    game.do(CloseVotes(), PinReason(player=ANN), Discuss(), Revote())
    game.vote("bob", "inner", reason="second")
    game.do(PinReason(player=BOB, ballot=Ballot.REVOTE))
    assert shown(game) == [("first", "outer")]
    game.do(CloseVotes())
    assert shown(game) == [("first", "outer"), ("second", "inner")]
    game.do(Reveal(), UnpinReason(player=ANN))
    assert shown(game) == [("second", "inner")]


@pytest.mark.parametrize(
    ("label", "reason"), [("outer", "other words"), ("outer", ""), ("inner", "words")]
)
def test_a_pin_is_for_the_words_and_the_side_that_the_host_has_read(
    label: str, reason: str
) -> None:
    game = voting()
    game.vote("ann", "outer", reason="words")
    game.do(PinReason(player=ANN))
    game.vote("ann", label, 60, reason=reason)
    assert is_pinned(game) == []
    game.do(CloseVotes())
    assert shown(game) == []
    assert replay(game.journal) == game.state


def test_a_pin_stays_when_only_the_confidence_changes() -> None:
    game = voting()
    game.vote("ann", "outer", 60, reason="words")
    game.do(PinReason(player=ANN))
    game.vote("ann", "outer", 90, reason="words")
    game.do(CloseVotes())
    assert shown(game) == [("words", "outer")]


def test_the_reason_of_someone_who_is_removed_leaves_the_wall() -> None:
    game = voting()
    game.vote("ann", "outer", reason="words")
    game.do(CloseVotes(), PinReason(player=ANN))
    (removed,) = game.do(Kick(player=ANN))
    assert removed.effects.stage
    assert shown(game) == []
