"""Re-keying: what a corrected case changes, and that the journal stays as it was."""

from __future__ import annotations

from scenarios.model import Case, PlannedRound, Truth
from server.game.commands import AddCase, CloseVotes, OpenRound, OpenVote, Reveal
from server.game.engine import replay
from server.game.events import RoomOpened
from server.game.phases import Ballot
from server.report.rescore import NO_GAP_BROKE, Rescoring, compare, corrected
from tests.report.test_table import play
from tests.support.cases import make_case
from tests.support.game import Game


def library(game: Game) -> dict[str, Case]:
    rounds = game.state.plan.rounds
    cases = [case for r in rounds for case in (r.case, r.contrast, r.transfer) if case]
    return {case.id: case for case in cases}


def rekeyed(case: Case, *, outer: bool, inner: bool) -> Case:
    truth = Truth(outer=outer, inner=inner)
    return case.model_copy(update={"truth": truth, "version": case.version + 1})


def rescored(game: Game, cases: dict[str, Case]) -> Rescoring:
    after = replay(corrected(game.journal, cases))
    return compare(replay(game.journal), after, cases)


def test_nothing_changes_under_the_same_cases() -> None:
    game = play()
    found = rescored(game, library(game))
    assert found == Rescoring((), (), (found.mean[0], found.mean[0]), ())


def test_a_turned_verdict_turns_right_and_wrong() -> None:
    game = play()
    journal = list(game.journal)
    cases = library(game)
    cases["case-0"] = rekeyed(cases["case-0"], outer=False, inner=True)
    found = rescored(game, cases)
    vote, revote = found.cases
    assert (vote.ballot, revote.ballot) == (Ballot.VOTE, Ballot.REVOTE)
    assert vote.verdicts == ("outer", "inner")
    assert vote.versions == (1, 2)
    assert (vote.right, vote.n) == ((2, 1), (3, 3))
    assert revote.right == (2, 0)
    points = {player.name: player.points for player in found.players}
    assert points == {"Ann": (98, 18), "Bob": (77.5, 67.5)}
    places = {player.name: player.place for player in found.players}
    assert places == {"Ann": (1, 4), "Bob": (2, 2)}
    assert found.mean[0] != found.mean[1]
    assert game.journal == journal


def test_a_case_in_which_no_single_gap_broke_is_left_unscored() -> None:
    game = play()
    cases = library(game)
    cases["case-0"] = rekeyed(cases["case-0"], outer=True, inner=True)
    first, *_ = corrected(game.journal, cases)
    assert isinstance(first, RoomOpened)
    assert first.plan.rounds[0].case.contested == NO_GAP_BROKE
    found = rescored(game, cases)
    assert found.cases[0].verdicts == ("outer", "contested")
    assert found.cases[0].n == (3, 0)
    assert found.mean[1] is None


def test_a_new_wording_is_reported_and_changes_no_points() -> None:
    game = play()
    cases = library(game)
    told = {"version": 2, "tempting": "Another."}
    cases["case-0"] = cases["case-0"].model_copy(update=told)
    found = rescored(game, cases)
    assert [change.is_rekeyed for change in found.cases] == [False, False]
    assert found.players == ()


def test_cases_the_library_lost_stay_as_played() -> None:
    game = play()
    cases = library(game)
    del cases["case-0"]
    found = rescored(game, cases)
    assert found.unknown == ("case-0",)
    assert found.cases == ()


def test_rounds_that_were_not_rekeyed_keep_their_scores() -> None:
    game = play()
    game.do(OpenRound(), OpenVote())
    game.vote("Ann", "inner", 80)
    game.do(CloseVotes(), Reveal())
    cases = library(game)
    cases["case-0"] = rekeyed(cases["case-0"], outer=False, inner=True)
    after = replay(corrected(game.journal, cases))
    assert after.rounds[1].scores == game.state.rounds[1].scores


def test_a_case_that_was_added_is_corrected_as_well() -> None:
    game = Game()
    game.join("ann")
    game.do(AddCase(planned=PlannedRound(case=make_case("more"))), OpenRound(round=3))
    game.do(OpenVote())
    game.vote("ann", "outer", 90)
    game.do(CloseVotes(), Reveal())
    cases = library(game)
    cases["more"] = rekeyed(cases["more"], outer=False, inner=True)
    (change,) = rescored(game, cases).cases
    assert (change.number, change.case, change.right) == (4, "more", (1, 0))
