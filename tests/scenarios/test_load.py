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
def test_broken_case_is_named_and_stops_no_other(
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


def test_all_problems_of_a_file_are_reported_together(
    folder: Path, write_case: Write
) -> None:
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


def test_folder_instead_of_a_file(folder: Path) -> None:
    (folder / "cases" / "nest.toml").mkdir()
    library = load_library(folder, builtin=False)
    assert "cannot be read" in library.problems[0].message
    assert_good_ones_are_there(library)


LEFT_BEHIND = [
    (
        "._good.toml",
        b"\0\5\x16\7\0\2",
        "macOS keeps attributes of 'good.toml'",
        "delete",
    ),
    ("good.toml.txt", b"x", "ends in .toml.txt", "rename it to 'good.toml'"),
    ("tale.TOML", b"x", "ends in capitals", "rename it to 'tale.toml'"),
    (".tale.toml.icloud", b"x", "is in iCloud", "download"),
    ("empty.toml", b"", "is empty", "copy the file again"),
    ("zeros.toml", b"\0" * 99, "is empty", "copy the file again"),
]


@pytest.mark.parametrize(("name", "content", "message", "remedy"), LEFT_BEHIND)
def test_what_a_stick_or_a_mac_leaves_is_named(
    folder: Path, name: str, content: bytes, message: str, remedy: str
) -> None:
    (folder / "cases" / name).write_bytes(content)
    library = load_library(folder, builtin=False)
    (problem,) = library.problems
    assert problem.file == folder / "cases" / name
    assert message in problem.message
    assert remedy in problem.remedy
    assert_good_ones_are_there(library)


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", "Thumbs.db", "desktop.ini", "~$mine.xlsx", "mine.xlsx", "mine.csv",
        "good.toml~", "good.toml.bak", ".good.toml.swp", "._.DS_Store",
    ],
)  # fmt: skip
def test_what_is_harmless_is_noted_and_no_problem(folder: Path, name: str) -> None:
    (folder / "cases" / name).write_bytes(b"x")
    library = load_library(folder, builtin=False)
    assert library.problems == ()
    (note,) = library.notes
    assert note.file == folder / "cases" / name
    assert note.remedy


@pytest.mark.parametrize(
    "name",
    [
        "good (1)", "good - Kopie", "Copy of good", "good 2", "good copy",
        "good (Noor's conflicted copy 2026-11-26)", "good.sync-conflict-20261126-1a",
    ],
)  # fmt: skip
def test_a_second_copy_of_a_case_is_named(folder: Path, name: str) -> None:
    text = (folder / "cases" / "good.toml").read_text()
    (folder / "cases" / f"{name}.toml").write_text(text)
    library = load_library(folder, builtin=False)
    (problem,) = library.problems
    assert (problem.file.stem, problem.key) == (name, "id")
    assert "like a copy of 'good.toml'" in problem.message
    assert "delete one" in problem.remedy
    assert_good_ones_are_there(library)


def test_a_file_that_is_not_named_as_its_id_is_renamed(folder: Path) -> None:
    text = (folder / "cases" / "good.toml").read_text()
    (folder / "cases" / "My tale.toml").write_text(text.replace('"good"', '"tale"'))
    (problem,) = load_library(folder, builtin=False).problems
    assert problem.remedy == "rename the file to 'tale.toml'"


def test_cases_in_a_folder_further_down_are_named(folder: Path) -> None:
    (folder / "cases" / "more").mkdir()
    (folder / "cases" / "good.toml").rename(folder / "cases" / "more" / "good.toml")
    problem = load_library(folder, builtin=False).problems[0]
    assert problem.file == folder / "cases" / "more"
    assert problem.remedy == "move them up, beside the others"


def test_curly_quotes_and_odd_spaces_are_named(folder: Path, write_case: Write) -> None:
    write_case("curly", ('title = "A small tale"', "title = “A small tale”"))
    write_case("space", ("level = 1", "level\u00a0= 1"))
    write_case("slug", ('"games"', '"games\u00a0"'))
    problems = load_library(folder, builtin=False).problems
    told = {each.file.stem: f"{each.message} {each.remedy}" for each in problems}
    assert "U+201C LEFT DOUBLE QUOTATION MARK with a straight" in told["curly"]
    assert "U+00A0 NO-BREAK SPACE with a plain space" in told["space"]
    assert "contains U+00A0 NO-BREAK SPACE" in told["slug"]


def test_editor_mark_at_the_start_is_accepted(folder: Path, write_case: Write) -> None:
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


def test_missing_and_empty_folders_are_reported(folder: Path, tmp_path: Path) -> None:
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
