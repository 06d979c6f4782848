"""Who has answered, who is waited for, who holds the close: against plain counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.model import Label
from server.game.answers import GapAnswer
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
from server.game.features.timing import all_answered, answered_and_expected, holders
from server.game.ids import ClientId, PlayerId
from server.game.phases import Ballot, Phase
from server.game.state import RoomState
from tests.support.cases import opened

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
