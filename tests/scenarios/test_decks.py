"""Every deck keeps what a deck promises, and the two test forms are parallel."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby

import pytest

from scenarios.build import build_plan
from scenarios.flow import minutes_of
from scenarios.model import Case, Deck, Label, Plan
from tests.support.figures import Figure
from tests.support.library import LIBRARY

DECKS = {
    "first-class", "pairs", "language-models", "robots-and-games", "evolution",
    "medicine-and-vision", "in-the-world", "hard", "quick-five", "pre-test",
    "post-test", "coding-agents", "this-year", "both-and-neither", "civics",
}  # fmt: skip
SUBJECTS = DECKS - {"pairs", "hard", "quick-five", "first-class", "both-and-neither"}
FOUNDATIONS = {
    "Risks from Learned Optimization",
    "Outer vs inner misalignment: three framings",
    "Inner and outer alignment decompose one hard problem...",
}
"""Readings about the two words themselves; all others are sources of some case."""
every_deck = pytest.mark.parametrize("name", sorted(DECKS))


FORMS = (LIBRARY.deck("pre-test"), LIBRARY.deck("post-test"))


def plan_of(deck: Deck, seed: int = 1) -> Plan:
    return build_plan(deck, LIBRARY, seed=seed, length=None, two_link=deck.two_link)


def voted(deck: Deck) -> list[Case]:
    return [LIBRARY.case(item.case) for item in deck.rounds]


def used(plan: Plan) -> list[str]:
    beside = [c for r in plan.rounds for c in (r.case, r.contrast, r.transfer) if c]
    return [case.id for case in (*plan.opening, *beside)]


def test_these_are_the_decks() -> None:
    assert set(LIBRARY.decks) == DECKS


@every_deck
@pytest.mark.parametrize("seed", range(5))
def test_all_of_it_is_played_and_each_case_once(name: str, seed: int) -> None:
    plan = plan_of(LIBRARY.deck(name), seed)
    assert plan.left_out == ()
    assert len(plan.rounds) == len(LIBRARY.deck(name).rounds)
    assert len(set(used(plan))) == len(used(plan))


@every_deck
@pytest.mark.parametrize("seed", range(5))
def test_votes_are_balanced_and_runs_short(name: str, seed: int) -> None:
    labels = [item.case.label for item in plan_of(LIBRARY.deck(name), seed).rounds]
    clean = [label for label in labels if label is not None]
    if len(clean) >= 5:
        assert 0.4 <= clean.count(Label.OUTER) / len(clean) <= 0.6
    for label, run in groupby(labels):
        assert label is None or len(list(run)) <= 3


def same_verdict(deck: Deck) -> list[bool]:
    """Return for each contrast whether its verdict is that of its case."""
    pairs = [
        (LIBRARY.case(item.case).verdict, LIBRARY.case(item.contrast).verdict)
        for item in deck.rounds
        if item.contrast is not None
    ]
    return [one == other for one, other in pairs if "contested" not in (one, other)]


@every_deck
def test_a_contrast_does_not_give_the_verdict_away(name: str) -> None:
    same = same_verdict(LIBRARY.deck(name))
    assert abs(same.count(True) - same.count(False)) <= 1


def test_contrasts_of_all_decks_are_as_often_of_the_same_verdict() -> None:
    same = [each for deck in LIBRARY.decks.values() for each in same_verdict(deck)]
    assert len(same) >= 25
    assert 0.4 <= same.count(True) / len(same) <= 0.6


def test_worked_examples_have_unlike_verdicts() -> None:
    openings = [deck.opening for deck in LIBRARY.decks.values() if deck.opening]
    assert len(openings) >= 4
    for one, other in openings:
        assert LIBRARY.case(one).verdict != LIBRARY.case(other).verdict


@every_deck
def test_a_transfer_may_have_either_label(name: str) -> None:
    same = [
        item.case.label is item.transfer.label
        for item in plan_of(LIBRARY.deck(name)).rounds
        if item.transfer is not None and item.case.is_clean and item.transfer.is_clean
    ]
    if len(same) >= 4:
        assert {True, False} == set(same)


@every_deck
def test_it_states_its_audience_its_length_and_what_it_teaches(
    name: str, figure: Figure
) -> None:
    deck = LIBRARY.deck(name)
    assert len(deck.audience.split()) >= 8
    assert len(deck.teaches.split()) >= 25
    takes = minutes_of(plan_of(deck), deck.flow)[-1]
    assert takes <= deck.minutes <= takes + 15
    figure(f"{name}: about {takes} of {deck.minutes} minutes by its flow, {deck.flow}")


def test_tests_and_the_quick_five_have_flows_of_their_own() -> None:
    flows = {deck.id: deck.flow for deck in LIBRARY.decks.values()}
    assert flows == dict.fromkeys(DECKS, "full") | {
        "quick-five": "quick",
        "pre-test": "test",
        "post-test": "test",
    }


@every_deck
def test_it_names_reading_that_we_know_and_one_to_start_with(name: str) -> None:
    reading = LIBRARY.deck(name).reading
    sources = {s.title for case in LIBRARY.cases.values() for s in case.sources}
    assert [item.start_here for item in reading] == [True] + [False] * (
        len(reading) - 1
    )
    assert len(reading) >= 2
    assert {item.title for item in reading} <= sources | FOUNDATIONS


@every_deck
def test_most_of_what_is_voted_on_really_happened(name: str) -> None:
    kinds = Counter(case.kind for case in voted(LIBRARY.deck(name)))
    assert kinds["documented"] > kinds.total() / 2


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_the_subject_does_not_give_the_label_away(name: str) -> None:
    labels: defaultdict[str, list[Label]] = defaultdict(list)
    for case in map(LIBRARY.case, used(plan_of(LIBRARY.deck(name)))):
        if case.label is not None:
            labels[case.domain].append(case.label)
    mixed = [found for found in labels.values() if set(found) == set(Label)]
    assert sum(map(len, mixed)) >= sum(map(len, labels.values())) / 2


def test_two_decks_need_a_room_that_asks_about_both_links() -> None:
    asking = {name for name, deck in LIBRARY.decks.items() if deck.two_link}
    assert asking == {"hard", "both-and-neither"}
    verdicts = Counter(case.verdict for case in voted(LIBRARY.deck("hard")))
    assert min(verdicts[kind] for kind in ("both", "neither", "contested")) >= 3
    assert verdicts["outer"] == verdicts["inner"] == 1


def test_both_and_neither_holds_all_four_and_nothing_disputed() -> None:
    verdicts = Counter(c.verdict for c in voted(LIBRARY.deck("both-and-neither")))
    assert verdicts == {"both": 3, "neither": 3, "outer": 1, "inner": 1}


def test_this_year_is_of_this_year_and_the_last() -> None:
    cases = voted(LIBRARY.deck("this-year"))
    assert all(case.is_true and case.year >= 2025 for case in cases)


def test_quick_five_is_five_and_level_one() -> None:
    cases = voted(LIBRARY.deck("quick-five"))
    assert [case.level for case in cases] == [1] * 5


def test_each_round_of_pairs_has_its_counterpart_beside_it() -> None:
    deck = LIBRARY.deck("pairs")
    twins = [LIBRARY.case(r.case).twin == r.contrast for r in deck.rounds]
    assert twins.count(True) >= 8
    assert all(item.contrast for item in deck.rounds)


def test_the_two_forms_match_in_level_label_domain_and_kind() -> None:
    first, second = (
        Counter((case.level, case.label, case.domain, case.kind) for case in form)
        for form in map(voted, FORMS)
    )
    assert first == second
    assert all(case.is_clean for form in FORMS for case in voted(form))


def test_neither_title_nor_order_says_which_form_it_is() -> None:
    first, second = FORMS
    assert first.title == second.title
    labels = zip(voted(first), voted(second), strict=True)
    agree = [one.label is other.label for one, other in labels]
    assert 4 <= agree.count(True) <= 6


def test_the_forms_and_the_lesson_between_them_share_no_case() -> None:
    names = ("pre-test", "first-class", "post-test")
    plans = [set(used(plan_of(LIBRARY.deck(name)))) for name in names]
    assert sum(map(len, plans)) == len(set().union(*plans))
