"""What a plan holds, for any deck: order, balance, and each case once."""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.build import addable, build_plan, one_more, plan_again, plan_anew
from scenarios.library import Library, NothingToPlay, UnknownCase
from scenarios.load import load_library
from scenarios.model import Case, Deck, DeckRound, Label, Plan, PlannedRound, Truth
from tests.support.library import LIBRARY

TRUTHS = {
    "outer": Truth(outer=True, inner=False),
    "inner": Truth(outer=False, inner=True),
    "both": Truth(outer=True, inner=True),
    "neither": Truth(outer=False, inner=False),
    "contested": Truth(outer=True, inner=False),
}
PATTERN = load_library().case("coastrunners-lagoon")


def case(name: str, kind: str, twin: str | None = None) -> Case:
    contested = "Experts argue." if kind == "contested" else None
    changes = {
        "id": name,
        "truth": TRUTHS[kind],
        "twin": twin,
        "contested": contested,
    }
    return PATTERN.model_copy(update=changes)


def library(*cases: Case) -> Library:
    return Library(MappingProxyType({each.id: each for each in cases}), {})


def deck(*rounds: DeckRound | str, order: str = "fixed", **more: object) -> Deck:
    listed = [DeckRound(case=r) if isinstance(r, str) else r for r in rounds]
    return Deck.model_validate(
        {
            "id": "deck",
            "version": 1,
            "title": "Deck",
            "audience": "anyone",
            "minutes": 30,
            "teaches": "the difference",
            "order": order,
            "rounds": listed,
            **more,
        }
    )


def voted(plan: Plan) -> list[str]:
    return [item.case.id for item in plan.rounds]


def used(plan: Plan) -> list[str]:
    beside = [c for r in plan.rounds for c in (r.case, r.contrast, r.transfer) if c]
    return [each.id for each in (*plan.opening, *beside)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Deck, Library]:
    """A library with random labels and twins, and an interleaved or fixed deck."""
    names = [f"c{number}" for number in range(draw(st.integers(4, 24)))]
    kinds = st.sampled_from(["outer", "outer", "inner", "inner", "both", "contested"])
    twins = st.one_of(st.none(), st.sampled_from(names))
    cases = [case(name, draw(kinds), draw(twins)) for name in names]
    order = draw(st.permutations(names))
    size = draw(st.integers(1, len(order)))
    rounds = [DeckRound(case=name) for name in order[:size]]
    spare = order[size:]
    if draw(st.booleans()) and spare:
        rounds[0] = DeckRound(case=rounds[0].case, transfer=spare.pop())
    if draw(st.booleans()) and spare:
        rounds[-1] = rounds[-1].model_copy(update={"contrast": spare.pop()})
    opening = spare[:2] if len(spare) > 1 and draw(st.booleans()) else []
    how = draw(st.sampled_from(["fixed", "interleaved"]))
    return deck(*rounds, order=how, opening=opening), library(*cases)


settings_of_a_room = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "length": st.one_of(st.none(), st.integers(1, 30)),
        "two_link": st.booleans(),
    }
)


def plan_of(world: tuple[Deck, Library], room: dict[str, object]) -> Plan | None:
    try:
        return build_plan(*world, **room)  # type: ignore[arg-type]  # drawn by name
    except NothingToPlay:
        return None


@given(worlds(), settings_of_a_room)
def test_each_case_stands_once_in_a_plan(
    world: tuple[Deck, Library], room: dict[str, object]
) -> None:
    plan = plan_of(world, room)
    if plan is not None:
        assert len(used(plan)) == len(set(used(plan)))


@given(worlds(), settings_of_a_room)
def test_same_seed_same_plan(
    world: tuple[Deck, Library], room: dict[str, object]
) -> None:
    assert plan_of(world, room) == plan_of(world, room)


@given(worlds(), settings_of_a_room)
def test_fixed_order_is_the_deck_s_own(
    world: tuple[Deck, Library], room: dict[str, object]
) -> None:
    plan = plan_of(world, room)
    if plan is None or world[0].order != "fixed":
        return
    listed = [item.case for item in world[0].rounds]
    places = [listed.index(name) for name in voted(plan)]
    assert places == sorted(places)


@given(worlds(), settings_of_a_room)
def test_interleaved_order_keeps_runs_short_and_labels_in_balance(
    world: tuple[Deck, Library], room: dict[str, object]
) -> None:
    plan = plan_of(world, room)
    if plan is None or world[0].order != "interleaved":
        return
    labels = [item.case.label for item in plan.rounds]
    for label, run in groupby(labels):
        assert label is None or len(list(run)) <= 3
    clean = len(labels) - labels.count(None)
    if clean >= 5:
        assert 0.4 <= labels.count(Label.OUTER) / clean <= 0.6


@given(worlds(), settings_of_a_room)
def test_two_button_rooms_ask_only_what_two_buttons_can_answer(
    world: tuple[Deck, Library], room: dict[str, object]
) -> None:
    plan = plan_of(world, room)
    if plan is None or room["two_link"]:
        return
    for name in used(plan):
        found = world[1].case(name)
        assert found.is_clean or found.contested is not None


@given(worlds(), settings_of_a_room)
def test_without_a_length_every_case_is_played_or_left_out(
    world: tuple[Deck, Library], room: dict[str, object]
) -> None:
    plan = plan_of(world, {**room, "length": None})
    if plan is not None:
        named = set(world[0].case_ids)
        played = set(used(plan))
        beside_the_dropped = {
            name
            for item in world[0].rounds
            if item.case in plan.left_out
            for name in (item.contrast, item.transfer)
        }
        assert named <= played | set(plan.left_out) | beside_the_dropped
        assert not set(voted(plan)) & set(plan.left_out)


def test_length_takes_the_head_of_a_fixed_deck() -> None:
    cases = [case(name, "outer") for name in ("a", "b", "c")]
    plan = build_plan(
        deck("a", "b", "c"), library(*cases), seed=1, length=2, two_link=False
    )
    assert voted(plan) == ["a", "b"]
    assert plan.left_out == ()


def test_length_beyond_the_deck_is_the_deck() -> None:
    plan = build_plan(
        deck("a"), library(case("a", "both")), seed=1, length=9, two_link=True
    )
    assert voted(plan) == ["a"]


def test_both_and_neither_are_left_out_of_two_button_rooms_and_said_to_be() -> None:
    cases = [case("a", "outer"), case("b", "both"), case("c", "neither")]
    some = deck("a", DeckRound(case="b", transfer="c"))
    plan = build_plan(some, library(*cases), seed=1, length=None, two_link=False)
    assert voted(plan) == ["a"]
    assert plan.left_out == ("b",)
    whole = build_plan(some, library(*cases), seed=1, length=None, two_link=True)
    assert voted(whole) == ["a", "b"]


def test_contested_case_is_played_with_two_buttons() -> None:
    plan = build_plan(
        deck("a"), library(case("a", "contested")), seed=1, length=None, two_link=False
    )
    assert voted(plan) == ["a"]


def test_named_transfer_goes_before_the_twin() -> None:
    cases = [case("a", "outer", "b"), case("b", "inner"), case("c", "inner")]
    some = deck(DeckRound(case="a", transfer="c"))
    plan = build_plan(some, library(*cases), seed=1, length=None, two_link=False)
    assert plan.rounds[0].transfer is not None
    assert plan.rounds[0].transfer.id == "c"


def test_free_twin_becomes_the_transfer_and_a_used_one_does_not() -> None:
    cases = library(case("a", "outer", "b"), case("b", "inner", "a"))
    alone = build_plan(deck("a"), cases, seed=1, length=None, two_link=False)
    assert alone.rounds[0].transfer == cases.case("b")
    both = build_plan(deck("a", "b"), cases, seed=1, length=None, two_link=False)
    assert [item.transfer for item in both.rounds] == [None, None]


def test_twin_that_two_buttons_cannot_ask_is_not_transferred() -> None:
    cases = library(case("a", "outer", "b"), case("b", "both"))
    plan = build_plan(deck("a"), cases, seed=1, length=None, two_link=False)
    assert plan.rounds[0].transfer is None


def test_interleaved_deck_opens_with_a_free_contrasting_pair() -> None:
    pair = (case("x", "outer", "y"), case("y", "inner", "x"))
    same = (case("v", "outer", "w"), case("w", "outer", "v"))
    cases = library(case("a", "outer"), *pair, *same)
    plan = build_plan(
        deck("a", order="interleaved"), cases, seed=3, length=None, two_link=False
    )
    assert [each.id for each in plan.opening] == ["x", "y"]
    fixed = build_plan(deck("a"), cases, seed=3, length=None, two_link=False)
    assert fixed.opening == ()


def test_named_opening_is_used_as_it_stands() -> None:
    cases = library(case("a", "outer"), case("x", "inner"), case("y", "outer"))
    some = deck("a", order="interleaved", opening=["x", "y"])
    plan = build_plan(some, cases, seed=3, length=None, two_link=False)
    assert [each.id for each in plan.opening] == ["x", "y"]


def test_seeds_give_different_orders() -> None:
    names = [f"c{number}" for number in range(10)]
    cases = [case(n, "outer" if i % 2 else "inner") for i, n in enumerate(names)]
    some = deck(*names, order="interleaved")
    plans = {
        tuple(
            voted(
                build_plan(
                    some, library(*cases), seed=seed, length=None, two_link=False
                )
            )
        )
        for seed in range(10)
    }
    assert len(plans) > 5


def test_deck_with_nothing_to_play_says_why() -> None:
    with pytest.raises(NothingToPlay, match="both links"):
        build_plan(
            deck("a"), library(case("a", "both")), seed=1, length=None, two_link=False
        )
    with pytest.raises(NothingToPlay, match="length is 0"):
        build_plan(
            deck("a"), library(case("a", "outer")), seed=1, length=0, two_link=False
        )


def test_deck_of_another_library_is_refused_by_name() -> None:
    with pytest.raises(UnknownCase, match="no case 'a'"):
        build_plan(deck("a"), library(), seed=1, length=None, two_link=False)


# --- the next lesson -----------------------------------------------------------------


@pytest.mark.parametrize("deck", sorted(LIBRARY.decks))
def test_the_next_lesson_has_only_cases_that_the_class_has_not_seen(deck: str) -> None:
    two_link = LIBRARY.decks[deck].two_link
    plan = build_plan(
        LIBRARY.decks[deck], LIBRARY, seed=1, length=None, two_link=two_link
    )
    hardest = [item.case for item in plan.rounds if item.case.is_scored]
    again = plan_again(plan, hardest, LIBRARY, two_link=two_link)
    seen = {case.id for case in plan.opening}
    for item in plan.rounds:
        beside = (item.case, item.contrast, item.transfer)
        seen |= {case.id for case in beside if case is not None}
    new = [item.case.id for item in again.rounds]
    new += [item.transfer.id for item in again.rounds if item.transfer]
    assert not seen & {*new}
    assert len({*new}) == len(new)
    assert len(again.rounds) == min(5, len(hardest))


def test_an_unseen_twin_comes_first_else_the_most_similar_case_of_its_label() -> None:
    cases = list(LIBRARY.cases.values())
    own = next(
        case
        for case in cases
        if case.is_clean and case.twin and LIBRARY.cases[case.twin].is_clean
    )
    twin = LIBRARY.cases[str(own.twin)]
    plan = Plan(deck="d", deck_version=1, title="T", rounds=(PlannedRound(case=own),))
    again = plan_again(plan, [own], LIBRARY, two_link=False)
    assert again.rounds[0].case == twin
    seen = Plan(
        deck="d",
        deck_version=1,
        title="T",
        rounds=(PlannedRound(case=own, transfer=twin),),
    )
    again = plan_again(seen, [own], LIBRARY, two_link=False)
    assert again.rounds[0].case.label is own.label
    assert again.rounds[0].case not in (own, twin)


def test_where_every_case_has_been_seen_there_is_no_next_lesson() -> None:
    rounds = tuple(PlannedRound(case=case) for case in LIBRARY.cases.values())
    plan = Plan(deck="d", deck_version=1, title="T", rounds=rounds)
    with pytest.raises(NothingToPlay):
        plan_again(plan, [rounds[0].case], LIBRARY, two_link=True)


# --- one more case, and the same lesson again ---------------------------------------


def test_one_more_case_brings_its_twin_where_the_class_has_not_seen_it() -> None:
    cases = library(case("a", "outer", "b"), case("b", "inner", "a"), case("c", "both"))
    found = one_more("a", cases, set(), two_link=False)
    assert (found.case.id, found.contrast) == ("a", None)
    assert found.transfer is not None
    assert found.transfer.id == "b"
    assert one_more("a", cases, {"b"}, two_link=False).transfer is None
    with pytest.raises(UnknownCase):
        one_more("d", cases, set(), two_link=False)


def test_what_can_be_added_is_new_and_can_be_asked_in_the_room() -> None:
    kinds = {"a": "outer", "b": "inner", "c": "both", "d": "contested", "e": "neither"}
    cases = library(*(case(name, kind) for name, kind in kinds.items()))
    found = addable(cases, {"b"}, two_link=False)
    assert {one.id for one in found} == {"a", "d"}
    found = addable(cases, {"b"}, two_link=True)
    assert {one.id for one in found} == {"a", "c", "d", "e"}


def test_the_same_lesson_again_has_the_present_text_of_its_cases() -> None:
    first = library(case("a", "outer"), case("b", "inner"))
    plan = build_plan(deck("a", "b"), first, seed=1, length=None, two_link=False)
    newer = case("a", "outer").model_copy(update={"version": 9})
    again = plan_anew(plan, library(newer), two_link=False)
    assert [(r.case.id, r.case.version) for r in again.rounds] == [
        ("a", 9),
        ("b", plan.rounds[1].case.version),
    ]
    turned = library(case("a", "both"))
    assert plan_anew(plan, turned, two_link=False).rounds[0] == plan.rounds[0]
    assert plan_anew(plan, turned, two_link=True).rounds[0].case.truth == TRUTHS["both"]
