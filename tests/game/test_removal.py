"""A removed player stays out, by name and by device, until they are let back in."""

from __future__ import annotations

import pytest

from server.game.commands import Join, Kick, LetBack, OpenRound, OpenVote, Rename
from server.game.engine import replay
from server.game.errors import Refused
from server.game.events import PlayerJoined, erased
from server.game.ids import PlayerId
from server.game.settings import RoomSettings
from server.journal.codec import decode, encode
from server.protocol.client_messages import Hello
from server.rooms import requests
from tests.support.game import Game

ANNA, BEN, CLEO = PlayerId("p-Anna"), PlayerId("p-Ben"), PlayerId("p-Cleo")


def playing() -> Game:
    """Return a game of two teams in which Anna, who has voted, was removed."""
    game = Game(RoomSettings(teams=("red", "blue")))
    game.do(Join(ANNA, "Anna", "red", site="lisbon", device="tablet-1"))
    game.do(Join(BEN, "Ben", "blue", device="tablet-2"))
    game.present |= {ANNA, BEN}
    game.do(OpenRound(), OpenVote())
    game.vote("Anna", "outer", 80)
    game.do(Kick(player=ANNA))
    return game


def refusal_of(game: Game, name: str, device: str | None) -> str | None:
    """Return the code with which a newcomer is refused; None if they are in."""
    try:
        game.do(Join(CLEO, name, device=device))
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("name", ["Anna", "ANNA", "anna ", "Аnna", "Ànna", "An"])
def test_no_one_joins_under_the_name_of_a_removed_player(name: str) -> None:
    game = playing()
    is_theirs = name != "An"
    expected = "removed_name" if is_theirs else None
    assert refusal_of(game, name, "another") == expected


def test_no_one_joins_on_the_device_of_a_removed_player() -> None:
    game = playing()
    assert refusal_of(game, "Stranger", "tablet-1") == "removed_device"
    assert refusal_of(game, "Stranger", "tablet-2") is None


def test_another_name_on_an_unknown_device_is_admitted() -> None:
    assert refusal_of(playing(), "Cleo", None) is None


def test_who_is_let_back_is_who_they_were() -> None:
    game = playing()
    before = Game(RoomSettings(teams=("red", "blue")))
    before.journal = [e for e in game.journal if e.type != "player_kicked"]
    game.do(LetBack(player=ANNA))
    whole, state = replay(before.journal), game.state
    assert state.players == whole.players
    assert (state.joined, state.voters, state.kicked) == (2, {ANNA}, set())
    assert (state.team_sizes, state.people) == (whole.team_sizes, whole.people)
    assert (state.looks, state.removed_looks) == (whole.looks, whole.removed_looks)
    assert state.removed_devices == whole.removed_devices
    game.vote("Anna", "inner", 80)
    assert refusal_of(game, "Stranger", "tablet-1") is None


def test_a_name_that_is_anothers_by_now_comes_back_with_a_number() -> None:
    game = playing()
    game.do(Rename(player=BEN, name="Anna"))
    game.do(LetBack(player=ANNA))
    assert game.state.players[ANNA].name == "Anna 2"
    assert replay(game.journal) == game.state


def test_two_who_were_removed_on_one_device_are_let_back_one_by_one() -> None:
    game = playing()
    game.do(Join(CLEO, "Cleo", device="tablet-2"), Kick(player=CLEO), Kick(player=BEN))
    game.do(LetBack(player=BEN))
    with pytest.raises(Refused) as refused:
        game.do(Join(PlayerId("p-new"), "Dora", device="tablet-2"))
    assert refused.value.code == "removed_device"
    game.do(LetBack(player=CLEO), Join(PlayerId("p-new"), "Dora", device="tablet-2"))


@pytest.mark.parametrize(
    "command",
    [
        LetBack(player=BEN),
        LetBack(player=PlayerId("p-unknown")),
        LetBack(player=ANNA, site="berlin"),
    ],
)
def test_only_who_was_removed_there_is_let_back(command: LetBack) -> None:
    with pytest.raises(Refused) as refused:
        playing().do(command)
    assert refused.value.code == "unknown_player"


def test_a_co_host_lets_the_own_people_back() -> None:
    playing().do(LetBack(player=ANNA, site="lisbon"))


def test_a_device_has_another_mark_in_every_room() -> None:
    one, other = Game().state, Game().state
    other.secret = one.secret[::-1]
    hello = Hello(
        version=1, role="player", name="A", join_key="0" * 32, device="1" * 32
    )
    marks = [requests.join(state, hello, None).device for state in (one, one, other)]
    assert marks[0] == marks[1] != marks[2]
    assert "1" * 32 not in str(marks)


def test_erasing_a_person_erases_the_mark_of_their_device() -> None:
    game = playing()
    game.do(LetBack(player=ANNA))
    kept = [erased(event, ANNA, "someone") for event in game.journal]
    assert "tablet-1" not in str(kept)
    assert "'Anna'" not in str(kept)
    assert "tablet-2" in str(kept)


def test_a_join_of_an_earlier_journal_has_no_device() -> None:
    event = PlayerJoined(ANNA, "Anna", None, False, 1)
    assert decode(encode(event)) == event
    old = (
        '{"player":"p-Anna","name":"Anna","team":null,"is_practice":false,'
        '"at_ms":1,"site":null,"type":"player_joined"}'
    )
    assert decode(old) == event
