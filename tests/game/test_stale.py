"""One gesture, one command: what was decided on another place does nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.advice import advised_command
from server.game.commands import (
    BUTTONS,
    BackToLobby,
    CloseVotes,
    FromPlace,
    GiveTime,
    HostCommand,
    Join,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    PlayAgain,
    Reveal,
    Revote,
    ShowExample,
)
from server.game.engine import TABLE
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.phases import Phase, Place
from server.game.views.host import host_view
from tests.support.game import Game


def press(game: Game, command: HostCommand, seen: Place | None) -> bool:
    """Give a command as decided on ``seen``; return whether it was carried out."""
    assert isinstance(command, FromPlace)
    try:
        game.do(replace(command, seen=seen))
    except Refused:
        return False
    return True


def revealed() -> Game:
    game = Game()
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer")
    game.do(CloseVotes(), Reveal())
    return game


def test_next_step_pressed_on_two_consoles_together_is_one_step() -> None:
    game = revealed()
    seen = game.state.place
    assert press(game, NextStep(), seen)
    with pytest.raises(Refused) as refused:
        game.do(NextStep(seen=seen))
    assert refused.value.code == "stale"
    assert game.state.step == 1


def test_two_presses_on_one_example_show_one_more() -> None:
    game = Game(opening=True)
    game.do(ShowExample())
    seen = game.state.place
    assert press(game, ShowExample(), seen)
    assert not press(game, ShowExample(), seen)


def test_time_given_in_a_vote_that_has_closed_is_stale() -> None:
    game = Game()
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    seen = game.state.place
    game.do(CloseVotes())
    with pytest.raises(Refused, match="stale"):
        game.do(GiveTime(seen=seen))


def test_without_a_place_two_presses_are_two_steps_as_before() -> None:
    game = revealed()
    game.do(NextStep(), NextStep())
    assert game.state.step == 2


def test_the_view_of_a_host_tells_the_place_of_the_room() -> None:
    game = revealed()
    game.do(NextStep())
    assert host_view(game.state, game.now_ms).place == Place(0, Phase.REVEAL, 1, 0)


def test_what_means_the_same_everywhere_needs_no_place() -> None:
    assert not isinstance(Lock(), FromPlace)
    assert all(isinstance(button, FromPlace) for button in BUTTONS)


# --- two consoles that press at random, and see late what has become of it -----------

BY_TYPE = {button.type: button for button in BUTTONS}


@dataclass
class Console:
    """What one host has before their eyes, and what their big button gives there."""

    game: Game
    seen: Place
    advised: str = "none"

    def look(self) -> None:
        self.seen = self.game.state.place
        self.advised = advised_command(self.game.state)

    def press(self, name: str) -> None:
        if name in BY_TYPE:
            press(self.game, BY_TYPE[name], self.seen)


acts = st.tuples(
    st.integers(0, 1),
    st.one_of(
        st.just("look"),
        st.just("advised"),
        st.just("advised"),
        st.sampled_from(sorted(BY_TYPE)),
    ),
)


@given(st.lists(acts, max_size=120))
def test_two_consoles_never_leave_a_place_that_neither_has_seen(
    script: list[tuple[int, str]],
) -> None:
    game = Game(opening=True)
    game.join("ann", "bob")
    consoles = [Console(game, game.state.place), Console(game, game.state.place)]
    for console in consoles:
        console.look()
    for who, act in script:
        console = consoles[who]
        before = game.state.place
        is_seen = before in [each.seen for each in consoles]
        if act == "look":
            console.look()
            continue
        console.press(console.advised if act == "advised" else act)
        assert game.state.place == before or is_seen


def test_every_command_that_changes_a_phase_or_a_clock_says_where_it_was_decided() -> (
    None
):
    kinds = {
        kind.__dataclass_fields__["type"].default: kind
        for kind in get_args(HostCommand)
    }
    moving = {
        row.command
        for rows in TABLE.values()
        for row in rows.values()
        if any(row.leads.values()) and row.command in kinds
    }
    assert len(moving) > 12
    for command in moving | {"give_time", "pin_reason"}:
        assert issubclass(kinds[command], FromPlace), command


def test_a_cohosts_time_for_a_vote_that_is_over_is_given_to_no_other() -> None:
    game = Game()
    game.do(Join(PlayerId("p-a"), "a", site="lisbon"), OpenRound(), OpenVote())
    seen = game.state.place
    game.do(CloseVotes(), Revote())
    with pytest.raises(Refused) as refused:
        game.do(GiveTime(site="lisbon", seen=seen))
    assert refused.value.code == "stale"
    game.do(GiveTime(site="lisbon", seen=game.state.place))


def test_any_revealed_case_is_offered_for_practice_and_no_other() -> None:
    game = revealed()
    item, *others = host_view(game.state, game.now_ms).plan
    assert item.can_replay
    assert not any(other.can_replay for other in others)
    game.do(OpenRound())
    assert not any(i.can_replay for i in host_view(game.state, game.now_ms).plan)
    game.do(BackToLobby())
    assert host_view(game.state, game.now_ms).plan[0].can_replay
    game.do(PlayAgain(round=0))
    assert game.state.round.practice_of == 0
