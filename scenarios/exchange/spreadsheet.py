"""Cases in a plain spreadsheet: CSV or XLSX, one row a case, read back without loss.

Reads and writes files. What a row means is in ``flat``.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl  # type: ignore[import-untyped] # it ships no types
import xlsxwriter  # type: ignore[import-untyped] # it ships no types
from openpyxl.utils.exceptions import (  # type: ignore[import-untyped] # likewise
    InvalidFileException,
)

from scenarios.exchange.flat import columns_of, from_row, is_column, to_row
from scenarios.library import Problem
from scenarios.model import Case
from scenarios.validate import explain, validate

FORMATS = (".csv", ".xlsx")
_LIKE_A_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PLAIN_TEXT = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class UnreadableSheet(Exception):  # noqa: N818 - read as a sentence
    """The file is no spreadsheet of cases; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The cases of a spreadsheet, and what was wrong with the other rows."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def write_sheet(cases: Sequence[Case], file: Path) -> None:
    """Write cases to a .csv or .xlsx file, over what is there."""
    rows = [to_row(case) for case in cases]
    columns = columns_of(rows)
    table = [[row.get(column, "") for column in columns] for row in rows]
    if file.suffix.lower() == ".xlsx":
        _write_xlsx(columns, table, file)
    else:
        file.write_text(_csv_text(columns, table), encoding="utf-8", newline="")


def read_sheet(file: Path) -> Imported:
    """Read the cases of a .csv or .xlsx file; the first row names the columns.

    Raises ``UnreadableSheet`` where the whole file cannot be used. A row that is no
    valid case becomes problems, which name row and column, and stops no other row.
    """
    is_xlsx = file.suffix.lower() == ".xlsx"
    lines = _read_xlsx(file) if is_xlsx else _read_csv(file)
    heading = [cell.strip() for cell in next(lines, [])]
    if "id" not in heading:
        raise UnreadableSheet(
            f"The first row of {file.name} names no column 'id'. Its first row must "
            "name the keys of a case, as in a file that 'twogaps case export' wrote."
        )
    cases: dict[str, Case] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=2):
        cells = {c: cell for c, cell in zip(heading, line, strict=False) if c}
        if not any(cell.strip() for cell in cells.values()):
            continue
        found = _case(file, number, cells, problems)
        if found is not None and found.id in cases:
            message = f"'{found.id}' is already in an earlier row"
            remedy = "give this one another id, or remove the row"
            problems.append(Problem(_row(file, number), "id", message, remedy))
        elif found is not None:
            cases[found.id] = found
    return Imported(tuple(cases.values()), tuple(problems))


def _case(
    file: Path, number: int, cells: dict[str, str], problems: list[Problem]
) -> Case | None:
    place = _row(file, number)
    odd = [c for c, cell in cells.items() if cell.strip() and not is_column(c)]
    for column in odd:
        remedy = "name a key of a case, such as breakdown.why or sources[0].title"
        problems.append(Problem(place, column, "is not the name of a column", remedy))
    if odd:
        return None
    found = validate(Case, from_row(cells))
    if isinstance(found, Case):
        return found
    problems += explain(place, Case, found)
    return None


def _row(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}, row {number}")


def _csv_text(columns: Sequence[str], table: Iterable[Sequence[str]]) -> str:
    """Return RFC 4180 with a byte order mark, which spreadsheets look for.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it
    (OWASP, CSV injection); reading takes it away again.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_guard(cell) for cell in line] for line in table)
    return "\ufeff" + out.getvalue()


def _guard(cell: str) -> str:
    return f"'{cell}" if _LIKE_A_FORMULA.match(cell) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _LIKE_A_FORMULA.match(cell) else cell


def _read_csv(file: Path) -> Iterator[list[str]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise UnreadableSheet(f"{file} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise UnreadableSheet(
            f"{file.name} is not UTF-8 text. Save it as 'CSV UTF-8', or as .xlsx."
        ) from exc
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)  # a German Excel writes semicolons
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [_unguard(cell) for cell in line]
    except csv.Error as exc:
        raise UnreadableSheet(f"{file.name} is not valid CSV: {exc}.") from exc


def _write_xlsx(
    columns: Sequence[str], table: Iterable[Sequence[str]], file: Path
) -> None:
    with xlsxwriter.Workbook(str(file), _PLAIN_TEXT) as book:
        text = book.add_format({"num_format": "@", "valign": "top"})
        head = book.add_format({"num_format": "@", "bold": True})
        sheet = book.add_worksheet("cases")
        sheet.write_row(0, 0, columns, head)
        for number, line in enumerate(table, start=1):
            for place, cell in enumerate(line):
                sheet.write_string(number, place, cell, text)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(columns), 24, text)


def _read_xlsx(file: Path) -> Iterator[list[str]]:
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except OSError as exc:
        raise UnreadableSheet(f"{file} cannot be read: {exc.strerror}.") from exc
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ParseError) as exc:
        raise UnreadableSheet(
            f"{file.name} is no XLSX workbook. Save it again as .xlsx, or as .csv."
        ) from exc
    try:
        for line in book.worksheets[0].iter_rows(values_only=True):
            yield [_cell(value) for value in line]
    finally:
        book.close()


def _cell(value: object) -> str:
    """Return a cell as text: whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
