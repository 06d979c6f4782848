"""CSV files as people keep them: separators, encodings, quotes and formula signs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from scenarios.exchange.spreadsheet import UnreadableSheet, read_sheet, write_sheet
from tests.scenarios.exchange.test_sheets_as_kept import CASE, COLUMNS, ROW
from tests.support.cli import twogaps


def csv_text(change: dict[str, str] | None = None, separator: str = ",") -> str:
    """Return the case as CSV with some cells changed."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    row = {**ROW, **(change or {})}
    writer.writerows([COLUMNS, [row[column] for column in COLUMNS]])
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        f"sep=;\r\n{csv_text(separator=';')}".encode("utf-8-sig"),
        f"sep=|\n{csv_text(separator='|')}".encode(),
        csv_text(separator="\t").encode("utf-16"),
        csv_text(separator=";").encode("utf-16-be"),
        f"My cases;;\r\n\r\n{csv_text(separator=';')}".encode(),
        csv_text({"id": "\u00a0Four-hours ", "kind": "documented\u200b"}).encode(),
        csv_text({"truth.outer": "WAHR", "truth.inner": "FALSCH"}).encode(),
        csv_text().replace("\r\n", "\r").encode(),
    ],
)
def test_a_csv_file_is_understood(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "kept.csv"
    file.write_bytes(content)
    found = read_sheet(file)
    assert [*map(str, found.problems)] == []
    assert found.cases == (CASE,)


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("title", "#NAME?", "shows the error #NAME?"),
        ("title", "#WERT!", "shows the error #WERT!"),
        ("title", "#ИМЯ?", "shows the error #ИМЯ?"),
        ("title", "#ДЕЛ/0!", "shows the error #ДЕЛ/0!"),
        ("title", "#¡VALOR!", "shows the error #¡VALOR!"),
        ("title", "#GETTING_DATA", "shows the error #GETTING_DATA"),
        ("title", "Loading...", "shows the error Loading..."),
        ("title", "Err:508", "shows the error Err:508"),
        ("title", "=D9", "is the formula =D9"),
        ("figures[2].value", "May-04", "may have changed"),
        ("figures[2].value", "01.05.2004", "may have changed"),
        ("figures[2].value", "1,00E+05", "may have changed"),
        ("title", "KÃ¼che", "opened in another encoding"),
    ],
)
def test_an_uncertain_csv_cell_is_named_by_row_and_column(
    tmp_path: Path, column: str, text: str, says: str
) -> None:
    file = tmp_path / "kept.csv"
    file.write_text(csv_text({column: text}), encoding="utf-8")
    (problem,) = read_sheet(file).problems
    assert f"kept.csv, row 2: {column}: " in str(problem)
    assert says in problem.message


def test_a_row_that_broke_at_a_separator_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    text = csv_text({"sources[0].note": "read"})
    file.write_text(text.replace(",read\r", ",read, once\r"))
    found = read_sheet(file)
    (problem,) = found.problems
    assert found.cases == ()
    assert "broken.csv, row 2" in str(problem)
    assert "has text, but no heading" in problem.message


def test_a_row_with_too_few_cells_is_named(tmp_path: Path) -> None:
    file = tmp_path / "short.csv"
    file.write_text(csv_text({"sources[0].note": ""}).removesuffix(",\r\n"))
    (problem,) = read_sheet(file).problems
    assert f"{len(COLUMNS) - 1} cells, but there are {len(COLUMNS)}" in str(problem)


def test_quotes_that_do_not_match_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "quotes.csv"
    text = csv_text({"title": "One, two"})
    file.write_text(text.replace('"One, two"', '"The "one, two" of it"'))
    with pytest.raises(UnreadableSheet, match="not valid CSV after row 1"):
        read_sheet(file)


@pytest.mark.parametrize("sign", "=+-@＝＋－＠﹦﹢﹣﹫⁼₊")
def test_no_cell_begins_with_a_formula_sign_of_any_width(
    tmp_path: Path, sign: str
) -> None:
    case = CASE.model_copy(update={"title": f"{sign}1+1", "tempting": f"{sign}x"})
    file = tmp_path / "guarded.csv"
    write_sheet([case], file)
    text = file.read_text(encoding="utf-8-sig")
    cells = [
        cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line
    ]
    assert not any(cell.startswith(sign) for cell in cells)
    assert read_sheet(file).cases == (case,)


def test_an_export_for_a_decimal_comma_opens_in_columns(tmp_path: Path) -> None:
    file = tmp_path / "german.csv"
    words = ("case", "export", file, "four-hours", "--semicolons")
    assert twogaps(*words).exit_code == 0
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfid;version;kind;title;")
    assert read_sheet(file).cases == (CASE,)


@pytest.mark.parametrize(
    ("headings", "row", "words"), [(";", ",", "commas"), (",", ";", "semicolons")]
)
def test_a_row_with_another_separator_than_the_headings_says_which(
    tmp_path: Path, headings: str, row: str, words: str
) -> None:
    """As when rows of two files are put together in a text editor."""
    first, second = csv_text(separator=headings), csv_text({"id": "other"}, row)
    file = tmp_path / "kept.csv"
    both = first + second.split("\r\n", 1)[1]
    file.write_bytes(both.encode())
    found = read_sheet(file)
    assert found.cases == (CASE,)
    (problem,) = found.problems
    assert problem.file.name == "kept.csv, row 3"
    assert problem.message == f"has {words} between its cells, and the headings do not"


@pytest.mark.parametrize("says", [",", ";", "\t"])
def test_a_sep_line_that_names_another_separator_changes_nothing(
    tmp_path: Path, says: str
) -> None:
    file = tmp_path / "kept.csv"
    file.write_bytes(f"sep={says}\r\n{csv_text()}".encode())
    assert read_sheet(file).cases == (CASE,)


@pytest.mark.parametrize("title", ["#Mars!", "#why?", "Loading", "#1 of all"])
def test_a_title_that_no_program_shows_for_an_error_is_a_title(
    tmp_path: Path, title: str
) -> None:
    file = tmp_path / "kept.csv"
    file.write_bytes(csv_text({"title": title}).encode())
    (found,) = read_sheet(file).cases
    assert found.title == title
