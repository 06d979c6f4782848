"""Reads and writes cases as a spreadsheet (CSV or XLSX), one row per case, losslessly.

``flat`` defines the meaning of a row, and ``cells`` the meaning of a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openpyxl.utils import (  # type: ignore[import-untyped] # it ships no types
    get_column_letter,
)

from scenarios.exchange.cells import (
    HEADING_ROWS,
    Cell,
    Fault,
    Grid,
    UnreadableSheet,
    column_of,
    headings_at,
    settled,
)
from scenarios.exchange.delimited import (
    other_separator,
    read_delimited,
    write_delimited,
)
from scenarios.exchange.flat import columns_of, from_row, is_column, is_known, to_row
from scenarios.exchange.workbook import read_workbook, write_workbook
from scenarios.library import Problem
from scenarios.model import Case
from scenarios.prose import plural
from scenarios.validate import explain, validate

FORMATS = (".csv", ".xlsx")
READ_FORMATS = (*FORMATS, ".tsv", ".txt")
"""The formats that can be read. Excel saves "Unicode text" as .txt."""
_CURLY = "“”„‟«»"

__all__ = [
    "FORMATS", "READ_FORMATS", "Imported", "UnreadableSheet", "read_sheet",
    "write_sheet",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """The cases of a spreadsheet, and the problems with the other rows."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def write_sheet(cases: Sequence[Case], file: Path, *, separator: str = ",") -> None:
    """Write cases to a .csv or .xlsx file, replacing the file if it exists.

    ``separator`` applies to CSV. Use a semicolon where spreadsheet programs expect a
    decimal comma in numbers.
    """
    rows = [to_row(case) for case in cases]
    columns = columns_of(rows)
    table = [[row.get(column, "") for column in columns] for row in rows]
    if file.suffix.lower() == ".xlsx":
        write_workbook(columns, table, file)
    else:
        write_delimited(columns, table, file, separator)


def read_sheet(file: Path) -> Imported:
    """Read the cases of every sheet of an .xlsx file, or of a CSV file.

    There may be other rows above the headings. Raises ``UnreadableSheet`` if the file
    as a whole cannot be used. A row that is not a valid case, or that has an uncertain
    cell, is reported as problems that name sheet, row and column. It does not prevent
    other rows from being read.
    """
    _check_name(file)
    is_xlsx = file.suffix.lower() == ".xlsx"
    grids = read_workbook(file) if is_xlsx else [read_delimited(file)]
    tables = _tables(file, grids)
    cases: dict[str, Case] = {}
    problems: list[Problem] = []
    for table in tables:
        if table.grid.is_hidden:
            problems.append(_hidden(table))
            continue
        for number, cells in table.rows():
            case = _case(table, number, cells, problems)
            if case is not None and case.id in cases:
                problems.append(_repeated(table, number, case.id))
            elif case is not None:
                cases[case.id] = case
    if not cases and not problems:
        raise UnreadableSheet(f"{file.name} has headings, but no row with a case.")
    return Imported(tuple(cases.values()), tuple(problems))


def _check_name(file: Path) -> None:
    """Refuse lock files and other auxiliary files of programs and systems."""
    for mark, what in (
        ("~$", "the lock file of a spreadsheet program that has {} open"),
        (".~lock.", "the lock file of a spreadsheet program that has {} open"),
        ("._", "a file in which macOS keeps attributes of {}"),
    ):
        if file.name.startswith(mark):
            name = file.name.removeprefix(mark).rstrip("#")
            told = what.format(f"'{name}'")
            raise UnreadableSheet(f"{file.name} is {told}. Import '{name}'.")


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet, and the columns named by its headings."""

    file: Path
    grid: Grid
    first: int
    columns: list[str]

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield the nonempty rows below the headings, with row numbers from 1."""
        for number, row in enumerate(self.grid.rows[self.first :], self.first + 1):
            if any(cell.text.strip() or cell.fault for cell in row):
                yield number, row

    def letter(self, index: int) -> str:
        """Return "column D"; for CSV, return "" if the column has a name."""
        is_named = index < len(self.columns) and self.columns[index]
        return "" if is_named and not self.grid.name else f"column {_letter(index)}"

    @property
    def is_curly(self) -> bool:
        """Whether the headings of a CSV file have curly quotation marks."""
        headings = self.grid.rows[self.first - 1]
        return self.grid.is_ragged and any(
            cell.text.strip()[:1] in set(_CURLY) for cell in headings
        )

    def place(self, number: int) -> Path:
        """Return the location of a row for messages, in the form of a path."""
        return self.file.with_name(f"{_name(self.file, self.grid)}, row {number}")


def _name(file: Path, grid: Grid) -> str:
    return f"{file.name}, sheet '{grid.name}'" if grid.name else file.name


def _tables(file: Path, grids: list[Grid]) -> list[_Table]:
    """Return the sheets that contain cases.

    A sheet that names less than half as many columns as another is skipped: it is a
    table of contents or an explanation of the columns.
    """
    found = [(grid, *headings_at(grid.rows)) for grid in grids]
    most = max((known for _, _, known in found), default=0)
    if most == 0:
        raise UnreadableSheet(
            f"{file.name} names no column 'id' in its first {HEADING_ROWS} rows. One "
            "row must name the keys of a case, as in a file that 'twogaps case export' "
            "wrote."
        )
    return [
        _table(file, grid, place) for grid, place, known in found if 2 * known >= most
    ]


def _table(file: Path, grid: Grid, place: int) -> _Table:
    """Return a sheet as a table of cases, with its headings in row ``place``."""
    columns = [column_of(cell.text) for cell in grid.rows[place]]
    for number, column in enumerate(columns):
        if column and column in columns[:number]:
            both = f"{_letter(columns.index(column))} and {_letter(number)}"
            raise UnreadableSheet(
                f"{_name(file, grid)}, row {place + 1}: columns {both} are both named "
                f"'{column}'. Rename or delete one of them."
            )
    for number, row in enumerate(grid.rows[:place], start=1):
        if 2 * sum(bool(cell.text.strip()) for cell in row) > len(columns):
            raise UnreadableSheet(
                f"{_name(file, grid)}, row {number} is full, but is above the headings "
                f"in row {place + 1}. Move it below them, or delete it."
            )
    return _Table(file, grid, place + 1, columns)


def _letter(index: int) -> str:
    return str(get_column_letter(index + 1))


def _case(
    table: _Table, number: int, cells: list[Cell], problems: list[Problem]
) -> Case | None:
    place = table.place(number)
    known = len(problems)
    texts: dict[str, str] = {}
    story = _story(table, cells)
    for index, cell in enumerate(cells):
        column = table.columns[index] if index < len(table.columns) else ""
        found = _settled(table, column, cell, story)
        if isinstance(found, Fault):
            letter = table.letter(index)
            problems.append(Problem(place, column, *found, column=letter))
        elif column:
            texts[column] = found
    if len(problems) == known and table.grid.is_ragged:
        problems += _ragged(table, place, cells)
    if len(problems) > known:
        return None
    case = validate(Case, from_row(texts))
    if isinstance(case, Case):
        return case
    for problem in explain(place, Case, case):
        problems.append(_with_column(problem, table))
    return None


def _story(table: _Table, cells: list[Cell]) -> str:
    if "story" not in table.columns:
        return ""
    place = table.columns.index("story")
    return cells[place].text if place < len(cells) else ""


def _settled(table: _Table, column: str, cell: Cell, story: str) -> str | Fault:
    """Return the text of a cell, or the fault for which it cannot be accepted."""
    text = cell.text.strip()
    if not column:
        if not text:
            return ""
        return Fault("has text, but no heading", "name its column, or clear the cell")
    if not text and cell.fault is None:
        return ""
    if not is_column(column):
        remedy = "name a key of a case, such as breakdown.why or sources[0].title"
        return Fault("is not the name of a column", remedy)
    if table.is_curly and is_known(column) and {text[0], text[-1]} & set(_CURLY):
        message = "has curly quotation marks at its ends, as the headings have"
        return Fault(message, "replace them with straight ones in the whole file")
    return settled(cell, column, story)


def _ragged(table: _Table, place: Path, cells: list[Cell]) -> list[Problem]:
    """Return a problem if a row has more or fewer cells than the row of headings."""
    count, wanted = len(cells), len(table.columns)
    if count == wanted:
        return []
    message = f"has {plural(count, 'cell')}, but there are {wanted} headings"
    remedy = "put text that contains separators in quotation marks, or use .xlsx"
    if other := other_separator(cells, table.grid, wanted):
        message = f"has {other} between its cells, and the headings do not"
        remedy = "use the separator of the headings in every row, or use .xlsx"
    return [Problem(place, "the whole row", message, remedy)]


def _with_column(problem: Problem, table: _Table) -> Problem:
    columns = table.columns
    key = problem.key if problem.key in columns else problem.key.partition("[")[0]
    if key not in columns:
        return problem
    return replace(problem, column=table.letter(columns.index(key)))


def _hidden(table: _Table) -> Problem:
    place = table.file.with_name(_name(table.file, table.grid))
    remedy = "show the sheet, or delete it"
    return Problem(place, "the whole sheet", "is hidden, and holds cases", remedy)


def _repeated(table: _Table, number: int, name: str) -> Problem:
    letter = table.letter(table.columns.index("id"))
    message = f"'{name}' is already in an earlier row"
    remedy = "give this one another id, or remove the row"
    return Problem(table.place(number), "id", message, remedy, column=letter)
