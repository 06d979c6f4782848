"""Flows: where the big button leads, what closes automatically, what a test hides.

The button is followed over every deck of the library, by a host who presses nothing
else; the presses are printed.
"""

from __future__ import annotations

import pytest

from scenarios.model import FLOWS, Flow
from server.game.advice import advised_command
from server.game.commands import (
    ChangeSettings,
    CloseVotes,
    Discuss,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Tick,
    Transfer,
)
from server.game.engine import can
from server.game.features.timing import next_due_ms
from server.game.phases import STEPS, Ballot, Phase
from server.game.settings import RoomSettings, SettingsChange
from server.game.views.host import host_panel, host_view
from tests.support.figures import Figure
from tests.support.game import Game
from tests.support.presses import LIBRARY, at_reveal, lesson

A_ROUND: dict[Flow, int] = {"quick": 6, "full": 12, "test": 3}
"""Presses a round by the flow, at most, also if one person never answers. A host who
closes every ballot has two more in a full round: the repair's and the twin's."""


@pytest.mark.parametrize("name", sorted(LIBRARY.decks))
def test_a_round_takes_few_presses(name: str, figure: Figure) -> None:
    deck = LIBRARY.deck(name)
    every = {
        "all answer": lesson(name, None),
        "one never answers": lesson(name, None, "all but one"),
        "the host closes": lesson(name, None, by_hand=True),
    }
    said = ", ".join(
        f"{who} {sum(played.presses.values())} in all, {played.a_round} a round"
        for who, played in every.items()
    )
    figure(f"presses, {name} ({len(deck.rounds)} cases, {deck.flow}): {said}")
    by_hand = A_ROUND[deck.flow] + (2 if deck.flow == "full" else 0)
    assert every["the host closes"].a_round <= by_hand
    for who in ("all answer", "one never answers"):
        assert every[who].a_round <= A_ROUND[deck.flow]
        assert every[who].state.phase is Phase.FINISHED


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("name", ["first-class", "quick-five"])
def test_any_deck_goes_by_any_flow(name: str, flow: Flow) -> None:
    played = lesson(name, flow, "all but one")
    assert played.a_round <= A_ROUND[flow]
    assert all(round_.is_counted for round_ in played.state.rounds)


def test_quick_five_takes_40_presses_at_most_even_by_hand() -> None:
    played = lesson("quick-five", None, by_hand=True)
    assert sum(played.presses.values()) <= 40
    assert played.a_round <= 6
    assert "discuss" not in played.names


def test_first_class_opens_and_ends_in_six_presses() -> None:
    played = lesson("first-class", None, "all but one")
    before_and_after = played.presses[None]
    assert before_and_after <= 6
    assert played.names[:2] == ["show_opening", "open_round"]
    assert {"discuss", "revote", "ask_fix", "transfer"} <= set(played.names)
    assert played.names[-4:] == [*["show_example"] * 3, "finish"]


# --- the quick flow ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flow", "screens"),
    [
        ("quick", ["tallies", "verdict", "say"]),
        ("full", ["tallies", "learned", "verdict", "say"]),
    ],
)
def test_a_reveal_has_the_screens_of_its_flow(flow: Flow, screens: list[str]) -> None:
    game = at_reveal(flow)
    shown = [STEPS[game.state.step]]
    while can(game.state, NextStep(stop=True)):
        game.do(NextStep(stop=True))
        shown.append(STEPS[game.state.step])
    assert shown == screens
    assert advised_command(game.state) == (
        "ask_fix" if flow == "full" else "open_round"
    )


def test_a_host_may_leave_the_quick_flow_and_come_back_to_it() -> None:
    game = Game(RoomSettings(flow="quick"))
    game.join(*"abcdefg")
    game.do(OpenRound(), OpenVote())
    for number, name in enumerate("abcdefg"):
        game.vote(name, "outer" if number < 5 else "inner", 80)
    game.do(CloseVotes())
    panel = host_panel(game.state, game.now_ms, game.present)
    assert panel.advised == "reveal"
    assert panel.advice is not None
    assert panel.advice.action == "discuss"
    game.do(Discuss())
    assert advised_command(game.state) == "revote"


def test_a_room_goes_by_its_deck_unless_it_says_otherwise() -> None:
    game = Game(RoomSettings())
    assert host_view(game.state, 0).flow == "full"
    game.do(ChangeSettings(change=SettingsChange(flow="quick")))
    assert host_view(game.state, 0).flow == "quick"
    game.do(ChangeSettings(change=SettingsChange(auto_close="flow")))
    assert game.state.settings.auto_close is None
    assert game.state.settings.flow == "quick"


# --- what closes automatically ------------------------------------------------------


def asked(flow: Flow, ballot: Ballot) -> Game:
    """Return a room in which two were asked, and one has answered."""
    game = Game(RoomSettings(flow=flow, auto_close=None))
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    if ballot is Ballot.TRANSFER:
        game.do(CloseVotes(), Reveal(), Transfer())
    game.vote("ann", "outer", 80)
    return game


@pytest.mark.parametrize(
    ("flow", "ballot", "closes"),
    [
        ("quick", Ballot.VOTE, True),
        ("full", Ballot.VOTE, False),
        ("full", Ballot.TRANSFER, True),
        ("test", Ballot.VOTE, False),
    ],
)
def test_time_closes_what_the_flow_says(
    flow: Flow, ballot: Ballot, closes: bool
) -> None:
    game = asked(flow, ballot)
    assert (next_due_ms(game.state, game.now_ms, game.present) is not None) is closes
    game.now_ms += 3_600_000
    assert bool(game.do(Tick())) is closes


@pytest.mark.parametrize("flow", FLOWS)
def test_any_flow_closes_what_all_have_answered(flow: Flow) -> None:
    game = asked(flow, Ballot.VOTE)
    assert not game.do(Tick())
    game.vote("bob", "inner", 80)
    game.now_ms = next_due_ms(game.state, game.now_ms, game.present) or game.now_ms
    game.do(Tick())
    assert game.state.phase is Phase.VOTE_CLOSED


def test_a_room_that_says_so_leaves_every_close_to_its_host() -> None:
    game = Game(RoomSettings(flow="quick"))
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.now_ms += 3_600_000
    assert next_due_ms(game.state, game.now_ms, game.present) is None
    assert not game.do(Tick())
