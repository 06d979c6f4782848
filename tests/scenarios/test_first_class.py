"""The deck of a first lesson keeps the promises made about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby

import pytest

from scenarios.build import build_plan
from scenarios.load import load_library
from scenarios.model import Case, Label

LIBRARY = load_library()
DECK = LIBRARY.deck("first-class")
PLAN = build_plan(DECK, LIBRARY, seed=1, length=None, two_link=False)
EVERY = sorted(LIBRARY.cases.values(), key=lambda each: each.id)


def test_every_case_of_the_deck_is_clean_and_played() -> None:
    assert all(LIBRARY.case(name).is_clean for name in DECK.case_ids)
    assert PLAN.left_out == ()
    assert PLAN.opening == ()
    assert [r.case.id for r in PLAN.rounds] == [r.case for r in DECK.rounds]


def test_it_begins_with_the_boat_the_green_thing_and_the_robot() -> None:
    first = {item.case.id for item in PLAN.rounds[:3]}
    assert first == {"coastrunners-lagoon", "green-goal", "cleaning-robot"}


def test_votes_are_balanced_and_runs_short() -> None:
    labels = [item.case.label for item in PLAN.rounds]
    assert 0.4 <= labels.count(Label.OUTER) / len(labels) <= 0.6
    assert all(len(list(run)) <= 3 for _, run in groupby(labels))


def test_each_round_has_a_transfer_of_either_label() -> None:
    same = []
    for item in PLAN.rounds:
        assert item.transfer is not None
        same.append(item.transfer.label is item.case.label)
    assert abs(same.count(True) - same.count(False)) <= 1


def test_contrasts_are_of_either_label() -> None:
    pairs = [(r.case, r.contrast) for r in PLAN.rounds if r.contrast is not None]
    assert len(pairs) > len(PLAN.rounds) / 2
    same = [case.label is beside.label for case, beside in pairs]
    assert abs(same.count(True) - same.count(False)) <= 1


def test_the_subject_does_not_give_the_label_away() -> None:
    labels: defaultdict[str, set[Label | None]] = defaultdict(set)
    for name in DECK.case_ids:
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
