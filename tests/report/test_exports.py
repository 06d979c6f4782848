"""CSV, XLSX and JSON: read back by others, whatever people typed."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from itertools import pairwise

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.report.across import across
from server.report.exports import csv_text, json_text
from server.report.report import build_report, for_others
from server.report.table import COLUMNS, DICTIONARY, Row, pseudonyms, table
from server.report.workbook import xlsx_bytes
from tests.report.test_table import play
from tests.support.simulated_class import ClassModel, simulate

AWKWARD = (
    '=HYPERLINK("http://x";"y")', "+1", "-1", "@sum", "\ttab", "a, b", 'say "so"',
    "two\nlines", "🎯 Zoë", "'quoted", "", "مرحبا",
)  # fmt: skip


def rows_with(*texts: str) -> list[Row]:
    (first, *_) = table(play().state, pseudonyms(b"k" * 16))
    return [dataclasses.replace(first, team=text, reason=text) for text in texts]


def read_csv(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def typed(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell


def test_csv_survives_what_people_type() -> None:
    found = read_csv(csv_text(rows_with(*AWKWARD)))
    assert [typed(row["reason"]) for row in found] == list(AWKWARD)
    assert not any(row["team"].startswith(tuple("=+-@\t\r")) for row in found)
    assert tuple(found[0]) == COLUMNS


@pytest.mark.parametrize("sign", "＝＋－＠﹦﹢﹣﹫−\n")
def test_no_text_of_the_csv_begins_with_a_formula_sign_of_any_width(sign: str) -> None:
    (found,) = read_csv(csv_text(rows_with(f"{sign}1+1")))
    assert (found["team"], found["reason"]) == (f"'{sign}1+1", f"'{sign}1+1")


def test_the_csv_for_a_decimal_comma_opens_in_columns() -> None:
    (row,) = rows_with("a; b")
    row = dataclasses.replace(row, points=37.5, reason="so; 1.5")
    text = csv_text([row], semicolons=True)
    assert text.startswith("\ufeffroom;deck;")
    (found,) = csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=";")
    assert (found["points"], found["reason"]) == ("37,5", "so; 1.5")


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
)
def test_csv_gives_back_any_text(texts: list[str]) -> None:
    found = read_csv(csv_text(rows_with(*texts)))
    assert [typed(row["reason"]) for row in found] == texts


def test_csv_writes_values_plainly() -> None:
    rows = table(play().state, pseudonyms(b"k" * 16))
    found = read_csv(csv_text(rows))
    assert len(found) == len(rows) == 8
    assert {row["correct"] for row in found} == {"true", "false", ""}
    assert {row["points"] for row in found} >= {"96", "50", ""}


def test_the_workbook_opens_with_its_sheets() -> None:
    model = ClassModel(revote=(0.5, 0.1), transfer_d=2.0, teams=("=A", "B"))
    state = simulate(model, 1)
    rows = table(state, pseudonyms(b"k" * 16))
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(build_report(state), rows)))
    assert book.sheetnames == [
        "Read me", "Class", "Cases", "Calibration", "Answers", "Dictionary",
    ]  # fmt: skip
    answers = list(book["Answers"].values)
    assert answers[0] == COLUMNS
    assert len(answers) == len(rows) + 1
    assert [row[0] for row in book["Dictionary"].values][1:] == list(DICTIONARY)
    heads = next(book["Cases"].values)
    assert {len(row) for row in book["Cases"].values} == {len(heads)}
    cells = [cell for sheet in book for line in sheet for cell in line]
    assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells)


def test_the_workbook_survives_what_people_type() -> None:
    state = play().state
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx_bytes(build_report(state), rows_with(*AWKWARD)))
    )
    found = [row[-1] for row in list(book["Answers"].values)[1:]]
    assert found == [text or None for text in AWKWARD]


def test_a_workbook_for_others_has_no_answers() -> None:
    report = for_others(build_report(play().state), 5)
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(report, [])))
    assert "Answers" not in book.sheetnames


@pytest.mark.parametrize("learners", [2, 30])
def test_json_is_plain_data(learners: int) -> None:
    model = ClassModel(learners=learners, revote=(0.5, 0.1), transfer_d=2.0)
    state = simulate(model, 1)
    report, rows = build_report(state), table(state, pseudonyms(b"k" * 16))
    found = json.loads(json_text(report, rows))
    assert found["format"] == 1
    assert found["report"]["sentence"] == report.sentence.text
    assert len(found["answers"]) == len(rows)
    assert set(found["dictionary"]) == set(found["answers"][0])


def test_json_of_several_rooms() -> None:
    states = [simulate(ClassModel(cases=4), seed) for seed in (1, 2)]
    for code, state in zip(("AAAAAA", "BBBBBB"), states, strict=True):
        state.code = code  # type: ignore[assignment] # a room code
    assert all(a.code != b.code for a, b in pairwise(states))
    found = json.loads(json_text(across(states), []))
    assert len(found["across"]["rooms"]) == 2
