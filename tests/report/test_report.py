"""The report: what each kind of class reads, and what small classes do not."""

from __future__ import annotations

import dataclasses
import io

import openpyxl
import pytest

from server.game.commands import (
    ChangeSettings,
    CloseVotes,
    Discuss,
    Finish,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
)
from server.game.errors import Refused
from server.game.phases import Ballot
from server.game.settings import RoomSettings, SettingsChange
from server.protocol.report_types import Estimate, Figure, Hidden, Report
from server.report.report import build_report, for_others, suppress
from server.report.workbook import xlsx_bytes
from tests.report.test_table import play
from tests.support.cases import make_plan, new_state
from tests.support.game import Game
from tests.support.known_classes import ALL_OUTER, EXPERT, GUESSING, SPLIT
from tests.support.simulated_class import ClassModel, simulate


def why(figure: Figure | None) -> str | None:
    """Return why a figure is not shown."""
    return figure.why.text if isinstance(figure, Hidden) else None


def report_on(model: ClassModel, seed: int = 1) -> Report:
    return build_report(simulate(model, seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("model", "begins", "tells"),
    [
        (
            ALL_OUTER,
            "The class is not yet telling the two gaps apart, and leans outer: ",
            "% of the cases outer",
        ),
        (
            GUESSING,
            "The class is not yet telling the two gaps apart, and leans neither way",
            "look like guesses",
        ),
        (EXPERT, "The class is telling the two gaps apart well (9", "answers right"),
        (
            SPLIT,
            "The class is telling the two gaps apart well, but one case split it",
            "“Title case-6”",
        ),
    ],
)
def test_each_class_gets_its_sentence(
    model: ClassModel, begins: str, tells: str, seed: int
) -> None:
    sentence = report_on(model, seed).sentence.text
    assert sentence.startswith(begins)
    assert tells in sentence


def test_a_class_misled_by_a_case_reads_so() -> None:
    model = dataclasses.replace(SPLIT, strengths=(1,) * 6 + (-1,) + (1,) * 9)
    report = report_on(model)
    assert "but one case misled it: “Title case-6”" in report.sentence.text
    assert report.hardest[0] == 7
    assert report.confidently_missed[0] == 7
    assert any("missed with confidence" in point.text for point in report.points)


@pytest.mark.parametrize("learners", [2, 5, 300])
def test_rooms_of_any_size_read_what_n_can_support(learners: int) -> None:
    model = ClassModel(
        learners=learners,
        d_prime=1.5,
        revote=(0.5, 0.1),
        transfer_d=2,
        teams=("A", "B"),
    )
    report = report_on(model)
    is_large = learners == 300
    assert isinstance(report.detections[0].d_prime, Estimate) is is_large
    assert (report.detections[0].words is not None) is is_large
    assert isinstance(report.kr20, float) is is_large
    assert all(
        isinstance(case.discrimination, Estimate) is is_large for case in report.cases
    )
    assert report.calibration is not None
    assert isinstance(report.calibration.bias, Estimate) is is_large
    assert (report.calibration.ece is not None) is is_large
    assert report.transfer is not None
    assert isinstance(report.transfer.change, Estimate) is is_large
    assert report.herding is not None
    assert isinstance(report.herding.all, Estimate) is is_large
    assert isinstance(report.accuracy, Estimate) is is_large
    shares = [case.right for case in report.cases]
    assert all(isinstance(share, Estimate) is (learners >= 5) for share in shares)
    assert all(isinstance(team.score, Estimate) is is_large for team in report.teams)
    assert report.sentence.text.endswith((".", ")."))
    small = [text for text in report.caveats if text.text.startswith("Only")]
    assert bool(small) is (learners < 10)


def test_an_empty_room_has_a_report() -> None:
    report = build_report(new_state())
    assert report.sentence.text == "No case has been answered and revealed yet."
    assert report.cases == ()
    assert why(report.accuracy) == "no answers"


def test_transitions_carried_votes_and_gains_are_those_of_the_room() -> None:
    report = build_report(play().state)
    (case,) = report.cases
    assert (case.n, case.rights, case.missed) == (3, 2, 1)
    assert case.moves is not None
    assert case.moves.carried == 1
    assert {cell.answer: cell.n for cell in case.moves.cells} == {
        "RR": 1, "RW": 0, "WR": 1, "WW": 0,
    }  # fmt: skip
    assert why(case.moves.after) == "fewer than 5 answers"
    assert isinstance(case.moves.after, Hidden)
    assert (case.moves.after.n, case.moves.after.count) == (3, 3)
    assert report.room.people == 3
    assert report.room.practice == 1


def test_contested_cases_enter_no_statistic() -> None:
    model = ClassModel(cases=6, d_prime=3)
    state = simulate(model, 1)
    plan = make_plan(6)
    argued = plan.rounds[0].case.model_copy(update={"contested": "argued"})
    rounds = (plan.rounds[0].model_copy(update={"case": argued}), *plan.rounds[1:])
    other = simulate(
        dataclasses.replace(model, plan=plan.model_copy(update={"rounds": rounds})), 1
    )
    with_all, without = build_report(state), build_report(other)
    assert isinstance(with_all.accuracy, Estimate)
    assert isinstance(without.accuracy, Estimate)
    assert (with_all.accuracy.n, without.accuracy.n) == (180, 150)
    assert why(without.cases[0].right) == "not scored"
    assert without.cases[0].n == 30
    assert without.detections[0].signals == 60
    assert sum(row.n for row in without.confusion) == 150
    assert any("left out of all means" in text.text for text in without.caveats)


def test_two_link_rooms_read_about_each_link() -> None:
    state = new_state(RoomSettings(two_link=True))
    report = build_report(state)
    assert [one.about for one in report.detections] == [
        "the outer link",
        "the inner link",
    ]


def test_only_revealed_rounds_count() -> None:
    state = simulate(ClassModel(cases=4), 1)
    state.rounds[3].is_revealed = state.rounds[3].is_counted = False
    report = build_report(state)
    assert len(report.cases) == 3
    assert any("3 of 4 rounds" in text.text for text in report.caveats)


def test_the_twin_is_compared_with_classes_that_saw_it_first() -> None:
    state = simulate(ClassModel(cases=2, transfer_d=2.0), 1)
    report = build_report(state, {"transfer-0": (12, 20)})
    assert isinstance(report.cases[0].first_sight, Estimate)
    assert report.cases[0].first_sight.value == 0.6
    assert report.cases[1].first_sight is None


def test_small_cells_are_hidden_and_cannot_be_worked_out() -> None:
    assert suppress([10, 8, 2, 4], 5) == [10, 8, None, None]
    assert suppress([10, 8, 2, 6], 5) == [10, 8, None, None]
    assert suppress([10, 8, 7, 6], 5) == [10, 8, 7, 6]
    assert suppress([3, 2], 5) == [None, None]
    assert suppress([20, 2], 5) == [None, None]
    assert suppress([10, 8, 2, 4], 0) == [10, 8, 2, 4]


def test_others_see_no_small_cell() -> None:
    model = ClassModel(d_prime=2.5, revote=(0.5, 0.1), teams=("A", "B", "C", "D", "E"))
    state = simulate(dataclasses.replace(model, learners=22), 3)
    report = for_others(build_report(state), 5)
    assert report.audience == "others"
    assert all(team.n >= 5 for team in report.teams)
    assert len(report.teams) == 2
    for case in report.cases:
        assert case.confident_errors is None or case.confident_errors >= 5
        assert case.moves is not None
        hidden = [cell for cell in case.moves.cells if cell.n is None]
        assert len(hidden) != 1
        assert all(cell.n is None or cell.n >= 5 for cell in case.moves.cells)
        if hidden:
            assert case.moves.loss is case.moves.right_turn is case.moves.mid_p is None
    assert report.calibration is not None
    assert all(dot.n >= 5 for dot in report.calibration.dots)


def test_a_report_is_the_same_each_time() -> None:
    model = ClassModel(revote=(0.3, 0.2), transfer_d=1.0)
    assert report_on(model) == report_on(model)


def test_a_second_vote_takes_nobodys_vote_away() -> None:
    state = play().state
    round_ = state.rounds[0]
    assert round_.after.n == round_.polls[Ballot.VOTE].tally.n == 3


def test_dates_are_the_class_s_and_say_their_time_zone() -> None:
    game = Game(RoomSettings(time_zone="Pacific/Auckland"))
    game.do(Finish())
    room = build_report(game.state).room
    assert (room.time_zone, room.is_zone_known) == ("Pacific/Auckland", True)
    assert room.opened == "1970-01-01T12:00:01+12:00"
    assert room.finished == "1970-01-01T12:00:10+12:00"


@pytest.mark.parametrize("zone", [None, "Nowhere/Town"])
def test_where_the_time_zone_is_unknown_dates_are_in_utc_and_say_so(
    zone: str | None,
) -> None:
    """As in old journals, and if a name has left the system's database."""
    game = Game(RoomSettings(time_zone=zone))
    report = build_report(game.state)
    assert (report.room.time_zone, report.room.is_zone_known) == ("UTC", False)
    assert report.room.opened == "1970-01-01T00:00:01+00:00"
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(report, [])))
    said = {row[0]: row[1] for row in book["Read me"].iter_rows(values_only=True)}
    assert said["opened"] == (
        "1970-01-01T00:00:01+00:00, UTC (the room has no time zone)"
    )


def test_a_time_zone_that_does_not_exist_is_refused_with_an_example() -> None:
    game = Game()
    with pytest.raises(Refused, match="Europe/Berlin"):
        game.do(ChangeSettings(change=SettingsChange(time_zone="Mars/Olympus")))
    game.do(ChangeSettings(change=SettingsChange(time_zone="Europe/Berlin")))
    assert game.state.settings.time_zone == "Europe/Berlin"


def hard_lesson() -> Game:
    """Two cases: one right for all in the end, one wrong for three of four."""
    game = Game(rounds=2)
    game.join("ann", "bob", "cy", "dan")
    game.do(OpenRound(), OpenVote())
    for name in ("ann", "bob", "cy", "dan"):
        game.vote(name, "outer", 90)
    game.do(CloseVotes(), Reveal(), OpenRound(), OpenVote())
    game.vote("ann", "inner", 90)
    game.vote("bob", "outer", 90, reason="They paid for the wrong score.")
    game.vote("cy", "outer", 60, reason="The score they paid for was wrong.")
    game.vote("dan", "outer", 100, reason="Because.")
    game.do(CloseVotes(), Reveal(), Finish())
    return game


def test_what_to_take_up_names_the_case_its_wrong_reason_and_who_was_sure() -> None:
    game = hard_lesson()
    (one,) = build_report(game.state, is_private=True).take_up
    assert (one.number, one.right, one.n) == (2, 1, 4)
    assert one.reason is not None
    assert one.reason.text == "They paid for the wrong score."
    assert (one.reason.answer, one.reason.given) == ("outer", 3)
    assert one.sure == ("bob", "dan")


def test_names_and_reasons_are_for_the_host_s_page_alone() -> None:
    report = build_report(hard_lesson().state)
    (one,) = report.take_up
    assert (one.reason, one.sure) == (None, ())
    assert for_others(report, 5).take_up == ()


def test_the_last_vote_counts_and_its_reason_may_be_that_of_the_first() -> None:
    game = Game(rounds=1)
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "inner", 90, reason="It learned to turn.")
    game.vote("bob", "inner", 90, reason="It turned.")
    game.do(CloseVotes(), Discuss(), Revote())
    game.vote("ann", "inner", 60)
    game.vote("bob", "outer", 60)
    game.do(CloseVotes(), Reveal())
    (one,) = build_report(game.state, is_private=True).take_up
    assert (one.right, one.n, one.sure) == (1, 2, ())
    assert one.reason is not None
    assert (one.reason.text, one.reason.given) == ("It learned to turn.", 1)
