"""Questions for the author of a new case, in the order in which cases are developed.

Pure: it yields the questions and checks the answers; the command line asks them.
Answers are stored by column, as in ``exchange.flat``, for example ``breakdown.why``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import get_args

from pydantic import ValidationError

from scenarios.exchange.flat import from_row
from scenarios.lint import (
    EASIEST_GRADE,
    HARDEST_GRADE,
    LONGEST,
    SHORTEST,
    uncovered_numbers,
)
from scenarios.model import Breakdown, Case, Checked, Kind
from scenarios.prose import grade
from scenarios.validate import dotted, explain_one, validate

REPAIRS = ("this gap", "the other gap", "neither gap")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: the column it fills, its text, and whether it may be skipped."""

    column: str
    words: str
    is_optional: bool = False
    default: str | None = None


FIRST = (
    Question("id", "Short name, in lowercase letters and hyphens: boat-in-the-lagoon"),
    Question("title", "Title, which must not give the verdict away"),
    Question("kind", f"Kind ({', '.join(get_args(Kind))})", default="documented"),
    Question("year", "Year in which it happened or was published"),
    Question("domain", "Subject, such as games, robotics, medicine, language-models"),
    Question("level", "How hard, 1 to 3", default="1"),
    Question("tags", "Tags, separated by spaces", is_optional=True),
    Question(
        "story",
        f"The story in {SHORTEST}-{LONGEST} words: what was wanted, what was "
        "optimized, what happened. It does not say which gap",
    ),
    Question("truth.outer", "Did what was written miss what was meant? (yes, no)"),
    Question(
        "truth.inner", "Did it learn something other than what was written? (yes, no)"
    ),
    Question(
        "contested", "If experts argue about the label: the argument", is_optional=True
    ),
)
LATER = (
    *(
        Question(f"breakdown.{name}", field.description or name)
        for name, field in Breakdown.model_fields.items()
    ),
    Question("tempting", "Why is the other label tempting?"),
    Question("reasons.outer[0]", "A reason an expert might give for outer"),
    Question("reasons.outer[1]", "A second reason for outer"),
    Question("reasons.inner[0]", "A reason an expert might give for inner"),
    Question("reasons.inner[1]", "A second reason for inner"),
    Question("fix_question.question", "The question: which repair fits?"),
)
OFFERS = (
    ("A repair that fits this gap", "Why it is the right one"),
    ("A repair that would fit the other gap", "Why it does not help here"),
    ("A repair that fits neither gap", "Why it does not help"),
)
SOURCE = (
    Question("authors", "A source: its authors (empty: no more sources)", True),
    Question("year", "Its year"),
    Question("title", "Its title"),
    Question("where", "Where it was published: journal, report, address"),
    Question("checked", f"How checked ({', '.join(get_args(Checked))})"),
    Question("note", "What exactly was read", is_optional=True),
)
TWIN = Question("twin", "Id of its counterpart among the cases", is_optional=True)


def questions(answers: Mapping[str, str]) -> Iterator[Question]:
    """Yield the questions; later ones depend on the answers added in the meantime.

    The position of the right repair is random, seeded with the case's ID, so that it is
    not always first. The author is also asked for the source of each number.
    """
    yield from FIRST
    yield from LATER
    places = [0, 1, 2]
    Random(answers["id"]).shuffle(places)  # noqa: S311 - a layout, not a secret
    for place, (text, comment) in zip(places, OFFERS, strict=True):
        yield Question(f"fix_question.options[{place}].text", text)
        yield Question(f"fix_question.options[{place}].comment", comment)
    yield from _sources(answers)
    yield TWIN
    for index, number in enumerate(_numbers(answers)):
        column = f"figures[{index}]"
        yield Question(f"{column}.value", "A number in the story", default=number)
        yield Question(f"{column}.means", f"What is {number}?")
        yield Question(f"{column}.origin", f"Where does {number} come from?")


def _sources(answers: Mapping[str, str]) -> Iterator[Question]:
    is_needed = answers.get("kind") == "documented"
    for index in range(9):
        for each in SOURCE:
            is_optional = each.is_optional and not (
                index == 0 and each.column == "authors" and is_needed
            )
            column = f"sources[{index}].{each.column}"
            yield Question(column, each.words, is_optional)
            if each.column == "authors" and not answers.get(column):
                return


def _numbers(answers: Mapping[str, str]) -> list[str]:
    """Return the numbers that have no entry in ``figures``, as they are written."""
    bare = {k: v for k, v in answers.items() if not k.startswith("figures")}
    found = validate(Case, from_row(completed(bare)))
    return uncovered_numbers(found) if isinstance(found, Case) else []


def completed(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers plus the fields that are not asked for.

    These are the version, and the gap that each repair fixes.
    """
    places = [0, 1, 2]
    Random(answers.get("id", "")).shuffle(places)  # noqa: S311 - likewise
    kinds = {
        f"fix_question.options[{place}].repairs": kind
        for place, kind in zip(places, REPAIRS, strict=True)
    }
    return {"version": "1", **answers, **kinds}


def fault_of(column: str, answers: Mapping[str, str]) -> str | None:
    """Return what is wrong with the answer in a column and what to do, or None."""
    found = validate(Case, from_row(answers))
    if not isinstance(found, ValidationError):
        return None
    for error in found.errors(include_url=False):
        if error["type"] != "missing" and dotted(error["loc"]) == column:
            message, remedy = explain_one(Case, error)
            return f"{message}: {remedy}"
    return None


def measure(story: str) -> str:
    """Return the length and the reading level of a story in one line."""
    words = len(story.split())
    return (
        f"{words} words ({SHORTEST}-{LONGEST}), school grade {grade(story):.1f} "
        f"({EASIEST_GRADE:.0f} to {HARDEST_GRADE:.0f})"
    )
