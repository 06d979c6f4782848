"""Reads and writes CSV files that spreadsheet programs can edit without changing text.

Encodings are never guessed: UTF-8 and UTF-16 can be recognized reliably, and any other
encoding is refused.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from scenarios.exchange.cells import (
    Cell,
    Fault,
    Grid,
    UnreadableSheet,
    headings_at,
    is_error,
    text_cell,
)
from scenarios.exchange.flat import kind_of

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEP_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*(?:\r\n|\r|\n)', re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MONTH = (
    r"(?:jan|janv|feb|févr|mar|mär|mrz|mars|apr|avr|may|mai|jun|juin|jul|juil|aug|août"
    r"|sep|sept|oct|okt|nov|dec|dez|déc|january|januar|february|februar|march|märz"
    r"|april|june|juni|july|juli|august|september|october|oktober|november|december"
    r"|dezember)\.?"
)
_RETYPED = re.compile(
    r"(?!(?:0|[1-9]\d{0,10})$)[-+\d\s.,:/%()$€£]*\d[-+\d\s.,:/%()$€£]*(?:[ap]m?)?"
    r"|[\d.,]+E[-+]?\d+"
    rf"|(?=.*\d)(?:\d{{1,4}}[-./ ]*)?{_MONTH}(?:[-./, ]*\d{{1,4}}){{0,2}}"
    r"|true|false|wahr|falsch",
    re.IGNORECASE,
)
"""Text that Excel converts to a number, date or Boolean when it opens a CSV file."""
_CONVERTED = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}{_MONTH}(?:[-. ]{{1,2}}\d{{2,4}})?"
    rf"|{_MONTH}[-. ]{{1,2}}\d\d"
    r"|\d{1,2}[./]\d{1,2}[./]\d{4}(?: [\d:]+(?: [AP]M)?)?"
    r"|\d{4}-\d\d-\d\d(?: [\d:]+)?"
    r"|-?\d(?:[.,]\d+)?E[-+]\d{2,}",
    re.IGNORECASE,
)
"""Text that Excel writes for a date that it converted, or for a long number."""


def write_delimited(
    columns: Sequence[str],
    table: Iterable[Sequence[str]],
    file: Path,
    separator: str = ",",
) -> None:
    """Write a CSV file (RFC 4180) with a byte order mark, which spreadsheets look for.

    Text that a spreadsheet would treat as a formula (OWASP, CSV injection) or convert
    to a number or a date is prefixed with an apostrophe, which is removed when the file
    is read.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(columns)
    for line in table:
        pairs = zip(columns, line, strict=True)
        writer.writerow([_guarded(column, cell) for column, cell in pairs])
    file.write_text("\ufeff" + out.getvalue(), encoding="utf-8", newline="")


def _guarded(column: str, cell: str) -> str:
    is_typed = kind_of(column) in (int, bool)
    return f"'{cell}" if not is_typed and _needs_guard(cell) else cell


def _needs_guard(cell: str) -> bool:
    """Return whether a spreadsheet would change a text, leading apostrophes aside."""
    bare = cell.lstrip("'")
    return bool(bare) and (
        starts_like_a_formula(bare)
        or is_error(bare)
        or _RETYPED.fullmatch(bare.strip()) is not None
    )


def starts_like_a_formula(text: str) -> bool:
    """Return whether some spreadsheet program would treat a text as a formula.

    Japanese and Chinese versions also accept full-width and small signs (OWASP, CSV
    injection).
    """
    first = unicodedata.normalize("NFKC", text[:1])
    return first[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "\N{MINUS SIGN}")


def read_delimited(file: Path) -> Grid:
    """Return the cells of a file. Raises ``UnreadableSheet``.

    The separator is the one for which most headings are known columns. If the file has
    a ``sep=`` line, the separator named there is tried first.
    """
    text = _text(file)
    separators = list(SEPARATORS)
    if marked := _SEP_LINE.match(text):
        separators.insert(0, marked[1])
        text = text[marked.end() :]
    tries = [_parse(text, separator) for separator in separators]
    known = [headings_at(rows)[1] for rows, _ in tries]
    best = known.index(max(known))
    rows, error = tries[best]
    if error is not None:
        raise UnreadableSheet(
            f"{file.name} is not valid CSV after row {len(rows)}: {error}. Put text "
            "that contains separators or quotation marks in straight quotation marks, "
            "or save the file as .xlsx."
        ) from error
    return Grid("", rows, is_ragged=True, separator=separators[best])


def other_separator(cells: Sequence[Cell], grid: Grid, wanted: int) -> str | None:
    """Return, in words, the separator of a CSV row if the headings use another one.

    A separator counts if it splits the row into the ``wanted`` number of cells.
    """
    line = grid.separator.join(cell.text for cell in cells)
    for separator, words in SEPARATORS.items():
        if separator != grid.separator:
            rows, _ = _parse(line, separator)
            if len(rows) == 1 and len(rows[0]) == wanted:
                return words
    return None


def _parse(text: str, separator: str) -> tuple[list[list[Cell]], csv.Error | None]:
    rows: list[list[Cell]] = []
    lines = io.StringIO(text, newline="")
    try:
        for line in csv.reader(
            lines, delimiter=separator, strict=True, skipinitialspace=True
        ):
            rows.append([_cell(cell) for cell in line])  # noqa: PERF401 - up to a fault
    except csv.Error as exc:
        return rows, exc
    return rows, None


def _cell(raw: str) -> Cell:
    cell = text_cell(raw)
    if cell.text.startswith("'") and _needs_guard(cell.text):
        return text_cell(raw[1:], is_literal=True)
    text = cell.text.strip()
    if cell.fault is None and text.startswith(("=", "＝")):
        fault = Fault(f"is the formula {text[:20]}", _AS_TEXT)
        return Cell(raw, fault=fault)
    if cell.fault is None and _CONVERTED.fullmatch(text):
        message = f"is '{text}', which a spreadsheet program may have changed"
        return Cell(raw, fault=Fault(message, _AS_TEXT))
    return cell


_AS_TEXT = "type the text with an apostrophe before it, such as '2004/05"


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as exc:
        raise UnreadableSheet(f"{file} cannot be read: {exc.strerror}.") from exc
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableSheet(
            f"{file.name} is a workbook, not CSV. Open it in a spreadsheet program and "
            "save it as .xlsx."
        )
    encoding = _encoding(raw)
    try:
        return raw.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        name = encoding.removesuffix("-sig").upper()
        raise UnreadableSheet(
            f"{file.name} is not {name} text (line {line}). Save it as 'CSV UTF-8', "
            "or as .xlsx."
        ) from exc


def _encoding(raw: bytes) -> str:
    """Return the encoding that the first bytes indicate; UTF-8 by default."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return encoding
    if raw[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if raw[:1] == b"\0" else "utf-8"
