"""What a library holds, counted: by verdict, subject, decade, level, kind and checking.

Pure: works on a finished library. How it is printed is the command line's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from scenarios.library import Library
from scenarios.model import Case, Checked, Kind, VerdictWord

VERDICTS: tuple[VerdictWord, ...] = get_args(VerdictWord)
WEAKEST_FIRST: tuple[Checked, ...] = tuple(reversed(get_args(Checked)))
UNSOURCED = "no source"
BEFORE_THE_FAILURE = "before-the-failure"
"""Tag of a case that stops while all is well: the risk is the answer."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of cases: ``by[dimension][value][verdict]``, and which cases are pairs."""

    total: int
    verdicts: Mapping[VerdictWord, int]
    by: Mapping[str, Mapping[str, Mapping[VerdictWord, int]]]
    minimal_pairs: tuple[tuple[str, str], ...]
    """(documented, variant): the same world, one fact changed, another verdict."""
    before_the_failure: tuple[str, ...]


def count(library: Library) -> Stats:
    """Return the counts of a library; values are in their natural order."""
    cases = sorted(library.cases.values(), key=lambda case: case.id)
    return Stats(
        total=len(cases),
        verdicts=_by_verdict(cases),
        by={name: _table(cases, value_of) for name, value_of in DIMENSIONS.items()},
        minimal_pairs=tuple(minimal_pairs(library)),
        before_the_failure=tuple(
            case.id for case in cases if BEFORE_THE_FAILURE in case.tags
        ),
    )


def minimal_pairs(library: Library) -> list[tuple[str, str]]:
    """Return (documented, variant) of each pair of mutual twins of unlike verdict."""
    pairs = []
    for case in library.cases.values():
        twin = library.cases.get(case.twin) if case.twin else None
        if twin is None or twin.twin != case.id or case.kind != "documented":
            continue
        if twin.kind == "variant" and twin.verdict != case.verdict:
            pairs.append((case.id, twin.id))
    return sorted(pairs)


def weakest_check(case: Case) -> str:
    """Return how the least checked source of a case was checked."""
    checks = {source.checked for source in case.sources}
    return next((check for check in WEAKEST_FIRST if check in checks), UNSOURCED)


def decade(case: Case) -> str:
    """Return the decade of a case, as ``1990s``."""
    return f"{case.year // 10 * 10}s"


KINDS: tuple[Kind, ...] = get_args(Kind)
DIMENSIONS: Mapping[str, Callable[[Case], str]] = {
    "domain": lambda case: case.domain,
    "decade": decade,
    "level": lambda case: str(case.level),
    "kind": lambda case: case.kind,
    "checked": weakest_check,
}
_ORDER = {name: place for place, name in enumerate((*KINDS, *get_args(Checked)))}


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
