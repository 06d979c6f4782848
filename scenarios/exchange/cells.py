"""The cells of a spreadsheet, and the reasons why the text of a cell is uncertain.

A cell is accepted if it can have only one meaning; otherwise, it has a fault. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple

from scenarios.exchange.flat import QUOTES, is_known, kind_of, visible
from scenarios.prose import numbers_in
from scenarios.validate import name_of


class UnreadableSheet(Exception):  # noqa: N818 - read as a sentence
    """The file is not a spreadsheet of cases; the message says why and what to do."""


class Fault(NamedTuple):
    """What is wrong with a cell, and what to do about it."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and how the spreadsheet program stores it.

    ``number_format`` is set for numbers; ``fault`` is set if the text is uncertain.
    """

    text: str = ""
    kind: Literal["text", "number", "flag"] = "text"
    number_format: str = "General"
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one sheet, or of a CSV file.

    ``name`` is the name of the sheet, or empty for CSV. ``is_ragged`` means that rows
    can be longer or shorter than the row of headings. Such a row is reported as a
    problem: a separator was not quoted, or the row does not use the ``separator`` of
    the headings.
    """

    name: str
    rows: list[list[Cell]]
    is_ragged: bool = False
    is_hidden: bool = False
    separator: str = ""


TYPE_AGAIN = "format the column as Text, then type the text again"
PLAIN_FORMATS = ("General", "0", "@")
_ERROR = re.compile(
    r"#{3,}|#[¡¿]?[\w/]{1,24}[!?]|#N/?[ADV]|#Н/Д|#YOK|#HIÁNYZIK|#GETTING_DATA"
    r"|ERR:\d{3}"
)
"""Error values of Excel in any language, and of LibreOffice; all are in capitals."""
_LOADING = "Loading..."
"""What Google Sheets shows until a formula has been calculated."""
_ESCAPE = re.compile(r"_(x005F_)?x([0-9A-Fa-f]{4})_")
_LOST = re.compile("\ufffd")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_OFTEN_LOST = "".join(map(chr, range(0xA0, 0x100))) + "–—‘’‚“”„•…€"
_MISREAD = "|".join(
    char.encode().decode("cp1252")
    for char in _OFTEN_LOST
    if char not in "«»ûÒÔ"  # their bytes may be a letter before a quotation mark
    and not set(char.encode()) & {0x81, 0x8D, 0x8F, 0x90, 0x9D}
)
_MOJIBAKE = re.compile(_MISREAD)
"""UTF-8 text that was decoded as Windows-1252: ``Ã¼`` for ü, ``â€“`` for a dash."""


def is_error(text: str) -> bool:
    """Return whether a text is an error that a spreadsheet shows instead of a value."""
    text = text.strip()
    if text == _LOADING:
        return True
    shown = text.replace("Err:", "ERR:", 1)
    return shown == shown.upper() and bool(_ERROR.fullmatch(shown))


def error_fault(text: str) -> Fault:
    """Return the fault of a cell that shows an error."""
    message = f"shows the error {text.strip()} instead of text"
    return Fault(message, "correct the formula, or type the text in its place")


def text_cell(text: str, *, is_literal: bool = False) -> Cell:
    """Return a cell with a text, its line endings normalized to those of a case file.

    The cell has a fault if characters were lost or decoded with the wrong encoding. An
    error value is also a fault, unless the cell is literal.
    """
    text = _unescape(text).replace("\r\n", "\n").replace("\r", "\n")
    if is_error(text) and not is_literal:
        return Cell(text, fault=error_fault(text))
    return Cell(text, fault=_damage(text))


def _unescape(text: str) -> str:
    """Decode escapes such as ``_x000D_`` (ECMA-376, ST_Xstring).

    Only control characters are written in this way. A text that merely looks like such
    an escape has its underscore written as ``_x005F_``.
    """

    def plain(match: re.Match[str]) -> str:
        code = int(match[2], 16)
        if match[1] or not (code < 0x20 or 0x7F <= code < 0xA0):
            return match[0].replace("x005F_", "", 1)
        return chr(code)

    return _ESCAPE.sub(plain, text)


def _damage(text: str) -> Fault | None:
    if _LOST.search(text):
        message = "contains �, which replaces a character that was lost"
        return Fault(message, "type the text again")
    if found := _CONTROL.search(text):
        message = f"contains the invisible control character {name_of(found[0])}"
        return Fault(message, "remove it, or type the text again")
    if found := _MOJIBAKE.search(text):
        message = f"contains '{found[0]}': UTF-8 text was opened in another encoding"
        return Fault(message, "open the original file as UTF-8 and save it again")
    return None


def settled(cell: Cell, column: str, story: str) -> str | Fault:
    """Return the text of a cell in a column, or the fault that makes it uncertain.

    A number in a text column may have been typed differently (05, 1.50, 96%). In
    ``figures``, it is certain if the story contains the number in the same spelling.
    """
    if cell.fault is not None:
        return cell.fault
    kind = kind_of(column)
    if cell.kind == "flag" and kind is not bool and is_known(column):
        message = f"is the truth value {cell.text.upper()}, not text"
        return Fault(message, TYPE_AGAIN)
    if cell.kind != "number" or not is_known(column):
        return cell.text
    if kind is int and "%" not in cell.number_format:
        return cell.text
    if column.startswith("figures") and column.endswith(".value"):
        alike = [said for said in _numerals(story) if _same(said, cell.text)]
        is_signed = re.search(rf"[+\-\u2212]{re.escape(cell.text)}(?!\d)", story)
        is_plain = cell.number_format in PLAIN_FORMATS and not is_signed
        if alike == [cell.text] and is_plain:
            return cell.text
    return Fault(_number(cell), TYPE_AGAIN)


def _number(cell: Cell) -> str:
    if cell.number_format in PLAIN_FORMATS:
        return f"is the number {cell.text}, which may have been typed differently"
    return f"is the number {cell.text} in the format '{cell.number_format}', not text"


def _numerals(story: str) -> list[str]:
    return [said for said in numbers_in(story).values() if said[:1].isdigit()]


def _same(one: str, other: str) -> bool:
    try:
        return float(one.replace(",", "")) == float(other)
    except ValueError:
        return False


def column_of(heading: str) -> str:
    """Return the column that a heading names.

    Ignores case, spaces, invisible characters, quotation marks, and a colon at the end.
    A heading that names no column is returned unchanged.
    """
    text = visible(unicodedata.normalize("NFKC", heading))
    text = text.strip().strip(QUOTES).strip(" :*").strip(QUOTES).lower()
    text = re.sub(r"\s*([.\[\]])\s*", r"\1", text)
    text = re.sub(r"[\s\-]+", "_", text)
    return text if is_known(text) else heading.strip()


HEADING_ROWS = 50
"""Number of rows at the top of a sheet that are searched for headings."""


def headings_at(rows: list[list[Cell]]) -> tuple[int, int]:
    """Return the index of the row of headings, and how many columns it names.

    This is the row that includes ``id`` and names more columns than any other. The
    index is -1 if there is no such row.
    """
    best, most = -1, 0
    for place, row in enumerate(rows[:HEADING_ROWS]):
        columns = [column_of(cell.text) for cell in row]
        known = sum(is_known(column) for column in columns)
        if "id" in columns and known > most:
            best, most = place, known
    return best, most
