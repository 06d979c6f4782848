"""What others than the host may see: no counts of few people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.game.errors import sentence
from server.game.outcomes import hidden_groups
from server.protocol.report_types import (
    CalibrationFigures,
    CaseFigures,
    Cell,
    Figure,
    Hidden,
    MatrixRow,
    Moves,
    Report,
    TeamFigures,
)
from server.report.sentences import more_sentences


def for_others(report: Report, least: int) -> Report:
    """Return the report with every cross-table cell of fewer than ``least`` hidden.

    The bars of a tally, which everyone saw at the reveal, stay as they are.
    """
    cases = tuple(_case(case, least) for case in report.cases)
    points = more_sentences(cases, report.calibration, report.transfer, report.herding)
    return replace(
        report,
        audience="others",
        take_up=(),
        points=tuple(points),
        accuracy=_figure(report.accuracy),
        confusion=tuple(_row(row, least) for row in report.confusion),
        cases=cases,
        calibration=_calibration(report.calibration, least),
        teams=tuple(
            replace(team, accuracy=_figure(team.accuracy))
            for team in report.teams
            if team.n >= least
        ),
        cohorts=_cohorts(report.cohorts, least),
    )


def _cohorts(cohorts: Sequence[TeamFigures], least: int) -> tuple[TeamFigures, ...]:
    """Keep the sites' names and sizes, and leave out figures of few people."""
    hidden = hidden_groups({cohort.name: cohort.n for cohort in cohorts}, least)
    return tuple(
        replace(
            cohort, accuracy=_WHY[hidden[cohort.name]], score=_WHY[hidden[cohort.name]]
        )
        if cohort.name in hidden
        else replace(cohort, accuracy=_figure(cohort.accuracy))
        for cohort in cohorts
    )


_WHY = {
    "few": Hidden(sentence("few_to_show", "too few people to show")),
    "cover": Hidden(
        sentence("covers_site", "hidden, so that a smaller site cannot be worked out")
    ),
}


def suppress(counts: Sequence[int], least: int) -> list[int | None]:
    """Return the counts of one row with those below ``least`` replaced by None.

    A row's total is known: where exactly one count would be hidden, the smallest
    other one goes with it, or it could be worked out.
    """
    shown: list[int | None] = [n if n >= least else None for n in counts]
    if shown.count(None) == 1 and len(shown) > 1:
        others = [(n, i) for i, n in enumerate(shown) if n is not None]
        shown[min(others)[1]] = None
    return shown


def _figure(figure: Figure) -> Figure:
    return replace(figure, count=None) if isinstance(figure, Hidden) else figure


def _cells(cells: Sequence[Cell], least: int) -> tuple[Cell, ...]:
    shown = suppress([cell.n or 0 for cell in cells], least)
    return tuple(Cell(c.answer, n) for c, n in zip(cells, shown, strict=True))


def _row(row: MatrixRow, least: int) -> MatrixRow:
    return replace(row, cells=_cells(row.cells, least))


def _case(case: CaseFigures, least: int) -> CaseFigures:
    errors = case.confident_errors
    return replace(
        case,
        right=_figure(case.right),
        confident_errors=errors if errors is not None and errors >= least else None,
        moves=_moves(case.moves, least),
        fix=_figure(case.fix) if case.fix else None,
        transfer=_figure(case.transfer) if case.transfer else None,
        first_sight=_figure(case.first_sight) if case.first_sight else None,
    )


def _moves(moves: Moves | None, least: int) -> Moves | None:
    if moves is None:
        return None
    cells = _cells(moves.cells, least)
    if all(cell.n is not None for cell in cells):
        return moves
    return replace(
        moves,
        after=_figure(moves.after),
        cells=cells,
        right_turn=None,
        loss=None,
        mid_p=None,
        exact_p=None,
    )


def _calibration(
    found: CalibrationFigures | None, least: int
) -> CalibrationFigures | None:
    if found is None:
        return None
    dots = tuple(
        replace(dot, share=_figure(dot.share)) for dot in found.dots if dot.n >= least
    )
    return replace(found, dots=dots)
