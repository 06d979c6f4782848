"""Every kind of rubbish gives a named problem, and the good files are still loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.library import Library, UnknownCase, UnknownDeck
from scenarios.load import BUILTIN, load_library

Write = Callable[..., Path]

TWO_OF_ONE = ('repairs = "the other gap"', 'repairs = "this gap"')

THIRD_OPTION = (
    """
[[fix_question.options]]
text = "Buy a computer."
repairs = "neither gap"
comment = "No."
""",
    "",
)

RUBBISH_CASES: list[tuple[str, tuple[str, str], str, str, str]] = [
    (
        "no-title",
        ('title = "A small tale"\n', ""),
        "title",
        "is missing",
        "add 'title'",
    ),
    ("typo", ("tempting", "temting"), "temting", "not a known key", "'tempting'"),
    ("odd", ("level = 1", "level = 1\nqqq = 2"), "qqq", "not a known key", "remove it"),
    ("words", ("year = 2020", 'year = "old"'), "year", "valid integer", "whole number"),
    ("number", ('title = "A small tale"', "title = 7"), "title", "string", "quotation"),
    ("level", ("level = 1", "level = 4"), "level", "less than", "correct"),
    ("kind", ('"documented"', '"legend"'), "kind", "input should be", "choose one"),
    ("other", ('id = "other"', 'id = "good"'), "id", "called 'other.toml'", "rename"),
    ("slug", ('"games"', '"Video Games"'), "domain", "pattern", "lower-case"),
    ("truth", ("inner = false\n", ""), "truth.inner", "is missing", "add 'inner'"),
    ("deep", ('say = "l"', 'sey = "l"'), "breakdown.sey", "known key", "'say'"),
    ("empty", ('why = "e"', 'why = ""'), "breakdown.why", "at least 1", "write some"),
    ("list", ('["one", "two"]', '["one"]'), "reasons.outer", "at least 2", "add more"),
    ("fix", TWO_OF_ONE, "fix_question", "exactly one option", "change the entries"),
    ("in-list", ('"A paper"', "3"), "sources[0].title", "string", "quotation marks"),
    ("table", ("[truth]\n", "truth = 3\n[x]\n"), "truth", "valid dictionary", "table"),
    (
        "syntax",
        ("version = 1", "version ="),
        "the whole file",
        "line 3",
        "fix the line",
    ),
    ("yes", ("outer = true", 'outer = "yes"'), "truth.outer", "boolean", "true or"),
    ("one", ("outer = true", "outer = 1"), "truth.outer", "boolean", "true or"),
    ("bool", ("level = 1", "level = true"), "level", "integer", "whole number"),
    ("quoted", ("level = 1", 'level = "1"'), "level", "integer", "whole number"),
    (
        "huge",
        ("= 2020", f"= {'9' * 5000}"),
        "the whole file",
        "4300 digits",
        "fix the line",
    ),
    ("short", THIRD_OPTION, "fix_question.options[2]", "is missing", "add more"),
]


@pytest.mark.parametrize(
    ("name", "change", "key", "message", "remedy"),
    RUBBISH_CASES,
    ids=[row[0] for row in RUBBISH_CASES],
)
def test_rubbish_case_is_named_and_stops_nobody(
    folder: Path,
    write_case: Write,
    name: str,
    change: tuple[str, str],
    key: str,
    message: str,
    remedy: str,
) -> None:
    file = write_case(name, change)
    library = load_library(folder, builtin=False)
    found = [each for each in library.problems if each.key == key]
    assert len(found) == 1, library.problems
    assert found[0].file == file
    assert message in found[0].message
    assert remedy in found[0].remedy
    assert_good_ones_are_there(library)
    assert set(library.cases) == {"good"}


def test_every_fault_of_a_file_is_told_at_once(folder: Path, write_case: Write) -> None:
    write_case("two", ('title = "A small tale"\n', ""), ("level = 1", "level = 9"))
    problems = load_library(folder, builtin=False).problems
    assert {each.key for each in problems} == {"title", "level"}


def test_dangling_twin_keeps_the_case(folder: Path, write_case: Write) -> None:
    file = write_case("lonely", ("level = 1", 'level = 1\ntwin = "goood"'))
    library = load_library(folder, builtin=False)
    (problem,) = library.problems
    assert (problem.file, problem.key) == (file, "twin")
    assert problem.remedy == "did you mean 'good'?"
    assert "lonely" in library.cases


def test_deck_with_an_unknown_case_is_left_out(folder: Path, write_deck: Write) -> None:
    file = write_deck("broken", ('case = "good"', 'case = "god"\ntransfer = "zzz"'))
    library = load_library(folder, builtin=False)
    keys = {(each.file, each.key) for each in library.problems}
    assert keys == {(file, "rounds[0].case"), (file, "rounds[0].transfer")}
    assert library.problems[0].remedy == "did you mean 'good'?"
    assert_good_ones_are_there(library)
    assert "broken" not in library.decks


def test_deck_that_uses_a_case_twice(folder: Path, write_deck: Write) -> None:
    write_deck("twice", ('case = "good"', 'case = "good"\ncontrast = "good"'))
    library = load_library(folder, builtin=False)
    assert "'good' appears twice" in library.problems[0].message
    assert_good_ones_are_there(library)


def test_bytes_that_are_not_text(folder: Path) -> None:
    file = folder / "cases" / "picture.toml"
    file.write_bytes(b"id = \xff\xfe\x00")
    library = load_library(folder, builtin=False)
    assert library.problems[0].file == file
    assert library.problems[0].remedy == "save the file as UTF-8"
    assert_good_ones_are_there(library)


def test_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "cases" / "nest.toml").mkdir()
    library = load_library(folder, builtin=False)
    assert "cannot be read" in library.problems[0].message
    assert_good_ones_are_there(library)


def test_editor_mark_at_the_start_is_no_fault(folder: Path, write_case: Write) -> None:
    file = write_case("marked")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    library = load_library(folder, builtin=False)
    assert library.problems == ()
    assert set(library.cases) == {"good", "marked"}


def test_same_id_in_two_folders_keeps_the_first(folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    (second / "cases").mkdir(parents=True)
    original = (folder / "cases" / "good.toml").read_text()
    (second / "cases" / "good.toml").write_text(original.replace("A small", "A false"))
    library = load_library(folder, second, builtin=False)
    assert "already defined" in library.problems[0].message
    assert library.case("good").title == "A small tale"


def test_missing_and_empty_folders_are_told(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    library = load_library(folder, tmp_path / "nowhere", empty, builtin=False)
    messages = [each.message for each in library.problems]
    assert messages == [
        "there is no such folder",
        "the folder holds neither 'cases' nor 'decks'",
    ]
    assert_good_ones_are_there(library)


def test_problem_reads_as_one_line(folder: Path, write_case: Write) -> None:
    file = write_case("typo", ("tempting", "temting"))
    (problem, _) = sorted(load_library(folder, builtin=False).problems, key=str)[::-1]
    assert str(problem).startswith(f"{file}: tem")


def test_unknown_names_come_with_close_matches(folder: Path) -> None:
    library = load_library(folder, builtin=False)
    with pytest.raises(UnknownCase, match="did you mean 'good'") as case:
        library.case("goode")
    assert case.value.close == ("good",)
    with pytest.raises(UnknownDeck, match=r"there is no deck 'zzzz'$"):
        library.deck("zzzz")


def test_built_in_folder_has_no_problem() -> None:
    library = load_library()
    assert library.problems == ()
    assert BUILTIN.is_absolute()


def assert_good_ones_are_there(library: Library) -> None:
    assert "good" in library.cases
    assert "fine" in library.decks
