"""The rules, one by one: given a room, when commands, then events or a refusal."""

from __future__ import annotations

import pytest

from server.game.commands import (
    AskFix,
    BackToLobby,
    CloseVotes,
    Contrast,
    Discuss,
    Finish,
    Join,
    Kick,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    Rename,
    Reveal,
    Revote,
    SkipRound,
    Transfer,
    Unlock,
)
from server.game.engine import replay
from server.game.errors import Refused
from server.game.events import (
    GameFinished,
    RoundOpened,
    RoundSkipped,
    VoteCast,
    VoteKeptLate,
)
from server.game.ids import PlayerId
from server.game.outcomes import standings
from server.game.phases import LAST_STEP, STEPS, VERDICT_STEP, Ballot, Phase
from server.game.settings import RoomSettings
from server.game.views.player import private_view
from server.game.views.stage import player_view
from server.game.views.stage_types import FinishedView, RevealView
from tests.support.game import Game, fix, links, voting


def refusal(game: Game, *args: object, **kwargs: object) -> str:
    """Return the code with which a vote is refused."""
    with pytest.raises(Refused) as refused:
        game.vote(*args, **kwargs)  # type: ignore[arg-type]
    return refused.value.code


def test_a_whole_round_scores_the_mean_of_vote_and_revote() -> None:
    game = voting()
    game.vote("ann", "outer", 80)
    game.vote("bob", "inner", 90)
    game.do(CloseVotes(), Contrast(), Discuss(), Revote())
    game.vote("bob", "outer", 60)
    game.do(CloseVotes(), Reveal())
    scores = game.state.rounds[0].scores
    assert scores["p-ann"] == 96  # carried: counts twice
    assert scores["p-bob"] == (19 + 84) / 2
    assert scores["p-cy"] == 50  # there, and missed it
    assert replay(game.journal) == game.state


def test_carried_votes_count_in_the_second_tally_and_are_shown() -> None:
    game = voting()
    game.vote("ann", "outer")
    game.vote("bob", "inner")
    game.do(CloseVotes(), Revote())
    game.vote("bob", "outer")
    game.vote("cy", "outer")
    game.do(CloseVotes(), Reveal())
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, RevealView)
    assert view.before.options == {"outer": 1, "inner": 1}
    assert view.after is not None
    assert view.after.options == {"outer": 3, "inner": 0}
    assert view.carried == 1
    assert game.state.rounds[0].moves == {("inner", "outer"): 1}


def test_one_small_cell_of_moves_hides_all_from_the_class() -> None:
    game = voting(RoomSettings(min_cell=2), "a", "b", "c")
    for name in "abc":
        game.vote(name, "inner")
    game.do(CloseVotes(), Revote())
    game.vote("a", "outer")
    game.vote("b", "inner")
    game.vote("c", "inner")
    game.do(CloseVotes(), Reveal())
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, RevealView)
    moves = {(move.before, move.after): move.n for move in view.moves}
    assert moves == {("inner", "outer"): None, ("inner", "inner"): None}


def test_a_vote_may_be_changed_and_the_latest_stamp_wins() -> None:
    game = voting()
    game.vote("ann", "outer", counter=5)
    assert game.vote("ann", "inner", counter=5) == []
    assert game.vote("ann", "inner", counter=4) == []
    game.vote("ann", "inner", counter=6)
    poll = game.state.poll
    assert poll is not None
    assert poll.tally.options(Ballot.VOTE, two_link=False) == {"outer": 0, "inner": 1}


def test_a_resend_from_an_old_tab_does_not_undo_the_new_tabs_vote() -> None:
    game = voting()
    game.vote("ann", "outer", counter=1, client="old")
    game.now_ms += 100
    game.vote("ann", "inner", counter=1, client="new")
    assert game.vote("ann", "outer", counter=1, client="old") == []
    poll = game.state.poll
    assert poll is not None
    assert poll.tally.options(Ballot.VOTE, two_link=False) == {"outer": 0, "inner": 1}


def test_a_resent_vote_never_counts_in_the_next_phase() -> None:
    game = voting()
    game.do(CloseVotes(), Revote())
    game.now_ms += 60_000
    code = refusal(game, "ann", "outer", ballot=Ballot.VOTE)
    assert code == "phase_closed"
    revote = game.state.poll
    assert revote is not None
    assert revote.votes == {}


def test_a_vote_stamped_in_time_counts_until_the_reveal_and_is_late_after() -> None:
    game = voting()
    stamped = game.now_ms
    game.do(CloseVotes())
    game.now_ms += 30_000
    events = game.vote("ann", "outer", ballot=Ballot.VOTE, stamped_ms=stamped + 1_999)
    assert isinstance(events[0], VoteCast)
    game.do(Reveal())
    (late,) = game.vote("bob", "outer", ballot=Ballot.VOTE, stamped_ms=stamped)
    assert isinstance(late, VoteKeptLate)
    assert game.vote("bob", "outer", ballot=Ballot.VOTE, counter=0) == []
    assert "p-bob" not in game.state.rounds[0].polls[Ballot.VOTE].votes
    assert refusal(game, "cy", "outer", ballot=Ballot.VOTE) == "phase_closed"


@pytest.mark.parametrize(
    ("settings", "answer", "confidence"),
    [
        (RoomSettings(), links(True, False), None),
        (RoomSettings(), fix(1), None),
        (RoomSettings(), "outer", 75),
        (RoomSettings(score_mode="certainty"), "outer", 80),
        (RoomSettings(confidence=False, score_mode="accuracy"), "outer", 80),
        (RoomSettings(two_link=True), "outer", 80),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    settings: RoomSettings, answer: object, confidence: int | None
) -> None:
    game = voting(settings)
    assert refusal(game, "ann", answer, confidence) == "bad_answer"
    assert game.state.poll is not None
    assert game.state.poll.votes == {}


def test_two_link_rooms_tally_the_four_combinations() -> None:
    game = voting(RoomSettings(two_link=True))
    game.vote("ann", links(True, False))
    game.vote("bob", links(True, True))
    game.vote("cy", links(False, False))
    assert game.state.poll is not None
    counted = game.state.poll.tally.options(Ballot.VOTE, two_link=True)
    assert counted == {"outer": 1, "inner": 0, "both": 1, "neither": 1}
    game.do(CloseVotes(), Reveal())
    assert game.state.rounds[0].scores["p-ann"] == 96


def test_late_joiners_are_not_scored_for_rounds_they_did_not_see() -> None:
    game = voting()
    game.now_ms += 1_000
    game.join("dan")
    game.do(CloseVotes())
    game.join("eve")
    game.do(Revote())
    game.vote("eve", "outer", 80)
    game.do(CloseVotes(), Reveal())
    scores = game.state.rounds[0].scores
    assert "p-dan" not in scores
    assert scores["p-eve"] == 96


def test_lock_kick_and_rename() -> None:
    game = Game()
    ann, bob = game.join("ann", "bob")
    game.do(Lock())
    with pytest.raises(Refused, match="room_locked"):
        game.do(Join(PlayerId("x"), "x"))
    game.do(Unlock(), Kick(player=bob), Rename(player=ann, name="Bob"))
    assert game.state.players[ann].name == "Bob"
    game.do(OpenRound(), OpenVote())
    assert refusal(game, "bob", "outer") == "kicked"


def test_teams_fill_evenly_and_may_be_chosen() -> None:
    game = Game(RoomSettings(teams=("red", "blue")))
    game.join("a", "b", "c")
    teams = [player.team for player in game.state.players.values()]
    assert teams == ["red", "blue", "red"]
    with pytest.raises(Refused, match="bad_team"):
        game.do(Join(PlayerId("x"), "x", "green"))


def test_a_round_left_for_the_lobby_continues_with_its_votes() -> None:
    game = voting()
    game.vote("ann", "outer", 80)
    game.do(BackToLobby())
    assert refusal(game, "ann", "inner", ballot=Ballot.VOTE) == "phase_closed"
    (opened,) = game.do(OpenRound())
    assert isinstance(opened, RoundOpened)
    assert (opened.round, opened.phase) == (0, Phase.READ)
    game.do(OpenVote())
    assert game.state.poll is not None
    assert "p-ann" in game.state.poll.votes

    game.do(CloseVotes(), BackToLobby())
    (again,) = game.do(OpenRound())
    assert isinstance(again, RoundOpened)
    assert again.phase is Phase.VOTE_CLOSED


def test_a_skipped_round_is_not_scored_and_the_next_opens() -> None:
    game = voting()
    game.vote("ann", "outer")
    skipped, opened = game.do(SkipRound())
    assert isinstance(skipped, RoundSkipped)
    assert isinstance(opened, RoundOpened)
    assert opened.round == 1
    game.do(SkipRound())
    *_, finished = game.do(SkipRound())
    assert isinstance(finished, GameFinished)
    assert standings(game.state) == ()


def test_a_revealed_round_cannot_be_played_again() -> None:
    game = voting()
    game.do(CloseVotes(), Reveal())
    with pytest.raises(Refused, match="bad_round"):
        game.do(OpenRound(round=0))


def test_fix_and_transfer_have_their_own_reveals_and_are_asked_once() -> None:
    game = voting()
    game.do(CloseVotes(), Reveal(), NextStep(all=True), AskFix())
    game.vote("ann", fix(1))
    game.vote("bob", fix(0))
    game.do(CloseVotes())
    mine = private_view(game.state, PlayerId("p-ann"), game.now_ms, game.present)
    assert [vote.is_right for vote in mine.votes] == [True]
    with pytest.raises(Refused, match="nothing_to_show"):
        game.do(AskFix())
    game.do(Transfer())
    game.vote("ann", "outer", 90)
    game.do(CloseVotes())
    assert game.state.phase is Phase.TRANSFER_REVEAL
    ann = game.state.players[PlayerId("p-ann")]
    assert (ann.points, ann.rounds_scored) == (0, 0)  # the VOTE had no answers


def test_own_result_is_shown_with_the_verdict_not_before() -> None:
    game = voting()
    game.vote("ann", "outer", 80)
    game.do(CloseVotes(), Reveal())
    me = PlayerId("p-ann")
    hidden = private_view(game.state, me, game.now_ms, game.present)
    assert (hidden.points, hidden.score, hidden.votes[0].is_right) == (0, None, None)
    game.do(*(NextStep() for _ in range(VERDICT_STEP)))
    shown = private_view(game.state, me, game.now_ms, game.present)
    assert (shown.points, shown.score, shown.votes[0].is_right) == (96, 96, True)


def test_practice_players_stay_out_of_tallies_unless_it_is_a_rehearsal() -> None:
    for simulated, counted in ((False, 1), (True, 2)):
        game = Game(RoomSettings(simulated=simulated))
        game.join("ann")
        game.join("bot", practice=True)
        game.do(OpenRound(), OpenVote())
        game.vote("ann", "outer")
        game.vote("bot", "outer")
        assert game.state.poll is not None
        assert game.state.poll.tally.n == counted
        game.do(CloseVotes(), Reveal())
        assert len(standings(game.state)) == counted


def test_the_closing_page_has_a_class_goal_and_a_podium_only_if_switched_on() -> None:
    for podium in (False, True):
        game = voting(RoomSettings(podium=podium))
        game.vote("ann", "outer", 100)
        game.vote("bob", "outer", 90)
        game.vote("cy", "outer", 80)
        game.do(CloseVotes(), Reveal(), Finish())
        view = player_view(game.state, game.now_ms)
        assert isinstance(view, FinishedView)
        assert view.class_mean == 98.3
        assert view.reached_goal
        assert [line.name for line in view.podium] == (
            ["ann", "bob", "cy"] if podium else []
        )
        card = private_view(
            game.state, PlayerId("p-cy"), game.now_ms, game.present
        ).card
        assert [(item.title, item.score) for item in card] == [("Title case-0", 96)]


def test_all_people_of_a_shared_place_are_on_the_podium() -> None:
    confidences = {"ann": 80, "bob": 100, "cy": 100, "dan": 100, "eve": 100, "flo": 90}
    game = voting(RoomSettings(podium=True), *confidences)
    for name, confidence in confidences.items():
        game.vote(name, "outer", confidence)
    game.do(CloseVotes(), Reveal(), Finish())
    view = player_view(game.state, game.now_ms)
    assert isinstance(view, FinishedView)
    places = [(line.rank, line.name) for line in view.podium]
    assert places == [(1, "bob"), (1, "cy"), (1, "dan"), (1, "eve")]


def test_a_contested_case_is_unscored() -> None:
    game = Game()
    first = game.journal[0]
    assert first.type == "room_opened"
    planned = game.state.plan.rounds[0]
    argued = planned.case.model_copy(update={"contested": "both sides"})
    game.state.rounds[0].planned = planned.model_copy(update={"case": argued})
    game.join("ann")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80)
    game.do(CloseVotes(), Reveal(), NextStep(all=True))
    mine = private_view(game.state, PlayerId("p-ann"), game.now_ms, game.present)
    assert game.state.rounds[0].scores == {}
    assert mine.votes[0].is_right is None


def test_a_reveal_has_four_screens_and_details_between_the_last_two() -> None:
    game = voting()
    game.do(CloseVotes(), Reveal())
    steps = [game.state.step]
    while game.state.step < LAST_STEP:
        game.do(NextStep(stop=True))
        steps.append(game.state.step)
    assert [STEPS[step] for step in steps] == ["tallies", "learned", "verdict", "say"]
    detailed = voting()
    detailed.do(CloseVotes(), Reveal(), NextStep(stop=True), NextStep(stop=True))
    detailed.do(NextStep())
    assert STEPS[detailed.state.step] == "why_not"
    detailed.do(NextStep(stop=True))
    assert STEPS[detailed.state.step] == "say"
