"""``twogaps case new``: piped answers, interruptions, and answers that are wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scenarios.lint import lint
from scenarios.load import load_library
from tests.support.cli import twogaps

STORY = (
    "A lift in an office was to bring people up with little waiting. Its program was "
    "rewarded for each ride that began within 17 seconds of a call. After some weeks "
    "the lift waited on the ground floor all morning, where the queue was long and a "
    "ride began soon. On the upper floors people waited and then took the stairs. "
    "The company looked at its record and found that the reward had never been so "
    "high. It asked the people on the upper floors what they thought of it."
)
ANSWERS = {
    "title": "The lift that stayed downstairs", "kind": "documented", "year": "2021",
    "domain": "robotics", "level": "1", "tags": "building, lift", "story": STORY,
    "truth.outer": "yes", "truth.inner": "no", "contested": "",
    "breakdown.intended": "Little waiting on every floor.",
    "breakdown.written": "A reward for each ride that begins soon after its call.",
    "breakdown.learned": "Stand where calls are many.",
    "breakdown.broke": "Between what was meant and what was written.",
    "breakdown.why": "Standing downstairs earned more than fetching anybody.",
    "breakdown.why_not": "It did so where it had learned it.",
    "breakdown.flip": "Reward short waits everywhere, train in an empty house.",
    "breakdown.fix": "Count the longest wait.", "breakdown.owner": "Who set it up.",
    "breakdown.more_capable": "It would block the stairs.",
    "breakdown.residual": "People who never call.",
    "breakdown.say": "Rides were counted and waiting was meant.",
    "tempting": "It looks as if it had learned a habit.",
    "reasons.outer[0]": "The reward was high.", "reasons.outer[1]": "Nothing changed.",
    "reasons.inner[0]": "It moved on its own.", "reasons.inner[1]": "No one wanted it.",
    "fix": "Which repair fits?", "right": "Count the longest wait.",
    "right why": "It counts what is meant.", "other": "Train on more days.",
    "other why": "The reward stays.", "neither": "A faster motor.",
    "neither why": "It still stands downstairs.", "source": "A. Builder",
    "source year": "2021", "source title": "Lifts", "source where": "A journal",
    "source checked": "read in source", "source note": "", "no more sources": "",
    "twin": "", "figure": "17", "means": "Seconds that a ride may wait.",
    "origin": "The journal, page one.",
}  # fmt: skip


def new(folder: Path, lines: list[str], *words: str) -> tuple[int, str]:
    """Answer with these lines; return exit code and all that was written."""
    given = "".join(f"{line}\n" for line in lines)
    command = ["case", "new", *words, "--into", str(folder)]
    result = twogaps(*command, given=given, env={"COLUMNS": "300"})
    return result.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def test_piped_answers_become_a_case_without_a_finding(tmp_path: Path) -> None:
    code, text = new(tmp_path, ["lift-downstairs", *ANSWERS.values()])
    assert code == 0, text
    library = load_library(tmp_path)
    assert library.problems == ()
    case = library.case("lift-downstairs")
    assert case.story == STORY
    assert case.tags == ("building", "lift")
    assert [figure.value for figure in case.figures] == ["17"]
    assert case.fix_question.options[case.fix_question.right].text == ANSWERS["right"]
    found = [each for each in lint(library) if each.item == case.id]
    assert [each for each in found if each.severity == "error"] == []
    assert not list((tmp_path / "drafts").iterdir())
    assert "89 words" in text or "words (60-120)" in text
    assert "twogaps case preview lift-downstairs" in text


@pytest.mark.parametrize("typed", [1, 8, 20, len(ANSWERS) - 1])
def test_what_was_typed_is_kept_and_gone_on_with(tmp_path: Path, typed: int) -> None:
    lines = list(ANSWERS.values())
    code, text = new(tmp_path, lines[:typed], "lift-downstairs")
    assert code == 130
    assert "Your answers are saved" in text
    draft = tmp_path / "drafts" / "lift-downstairs.json"
    assert len(json.loads(draft.read_text())) == typed + 1
    assert load_library(tmp_path / "nothing").problems
    code, text = new(tmp_path, lines[typed:], "lift-downstairs")
    assert code == 0, text
    assert load_library(tmp_path).case("lift-downstairs").twin is None


def test_a_wrong_answer_is_explained_and_ends_a_pipe(tmp_path: Path) -> None:
    lines = ["A lift", "documented", "last year"]
    code, text = new(tmp_path, lines, "lift-downstairs")
    assert code == 130
    assert "year: input should be a valid integer" in text
    kept = json.loads((tmp_path / "drafts" / "lift-downstairs.json").read_text())
    assert kept == {"id": "lift-downstairs", "title": "A lift", "kind": "documented"}


def test_an_empty_answer_where_one_is_needed(tmp_path: Path) -> None:
    code, text = new(tmp_path, [""], "lift-downstairs")
    assert code == 130
    assert "title: an answer is needed" in text


def test_names_that_cannot_be_used(tmp_path: Path) -> None:
    assert "lower-case letters" in new(tmp_path, [], "My Case")[1]
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "taken.toml").write_text("")
    code, text = new(tmp_path, [], "taken")
    assert code == 1
    assert "already exists" in text
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / "torn.json").write_text("{")
    assert "Fix or remove it" in new(tmp_path, [], "torn")[1]
