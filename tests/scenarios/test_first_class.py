"""The deck of a first lesson keeps the promises made about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby

import pytest

from scenarios.build import build_plan
from scenarios.model import Case, Label
from tests.support.library import LIBRARY

DECK = LIBRARY.deck("first-class")
PLAN = build_plan(DECK, LIBRARY, seed=1, length=None, two_link=False)
EVERY = sorted(LIBRARY.cases.values(), key=lambda each: each.id)


def test_every_case_that_is_voted_on_is_clean_and_played() -> None:
    asked = set(DECK.case_ids) - set(DECK.closing)
    assert all(LIBRARY.case(name).is_clean for name in asked)
    assert PLAN.left_out == ()
    assert PLAN.opening == ()
    assert [r.case.id for r in PLAN.rounds] == [r.case for r in DECK.rounds]


def test_it_begins_with_two_games_of_unlike_labels_and_all_of_it_is_true() -> None:
    first, second, *_ = (item.case for item in PLAN.rounds)
    assert (first.label, second.label) == (Label.OUTER, Label.INNER)
    assert first.domain == second.domain
    assert all(item.case.is_true for item in PLAN.rounds)


def test_language_models_fail_in_both_ways() -> None:
    labels = {
        item.case.label for item in PLAN.rounds if item.case.domain == "language-models"
    }
    assert labels == set(Label)


def test_it_closes_with_both_and_neither() -> None:
    """The lesson ends on the four kinds side by side: the gaps fail independently."""
    assert {case.verdict for case in PLAN.closing} == {"both", "neither"}
    voted = {item.case.verdict for item in PLAN.rounds}
    assert voted == {"outer", "inner"}


def test_votes_are_balanced_and_runs_short() -> None:
    labels = [item.case.label for item in PLAN.rounds]
    assert 0.4 <= labels.count(Label.OUTER) / len(labels) <= 0.6
    assert all(len(list(run)) <= 3 for _, run in groupby(labels))


def test_most_rounds_have_a_transfer_of_either_label() -> None:
    same = [
        item.transfer.label is item.case.label
        for item in PLAN.rounds
        if item.transfer is not None
    ]
    assert len(same) > len(PLAN.rounds) / 2
    assert abs(same.count(True) - same.count(False)) <= 1


def test_contrasts_are_of_either_label() -> None:
    pairs = [(r.case, r.contrast) for r in PLAN.rounds if r.contrast is not None]
    assert len(pairs) > len(PLAN.rounds) / 2
    same = [case.label is beside.label for case, beside in pairs]
    assert abs(same.count(True) - same.count(False)) <= 1


def test_the_subject_does_not_give_the_label_away() -> None:
    labels: defaultdict[str, set[Label | None]] = defaultdict(set)
    for name in set(DECK.case_ids) - set(DECK.closing):
        labels[LIBRARY.case(name).domain].add(LIBRARY.case(name).label)
    for domain, found in labels.items():
        assert found == set(Label), domain


def test_library_holds_a_case_of_both_and_one_of_neither() -> None:
    undisputed = [each for each in EVERY if each.contested is None]
    kinds = {(each.truth.outer, each.truth.inner) for each in undisputed}
    assert kinds == {(False, False), (True, True), (True, False), (False, True)}


def test_right_repair_occurs_in_every_position() -> None:
    counts = Counter(each.fix_question.right for each in EVERY)
    assert set(counts) == {0, 1, 2}
    assert max(counts.values()) <= len(EVERY) / 2


@pytest.mark.parametrize("case", EVERY, ids=lambda each: each.id)
def test_breakdown_fits_a_phone(case: Case) -> None:
    for key, text in case.breakdown:
        assert len(text) <= 260, key


def test_it_names_one_thing_to_read_first() -> None:
    assert [item.start_here for item in DECK.reading].count(True) == 1
