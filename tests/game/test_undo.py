"""Taking a close back, playing a case again, and rounds without a chance to vote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.commands import (
    AskTime,
    BackToLobby,
    CloseVotes,
    Contrast,
    Discuss,
    Finish,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    PlayAgain,
    ReopenVote,
    Reveal,
    Revote,
    SkipRound,
)
from server.game.engine import can, replay
from server.game.errors import Refused
from server.game.features.timing import own_deadline_ms
from server.game.ids import PlayerId
from server.game.outcomes import standings
from server.game.phases import PRACTICE_FROM, Ballot, Phase
from server.game.settings import RoomSettings
from server.game.views.host import host_panel, host_view
from server.game.views.player import private_view
from server.game.views.stage import player_view, screen_view
from tests.support.game import Game, totals

ANN, BOB = PlayerId("p-ann"), PlayerId("p-bob")


def closed(settings: RoomSettings | None = None) -> Game:
    game = Game(settings)
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 90, reason="It was paid for.")
    game.now_ms += 1_000
    game.do(CloseVotes())
    return game


def test_answers_stay_after_an_undo_and_may_be_given_and_changed() -> None:
    game = closed()
    game.do(ReopenVote())
    assert game.state.phase is Phase.VOTE
    assert game.state.round.polls[Ballot.VOTE].tally.n == 1
    assert game.state.round.polls[Ballot.VOTE].missed == frozenset()
    game.vote("ann", "inner", 60)
    game.vote("bob", "inner")
    assert game.state.round.polls[Ballot.VOTE].tally.n == 2
    game.do(CloseVotes())
    assert replay(game.journal) == game.state


def test_time_and_allowances_restart_and_the_host_sees_the_tally() -> None:
    game = Game()
    game.join("ann", "bob")
    game.do(AskTime(BOB, 200), OpenRound(), OpenVote())
    lasts_ms = (game.state.deadline_ms or 0) - game.now_ms
    game.now_ms += 10 * lasts_ms
    game.do(CloseVotes())
    assert not host_panel(game.state, game.now_ms, game.present).tally_seen
    game.now_ms += 5_000
    game.do(ReopenVote())
    assert game.state.deadline_ms == game.now_ms + lasts_ms
    poll = game.state.round.polls[Ballot.VOTE]
    bob = game.state.players[BOB]
    assert own_deadline_ms(bob, poll) == game.now_ms + 2 * lasts_ms
    with pytest.raises(Refused, match="time_needed"):
        game.do(CloseVotes())
    assert host_panel(game.state, game.now_ms, game.present).tally_seen


@pytest.mark.parametrize(
    "shown",
    [[Contrast()], [Discuss()], [PinReason(player=ANN)], [Revote()]],
    ids=lambda commands: commands[0].type,
)
def test_the_first_vote_stays_closed_once_the_class_has_seen_more(
    shown: list[Any],
) -> None:
    game = closed()
    game.do(*shown, BackToLobby(), OpenRound())
    assert game.state.phase is Phase.VOTE_CLOSED
    assert not can(game.state, ReopenVote())
    with pytest.raises(Refused, match="already_shown"):
        game.do(ReopenVote())
    game.do(Revote(), CloseVotes())
    game.do(ReopenVote())
    assert game.state.phase is Phase.REVOTE


def test_nothing_reopens_a_vote_after_its_reveal() -> None:
    game = closed()
    game.do(Reveal())
    with pytest.raises(Refused, match="wrong_phase"):
        game.do(ReopenVote())


# --- rounds without a chance to vote -------------------------------------------


def test_a_vote_closed_before_the_first_answer_scores_no_one() -> None:
    game = Game()
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote(), CloseVotes(), Reveal(), NextStep(all=True))
    assert game.state.rounds[0].scores == {}
    assert standings(game.state) == ()
    mine = private_view(game.state, ANN, game.now_ms, game.present)
    assert (mine.points, mine.rounds, mine.missed) == (0, 0, False)


def test_a_second_vote_after_an_empty_first_one_scores_alone() -> None:
    game = Game()
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote(), CloseVotes(), Revote())
    game.vote("ann", "outer", 100)
    game.do(CloseVotes(), Reveal())
    assert game.state.rounds[0].scores == {ANN: 100}


def test_a_vote_that_another_answered_is_missed_as_before() -> None:
    game = closed()
    game.do(Reveal())
    assert game.state.rounds[0].scores[BOB] == 50


# --- practice ----------------------------------------------------------------------


def test_a_case_played_again_counts_nowhere_and_says_so_everywhere() -> None:
    game = closed()
    game.do(Reveal(), NextStep(all=True))
    before = totals(game.journal)
    game.do(PlayAgain())
    assert game.state.phase is Phase.READ
    assert game.state.round_index == PRACTICE_FROM
    game.do(OpenVote())
    game.vote("ann", "inner", 100)
    game.vote("bob", "outer", 100)
    for view in (
        player_view(game.state, game.now_ms),
        screen_view(game.state, game.now_ms),
        host_view(game.state, game.now_ms).stage,
    ):
        assert (view.room.practice_of, view.room.rounds) == (0, 3)
    game.do(CloseVotes(), Revote())
    game.vote("ann", "outer", 100)
    game.do(CloseVotes(), Reveal(), NextStep(all=True))
    mine = private_view(game.state, ANN, game.now_ms, game.present)
    assert mine.score is None
    assert [vote.points for vote in mine.votes] == [None, None]
    assert totals(game.journal) == before
    game.do(Finish())
    card = private_view(game.state, ANN, game.now_ms, game.present).card
    assert [item.round for item in card] == [0]
    assert player_view(game.state, game.now_ms).room.practice_of is None


def test_after_practice_the_next_case_of_the_plan_comes() -> None:
    game = closed()
    game.do(Reveal(), PlayAgain(), BackToLobby())
    assert game.state.plan_index == 0
    game.do(OpenRound())
    assert game.state.round_index == 1
    game.do(SkipRound(), BackToLobby(), PlayAgain(round=0), SkipRound())
    assert game.state.round_index == 2


def test_only_a_revealed_case_is_played_again() -> None:
    game = closed()
    game.do(BackToLobby())
    for wrong in (PlayAgain(), PlayAgain(round=1), PlayAgain(round=9)):
        with pytest.raises(Refused, match="bad_round"):
            game.do(wrong)


# --- undo, then the same presses --------------------------------------------------


@dataclass(frozen=True)
class Press:
    """An answer of one player, so long after the ballot opened."""

    player: str
    label: str
    sure: int
    after_ms: int


NAMES = ("ann", "bob", "cem", "dee")
presses = st.lists(
    st.builds(
        Press,
        st.sampled_from(NAMES),
        st.sampled_from(["outer", "inner"]),
        st.sampled_from([60, 90]),
        st.integers(1, 20_000),
    ),
    max_size=8,
).map(lambda found: sorted(found, key=lambda press: press.after_ms))


def play(game: Game, answers: list[Press], undo: int | None) -> None:
    """Answer and close; with ``undo``, also close by mistake after ``undo`` answers."""
    opened_ms = game.now_ms
    for number, press in enumerate(answers):
        if number == undo:
            game.do(CloseVotes(override=True))
            game.now_ms += 500
            game.do(ReopenVote())
            opened_ms = game.now_ms
        game.now_ms = opened_ms + press.after_ms
        game.vote(press.player, press.label, press.sure)
    game.now_ms = opened_ms + 60_000
    game.do(CloseVotes())


@given(
    presses,
    presses,
    st.integers(0, 7),
    st.integers(0, 7),
    st.sampled_from(["brier", "accuracy", "certainty", "speed"]),
)
def test_an_undo_and_then_the_same_presses_give_the_same_table(
    first: list[Press],
    second: list[Press],
    undo_first: int,
    undo_second: int,
    mode: Any,
) -> None:
    ends = []
    for undos in ((None, None), (undo_first, undo_second)):
        game = Game(RoomSettings(score_mode=mode))
        game.join(*NAMES)
        game.do(OpenRound(), OpenVote())
        play(game, first, undos[0])
        game.do(Discuss(), Revote())
        play(game, second, undos[1])
        game.do(Reveal(), Finish())
        ends.append(totals(game.journal))
    assert ends[0] == ends[1]
