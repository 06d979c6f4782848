"""``twogaps case``: counts, findings with their files, spreadsheets, quizzes."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from scenarios.load import load_library
from tests.scenarios.conftest import CASE, DECK
from tests.support.cli import twogaps

FULL = load_library().case("four-hours")
SHOWN = (
    "coastrunners-lagoon",
    "keys-and-chests-bonus",
    "the-yellow-balloon",
    "cleaning-robot",
)


def run(*words: str | Path) -> tuple[int, str]:
    """Run a command; return exit code and all it wrote, in lines as they come."""
    result = twogaps(*words)
    return result.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", result.output)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a case that loads and that the lint has much to say about."""
    folder = tmp_path / "own"
    (folder / "cases").mkdir(parents=True)
    (folder / "decks").mkdir()
    (folder / "cases" / "good.toml").write_text(CASE.format(id="good"))
    (folder / "decks" / "fine.toml").write_text(DECK.format(id="fine"))
    return folder


def test_stats_print_as_tables_and_as_json() -> None:
    code, text = run("case", "stats")
    assert code == 0
    for heading in ("verdict", "domain", "decade", "level", "told as", "checked"):
        assert heading in text
    assert "real case, one fact changed" in text
    assert "true story" in text
    counts = json.loads(run("case", "stats", "--json")[1])
    assert counts["total"] == len(load_library().cases)
    assert counts["verdicts"]["outer"] >= 40
    assert ["tomatoes-and-a-bucket", "tomatoes-on-brown-ground"] in counts[
        "variant_pairs"
    ]
    assert ["keys-and-chests", "keys-and-chests-bonus"] in counts["minimal_pairs"]


def test_a_year_is_shown_only_where_the_story_happened() -> None:
    told = {name: run("case", "show", name, "--story")[1] for name in SHOWN}
    assert "(True story, 2016)" in told["coastrunners-lagoon"]
    assert "(Real case, one fact changed)" in told["keys-and-chests-bonus"]
    assert "(Invented variant of a real case)" in told["the-yellow-balloon"]
    assert "(Thought experiment)" in told["cleaning-robot"]


def test_lint_names_file_key_and_remedy_and_measures(own: Path) -> None:
    code, text = run("case", "lint", "--cases", own, "--measures")
    assert code == 1
    file = own / "cases" / "good.toml"
    assert f"{file}: story: has 6 words (bring it to 60-120 words)" in text
    assert f"{own / 'decks' / 'fine.toml'}: reading: 0 items are marked" in text
    assert "reads like school grade" in text
    (own / "cases" / "good.toml").write_text(
        CASE.format(id="good").replace("happened.", "happened 4711 times.")
    )
    assert "(add a [[figures]] table" in run("case", "lint", "--cases", own)[1]
    assert re.search(r"good\s+│\s+6\s", text)
    assert "four-hours" not in text


def test_one_file_is_checked_alone(own: Path) -> None:
    built_in = load_library().case_files["four-hours"]
    code, text = run("case", "lint", built_in, "--measures")
    assert code == 0
    assert "four-hours.toml: " in text
    assert re.search(r"four-hours\s+│\s+\d+\s+│\s+\d\.\d", text)
    assert "coastrunners-lagoon" not in text
    code, text = run("case", "lint", own / "cases" / "good.toml")
    assert code == 1
    assert "good.toml: story: has 6 words" in text
    assert "fine.toml" not in text
    stray = own / "stray.toml"
    stray.write_text(CASE.format(id="stray"))
    code, text = run("case", "lint", stray)
    assert code == 1
    assert "is not a file in a folder 'cases' or 'decks'" in text


def test_notes_are_printed_without_failing(own: Path) -> None:
    file = own / "cases" / "alone.toml"
    text = (Path(load_library().case_files["four-hours"])).read_text()
    file.write_text(text.replace('"four-hours"', '"alone"', 1))
    (own / "cases" / "good.toml").unlink()
    (own / "decks" / "fine.toml").unlink()
    code, told = run("case", "lint", "--cases", own)
    assert (code, "note:" in told) == (0, True)
    assert f"{file}: twin: 'tetris-on-pause' does not name this case in return" in told


def test_what_a_mac_leaves_in_a_folder_is_a_note(own: Path) -> None:
    for name in ("good.toml", ".DS_Store"):
        (own / "cases" / name).write_bytes(b"x")
    (own / "cases" / "good.toml").unlink()
    (own / "decks" / "fine.toml").unlink()
    code, told = run("case", "lint", "--cases", own)
    assert code == 0
    assert f"note: {own / 'cases' / '.DS_Store'}: the whole file: was left by" in told


def test_a_sheet_goes_out_and_comes_back(tmp_path: Path) -> None:
    sheet, folder = tmp_path / "out" / "two.xlsx", tmp_path / "mine"
    code, text = run("case", "export", sheet, "four-hours", "pancake-in-the-air")
    assert (code, "Wrote 2 cases" in text) == (0, True)
    assert run("case", "import", sheet, "--into", folder)[0] == 0
    written = load_library(folder, builtin=False)
    assert written.case("four-hours") == FULL
    code, text = run("case", "import", sheet, "--into", folder)
    assert (code, text.count("already exists and was kept")) == (1, 2)
    assert run("case", "import", sheet, "--into", folder, "--replace")[0] == 0


def test_own_cases_alone_and_a_whole_deck_are_exported(
    own: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.csv"
    assert "Wrote 1 case" in run("case", "export", file, "--own", "--cases", own)[1]
    assert "Wrote 20 cases" in run("case", "export", file, "--deck", "pairs")[1]
    assert run("case", "export", file, "--own")[0] == 1


def test_a_deck_becomes_a_quiz_for_moodle_and_for_kahoot(tmp_path: Path) -> None:
    gift, kahoot = tmp_path / "pairs.gift", tmp_path / "hard.xlsx"
    assert run("case", "export", gift, "--deck", "pairs")[0] == 0
    assert gift.read_text(encoding="utf-8").count("::[plain]") == 10
    code, text = run("case", "export", kahoot, "--as", "kahoot", "--deck", "hard")
    assert (code, "Wrote 16 questions" in text) == (0, True)
    assert "left out, since it is contested" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export", "cases.doc"), "must end in .csv or .xlsx"),
        (("export", "quiz.gift"), "name a deck"),
        (("export", "a.csv", "four-ours"), "did you mean 'four-hours'"),
        (("export", "a.csv", "--deck", "pears"), "did you mean 'pairs'"),
        (("export", "a.csv", "--as", "kahoot", "--deck", "hard"), "end in .xlsx"),
        (("import", "none.csv", "--into", "x"), "cannot be read"),
        (("import", "none.ods", "--into", "x"), "must end in"),
        (("export", "/dev/null/x/a.csv", "four-hours"), "cannot be written"),
        (("export", "/dev/null/x/a.xlsx", "four-hours"), "cannot be written"),
    ],
)
def test_errors_say_what_to_do(words: tuple[str, ...], says: str) -> None:
    code, text = run("case", *words)
    assert code == 1
    assert says in text
    assert "Traceback" not in text


def test_bad_rows_are_reported_and_good_ones_written(tmp_path: Path) -> None:
    sheet = tmp_path / "some.csv"
    run("case", "export", sheet, "four-hours", "pancake-in-the-air")
    text = sheet.read_text(encoding="utf-8-sig")
    sheet.write_text(text.replace(",2006,", ",soon,", 1), encoding="utf-8")
    code, told = run("case", "import", sheet, "--into", tmp_path / "mine")
    assert code == 1
    assert "some.csv, row 2: year: input should be a valid integer" in told
    assert "Wrote 1 case" in told


async def test_preview_prints_its_link_and_stops_on_request(own: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "twogaps", "case", "preview", "good",
        "--cases", str(own), "--no-open",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(30):
        while "Ctrl-C" not in text:
            text += (await process.stdout.readline()).decode()
        process.terminate()
        assert await process.wait() == 0
    assert re.search(
        r"http://127\.0\.0\.1:\d+/preview#admin=[0-9a-f]{32}&case=good", text
    )


def test_a_preview_of_nothing_is_refused() -> None:
    code, text = run("case", "preview", "four-ours", "--no-open")
    assert code == 1
    assert "did you mean 'four-hours'" in text
