"""Exports a deck as a quiz for another program: GIFT for Moodle, XLSX for Kahoot.

Kahoot's template reserves the first eight rows. A question can have at most 120
characters and an answer 75, which is too short for a story. Stories are therefore
written to a second sheet, to be read aloud, and a list of everything that had to be
shortened or left out is returned with the quiz.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped] # it ships no types

from scenarios.model import Case, Plan

ANSWERS = {
    "outer": "Outer: what was written missed what was meant.",
    "inner": "Inner: what was written was right, and something else was learned.",
    "both": "Both links broke.",
    "neither": "Neither link broke.",
}
_SPECIAL = re.compile(r"([~=#{}:\\])")


def gift_text(plan: Plan, *, two_link: bool) -> str:
    """Return one question per round: the story, the answers, and the breakdown.

    Contested cases become essay questions, which have no right answer. Worked examples,
    contrasts and transfers are left out.
    """
    head = f"// {_line(plan.title)}\n$CATEGORY: {_escape(_line(plan.title))}\n"
    answers = ANSWERS if two_link else dict(list(ANSWERS.items())[:2])
    questions = [_question(item.case, answers) for item in plan.rounds]
    return "\n".join([head, *questions])


def _question(case: Case, answers: dict[str, str]) -> str:
    story = f"::{_escape(case.title)}::[plain]{_escape(case.story)}"
    general = f"\t####{_escape(_breakdown(case))}\n"
    if case.contested is not None:
        asked = f" {_escape('Which gap? Argue both sides.')}"
        return f"{story}{asked}{{\n{general}}}\n"
    options = "".join(_option(case, *answer) for answer in answers.items())
    return f"{story} {_escape('Which gap?')}{{\n{options}{general}}}\n"


def _option(case: Case, verdict: str, text: str) -> str:
    is_right = verdict == case.verdict
    feedback = case.breakdown.why if is_right else case.tempting
    return f"\t{'=' if is_right else '~'}{_escape(text)}#{_escape(_line(feedback))}\n"


def _breakdown(case: Case) -> str:
    told = case.breakdown
    parts = [
        f"Meant: {told.intended}",
        f"Written: {told.written}",
        f"Learned: {told.learned}",
        f"Where it broke: {told.broke}",
        f"Repair: {told.fix}",
        case.contested or told.say,
    ]
    return " ".join(map(_line, parts))


def _line(text: str) -> str:
    return " ".join(text.split())


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _line(text))


QUESTION, ANSWER = 120, 75
"""Maximum lengths that Kahoot accepts, in characters."""
FIRST_ROW = 8
"""Row of the first question, from 0; the template's own rows come before it."""
SECONDS = 240
"""The longest time limit that Kahoot offers, to leave time for reading the story."""
HEADING = (
    "",
    "Question - max 120 characters",
    "Answer 1 - max 75 characters",
    "Answer 2 - max 75 characters",
    "Answer 3 - max 75 characters",
    "Answer 4 - max 75 characters",
    "Time limit (sec) - 5, 10, 20, 30, 60, 90, 120, or 240 secs",
    "Correct answer(s) - choose at least one",
)
GAPS = ("Outer: we wrote the wrong thing", "Inner: it learned the wrong thing")
MORE = ("Both", "Neither")
VERDICTS = ("outer", "inner", "both", "neither")


@dataclass(frozen=True, slots=True)
class Question:
    """One row: texts within the limits, and the right answer, counting from 1."""

    text: str
    answers: tuple[str, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Quiz:
    """A quiz, and a description of what had to be shortened or left out."""

    questions: tuple[Question, ...]
    cut: tuple[str, ...]


def quiz_of(plan: Plan, *, two_link: bool) -> Quiz:
    """Return a verdict question and a repair question for each round that is scored."""
    questions: list[Question] = []
    cut = [
        "Stories are on the sheet 'Read aloud': they are longer than 120 characters."
    ]
    for item in plan.rounds:
        case = item.case
        if case.contested is not None:
            cut.append(f"{case.id}: left out, since it is contested and has no key.")
            continue
        questions.append(_verdict_question(case, two_link))
        texts = [option.text for option in case.fix_question.options]
        asked = f"{case.title}: {case.fix_question.question}"
        questions.append(
            Question(
                _short(asked, QUESTION),
                tuple(_short(text, ANSWER) for text in texts),
                case.fix_question.right + 1,
            )
        )
        cut += _cuts(case, asked, texts)
    return Quiz(tuple(questions), tuple(cut))


def write_kahoot(plan: Plan, quiz: Quiz, file: Path) -> None:
    """Write the quiz as .xlsx: the template's sheet, and a sheet for reading aloud."""
    plain = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), plain) as book:
        bold, wrap = (
            book.add_format({"bold": True}),
            book.add_format({"text_wrap": True}),
        )
        sheet = book.add_worksheet("Sheet1")
        sheet.write_string(1, 1, plan.title, bold)
        sheet.write_row(FIRST_ROW - 1, 0, HEADING, bold)
        for number, question in enumerate(quiz.questions):
            row = (number + 1, question.text, *_four(question.answers))
            line = (*row, SECONDS, question.right)
            sheet.write_row(FIRST_ROW + number, 0, line)
        sheet.set_column(1, 5, 40)
        aloud = book.add_worksheet("Read aloud")
        aloud.write_row(0, 0, ("title", "story", "what decides it"), bold)
        for number, item in enumerate(plan.rounds, start=1):
            case = item.case
            why = case.contested or case.breakdown.why
            aloud.write_row(number, 0, (case.title, case.story, why), wrap)
        aloud.set_column(1, 2, 80)


def _verdict_question(case: Case, two_link: bool) -> Question:
    text = _short(f"{case.title} ({case.year}): which gap?", QUESTION)
    answers = (*GAPS, *MORE) if two_link else GAPS
    return Question(text, answers, VERDICTS.index(case.verdict) + 1)


def _cuts(case: Case, asked: str, texts: Sequence[str]) -> Iterator[str]:
    if len(asked) > QUESTION:
        yield _cut(case, "the repair question", asked, QUESTION)
    for letter, text in zip("ABC", texts, strict=True):
        if len(text) > ANSWER:
            yield _cut(case, f"repair {letter}", text, ANSWER)


def _cut(case: Case, what: str, text: str, most: int) -> str:
    return f"{case.id}: {what}, from {len(text)} to {most} characters."


def _short(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters, cut between words."""
    if len(text) <= most:
        return text
    head, _, rest = text[: most - 1].rpartition(" ")
    return f"{head or rest}…"


def _four(answers: Sequence[str]) -> tuple[str, ...]:
    return (*answers, *("",) * (4 - len(answers)))
