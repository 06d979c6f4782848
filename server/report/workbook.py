"""The report and the research table as an XLSX workbook with named sheets."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import UTC, datetime

import xlsxwriter  # type: ignore[import-untyped] # it ships no types

from server.protocol.report_types import CaseFigures, Estimate, Figure, Hidden, Report
from server.report.table import COLUMNS, DICTIONARY, Row

Cells = Sequence[str | int | float | bool | None]


def xlsx_bytes(report: Report, rows: Sequence[Row]) -> bytes:
    """Return a workbook with the sheets Read me, Class, Cases, Calibration, Challenges,
    Answers, and Dictionary (the meaning of the columns of Answers).

    Text is never interpreted as a formula or a link. Proportions are from 0 to 1.
    """
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        opened = datetime.fromtimestamp(report.room.opened_ms / 1000, UTC)
        book.set_properties(
            {"title": report.room.title, "created": opened.replace(tzinfo=None)}
        )
        bold = book.add_format({"bold": True})
        for name, head, body in _sheets(report, rows):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, head, bold)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(body, start=1):
                for column, value in enumerate(row):
                    sheet.write(number, column, value)
            sheet.autofit(300)
    return out.getvalue()


def _sheets(
    report: Report, rows: Sequence[Row]
) -> Iterable[tuple[str, Cells, Iterable[Cells]]]:
    yield "Read me", ("what", "text"), _read_me(report)
    yield "Class", ("figure", "value", "low", "high", "n", "why hidden"), _class(report)
    yield "Cases", _CASE_HEAD, map(_case, report.cases)
    if report.calibration:
        dots = [
            (dot.confidence, *_figure(dot.share)) for dot in report.calibration.dots
        ]
        head = ("confidence", "share right", "low", "high", "n", "why hidden")
        yield "Calibration", head, dots
    challenges = [
        (case.number, case.case, one.by, one.text)
        for case in report.cases
        for one in case.challenges
    ]
    if challenges:
        yield "Challenges", ("number", "case", "by", "text"), challenges
    if rows:
        yield "Answers", COLUMNS, map(astuple, rows)
        yield "Dictionary", ("column", "meaning"), DICTIONARY.items()


def _read_me(report: Report) -> Iterable[Cells]:
    room = report.room
    yield "room", room.code
    yield "name", room.name
    yield "title", room.title
    yield "deck", f"{room.deck}, version {room.deck_version}, seed {room.seed}"
    is_utc = "" if room.is_zone_known else " (the room has no time zone)"
    yield "opened", f"{room.opened}, {room.time_zone}{is_utc}"
    if room.finished:
        yield "finished", f"{room.finished}, {room.time_zone}{is_utc}"
    yield "people", room.people
    yield "rounds", f"{room.revealed} of {room.planned}"
    yield "score mode", room.score_mode
    yield "in one sentence", report.sentence.text
    for point in report.points:
        yield "also", point.text
    for caveat in report.caveats:
        yield "read with care", caveat.text


def _class(report: Report) -> Iterable[Cells]:
    yield "share right, all answers", *_figure(report.accuracy)
    yield "mean score", *_figure(report.score)
    for found in report.detections:
        yield f"d′, {found.about}", *_figure(found.d_prime)
        yield f"c, {found.about}", *_figure(found.criterion)
    for row in report.confusion:
        for cell in row.cells:
            why = "few people" if cell.n is None else None
            yield f"{row.verdict} called {cell.answer}", cell.n, None, None, row.n, why
    for rule in report.rules:
        yield f"share right, rule {rule.rule}", *_figure(rule.right)
    if report.calibration:
        yield "confidence − share right", *_figure(report.calibration.bias)
        yield "Brier score", report.calibration.brier
        yield "skill compared with a coin flip", report.calibration.skill
    if report.transfer:
        yield "vote to transfer", *_figure(report.transfer.change)
        yield "normalized gain, vote to transfer", report.transfer.gain
    if report.herding:
        yield "herding", *_figure(report.herding.all)
    if isinstance(report.kr20, Hidden):
        yield "KR-20", *_figure(report.kr20)
    else:
        yield "KR-20", report.kr20
    for kind, groups in (("team", report.teams), ("site", report.cohorts)):
        for one in groups:
            yield f"share right, {kind} {one.name}", *_figure(one.accuracy)
            yield f"mean score, {kind} {one.name}", *_figure(one.score)


def _figure(figure: Figure | None) -> Cells:
    if figure is None:
        return (None,) * 5
    if isinstance(figure, Hidden):
        return None, None, None, figure.n, figure.why.text
    return figure.value, figure.low, figure.high, figure.n, None


_CASE_HEAD = (
    "number", "case", "version", "title", "kind", "verdict", "scored", "n", "missed",
    "share right", "low", "high", "n", "why hidden", "P(p > .5)", "mean confidence",
    "sure and wrong", "share right after", "low", "high", "n", "why hidden", "carried",
    "stayed right", "turned wrong", "turned right", "stayed wrong", "gain g",
    "right-turn rate", "loss rate", "McNemar mid-p", "McNemar exact p",
    "right repair", "right on transfer", "discrimination r", "low", "high", "n",
    "why hidden", "check the key", "challenged", "evidence",
)  # fmt: skip


def _case(case: CaseFigures) -> Cells:
    moves = case.moves
    cells = [cell.n for cell in moves.cells] if moves else []
    return (
        case.number,
        case.case,
        case.version,
        case.title,
        case.kind,
        case.verdict,
        case.is_scored,
        case.n,
        case.missed,
        *_figure(case.right),
        case.above_coin,
        case.mean_confidence,
        case.confident_errors,
        *_figure(moves.after if moves else None),
        moves.carried if moves else None,
        *(cells or [None] * 4),
        *(
            (moves.gain, moves.right_turn, moves.loss, moves.mid_p, moves.exact_p)
            if moves
            else (None,) * 5
        ),
        _value(case.fix),
        _value(case.transfer),
        *_figure(case.discrimination),
        case.asks_to_check,
        case.challenged,
        case.evidence,
    )


def _value(figure: Figure | None) -> float | None:
    return figure.value if isinstance(figure, Estimate) else None
