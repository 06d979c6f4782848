"""Time in a vote: players it waits for, timers, allowances, and restarts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.model import Label
from server.game.answers import GapAnswer
from server.game.commands import (
    AskTime,
    CloseVotes,
    GiveTime,
    OpenRound,
    OpenVote,
    Percent,
    ReopenVote,
    Resume,
    Tick,
)
from server.game.engine import evolve, open_room
from server.game.errors import Refused
from server.game.events import (
    AllowanceGranted,
    AllowancesWarned,
    BallotClosed,
    BallotOpened,
    DeadlineExtended,
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
from server.game.views.host import host_panel
from server.game.views.player import private_view
from tests.support.cases import opened
from tests.support.game import Game, voting

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
    assert not is_due(game.state, game.now_ms, game.present)
    assert closes_in_ms(game) == 5_000


def closes_in_ms(game: Game) -> int | None:
    """Return the host's countdown to the automatic close of a vote."""
    return host_panel(game.state, game.now_ms, game.present).closes_in_ms


def test_the_last_to_answer_has_time_for_a_sentence() -> None:
    game = voting(RoomSettings(auto_close=True), "ann", "bob")
    game.vote("ann", "outer", 80)
    assert closes_in_ms(game) is None
    game.now_ms += 60_000
    game.vote("bob", "inner", 70)
    for number in range(3):
        game.now_ms += 4_000
        assert closes_in_ms(game) == 1_000
        game.vote("bob", "inner", 70, reason=f"It was paid for the bonus {number}.")
        assert closes_in_ms(game) == 5_000
    game.now_ms += 5_000
    (closed,) = game.do(Tick())
    assert isinstance(closed, BallotClosed)
    assert game.state.round.polls[Ballot.VOTE].votes[PlayerId("p-bob")].reason


def test_changes_hold_a_close_for_thirty_seconds_at_most() -> None:
    game = voting(RoomSettings(auto_close=True), "ann", "bob")
    game.vote("ann", "outer", 80)
    game.vote("bob", "inner", 70)
    answered_ms = game.now_ms
    while not is_due(game.state, game.now_ms, game.present):
        game.now_ms += 2_000
        game.vote("ann", "inner" if game.now_ms % 4_000 else "outer", 70)
    assert game.now_ms == answered_ms + 30_000


@pytest.mark.parametrize(("percent", "lasts_ms"), [(150, 7_500), (0, 30_000)])
def test_more_time_is_more_time_for_the_last_words_too(
    percent: Percent, lasts_ms: int
) -> None:
    game = voting(RoomSettings(auto_close=True), "ann")
    game.do(AskTime(PlayerId("p-ann"), percent))
    game.vote("ann", "outer", 80)
    assert closes_in_ms(game) == lasts_ms


def test_a_host_can_close_a_vote_before_its_automatic_close() -> None:
    game = voting(RoomSettings(auto_close=True), "ann")
    game.vote("ann", "outer", 80)
    assert closes_in_ms(game) == 5_000
    assert isinstance(game.do(CloseVotes())[0], BallotClosed)
    assert closes_in_ms(game) is None


def test_a_vote_reopened_for_changes_stays_open_for_them() -> None:
    game = voting(RoomSettings(auto_close=True), "ann")
    game.vote("ann", "outer", 80)
    game.now_ms += 60_000
    game.do(Tick(), ReopenVote())
    assert game.do(Tick()) == []
    assert closes_in_ms(game) == 30_000
    game.now_ms += 30_000
    assert isinstance(game.do(Tick())[0], BallotClosed)


def test_without_timers_a_vote_still_closes_after_the_last_answer() -> None:
    game = Game(RoomSettings(auto_close=True, time_factor=None))
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer")
    due_ms = next_due_ms(game.state, game.now_ms, game.present)
    assert due_ms == game.now_ms + 10_000
    game.now_ms = due_ms or 0
    assert is_due(game.state, game.now_ms, game.present)


# --- timers and allowances of an open vote ------------------------------------------


def test_one_dropped_phone_does_not_hold_all_have_answered() -> None:
    game = voting(RoomSettings(auto_close=True))
    game.vote("ann", "outer", 80)
    game.vote("bob", "outer", 80)
    assert game.do(Tick()) == []
    game.present.discard(PlayerId("p-cy"))
    game.now_ms += 5_000
    (closed,) = game.do(Tick())
    assert isinstance(closed, BallotClosed)
    assert closed.missed == ()


def test_timers_are_soft_and_auto_close_waits_two_seconds() -> None:
    game = voting()
    assert game.state.deadline_ms is not None
    game.now_ms = game.state.deadline_ms + 60_000
    assert game.do(Tick()) == []
    game.vote("ann", "outer")

    auto = voting(RoomSettings(auto_close=True))
    assert auto.state.deadline_ms is not None
    auto.now_ms = auto.state.deadline_ms + 1_999
    assert auto.do(Tick()) == []
    auto.now_ms += 1
    assert len(auto.do(Tick())) == 1


def test_an_allowance_holds_the_close_until_a_warning_has_run_out() -> None:
    game = voting()
    game.do(AskTime(PlayerId("p-cy"), 0))
    game.vote("ann", "outer")
    with pytest.raises(Refused) as refused:
        game.do(CloseVotes())
    assert refused.value.code == "time_needed"
    (warned,) = game.do(CloseVotes(override=True))
    assert warned == AllowancesWarned(game.now_ms + 20_000)
    mine = private_view(game.state, PlayerId("p-cy"), game.now_ms, game.present)
    assert mine.warned_ms == 20_000
    game.now_ms += 19_999
    assert game.do(Tick()) == []
    game.vote("cy", "inner")
    game.now_ms += 1
    (closed,) = game.do(Tick())
    assert isinstance(closed, BallotClosed)


def test_an_allowance_stretches_only_its_own_clock() -> None:
    game = voting(RoomSettings(auto_close=True))
    game.do(AskTime(PlayerId("p-cy"), 200))
    assert game.state.poll is not None
    assert game.state.deadline_ms is not None
    limit = game.state.deadline_ms - game.state.poll.opened_ms
    game.now_ms = game.state.deadline_ms + 2_000
    assert game.do(Tick()) == []
    game.now_ms = game.state.poll.opened_ms + 2 * limit
    assert len(game.do(Tick())) == 1


def test_after_a_restart_the_deadline_stays_or_ten_seconds_are_left() -> None:
    game = voting()
    deadline = game.state.deadline_ms
    assert deadline is not None
    assert game.do(Resume()) == []
    game.now_ms = deadline - 3_000
    assert game.do(Resume()) == [DeadlineExtended(game.now_ms + 10_000)]


def test_giving_time_moves_the_deadline() -> None:
    game = voting()
    before = game.state.deadline_ms
    assert before is not None
    game.do(GiveTime(seconds=30))
    assert game.state.deadline_ms == before + 30_000
