"""Mangled spreadsheets are understood exactly, or refused by name: never wrong text."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.exchange.spreadsheet import (
    Imported,
    UnreadableSheet,
    read_sheet,
    write_sheet,
)
from scenarios.model import Case
from tests.support.mangled_sheets import (
    ANY,
    WORKBOOK,
    Mangle,
    Saved,
    Sheet,
    clean_cases,
    csv_bytes,
    name_of,
    random_choices,
    save_workbook,
    saved,
    several,
    table_of,
    typed,
)
from tests.support.tiers import scaled


def exact_or_named(file: Path, clean: list[Case]) -> Imported | None:
    """Read a file; fail unless every case is as it was, or the loss is named."""
    try:
        found = read_sheet(file)
    except UnreadableSheet as refusal:
        if file.name not in str(refusal):
            raise
        return None
    for case in found.cases:
        assert case in clean
    if not found.problems:
        assert sorted(found.cases, key=str) == sorted(clean, key=str)
    for problem in found.problems:
        assert re.search(r", row \d+$", problem.file.name), problem
        assert problem.key or problem.column
        assert problem.remedy
        if file.suffix == ".xlsx":
            assert ", sheet '" in problem.file.name
    return found


patient = settings(
    deadline=None,
    max_examples=scaled(15, 50, 500),
    suppress_health_check=[HealthCheck.too_slow],
)
brief = settings(patient, max_examples=scaled(6, 20, 200))


@patient
@given(clean_cases(), several(WORKBOOK), st.integers(0, 2), random_choices)
def test_a_mangled_workbook_is_exact_or_named(
    tmp_path_factory: pytest.TempPathFactory,
    clean: list[Case],
    changes: list[Mangle],
    place: int,
    rng: Random,
) -> None:
    file = tmp_path_factory.mktemp("book") / "cases.xlsx"
    mangle_workbook(file, clean, changes, place, rng)


@pytest.mark.parametrize("change", WORKBOOK, ids=name_of)
@brief
@given(clean_cases(), random_choices)
def test_a_workbook_mangled_in_one_way_is_exact_or_named(
    tmp_path_factory: pytest.TempPathFactory,
    change: Mangle,
    clean: list[Case],
    rng: Random,
) -> None:
    file = tmp_path_factory.mktemp("book") / "cases.xlsx"
    mangle_workbook(file, clean, [change], 0, rng)


def mangle_workbook(
    file: Path, clean: list[Case], changes: list[Mangle], place: int, rng: Random
) -> None:
    sheet = table_of(clean)
    for change in changes:
        if not sheet.merges:
            change(sheet, rng)
    save_workbook(sheet, file, place)
    exact_or_named(file, clean)


# --- CSV ------------------------------------------------------------------------------


@patient
@given(clean_cases(), several(ANY), saved, random_choices)
def test_a_mangled_csv_file_is_exact_or_named(
    tmp_path_factory: pytest.TempPathFactory,
    clean: list[Case],
    changes: list[Mangle],
    how: Saved,
    rng: Random,
) -> None:
    file = tmp_path_factory.mktemp("csv") / "cases.csv"
    mangle_csv(file, clean, changes, how, rng)


@pytest.mark.parametrize("change", ANY, ids=name_of)
@brief
@given(clean_cases(), random_choices)
def test_a_csv_file_mangled_in_one_way_is_exact_or_named(
    tmp_path_factory: pytest.TempPathFactory,
    change: Mangle,
    clean: list[Case],
    rng: Random,
) -> None:
    file = tmp_path_factory.mktemp("csv") / "cases.csv"
    how = Saved("utf-8", ",", "\r\n", False, "some")
    mangle_csv(file, clean, [change], how, rng)


def mangle_csv(
    file: Path, clean: list[Case], changes: list[Mangle], how: Saved, rng: Random
) -> None:
    write_sheet(clean, file)  # its texts are guarded, as an author's export is
    lines = csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
    sheet = Sheet([[*line] for line in lines])
    for change in changes:
        change(sheet, rng)
    file.write_bytes(csv_bytes(sheet, how))
    exact_or_named(file, clean)


@given(clean_cases())
def test_an_export_comes_back_from_excel(
    tmp_path_factory: pytest.TempPathFactory, clean: list[Case]
) -> None:
    file = tmp_path_factory.mktemp("csv") / "cases.csv"
    write_sheet(clean, file, separator=";")
    text = io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")
    sheet = Sheet([[*line] for line in csv.reader(text, delimiter=";")])
    for row in sheet.rows[1:]:
        row[:] = [typed(str(cell))[0] for cell in row]
    file.write_bytes(csv_bytes(sheet, Saved("utf-8", ";", "\r\n", False, "some")))
    found = exact_or_named(file, clean)
    assert found is not None
    assert found.problems == ()
