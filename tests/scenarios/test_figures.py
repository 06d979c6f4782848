"""Every number in a story or breakdown is among the case's figures, with its origin.

The rule is the lint's; here the numbers are found a second way, so that
a fault in the one shows in the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from scenarios.lint import uncovered_numbers
from scenarios.model import Case
from tests.support.library import LIBRARY

CASES = [case for _, case in sorted(LIBRARY.cases.items())]
DIGITS = re.compile(r"(?<![\w.-])\d[\d.,/]*")
"""Anything that begins with a digit, except parts of names such as GPT-4."""


def told(case: Case) -> Iterator[str]:
    """Yield the story and every text of the breakdown."""
    yield case.story
    yield from case.breakdown.model_dump().values()
    yield case.contested or ""


def bare(number: str) -> str:
    """Return a number without separators and without what ends a sentence."""
    return number.rstrip(".,/").replace(",", "")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_every_number_has_a_figure_with_an_origin(case: Case) -> None:
    known = {bare(n) for f in case.figures for n in DIGITS.findall(f.value)}
    known.add(str(case.year))
    for text in told(case):
        for number in map(bare, DIGITS.findall(text)):
            parts = {bare(part) for part in number.split("/")}
            assert number in known or parts <= known, (number, text)
    assert uncovered_numbers(case) == []
    assert all(figure.origin and figure.means for figure in case.figures)


def test_an_invented_number_is_caught() -> None:
    case = LIBRARY.case("four-hours")
    invented = case.model_copy(update={"story": f"{case.story} It was 4,711 times."})
    assert uncovered_numbers(invented) == ["4,711"]
    bare_case = case.model_copy(update={"figures": ()})
    assert len(uncovered_numbers(bare_case)) >= 3
    with pytest.raises(AssertionError):
        test_every_number_has_a_figure_with_an_origin(bare_case)
