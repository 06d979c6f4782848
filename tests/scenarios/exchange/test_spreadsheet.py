"""A case goes into a spreadsheet and comes back the same; bad rows are named."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl  # type: ignore[import-untyped] # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.exchange.flat import columns_of, from_row, is_column, to_row
from scenarios.exchange.spreadsheet import UnreadableSheet, read_sheet, write_sheet
from scenarios.model import Case, Figure, Source
from tests.support.library import LIBRARY

EVERY = [case for _, case in sorted(LIBRARY.cases.items())]
BOAT = LIBRARY.case("coastrunners-lagoon")
both_formats = pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
NASTY = (
    "=1+1", "+49", "-3", "@here", "'quoted", "'=already", "''=", "a,b;c\td", 'say "no"',
    "two\nlines", "NULL", "0012", "1e5", "TRUE", "#REF!", "café ☕ 漢字", "_x0041_",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffd"),
        min_size=1,
        max_size=80,
    ),
).filter(lambda text: text.strip() == text and not set(text) & set("ÂÃâ"))
"""Text with signs of a wrong encoding is refused by name (test_mangled)."""


def nasty(text: str, number: int = 0) -> Case:
    """Return a case whose free texts are all this one."""
    figure = Figure(value=text[:100], means=text, origin=text)
    source = Source(
        authors=text[:100], year=1999, title=text, where=text,
        checked="read in source", note=text,
    )  # fmt: skip
    changes: dict[str, object] = {
        "id": f"nasty-{number}", "title": text[:100], "story": text, "tempting": text,
        "contested": text, "figures": (figure, figure), "sources": (source,),
    }  # fmt: skip
    return Case.model_validate({**BOAT.model_dump(), **changes})


@both_formats
def test_the_whole_library_comes_back_without_loss(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"all{suffix}"
    write_sheet(EVERY, file)
    back = read_sheet(file)
    assert back.problems == ()
    assert list(back.cases) == EVERY


@both_formats
def test_texts_that_spreadsheets_mangle_come_back(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"nasty{suffix}"
    cases = [nasty(text, number) for number, text in enumerate(NASTY)]
    write_sheet(cases, file)
    back = read_sheet(file)
    assert (list(back.cases), back.problems) == (cases, ())


@given(texts)
def test_a_row_gives_back_its_case(text: str) -> None:
    case = nasty(text)
    assert Case.model_validate(from_row(to_row(case))) == case


@given(st.lists(texts, min_size=1, max_size=4))
def test_any_text_survives_a_csv_file(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    cases = [nasty(text, number) for number, text in enumerate(words)]
    file = tmp_path_factory.mktemp("csv") / "cases.csv"
    write_sheet(cases, file)
    assert list(read_sheet(file).cases) == cases


def test_no_cell_of_a_csv_file_is_a_formula(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    write_sheet([nasty("=HYPERLINK(0)")], file)
    with file.open(encoding="utf-8-sig", newline="") as text:
        cells = [cell for line in csv.reader(text) for cell in line]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_columns_are_keys_and_lists_stay_together() -> None:
    columns = columns_of(to_row(case) for case in EVERY)
    assert columns[:5] == ["id", "version", "kind", "title", "year"]
    assert all(map(is_column, columns))
    reasons = [column for column in columns if column.startswith("reasons")]
    assert reasons == [
        f"reasons.{side}[{n}]" for side in ("outer", "inner") for n in (0, 1)
    ]
    figures = [column for column in columns if column.startswith("figures")]
    assert figures[:4] == [
        "figures[0].value", "figures[0].means", "figures[0].origin", "figures[1].value",
    ]  # fmt: skip


def test_a_german_excel_and_typed_numbers_are_understood(tmp_path: Path) -> None:
    rows = [to_row(BOAT)]
    columns = columns_of(rows)
    german = tmp_path / "german.csv"
    with german.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerows([columns, [rows[0][column] for column in columns]])
    assert read_sheet(german).cases == (BOAT,)
    book = openpyxl.Workbook()
    book.active.append(columns)
    typed = [rows[0][column] for column in columns]
    book.active.append(
        [int(cell) if cell.isdigit() else cell == "true" if cell in ("true", "false")
         else cell for cell in typed]
    )  # fmt: skip
    book.save(tmp_path / "typed.xlsx")
    assert read_sheet(tmp_path / "typed.xlsx").cases == (BOAT,)


def test_bad_rows_are_named_by_row_and_column_and_stop_no_other(tmp_path: Path) -> None:
    rows = [to_row(case) for case in EVERY[:5]]
    rows[1]["year"] = "last year"
    del rows[2]["breakdown.why"]
    rows.append({**rows[0]})
    file = tmp_path / "some.csv"
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writerow({c: f" {c} " for c in columns})  # as people type headings
        writer.writerows(rows)
    found = read_sheet(file)
    told = {(problem.file.name, problem.key) for problem in found.problems}
    assert told == {
        ("some.csv, row 3", "year"),
        ("some.csv, row 4", "breakdown.why"),
        ("some.csv, row 7", "id"),
    }
    assert all(problem.remedy for problem in found.problems)
    assert [case.id for case in found.cases] == [
        EVERY[0].id, EVERY[3].id, EVERY[4].id
    ]  # fmt: skip


def test_unknown_columns_are_named_with_a_suggestion(tmp_path: Path) -> None:
    row = to_row(BOAT)
    row["breakdown.wy"] = row.pop("breakdown.why")
    row["What I think!"] = "It is good."
    file = tmp_path / "odd.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([row.keys(), row.values()])
    (odd,) = read_sheet(file).problems
    assert odd.key == "What I think!"
    with file.open("w", encoding="utf-8", newline="") as out:
        del row["What I think!"]
        csv.writer(out).writerows([row.keys(), row.values()])
    problems = {each.key: each.remedy for each in read_sheet(file).problems}
    assert problems["breakdown.wy"].startswith("did you mean 'why'")
    assert "breakdown.why" in problems


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "cannot be read"),
        ("none.xlsx", None, "cannot be read"),
        ("empty.csv", b"", "no column 'id'"),
        ("poem.csv", b"Roses are red\r\n", "no column 'id'"),
        ("latin.csv", "id,titel\ncafé,Stra\xdfe".encode("latin-1"), "not UTF-8"),
        ("fake.xlsx", b"PK\x03\x04 not really", "not an XLSX"),
        ("word.xlsx", b"\xd0\xcf\x11\xe0 old", "not an XLSX"),
    ],
)
def test_other_files_than_a_sheet_of_cases_are_refused_in_words(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnreadableSheet, match=says):
        read_sheet(file)
