"""A deck as GIFT and as Kahoot's spreadsheet: escapes, limits, and what was cut."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl  # type: ignore[import-untyped] # it ships no types
import pytest

from scenarios.build import build_plan
from scenarios.exchange.quizzes import (
    ANSWER,
    FIRST_ROW,
    QUESTION,
    gift_text,
    quiz_of,
    write_kahoot,
)
from scenarios.model import Plan
from tests.support.library import LIBRARY


def plan_of(name: str) -> Plan:
    deck = LIBRARY.deck(name)
    return build_plan(deck, LIBRARY, seed=1, length=None, two_link=deck.two_link)


def read_gift(text: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Read GIFT by its rules: (name, question, [(sign, answer)]) of each question."""
    found = []
    unescaped = r"(?<!\\)(?:\\\\)*"
    for block in re.split(r"\n\s*\n", text):
        if block.startswith(("//", "$")) or not block.strip():
            continue
        match = re.fullmatch(
            rf"::(.*?{unescaped})::\[plain\](.*?{unescaped})\{{\n(.*)\}}\n?",
            block,
            re.S,
        )
        assert match is not None, block
        name, question, body = match.groups()
        answers = re.findall(rf"^\t([=~])(.*?{unescaped})#", body, re.M)
        assert "####" in body
        found.append((name, question, answers))
    return found


@pytest.mark.parametrize("name", sorted(LIBRARY.decks))
def test_gift_holds_one_question_a_round_with_one_right_answer(name: str) -> None:
    plan = plan_of(name)
    questions = read_gift(gift_text(plan, two_link=LIBRARY.deck(name).two_link))
    assert len(questions) == len(plan.rounds)
    for (_, asked, answers), item in zip(questions, plan.rounds, strict=True):
        said = re.sub(r"\\([~=#{}:\\])", r"\1", asked)
        assert " ".join(item.case.story.split()) in said
        if item.case.contested is not None:
            assert answers == []
            continue
        right = [text for sign, text in answers if sign == "="]
        assert len(right) == 1
        assert right[0].lower().startswith(item.case.verdict.replace("neither", "nei"))


def test_gift_escapes_what_moodle_would_read_as_signs() -> None:
    plan = plan_of("quick-five")
    case = plan.rounds[0].case
    odd = case.model_copy(
        update={"story": "a=b ~c {d} #e f:g \\h\n\ni", "title": "T::x"}
    )
    rounds = (plan.rounds[0].model_copy(update={"case": odd}),)
    text = gift_text(plan.model_copy(update={"rounds": rounds}), two_link=False)
    assert "a\\=b \\~c \\{d\\} \\#e f\\:g \\\\h i" in text
    assert "::T\\:\\:x::" in text
    assert len(read_gift(text)) == 1


@pytest.mark.parametrize("name", sorted(LIBRARY.decks))
def test_kahoot_questions_keep_its_limits(name: str, tmp_path: Path) -> None:
    plan = plan_of(name)
    quiz = quiz_of(plan, two_link=LIBRARY.deck(name).two_link)
    scored = [item for item in plan.rounds if item.case.contested is None]
    assert len(quiz.questions) == 2 * len(scored)
    for question in quiz.questions:
        assert len(question.text) <= QUESTION
        assert 2 <= len(question.answers) <= 4
        assert all(0 < len(answer) <= ANSWER for answer in question.answers)
        assert 1 <= question.right <= len(question.answers)
    file = tmp_path / "quiz.xlsx"
    write_kahoot(plan, quiz, file)
    book = openpyxl.load_workbook(file)
    quiz_rows, aloud = book.worksheets
    rows = list(quiz_rows.iter_rows(min_row=FIRST_ROW + 1, values_only=True))
    assert [row[1] for row in rows] == [question.text for question in quiz.questions]
    assert {row[6] for row in rows} == {240}
    assert [int(row[7]) for row in rows] == [q.right for q in quiz.questions]
    stories = [row[1] for row in aloud.iter_rows(min_row=2, values_only=True)]
    assert stories == [item.case.story for item in plan.rounds]


def test_kahoot_says_what_it_cuts() -> None:
    cut = quiz_of(plan_of("hard"), two_link=True).cut
    assert any("contested" in each for each in cut)
    assert any("Read aloud" in each for each in cut)
    case = LIBRARY.case("four-hours")
    long = case.fix_question.options[0].model_copy(update={"text": "word " * 40})
    options = (long, *case.fix_question.options[1:])
    asked = case.fix_question.model_copy(
        update={"options": options, "question": "why " * 40}
    )
    plan = plan_of("quick-five")
    item = plan.rounds[0].model_copy(
        update={"case": case.model_copy(update={"fix_question": asked})}
    )
    quiz = quiz_of(plan.model_copy(update={"rounds": (item,)}), two_link=False)
    assert any(
        "repair A, from 199" in each or "repair A, from 200" in each
        for each in quiz.cut
    )
    assert any("the repair question, from" in each for each in quiz.cut)
    assert quiz.questions[1].answers[0].endswith("word…")
