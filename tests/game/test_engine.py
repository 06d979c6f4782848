"""Replaying a journal: what it refuses, and how it says so."""

from __future__ import annotations

import pytest

from server.game.commands import OpenRound, OpenVote
from server.game.engine import ReplayError, replay
from server.game.events import Event, PlayerRenamed
from server.game.ids import PlayerId
from tests.support.game import Game


def a_journal() -> list[Event]:
    game = Game()
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    return game.journal


def test_an_event_that_does_not_fit_is_named_by_number_and_type() -> None:
    journal = [*a_journal(), PlayerRenamed(PlayerId("stranger"), "Stranger")]
    with pytest.raises(ReplayError) as failed:
        replay(journal)
    assert failed.value.version == len(journal)
    assert failed.value.event_type == "player_renamed"
    assert isinstance(failed.value.__cause__, KeyError)
    assert str(len(journal)) in str(failed.value)


def test_a_journal_begins_with_the_opening_of_its_room() -> None:
    with pytest.raises(ReplayError) as empty:
        replay([])
    assert (empty.value.version, empty.value.event_type) == (1, "")
    with pytest.raises(ReplayError) as late:
        replay(a_journal()[1:])
    assert (late.value.version, late.value.event_type) == (1, "player_joined")


def test_a_whole_journal_replays_to_the_state_it_was_written_by() -> None:
    game = Game()
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    assert replay(game.journal) == game.state
