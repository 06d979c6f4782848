"""The rules of an interleaved order, over every mixture of labels."""

from __future__ import annotations

from itertools import groupby
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scenarios.build import Counts, can_follow, choose_counts, is_balanced, sequence
from scenarios.model import Label

few = st.integers(0, 12)
mixtures = st.builds(Counts, few, few, few)


@given(mixtures, st.integers(0, 40))
def test_choice_is_balanced_and_never_more_than_there_is(
    have: Counts, length: int
) -> None:
    chosen = choose_counts(have, length)
    assert chosen.total <= min(length, have.total)
    assert is_balanced(chosen)
    assert can_follow(chosen)
    for kind in (*Label, None):
        assert chosen.of(kind) <= have.of(kind)


@given(mixtures, st.integers(1, 40), st.integers())
def test_sequence_uses_each_once_and_has_no_long_run(
    have: Counts, length: int, seed: int
) -> None:
    counts = choose_counts(have, length)
    laid = sequence(counts, Random(seed))
    for kind in (*Label, None):
        assert laid.count(kind) == counts.of(kind)
    for kind, run in groupby(laid):
        assert kind is None or len(list(run)) <= 3


@given(st.integers(1, 12), st.integers())
def test_same_seed_same_sequence(each: int, seed: int) -> None:
    counts = Counts(each, each, 1)
    assert sequence(counts, Random(seed)) == sequence(counts, Random(seed))


@given(few, few, few)
def test_nothing_is_dropped_from_a_deck_that_is_in_balance(
    outer: int, inner: int, unlabelled: int
) -> None:
    have = Counts(outer, inner, unlabelled)
    if is_balanced(have) and can_follow(have):
        assert choose_counts(have, have.total) == have


def test_one_sided_decks_are_cut_down_to_what_can_be_balanced() -> None:
    assert choose_counts(Counts(8, 2), 10) == Counts(3, 2)
    assert choose_counts(Counts(8, 0), 10) == Counts(3, 0)
    assert choose_counts(Counts(8, 0, 1), 10) == Counts(4, 0, 1)


def test_balance_starts_at_five() -> None:
    assert is_balanced(Counts(4, 0))
    assert not is_balanced(Counts(4, 1))
    assert is_balanced(Counts(3, 2))
    assert not is_balanced(Counts(2, 4))
