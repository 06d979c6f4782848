"""Counts the cases of a library by verdict, subject, decade, level, kind and checking.

Pure: works on a library that has been read. The command line prints the counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from scenarios.library import Library
from scenarios.model import Case, Checked, Evidence, Kind, Rule, VerdictWord

VERDICTS: tuple[VerdictWord, ...] = get_args(VerdictWord)
WEAKEST_FIRST: tuple[Checked, ...] = tuple(reversed(get_args(Checked)))
UNSOURCED = "no source"
NO_RULE = "not named"
GRADES: Mapping[Evidence, str] = {
    "confirmed": "confirmed in source",
    "secondary": "secondary",
    "disputed": "disputed",
}
"""The name of each grade of evidence, as shown to readers."""
INVENTED, UNGRADED = "invented", "not graded"
BEFORE_THE_FAILURE = "before-the-failure"
"""Tag of a case whose story ends before anything fails; its answer is the risk."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of cases as ``by[dimension][value][verdict]``, and the pairs of cases."""

    total: int
    verdicts: Mapping[VerdictWord, int]
    by: Mapping[str, Mapping[str, Mapping[VerdictWord, int]]]
    minimal_pairs: tuple[tuple[str, str], ...]
    """Pairs (true story, its twin): one fact changed, a different verdict."""
    variant_pairs: tuple[tuple[str, str], ...]
    """Pairs (true story, its twin): an invented variant, a different verdict."""
    before_the_failure: tuple[str, ...]


def count(library: Library) -> Stats:
    """Return the counts of a library; values are in their natural order."""
    cases = sorted(library.cases.values(), key=lambda case: case.id)
    return Stats(
        total=len(cases),
        verdicts=_by_verdict(cases),
        by={name: _table(cases, value_of) for name, value_of in DIMENSIONS.items()},
        minimal_pairs=tuple(pairs(library, "one-fact")),
        variant_pairs=tuple(pairs(library, "variant")),
        before_the_failure=tuple(
            case.id for case in cases if BEFORE_THE_FAILURE in case.tags
        ),
    )


def pairs(library: Library, kind: Kind) -> list[tuple[str, str]]:
    """Return pairs (true story, its twin of this kind), sorted.

    The two are each other's twins, and have different verdicts.
    """
    found = []
    for case in library.cases.values():
        twin = library.cases.get(case.twin) if case.twin else None
        if twin is None or twin.twin != case.id or not case.is_true:
            continue
        if twin.kind == kind and twin.verdict != case.verdict:
            found.append((case.id, twin.id))
    return sorted(found)


def weakest_check(case: Case) -> str:
    """Return how the least thoroughly checked source of a case was checked."""
    checks = {source.checked for source in case.sources}
    return next((check for check in WEAKEST_FIRST if check in checks), UNSOURCED)


def grade_of_evidence(case: Case) -> str:
    """Return how certain the facts of a case are, in words."""
    if not case.is_true:
        return INVENTED
    return GRADES[case.evidence] if case.evidence else UNGRADED


def year_told(case: Case) -> str:
    """Return the year of a true story since 2020, or the decade of an earlier one."""
    if not case.is_true:
        return INVENTED
    return str(case.year) if case.year >= RECENT else decade(case)


def decade(case: Case) -> str:
    """Return the decade of a case, as ``1990s``."""
    return f"{case.year // 10 * 10}s"


RECENT = 2020
KINDS: tuple[Kind, ...] = get_args(Kind)
TOLD_AS: Mapping[Kind, str] = {
    "documented": "true story",
    "one-fact": "real case, one fact changed",
    "variant": "invented variant of a real case",
    "thought": "thought experiment",
}
"""The name of each kind, as shown to readers."""
DIMENSIONS: Mapping[str, Callable[[Case], str]] = {
    "domain": lambda case: case.domain,
    "decade": decade,
    "year": year_told,
    "level": lambda case: str(case.level),
    "rule": lambda case: case.rule or NO_RULE,
    "told as": lambda case: TOLD_AS[case.kind],
    "checked": weakest_check,
    "evidence": grade_of_evidence,
}
_ORDER = {
    name: place
    for place, name in enumerate(
        (
            *TOLD_AS.values(),
            *get_args(Rule),
            *get_args(Checked),
            *GRADES.values(),
            INVENTED,
        )
    )
}


def _table(
    cases: Iterable[Case], value_of: Callable[[Case], str]
) -> dict[str, dict[VerdictWord, int]]:
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(value_of(case), []).append(case)
    values = sorted(groups, key=lambda value: (_ORDER.get(value, -1), value))
    return {value: _by_verdict(groups[value]) for value in values}


def _by_verdict(cases: Iterable[Case]) -> dict[VerdictWord, int]:
    counts = Counter(case.verdict for case in cases)
    return {verdict: counts[verdict] for verdict in VERDICTS}
