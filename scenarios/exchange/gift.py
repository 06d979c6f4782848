"""A deck as GIFT, the text format from which Moodle imports quiz questions. Pure."""

from __future__ import annotations

import re

from scenarios.model import Case, Plan

ANSWERS = {
    "outer": "Outer: what was written missed what was meant.",
    "inner": "Inner: what was written was right, and something else was learned.",
    "both": "Both links broke.",
    "neither": "Neither link broke.",
}
_SPECIAL = re.compile(r"([~=#{}:\\])")


def gift_text(plan: Plan, *, two_link: bool) -> str:
    """Return one question a round: the story, the answers, and the breakdown.

    Contested cases become essay questions, which nobody marks by a key. Worked
    examples, contrasts and transfers are left out.
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
