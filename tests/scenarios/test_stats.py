"""The library holds what it promises, and counts it rightly."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from scenarios.library import Library
from scenarios.model import Kind, Truth
from scenarios.stats import (
    TOLD_AS,
    count,
    decade,
    grade_of_evidence,
    pairs,
    weakest_check,
    year_told,
)
from tests.support.library import LIBRARY

STATS = count(LIBRARY)
BOAT = LIBRARY.case("coastrunners-lagoon")
VARIANT = LIBRARY.case("always-downhill")
CONTRASTS = (
    ("coastrunners-lagoon", "coinrun-runs-past-coin"),
    ("flipped-view-gets-stuck", "cultural-transmission-anti-expert"),
    ("health-cost", "hip-and-the-scanner"),
    ("asthma-and-the-lucky-numbers", "which-hospital"),
    ("gpt4o-thumbs-up", "honest-answers-only"),
    ("up-the-ladder", "honest-answers-only"),
    ("stop-sign-yellow-note", "horse-copyright-tag"),
    ("how-to-kill-a-process", "the-same-question-in-bengali"),
)
"""Documented cases of unlike verdict that are worth setting side by side."""


@pytest.mark.parametrize(
    ("verdict", "least"),
    [("outer", 40), ("inner", 30), ("both", 15), ("neither", 25), ("contested", 6)],
)
def test_there_are_enough_cases_of_each_verdict(verdict: str, least: int) -> None:
    found = [case for case in LIBRARY.cases.values() if case.verdict == verdict]
    assert len(found) >= least
    documented = [case for case in found if case.kind == "documented"]
    assert len(documented) > len(found) / 2


def test_there_are_enough_cases_pairs_and_stories_without_an_end() -> None:
    assert STATS.total >= 100
    assert len(STATS.minimal_pairs) >= 3
    assert len(STATS.minimal_pairs) + len(STATS.variant_pairs) >= 30
    assert len(STATS.before_the_failure) >= 8


def test_every_case_has_a_twin_that_names_it_in_return() -> None:
    for case in LIBRARY.cases.values():
        assert case.twin is not None, case.id
        assert LIBRARY.case(case.twin).twin == case.id


def test_every_variant_is_paired_with_what_it_varies() -> None:
    both = (*STATS.minimal_pairs, *STATS.variant_pairs)
    invented = {
        c.id for c in LIBRARY.cases.values() if c.kind in ("one-fact", "variant")
    }
    assert invented == {variant for _, variant in both}


def test_true_stories_are_counted_apart_from_invented_ones() -> None:
    told = {name: sum(row.values()) for name, row in STATS.by["told as"].items()}
    assert list(told) == list(TOLD_AS.values())
    assert told["real case, one fact changed"] == len(STATS.minimal_pairs)
    assert told["invented variant of a real case"] == len(STATS.variant_pairs)


@pytest.mark.parametrize(("one", "other"), CONTRASTS)
def test_documented_contrasts_are_there(one: str, other: str) -> None:
    cases = (LIBRARY.case(one), LIBRARY.case(other))
    assert {case.kind for case in cases} == {"documented"}
    assert cases[0].verdict != cases[1].verdict


def test_stories_come_from_a_century_and_from_many_subjects() -> None:
    assert {"1900s", "1990s", "2000s", "2010s", "2020s"} <= set(STATS.by["decade"])
    assert len(STATS.by["domain"]) >= 8
    assert STATS.by["checked"].keys() <= {"read in source", "read in secondary source"}


@pytest.mark.parametrize("dimension", STATS.by)
def test_each_dimension_counts_each_case_once(dimension: str) -> None:
    rows = STATS.by[dimension].values()
    assert sum(sum(row.values()) for row in rows) == STATS.total
    for verdict, total in STATS.verdicts.items():
        assert sum(row[verdict] for row in rows) == total


def test_pairs_need_two_mutual_twins_of_a_kind_and_another_verdict() -> None:
    real = BOAT.model_copy(update={"id": "real", "twin": "changed"})
    changed = VARIANT.model_copy(update={"id": "changed", "twin": "real"})

    def found(kind: Kind = "variant", **changes: object) -> list[tuple[str, str]]:
        other = changed.model_copy(update=changes)
        cases = MappingProxyType({each.id: each for each in (real, other)})
        return pairs(Library(cases, {}), kind)

    assert found() == [("real", "changed")]
    assert found("one-fact") == []
    assert found(twin=None) == []
    assert found(truth=Truth(outer=True, inner=False)) == []
    changed = changed.model_copy(update={"kind": "one-fact"})
    assert found("one-fact") == [("real", "changed")]
    changed = changed.model_copy(update={"kind": "documented"})
    assert found() == []


def test_the_facts_of_each_true_story_are_graded_and_most_are_quoted() -> None:
    graded = {case.id for case in LIBRARY.cases.values() if case.evidence is not None}
    assert graded == {case.id for case in LIBRARY.cases.values() if case.is_true}
    quoted = [c for c in LIBRARY.cases.values() if any(s.words for s in c.sources)]
    assert len(quoted) >= 75
    invented = BOAT.model_copy(update={"kind": "variant", "evidence": None})
    assert grade_of_evidence(BOAT) == "confirmed in source"
    assert grade_of_evidence(invented) == "invented"
    ungraded = BOAT.model_copy(update={"evidence": None})
    assert grade_of_evidence(ungraded) == "not graded"
    assert [year_told(BOAT), year_told(invented)] == ["2010s", "invented"]
    assert year_told(BOAT.model_copy(update={"year": 2026})) == "2026"


def test_cases_of_this_year_and_the_last_exist() -> None:
    recent = [c for c in LIBRARY.cases.values() if c.is_true and c.year >= 2025]
    assert len(recent) >= 45
    names = ("Claude", "ChatGPT", "GPT", "Gemini", "Grok", "Cursor")
    assert all(any(name in case.story for case in recent) for name in names)


def test_a_case_is_checked_as_well_as_its_weakest_source() -> None:
    source = BOAT.sources[0]
    checks = ("read in source", "from memory only", "read in secondary source")
    sources = tuple(source.model_copy(update={"checked": each}) for each in checks)
    mixed = BOAT.model_copy(update={"sources": sources})
    assert weakest_check(mixed) == "from memory only"
    assert weakest_check(BOAT.model_copy(update={"sources": ()})) == "no source"
    assert decade(BOAT.model_copy(update={"year": 1999})) == "1990s"
