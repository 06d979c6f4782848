"""Which rules a class misses: first votes by the rule that decides each case."""

from __future__ import annotations

from scenarios.model import Case, PlannedRound, Rule
from server.game.commands import CloseVotes, OpenRound, OpenVote, Reveal
from server.game.state import RoomState
from server.protocol.report_types import Estimate, Hidden
from server.report.report import build_report, for_others
from server.report.workbook import xlsx_bytes
from tests.support.game import Game

PEOPLE = [f"p{number}" for number in range(12)]


def ruled(planned: PlannedRound, rule: Rule | None) -> PlannedRound:
    case: Case = planned.case.model_copy(update={"rule": rule})
    return planned.model_copy(update={"case": case})


def played(*rules: Rule | None) -> RoomState:
    """Return a game whose cases name these rules; each is missed by two more people."""
    game = Game(rounds=len(rules))
    for round_, rule in zip(game.state.rounds, rules, strict=True):
        round_.planned = ruled(round_.planned, rule)
    game.join(*PEOPLE)
    for index in range(len(rules)):
        game.do(OpenRound(), OpenVote())
        label = game.state.round.case.label
        assert label is not None
        for number, name in enumerate(PEOPLE):
            is_right = number >= 2 * index
            game.vote(name, label if is_right else label.other)
        game.do(CloseVotes(), Reveal())
    return game.state


def test_the_rule_that_is_missed_most_often_comes_first() -> None:
    report = build_report(played("score", "paid", "paid", None))
    assert [(one.rule, one.cases, one.n, one.rights) for one in report.rules] == [
        ("paid", (2, 3), 24, 18),
        ("score", (1,), 12, 12),
    ]
    missed, known = report.rules
    assert isinstance(known.right, Estimate)
    assert known.right.value == 1
    assert isinstance(missed.right, Hidden), "needs 30 answers"


def test_others_get_no_count_where_the_share_is_hidden() -> None:
    report = for_others(build_report(played("score", "paid", "score")), 5)
    (hidden,) = (one for one in report.rules if isinstance(one.right, Hidden))
    assert (hidden.rights, hidden.right.count) == (0, None)


def test_a_journal_without_rules_has_none() -> None:
    report = build_report(played(None, None))
    assert report.rules == ()
    assert xlsx_bytes(report, [])
