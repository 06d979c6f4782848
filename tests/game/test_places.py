"""Places in a room: people who are here or have voted hold one, other names do not."""

from __future__ import annotations

import pytest

from server.game.commands import (
    ChooseTeam,
    CloseVotes,
    Join,
    Kick,
    OpenRound,
    OpenVote,
)
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.settings import RoomSettings
from tests.support.counted import CountedDict
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


def test_names_are_bounded_even_if_players_leave() -> None:
    game = Game(RoomSettings(max_players=2))
    for number in range(6):
        game.do(Join(PlayerId(f"p-{number}"), f"name {number}"))
    refused(game, "Eve")


def watched(game: Game) -> list[CountedDict[PlayerId, object]]:
    """Count from now on how many players and votes are walked over."""
    state = game.state
    players = CountedDict(state.players)
    state.players = players
    found: list[CountedDict[PlayerId, object]] = [players]  # type: ignore[list-item] # read only
    for round_ in state.rounds:
        for poll in round_.polls.values():
            poll.votes = CountedDict(poll.votes)
            found.append(poll.votes)  # type: ignore[arg-type] # read only
    return found


def test_a_refused_join_walks_over_no_player_and_no_vote() -> None:
    game = Game(RoomSettings(max_players=40))
    names = [f"name {number}" for number in range(40)]
    game.join(*names)
    game.do(OpenRound(), OpenVote())
    for name in names[:30]:
        game.vote(name, "outer", 80)
    game.do(CloseVotes())
    counted = watched(game)
    refused(game, "Eve")
    assert [each.walked for each in counted] == [0] * len(counted)


def test_a_join_into_teams_walks_over_no_player() -> None:
    game = Game(RoomSettings(teams=("red", "blue", "green"), max_players=100))
    game.join(*(f"name {number}" for number in range(40)))
    counted = watched(game)
    game.join("Eve")
    assert [each.walked for each in counted] == [0]


def test_newcomers_go_to_the_smallest_team_whatever_happened_before() -> None:
    game = Game(RoomSettings(teams=("red", "blue"), max_players=100))
    ann, bob, cid, dan = game.join("Ann", "Bob", "Cid", "Dan")
    team = {player.name: player.team for player in game.state.players.values()}
    assert team == {"Ann": "red", "Bob": "blue", "Cid": "red", "Dan": "blue"}
    game.do(ChooseTeam(ann, "blue"), Kick(player=cid))
    (eve, fay, gus) = game.join("Eve", "Fay", "Gus")
    chosen = [game.state.players[player].team for player in (eve, fay, gus)]
    assert chosen == ["red", "red", "red"]
    assert game.state.team_sizes == {"red": 3, "blue": 3}
    assert {bob, dan} <= game.state.players.keys()


def test_a_removed_voter_gives_a_place_free() -> None:
    game = Game(RoomSettings(max_players=2))
    ann, _ = game.join("Ann", "Bob")
    game.do(OpenRound(), OpenVote())
    game.vote("Ann", "outer", 80)
    refused(game, "Cid")
    game.do(Kick(player=ann))
    game.present.discard(ann)
    game.join("Cid")
