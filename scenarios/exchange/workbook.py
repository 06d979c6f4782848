"""Reads and writes XLSX workbooks: writes text cells, and reads every sheet's cells."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl  # type: ignore[import-untyped] # it ships no types
import xlsxwriter  # type: ignore[import-untyped] # it ships no types
from openpyxl.cell.rich_text import (  # type: ignore[import-untyped] # likewise
    CellRichText,
    TextBlock,
)
from openpyxl.utils.exceptions import (  # type: ignore[import-untyped] # likewise
    InvalidFileException,
)

from scenarios.exchange.cells import (
    PLAIN_FORMATS,
    TYPE_AGAIN,
    Cell,
    Fault,
    Grid,
    UnreadableSheet,
    error_fault,
    is_error,
    text_cell,
)

MOST_CELLS = 500_000
"""Maximum number of cells in a sheet.

A sheet with more is refused: it usually has a stray cell far outside the table.
"""
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_OLE = b"\xd0\xcf\x11\xe0"
_PLAIN_TEXT = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_DAMAGED = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError,
    KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError,
)  # fmt: skip
_NO_VALUE = Fault(
    "contains a formula without a stored result",
    "open the file in a spreadsheet program and save it, or type the text instead",
)


def write_workbook(
    columns: Sequence[str], table: Iterable[Sequence[str]], file: Path
) -> None:
    """Write one sheet named ``cases``, with all cells formatted as text.

    A text that is the same as an error value is prefixed with an apostrophe.
    """
    with xlsxwriter.Workbook(str(file), _PLAIN_TEXT) as book:
        text = book.add_format({"num_format": "@", "valign": "top"})
        head = book.add_format({"num_format": "@", "bold": True})
        sheet = book.add_worksheet("cases")
        sheet.write_row(0, 0, columns, head)
        for number, line in enumerate(table, start=1):
            for place, cell in enumerate(line):
                guard = "'" if is_error(cell.lstrip("'")) else ""
                sheet.write_string(number, place, guard + cell, text)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(columns), 24, text)


def read_workbook(file: Path) -> list[Grid]:
    """Return the cells of every worksheet. Raises ``UnreadableSheet``."""
    shown = _load(file, values=True)
    typed = _load(file, values=False)
    pairs = zip(shown.worksheets, typed.worksheets, strict=True)
    return [
        Grid(
            values.title,
            list(_rows(file, values, formulas)),
            is_hidden=values.sheet_state != "visible",
        )
        for values, formulas in pairs
    ]


def _load(file: Path, *, values: bool) -> openpyxl.Workbook:
    is_ole = False
    try:
        with file.open("rb") as start:
            is_ole = start.read(4) == _OLE
        _refuse_strict(file)
        with warnings.catch_warnings():  # about parts that cases don't need
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(file, data_only=values, rich_text=values)
    except OSError as exc:
        raise UnreadableSheet(f"{file} cannot be read: {exc.strerror}.") from exc
    except _DAMAGED as exc:
        why = " (it has a password, or is an older .xls)" if is_ole else ""
        raise UnreadableSheet(
            f"{file.name} is not an XLSX workbook{why}. Save it again as .xlsx "
            "without a password, or as .csv."
        ) from exc


def _refuse_strict(file: Path) -> None:
    """Refuse Strict Open XML files, in which openpyxl does not find any sheets."""
    with zipfile.ZipFile(file) as parts:
        if "xl/workbook.xml" not in parts.namelist():
            return
        with parts.open("xl/workbook.xml") as part:
            start = part.read(4_000)
    if _STRICT in start:
        raise UnreadableSheet(
            f"{file.name} is a 'Strict Open XML' workbook. Open it in a spreadsheet "
            "program and save it as 'Excel Workbook (.xlsx)'."
        )


def _rows(
    file: Path,
    values: openpyxl.worksheet.worksheet.Worksheet,
    formulas: openpyxl.worksheet.worksheet.Worksheet,
) -> Iterator[list[Cell]]:
    if values.max_row * values.max_column > MOST_CELLS:
        end = f"row {values.max_row}, column {values.max_column}"
        raise UnreadableSheet(
            f"{file.name}, sheet '{values.title}' has cells as far as {end}. Copy the "
            "cases to a new sheet, and delete this one."
        )
    merged = dict(_merged(values))
    hidden = _hidden_columns(values)
    for shown, typed in zip(values.iter_rows(), formulas.iter_rows(), strict=False):
        cells = [
            _cell(value, formula, merged.get((value.row, value.column)))
            for value, formula in zip(shown, typed, strict=False)
        ]
        is_hidden = bool(shown) and values.row_dimensions[shown[0].row].hidden
        yield [
            _seen(cell, is_row=is_hidden)
            if is_hidden or value.column in hidden
            else cell
            for cell, value in zip(cells, shown, strict=False)
        ]


def _hidden_columns(sheet: openpyxl.worksheet.worksheet.Worksheet) -> set[int]:
    """Return the numbers of hidden columns; one dimension can cover several columns."""
    return {
        column
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden and dimension.min is not None
        for column in range(dimension.min, min(dimension.max, sheet.max_column) + 1)
    }


def _seen(cell: Cell, *, is_row: bool) -> Cell:
    """Return a hidden cell with a fault: its author may not be aware of its text."""
    if cell.fault is not None or not cell.text.strip():
        return cell
    where = "row" if is_row else "column"
    fault = Fault(f"has text in a hidden {where}", f"show the {where}, or delete it")
    return replace(cell, fault=fault)


def _merged(
    sheet: openpyxl.worksheet.worksheet.Worksheet,
) -> Iterator[tuple[tuple[int, int], Fault]]:
    """Yield the row and column of each cell that is covered by a merged cell."""
    for area in sheet.merged_cells.ranges:
        first = (area.min_row, area.min_col)
        if sheet.cell(*first).value is None or area.size["rows"] > MOST_CELLS:
            continue
        fault = Fault(
            f"is part of the merged cells {area.coord}",
            "unmerge them, and write the text into every cell it belongs to",
        )
        for row, column in area.cells:
            if (row, column) != first:
                yield (row, column), fault


def _cell(
    shown: openpyxl.cell.Cell, typed: openpyxl.cell.Cell, merged: Fault | None
) -> Cell:
    """Return a cell, with the stored result if it contains a formula."""
    value = shown.value
    if merged is not None:
        return Cell(fault=merged)
    if value is None:
        return Cell(fault=_NO_VALUE) if typed.data_type == "f" else Cell()
    if shown.data_type == "e":
        return Cell(fault=error_fault(str(value)))
    if isinstance(value, bool):
        return Cell("true" if value else "false", "flag")
    if isinstance(value, int | float):
        return _number(value, shown.number_format)
    if (shape := _shape(shown)) is not None:
        return Cell(fault=shape)
    if isinstance(value, str | CellRichText):
        value = str(value)
        bare = value[1:] if value.startswith("'") else ""
        is_literal = is_error(bare.lstrip("'"))
        return text_cell(bare if is_literal else value, is_literal=is_literal)
    message = (
        f"is a date or time ({value}), into which the program changed what was typed"
    )
    return Cell(fault=Fault(message, TYPE_AGAIN))


def _shape(cell: openpyxl.cell.Cell) -> Fault | None:
    """Return a fault if a cell's formatting changes the meaning of its text."""
    parts = cell.value if isinstance(cell.value, CellRichText) else ()
    fonts = [part.font for part in parts if isinstance(part, TextBlock)]
    for font in (cell.font, *fonts):
        if font is not None and font.strike:
            return Fault(
                "has text that is struck out", "delete it, or remove the strikethrough"
            )
        if font is not None and font.vertAlign in ("superscript", "subscript"):
            remedy = "write it in plain characters, such as ² or 'squared'"
            return Fault(f"has {font.vertAlign} text", remedy)
    number_format = cell.number_format
    if isinstance(cell.value, str) and "@" in number_format and number_format != "@":
        message = f"shows more than its text: its format is '{number_format}'"
        return Fault(message, TYPE_AGAIN)
    if isinstance(cell.value, str) and number_format.split(";")[3:] == [""]:
        return Fault(f"is hidden by its format '{number_format}'", TYPE_AGAIN)
    return None


def _number(value: float, number_format: str) -> Cell:
    is_whole = float(value).is_integer() and abs(value) < 1e15
    text = str(int(value) if is_whole else value)
    if set(number_format) == {"0"}:  # the format 00 shows 5 as 05
        text, number_format = text.zfill(len(number_format)), PLAIN_FORMATS[0]
    return Cell(text, "number", number_format)
