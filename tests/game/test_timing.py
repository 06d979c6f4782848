"""Players who answered, are waited for, or delay the close: against plain counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.model import Label
from server.game.answers import GapAnswer
from server.game.commands import OpenRound, OpenVote
from server.game.engine import evolve, open_room
from server.game.events import (
    AllowanceGranted,
    BallotOpened,
    Event,
    PlayerJoined,
    PlayerKicked,
    RoundOpened,
    VoteCast,
)
from server.game.features.timing import (
    all_answered,
    answered_and_expected,
    holders,
    is_due,
    next_due_ms,
)
from server.game.ids import ClientId, PlayerId
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from tests.support.cases import opened
from tests.support.game import Game

PEOPLE = [PlayerId(f"p{number}") for number in range(6)]
people = st.sets(st.sampled_from(PEOPLE))
allowances = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from((0, 100, 200)))


def room(
    voted: set[PlayerId], kicked: set[PlayerId], own: dict[PlayerId, int]
) -> RoomState:
    """Return a room with an open vote in which all this has happened."""
    state = open_room(opened())
    events: list[Event] = [PlayerJoined(p, p, None, False, 0) for p in PEOPLE]
    events += [AllowanceGranted(p, 200) for p in own]
    events += [AllowanceGranted(p, percent) for p, percent in own.items()]
    events += [RoundOpened(0, Phase.READ, 0), BallotOpened(0, Ballot.VOTE, 0, 1_000)]
    answer = GapAnswer(Label.OUTER, 80)
    events += [
        VoteCast(p, ClientId("c"), 1, 0, Ballot.VOTE, answer, "", 1) for p in voted
    ]
    events += [PlayerKicked(p) for p in kicked]
    for event in events:
        evolve(state, event)
    return state


@given(people, people, people, allowances)
def test_counts_are_those_of_plain_counting(
    voted: set[PlayerId],
    kicked: set[PlayerId],
    present: set[PlayerId],
    own: dict[PlayerId, int],
) -> None:
    state = room(voted, kicked, own)
    waiting = [p for p in present if p not in voted and p not in kicked]
    assert answered_and_expected(state, present) == (
        len(voted),
        len(voted) + len(waiting),
    )
    assert all_answered(state, present) == (bool(voted) and not waiting)
    assert set(holders(state, 1_500, present)) == {
        p for p in waiting if own.get(p, 100) != 100
    }


def test_the_last_to_answer_has_time_to_say_how_sure_they_are() -> None:
    game = Game(RoomSettings(auto_close=True))
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.now_ms += 500
    game.vote("bob", "inner")
    tapped_ms = game.now_ms
    game.now_ms += 93
    assert not is_due(game.state, game.now_ms, game.present)
    due_ms = next_due_ms(game.state, game.now_ms, game.present)
    assert due_ms is not None
    assert due_ms == tapped_ms + 10_000
    assert is_due(game.state, due_ms, game.present)
    game.vote("bob", "inner", 70)
    assert is_due(game.state, game.now_ms, game.present)


def test_without_timers_a_vote_still_closes_after_the_last_answer() -> None:
    game = Game(RoomSettings(auto_close=True, time_factor=None))
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer")
    due_ms = next_due_ms(game.state, game.now_ms, game.present)
    assert due_ms == game.now_ms + 10_000
    game.now_ms = due_ms or 0
    assert is_due(game.state, game.now_ms, game.present)
