"""Spreadsheets as people keep them: each way in which they differ from an export."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl  # type: ignore[import-untyped] # it ships no types
import pytest
import xlsxwriter  # type: ignore[import-untyped] # it ships no types
from openpyxl.cell.rich_text import (  # type: ignore[import-untyped] # likewise
    CellRichText,
    TextBlock,
)
from openpyxl.cell.text import InlineFont  # type: ignore[import-untyped] # likewise
from openpyxl.styles import Font  # type: ignore[import-untyped] # likewise

from scenarios.exchange.cells import Cell, Fault, settled
from scenarios.exchange.flat import columns_of, to_row
from scenarios.exchange.spreadsheet import UnreadableSheet, read_sheet
from scenarios.load import load_library
from tests.support.cli import twogaps

CASE = load_library().case("four-hours")
ROW = to_row(CASE)
COLUMNS = columns_of([ROW])

Change = Callable[[openpyxl.worksheet.worksheet.Worksheet], object]


def cell_of(column: str, row: int = 2) -> str:
    """Return the address of a column's cell, such as D2."""
    return f"{openpyxl.utils.get_column_letter(COLUMNS.index(column) + 1)}{row}"


def workbook(file: Path, change: Change) -> Path:
    """Write the case to a sheet, changed as a person or a program would."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Cases"
    sheet.append(COLUMNS)
    sheet.append([ROW[column] for column in COLUMNS])
    change(sheet)
    book.save(file)
    return file


def put(column: str, value: object, number_format: str = "General") -> Change:
    """Return the change of one cell."""

    def change(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        cell = sheet[cell_of(column)]
        cell.value, cell.number_format = value, number_format

    return change


def hide_ids(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Type headings, ids and kinds with invisible characters and capitals."""
    for cell, text in zip(
        sheet[1],
        ["ID ", "version:", "\u00a0Kind", "“title”", "YEAR\u200b"],
        strict=False,
    ):
        cell.value = text
    sheet["A2"] = "\u200bFour–Hours\u00a0"
    sheet["C2"] = "“Documented”\ufeff"


def on_a_second_sheet(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Put a page of explanations first."""
    first = sheet.parent.create_sheet("Read me", 0)
    first.append(["How to fill this in", "ID 7"])
    contents = sheet.parent.create_sheet("Contents")
    contents.append(["ID", "Title", "Who wrote it"])
    contents.append(["four-hours", "Four hours", "Noor"])


def return_marks(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """End a text in the way that XLSX escapes a carriage return."""
    sheet[cell_of("story")] = f"{CASE.story}_x000D_"
    sheet[cell_of("tempting")] = f"{CASE.tempting}_x000d_\n"


def a_title_above(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Put a merged title and an empty row above the headings."""
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Cases of the spring term"
    sheet.merge_cells("A1:H1")


def empty_columns(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Leave a column and rows empty."""
    sheet.insert_cols(3)
    sheet.insert_rows(2, 3)


@pytest.mark.parametrize(
    "change",
    [
        hide_ids, on_a_second_sheet, return_marks, a_title_above, empty_columns,
        put("figures[0].value", 96), put("figures[2].value", "2004/05"),
        put("year", 2006.0), put("truth.outer", True),
    ],
)  # fmt: skip
def test_a_workbook_is_understood(tmp_path: Path, change: Change) -> None:
    found = read_sheet(workbook(tmp_path / "kept.xlsx", change))
    assert [*map(str, found.problems)] == []
    assert found.cases == (CASE,)


def merged_down(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Merge the domain of two cases."""
    sheet.append(["other", *[ROW[column] for column in COLUMNS[1:]]])
    sheet.merge_cells(f"{cell_of('domain')}:{cell_of('domain', 3)}")


@pytest.mark.parametrize(
    ("change", "row", "column", "says"),
    [
        (put("title", "#NAME?"), 2, "title", "shows the error #NAME?"),
        (put("story", "#REF!"), 2, "story", "shows the error #REF!"),
        (put("title", "A title", ";;;"), 2, "title", "is hidden by its format ';;;'"),
        (put("id", '="odd"&"-file"'), 2, "id", "formula without a stored result"),
        (put("figures[0].value", 0.96, "0%"), 2, "figures[0].value", "format '0%'"),
        (put("figures[2].value", datetime.date(2004, 5, 1), "mmm yy"), 2,
         "figures[2].value", "is a date"),
        (put("figures[0].value", 5), 2, "figures[0].value", "is the number 5"),
        (put("figures[0].value", 1000, "#,##0"), 2, "figures[0].value", "'#,##0'"),
        (put("title", 1984), 2, "title", "is the number 1984"),
        (put("title", True), 2, "title", "truth value TRUE"),
        (put("title", "KÃ¼che"), 2, "title", "opened in another encoding"),
        (put("title", "K\ufffdche"), 2, "title", "was lost"),
        (put("title", "a_x0007_b"), 2, "title", "U+0007"),
        (merged_down, 3, "domain", "is part of the merged cells F2:F3"),
    ],
)  # fmt: skip
def test_an_uncertain_cell_is_named_by_sheet_row_and_column(
    tmp_path: Path, change: Change, row: int, column: str, says: str
) -> None:
    found = read_sheet(workbook(tmp_path / "kept.xlsx", change))
    (problem,) = found.problems
    letter = cell_of(column).rstrip("2")
    place = f"kept.xlsx, sheet 'Cases', row {row}, column {letter} ({column}): "
    assert place in str(problem)
    assert says in problem.message
    assert problem.remedy


def rich(text: str, **font: object) -> Change:
    """Return the change of a title to one with a part in another font."""
    block = TextBlock(InlineFont(**font), text)
    return put("title", CellRichText("Ten to the 10", block))


def struck_out(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Strike a whole cell out."""
    sheet[cell_of("title")].font = Font(strike=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (rich("2", vertAlign="superscript"), "has superscript text"),
        (rich("old", strike=True), "struck out"),
        (struck_out, "struck out"),
        (put("title", "20", '@" percent"'), "its format is '@\" percent\"'"),
    ],
)
def test_a_look_that_changes_the_meaning_is_named(
    tmp_path: Path, change: Change, says: str
) -> None:
    (problem,) = read_sheet(workbook(tmp_path / "kept.xlsx", change)).problems
    assert "sheet 'Cases', row 2, column D (title): " in str(problem)
    assert says in problem.message


def test_bold_words_are_words(tmp_path: Path) -> None:
    text = CellRichText(CASE.title[:4], TextBlock(InlineFont(b=True), CASE.title[4:]))
    file = workbook(tmp_path / "bold.xlsx", put("title", text))
    assert read_sheet(file).cases == (CASE,)


def test_a_hidden_sheet_of_cases_is_named_and_not_read(tmp_path: Path) -> None:
    def hidden(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        old = sheet.parent.create_sheet("Old", 0)
        old.append(COLUMNS)
        old.append([{**ROW, "title": "An older title"}[column] for column in COLUMNS])
        old.sheet_state = "hidden"
        sheet.parent.active = 1

    found = read_sheet(workbook(tmp_path / "two.xlsx", hidden))
    assert found.cases == (CASE,)
    (problem,) = found.problems
    assert "two.xlsx, sheet 'Old': the whole sheet: is hidden" in str(problem)


def test_a_formula_with_its_result_is_read(tmp_path: Path) -> None:
    file = tmp_path / "formula.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, [ROW[column] for column in COLUMNS])
        sheet.write_formula("A2", '="four"&"-hours"', None, "four-hours")
    assert read_sheet(file).cases == (CASE,)


def test_a_formula_without_its_result_says_so_at_the_command_line(
    tmp_path: Path,
) -> None:
    file = workbook(tmp_path / "kept.xlsx", put("title", "=D9"))
    result = twogaps("case", "import", file, "--into", tmp_path / "mine")
    assert result.exit_code == 1
    assert "sheet 'Cases', row 2, column D (title): contains a formula" in result.output
    assert "Wrote 0 cases" in result.output


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "twice.xlsx", lambda sheet: sheet.__setitem__("E1", "Title ")
    )
    with pytest.raises(UnreadableSheet, match="columns D and E are both named 'title'"):
        read_sheet(file)


def test_cells_without_a_heading_are_named(tmp_path: Path) -> None:
    width = len(COLUMNS)
    file = workbook(
        tmp_path / "beside.xlsx", lambda sheet: sheet.cell(2, width + 1, "ask Noor")
    )
    (problem,) = read_sheet(file).problems
    letter = openpyxl.utils.get_column_letter(width + 1)
    assert f"row 2, column {letter}: has text, but no heading" in str(problem)


def test_two_sheets_of_cases_are_both_read(tmp_path: Path) -> None:
    def second(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        other = sheet.parent.create_sheet("More")
        other.append(COLUMNS)
        other.append(["another", *[ROW[column] for column in COLUMNS[1:]]])
        other.append([ROW[column] for column in COLUMNS])

    found = read_sheet(workbook(tmp_path / "two.xlsx", second))
    assert [case.id for case in found.cases] == ["four-hours", "another"]
    (problem,) = found.problems
    assert "sheet 'More', row 3, column A (id): 'four-hours' is already in" in str(
        problem
    )


def test_a_stray_cell_far_outside_is_refused_immediately(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "far.xlsx", lambda sheet: sheet.cell(900_000, 9_000, "x")
    )
    with pytest.raises(UnreadableSheet, match="row 900000, column 9000"):
        read_sheet(file)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("~$cases.xlsx", b"\x05Noor", "lock file .* Import 'cases.xlsx'"),
        ("._cases.csv", b"\0\5\x16\7", "macOS keeps .* Import 'cases.csv'"),
        ("book.csv", b"PK\x03\x04", "is a workbook, not CSV"),
        ("old.xlsx", b"\xd0\xcf\x11\xe0\xa1", "has a password, or is an older .xls"),
        (
            "ansi.csv",
            "id,title\nx,Küche".encode("cp1252"),
            r"not UTF-8 text \(line 2\)",
        ),
        ("empty.csv", ",".join(COLUMNS).encode(), "no row with a case"),
    ],
)
def test_a_file_that_is_something_else_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UnreadableSheet, match=says):
        read_sheet(file)


def hide_the_second(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Hide a second case, as a filter does."""
    sheet.append(["other", *[ROW[column] for column in COLUMNS[1:]]])
    sheet.row_dimensions[3].hidden = True


def test_a_case_in_a_hidden_row_is_named_and_not_read(tmp_path: Path) -> None:
    found = read_sheet(workbook(tmp_path / "kept.xlsx", hide_the_second))
    assert found.cases == (CASE,)
    problem = found.problems[0]
    assert problem.file.name == "kept.xlsx, sheet 'Cases', row 3"
    assert problem.message == "has text in a hidden row"
    assert problem.remedy == "show the row, or delete it"


def hide_columns(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    """Hide two columns as one group; one of them is empty."""
    sheet.insert_cols(2)
    sheet.column_dimensions.group("B", "C", hidden=True)


def test_text_in_a_hidden_column_is_named_by_row_and_column(tmp_path: Path) -> None:
    found = read_sheet(workbook(tmp_path / "kept.xlsx", hide_columns))
    assert found.cases == ()
    (problem,) = found.problems
    assert problem.file.name == "kept.xlsx, sheet 'Cases', row 2"
    assert (problem.key, problem.column) == (COLUMNS[1], "column C")
    assert problem.message == "has text in a hidden column"


def test_a_strict_workbook_is_refused_with_the_form_to_save_it_in(
    tmp_path: Path,
) -> None:
    """openpyxl reads it as a workbook without a sheet."""
    plain = workbook(tmp_path / "plain.xlsx", lambda _: None)
    strict = tmp_path / "strict.xlsx"
    old, new = (
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )
    with zipfile.ZipFile(plain) as parts, zipfile.ZipFile(strict, "w") as made:
        for part in parts.namelist():
            made.writestr(part, parts.read(part).replace(old, new))
    with pytest.raises(UnreadableSheet, match=r"Strict.*'Excel Workbook \(.xlsx\)'"):
        read_sheet(strict)


@pytest.mark.parametrize("sign", ["+", "-", "\u2212"])
def test_a_number_whose_sign_the_story_has_is_named(sign: str) -> None:
    """A program that makes 49 of +49 leaves no sign of it in the file."""
    cell = Cell("49", "number")
    story = f"It rose by {sign}49 points."
    assert isinstance(settled(cell, "figures[0].value", story), Fault)
    assert settled(cell, "figures[0].value", "It rose by 49 points.") == "49"
