"""Blind labeling: nothing on a sheet tells, and the agreement is computed rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.library import LIBRARY
from tools.blind import (
    COUNT,
    RULES,
    SEED,
    VALUES,
    alpha,
    draw,
    interval,
    read_answers,
    with_key,
    worked_examples,
)
from tools.blind.__main__ import main

MOST_EXAMPLES = 24
"""Cases that docs/labels.md names: more would give too much of the library away."""
LABELS = ("OIIONBIOOI.O", "OIIOBBIOIIN.", "OIBONB.OOIN.")
EXAMPLE = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def stories(*labelers: str) -> list[list[str]]:
    """Return stories from one string per labeler; a point is a missing label."""
    columns = zip(*labelers, strict=True)
    return [[each for each in column if each != "."] for column in columns]


def test_alpha_is_that_of_the_library_named_krippendorff() -> None:
    assert alpha(stories(*LABELS)) == pytest.approx(0.7345, abs=5e-5)


def test_alpha_is_that_of_krippendorff_s_own_example() -> None:
    assert alpha(stories(*EXAMPLE)) == pytest.approx(0.7434, abs=5e-5)


def test_labelers_who_never_differ_and_who_answer_by_chance() -> None:
    assert alpha(stories("OIN", "OIN")) == 1
    assert alpha(stories("OOO", "OOO")) == 1
    assert alpha(stories("OI" * 50, "OOII" * 25)) == pytest.approx(0, abs=0.02)


def test_an_interval_needs_stories_and_some_disagreement() -> None:
    few, many = stories("OI", "OO"), stories("OIB" * 10, "OIB" * 9 + "OOO")
    assert interval(few) is None
    assert interval(stories("OI" * 20, "OI" * 20)) is None
    bounds = interval(many)
    assert bounds is not None
    assert bounds[0] < alpha(many) < bounds[1] < 1


def test_the_draw_is_seeded_and_a_sheet_tells_nothing(tmp_path: Path) -> None:
    into, key = tmp_path / "sheets", tmp_path / "key.json"
    assert main(["draw", str(into), "--key", str(key)]) == 0
    cases = draw(LIBRARY, SEED, COUNT)
    assert cases == draw(LIBRARY, SEED, COUNT) != draw(LIBRARY, SEED + 1, COUNT)
    sheets = sorted(into.glob("[0-9]*.txt"))
    together = (into / "stories.txt").read_text(encoding="utf-8")
    assert together == "\n".join(each.read_text(encoding="utf-8") for each in sheets)
    assert (into / "labels.md").read_bytes() == RULES.read_bytes()
    assert len(sheets) == COUNT == len(cases)
    for number, (sheet, case) in enumerate(zip(sheets, cases, strict=True), 1):
        assert sheet.read_text(encoding="utf-8") == (
            f"{number}. {case.title}\n\n{case.story}\n"
        )
        assert case.id not in sheet.read_text(encoding="utf-8")
    assert main(["draw", str(into), "--key", str(into / "key.json")]) == 1


def test_a_case_that_the_rules_name_is_never_drawn() -> None:
    named = worked_examples(LIBRARY)
    assert {"coastrunners-lagoon", "one-minus-sign"} <= named
    assert "sugar-in-a-land-of-plenty" in named  # named by its file alone
    assert len(named) <= MOST_EXAMPLES
    every = draw(LIBRARY, SEED, len(LIBRARY.cases))
    assert {case.id for case in every} == set(LIBRARY.cases) - named


def test_answers_are_scored_against_the_key_and_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into, key = tmp_path / "sheets", tmp_path / "key.json"
    main(["draw", str(into), "--key", str(key), "--count", "40"])
    cases = draw(LIBRARY, SEED, 40)
    right = [f"{number}: {case.verdict}" for number, case in enumerate(cases, 1)]
    wrong = [f"1, {next(v for v in VALUES if v != cases[0].verdict)}", *right[1:]]
    for name, lines in (("a.txt", right), ("b.txt", wrong)):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    capsys.readouterr()
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert main(["score", str(key), *files]) == 0
    printed = capsys.readouterr().out
    assert "a.txt: all 40 of 40 (100%" in printed
    assert "b.txt: all 39 of 40 (98%" in printed
    assert "over 40 stories: 0.9" in printed
    assert cases[0].id in printed.splitlines()[-1]


def test_an_answer_that_is_not_one_of_the_words_is_refused(tmp_path: Path) -> None:
    answers = tmp_path / "a.txt"
    answers.write_text("# my answers\n1: outer\n2 - both\n", encoding="utf-8")
    assert read_answers(answers) == {1: "outer"}
    for line in ("1: perhaps", "1: outer\n1: inner"):
        answers.write_text(line, encoding="utf-8")
        with pytest.raises(ValueError, match="one of"):
            read_answers(answers)
    assert with_key({1: "outer", 2: "both"}, {1: "outer"}, clean=True).n == 1
