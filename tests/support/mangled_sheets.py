"""Cases whose spreadsheets programs and people have changed: generators for tests."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import openpyxl  # type: ignore[import-untyped] # it ships no types
from hypothesis import strategies as st

from scenarios.exchange.flat import columns_of, to_row
from scenarios.model import Case, Figure
from tests.support.library import LIBRARY

FOUR_HOURS = LIBRARY.case("four-hours")
VALUES = (
    "05", "2004/05", "96 %", "96", "1e5", "1.50", "1.5", "1,000", "1000", "007", "May",
    "3:1", "-3", "+49", "1-2", "20 percent", "1984", "true", "100%", "5",
)  # fmt: skip
WORDS = ("1984", "05", "2004/05", "Über Größe – “naïve”", "Küche", "true", "=sum")


@st.composite
def clean_cases(draw: st.DrawFn) -> list[Case]:
    """Up to three cases whose values and titles are what programs like to change.

    The story contains every value as it is written, as the lint asks of a case.
    """
    made: list[Case] = []
    for number in range(draw(st.integers(1, 3))):
        values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=3))
        told = values + draw(st.lists(st.sampled_from(VALUES), max_size=3))
        note = draw(st.sampled_from(["Two\nlines.", "One; two, three.", "Café – so."]))
        changes: dict[str, object] = {
            "id": f"case-{number}",
            "title": draw(st.sampled_from(WORDS)),
            "story": f"{FOUR_HOURS.story} It was {' and '.join(told)}.",
            "tempting": note,
            "figures": [Figure(value=v, means=note, origin="A book.") for v in values],
        }
        made.append(Case.model_validate({**FOUR_HOURS.model_dump(), **changes}))
    return made


@dataclass
class Sheet:
    """A table to bend: cells are texts, or what a program made of them."""

    rows: list[list[object]]
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    heading: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def any_cell(self, rng: Random) -> tuple[int, int]:
        row = rng.randrange(self.heading + 1, len(self.rows))
        return row, rng.randrange(len(self.rows[self.heading]))

    def column(self, name: str) -> int:
        return self.rows[self.heading].index(name)


Mangle = Callable[[Sheet, Random], None]


def table_of(cases: list[Case]) -> Sheet:
    rows = [to_row(case) for case in cases]
    columns = columns_of(rows)
    table: list[list[object]] = [[*columns]]
    table += ([row.get(column, "") for column in columns] for row in rows)
    return Sheet(table)


# --- what programs and people do ------------------------------------------------------


def show_an_error(sheet: Sheet, rng: Random) -> None:
    row, column = sheet.any_cell(rng)
    sheet.rows[row][column] = rng.choice(
        ["#NAME?", "#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"]
    )


def leave_a_formula(sheet: Sheet, rng: Random) -> None:
    row, column = sheet.any_cell(rng)
    sheet.rows[row][column] = '=CONCATENATE("Four ","hours")'


def type_as_excel(sheet: Sheet, rng: Random) -> None:
    """Turn texts into numbers, dates and truth values, as typing them does."""
    for row in range(sheet.heading + 1, len(sheet.rows)):
        for column, text in enumerate(sheet.rows[row]):
            if isinstance(text, str) and rng.random() < 0.6:
                value, number_format = typed(text)
                sheet.rows[row][column] = value
                sheet.formats[row, column] = number_format


def typed(text: str) -> tuple[object, str]:
    """Return what Excel keeps of a text that is typed, and its number format."""
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text), "General"
    if re.fullmatch(r"\d+\.\d+", text):
        return float(text), "General"
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return int(text.replace(",", "")), "#,##0"
    if found := re.fullmatch(r"(\d+) ?%", text):
        return int(found[1]) / 100, "0%"
    if re.fullmatch(r"\d+e\d+", text):
        return float(text), "0.00E+00"
    if re.fullmatch(r"\d{4}/\d\d|\d-\d", text):
        return datetime.date(2004, 5, 1), "mmm yy"
    if text == "3:1":
        return datetime.time(3, 1), "h:mm"
    if text in ("true", "false"):
        return text == "true", "General"
    return text, "General"


def merge_two(sheet: Sheet, rng: Random) -> None:
    """Merge a cell with a neighbor, whose text is lost."""
    row, column = sheet.any_cell(rng)
    down, right = rng.choice([(1, 0), (0, 1)])
    if row + down < len(sheet.rows) and column + right < len(sheet.rows[row]):
        sheet.rows[row + down][column + right] = ""
        sheet.merges.append((row, column, row + down, column + right))


def add_a_title(sheet: Sheet, rng: Random) -> None:
    width = len(sheet.rows[sheet.heading])
    for _ in range(rng.randint(1, 3)):
        sheet.rows.insert(0, ["Our cases, ID 7", *[""] * (width - 1)])
        sheet.heading += 1


def add_empty_rows(sheet: Sheet, rng: Random) -> None:
    width = len(sheet.rows[sheet.heading])
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(sheet.heading + 1, len(sheet.rows))
        sheet.rows.insert(place, [""] * width)


def add_an_empty_column(sheet: Sheet, rng: Random) -> None:
    place = rng.randint(0, len(sheet.rows[sheet.heading]))
    for row in sheet.rows:
        row.insert(place, "")


def write_a_remark_beside(sheet: Sheet, rng: Random) -> None:
    row, _ = sheet.any_cell(rng)
    for place, cells in enumerate(sheet.rows):
        cells.append("ask Noor!" if place == row else "")


def type_headings_oddly(sheet: Sheet, rng: Random) -> None:
    forms: list[Callable[[str], str]] = [
        str.upper, str.title, lambda name: f"{name} ", lambda name: f"{name}:",
        lambda name: f"\u00a0{name}", lambda name: f"\ufeff{name}",
        lambda name: f"“{name}”", lambda name: name.replace(".", " . "),
        lambda name: name.replace("_", " "), lambda name: f"{name}\u200b",
    ]  # fmt: skip
    names = sheet.rows[sheet.heading]
    for place, name in enumerate(names):
        if rng.random() < 0.5:
            names[place] = rng.choice(forms)(str(name))


def repeat_a_heading(sheet: Sheet, rng: Random) -> None:
    names = sheet.rows[sheet.heading]
    names[rng.randrange(len(names))] = rng.choice(names)


def shuffle_columns(sheet: Sheet, rng: Random) -> None:
    places = list(range(len(sheet.rows[sheet.heading])))
    rng.shuffle(places)
    sheet.rows = [[row[place] for place in places] for row in sheet.rows]


def dress_words(sheet: Sheet, rng: Random) -> None:
    """Put invisible characters, capitals and quotes around ids and kinds."""
    forms: list[Callable[[str], str]] = [
        str.upper, lambda t: f" {t}\u00a0", lambda t: f"\u200b{t}\ufeff",
        lambda t: f"“{t}”", lambda t: t.replace(" ", "\u00a0"),
        lambda t: t.replace("-", "–"), lambda t: t.replace("-", "\u2011"),
        lambda t: t.replace("e", "е"), lambda t: t[:2] + "\u00ad" + t[2:],
        lambda t: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in t),
    ]  # fmt: skip
    for name in ("id", "kind", "domain", "sources[0].checked", "truth.outer"):
        if name in sheet.rows[sheet.heading] and rng.random() < 0.6:
            row, column = sheet.any_cell(rng)[0], sheet.column(name)
            sheet.rows[row][column] = rng.choice(forms)(str(sheet.rows[row][column]))


def leave_returns(sheet: Sheet, rng: Random) -> None:
    """Write the carriage returns of Windows, as XLSX escapes them."""
    for row in sheet.rows[sheet.heading + 1 :]:
        for place, cell in enumerate(row):
            if isinstance(cell, str) and cell.strip() and rng.random() < 0.5:
                row[place] = cell.replace("\n", "_x000D_\n") + "_x000D_"


def misread(sheet: Sheet, rng: Random) -> None:
    """Open UTF-8 as Windows text, as a double click does."""
    for row in sheet.rows[sheet.heading + 1 :]:
        for place, cell in enumerate(row):
            if isinstance(cell, str) and rng.random() < 0.3:
                row[place] = cell.encode().decode("cp1252", errors="replace")


def copy_a_row(sheet: Sheet, rng: Random) -> None:
    row, _ = sheet.any_cell(rng)
    sheet.rows.append([*sheet.rows[row]])


def add_a_footer(sheet: Sheet, rng: Random) -> None:
    width = len(sheet.rows[sheet.heading])
    sheet.rows.append(["Total: 3 cases", *[""] * (width - 1)])


def hide_a_row(sheet: Sheet, rng: Random) -> None:
    row, _ = sheet.any_cell(rng)
    sheet.hidden_rows.add(row)


def hide_a_column(sheet: Sheet, rng: Random) -> None:
    _, column = sheet.any_cell(rng)
    sheet.hidden_columns.add(column)


ANY: list[Mangle] = [
    show_an_error, leave_a_formula, type_as_excel, add_a_title, add_empty_rows,
    add_an_empty_column, write_a_remark_beside, type_headings_oddly, repeat_a_heading,
    shuffle_columns, dress_words, leave_returns, misread, copy_a_row, add_a_footer,
]  # fmt: skip
WORKBOOK: list[Mangle] = [*ANY, merge_two, hide_a_row, hide_a_column]


def several(manglings: list[Mangle]) -> st.SearchStrategy[list[Mangle]]:
    return st.lists(st.sampled_from(manglings), max_size=3, unique=True)


def name_of(mangling: Mangle) -> str:
    return mangling.__name__


random_choices = st.integers(0, 9999).map(Random)


# --- workbooks ------------------------------------------------------------------------


def save_workbook(sheet: Sheet, file: Path, place: int) -> None:
    """Write the cases to the sheet at a place, after others with something else."""
    book = openpyxl.Workbook()
    for number in range(place):
        other = book.worksheets[0] if number == 0 else book.create_sheet()
        other.append(["Read me", "The cases are on the next sheet."])
    page = book.worksheets[0] if place == 0 else book.create_sheet("Cases")
    for row, cells in enumerate(sheet.rows, start=1):
        for column, value in enumerate(cells, start=1):
            cell = page.cell(row, column)
            if isinstance(value, str) and value == "=sum":
                cell.value, cell.data_type = value, "s"
            elif value != "":
                cell.value = value
            cell.number_format = sheet.formats.get((row - 1, column - 1), "General")
    for row in sheet.hidden_rows:
        page.row_dimensions[row + 1].hidden = True
    for column in sheet.hidden_columns:
        letter = openpyxl.utils.get_column_letter(column + 1)
        page.column_dimensions[letter].hidden = True
    for top, left, bottom, right in sheet.merges:
        page.merge_cells(
            start_row=top + 1, start_column=left + 1,
            end_row=bottom + 1, end_column=right + 1,
        )  # fmt: skip
    book.save(file)


# --- CSV ------------------------------------------------------------------------------

ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252",
    "mac-roman", "latin-1", "cp437",
)  # fmt: skip


@dataclass(frozen=True)
class Saved:
    """How a CSV file is written."""

    encoding: str
    separator: str
    line_end: str
    sep_line: bool
    quoting: str
    says: str = ""
    """The separator in the ``sep=`` line, if it is not that of the file."""
    last: str = ""
    """The separator of the last row, if it is not that of the file."""


saved = st.builds(
    Saved,
    st.sampled_from(ENCODINGS),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.sampled_from(["some", "all", "none", "curly", "spaced", "trimmed"]),
    st.sampled_from(["", "", ",", ";"]),
    st.sampled_from(["", "", ",", ";", "\t"]),
)


def csv_bytes(sheet: Sheet, how: Saved) -> bytes:
    rows = [[shown(cell) for cell in row] for row in sheet.rows]
    if how.quoting == "trimmed":
        rows = [_trimmed(row) for row in rows]
    if how.quoting in ("none", "curly", "spaced"):
        forms = {"none": "{}", "curly": "“{}”", "spaced": ' "{}"'}
        form = forms[how.quoting]
        lines = [
            how.separator.join(form.format(cell.replace('"', '""')) for cell in row)
            for row in rows
        ]
        text = how.line_end.join([*lines, ""])
    else:
        out = io.StringIO()
        last = how.last or how.separator
        for separator, part in ((how.separator, rows[:-1]), (last, rows[-1:])):
            csv.writer(
                out,
                delimiter=separator,
                lineterminator=how.line_end,
                quoting=csv.QUOTE_ALL if how.quoting == "all" else csv.QUOTE_MINIMAL,
            ).writerows(part)
        text = out.getvalue()
    if how.sep_line:
        text = f"sep={how.says or how.separator}{how.line_end}{text}"
    return text.encode(how.encoding, errors="replace_with_lost")


def shown(value: object) -> str:
    """Return a cell as Excel shows and saves it."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime.date():
            return "May-04"
        case datetime.time():
            return "03:01"
        case float() if value >= 1e5:
            return "1.00E+05"
        case _:
            return str(value)


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row = row[:-1]
    return row


def _lost(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "_" * (error.end - error.start), error.end


codecs.register_error("replace_with_lost", _lost)
