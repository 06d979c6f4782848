"""Who holds a place in a room: who is here or has voted, and not every name given."""

from __future__ import annotations

import pytest

from server.game.commands import Join, OpenRound, OpenVote
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.settings import RoomSettings
from tests.support.game import Game


def refused(game: Game, name: str) -> None:
    with pytest.raises(Refused) as refusal:
        game.do(Join(PlayerId(f"p-{name}"), name))
    assert refusal.value.code == "room_full"


def test_names_that_came_and_went_hold_no_place() -> None:
    game = Game(RoomSettings(max_players=3))
    game.join("Ann", "Bob", "Cid")
    refused(game, "Dan")
    game.do(OpenRound(), OpenVote())
    game.vote("Bob", "outer", 80)
    game.present = {PlayerId("p-Ann")}
    game.join("Dan")
    refused(game, "Eve")


def test_names_are_bounded_whoever_leaves() -> None:
    game = Game(RoomSettings(max_players=2))
    for number in range(6):
        game.do(Join(PlayerId(f"p-{number}"), f"name {number}"))
    refused(game, "Eve")
