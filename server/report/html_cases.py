"""The part of the report's page that goes case by case."""

from __future__ import annotations

from html import escape

from server.protocol.report_types import CaseFigures, Estimate, Report
from server.report.html_charts import share_chart
from server.report.html_words import (
    chance,
    count,
    hidden,
    listed,
    note,
    number,
    percent,
    plain,
    share,
    table,
    verdict,
)


def cases(report: Report) -> str:
    """Write each case with its votes before and after."""
    two_votes = any(case.moves for case in report.cases)
    drawn = any(isinstance(case.right, Estimate) for case in report.cases)
    head = (
        "", "case", "votes", "n", "right", *(("0 to 100 %",) if drawn else ()),
        *(("after",) if two_votes else ()), "mean confidence", "sure and wrong",
    )  # fmt: skip
    rows = [_case(case, drawn=drawn, two_votes=two_votes) for case in report.cases]
    if not rows:
        return ""
    if not drawn:
        return table(head, rows, wide=True)
    legend = "Band: 95 % interval of the first vote. The tick is a coin flip."
    if two_votes:
        legend += " Ring: first vote; dot: second vote, with carried votes in it."
    return table(head, rows, wide=True) + note(legend)


def _case(case: CaseFigures, *, drawn: bool, two_votes: bool) -> tuple[str, ...]:
    title = (
        f'<b class="name">{escape(case.title)}</b><br><span class="sub">'
        f"{verdict(case.verdict)}</span>"
    )
    votes = "<br>".join(
        f'<span class="range">{cell.n} {cell.answer}</span>' for cell in case.options
    )
    after = case.moves.after if case.moves else None
    chart = ""
    if isinstance(case.right, Estimate):
        second = after if isinstance(after, Estimate) else None
        chart = share_chart(case.right, second, f"{case.title}: see the row")
    return (
        str(case.number),
        title,
        votes,
        str(case.n),
        share(case.right),
        *((chart,) if drawn else ()),
        *((share(after),) if two_votes else ()),
        percent(case.mean_confidence),
        count(case.confident_errors) if case.is_scored else "",
    )


def moves(report: Report) -> str:
    """Write who moved in the second vote; nothing where there was none."""
    rows = []
    for case in report.cases:
        if case.moves is None or not case.moves.cells:
            continue
        found = case.moves
        cells = {cell.answer: count(cell.n) for cell in found.cells}
        rows.append(
            (
                str(case.number),
                cells["RR"],
                cells["WR"],
                cells["RW"],
                cells["WW"],
                str(found.carried),
                plain(found.gain),
                percent(found.right_turn),
                percent(found.loss),
                plain(found.mid_p, 3),
            )
        )
    if not rows:
        return ""
    head = (
        "case", "stayed right", "turned right", "turned wrong", "stayed wrong",
        "carried", "gain g", "of the wrong, turned", "of the right, lost", "mid-p",
    )  # fmt: skip
    return f"<h3>Who moved in the second vote</h3>{table(head, rows, wide=True)}"


def again(report: Report) -> str:
    """Write the hardest cases, and those missed with conviction."""
    by_number = {case.number: case for case in report.cases}
    parts = []
    if report.hardest:
        lines = [
            f"{by_number[n].title}: {by_number[n].rights} of {by_number[n].n} right"
            for n in report.hardest
        ]
        parts.append(f"<div><h3>Hardest</h3>{listed(lines)}</div>")
    missed = [by_number[n] for n in report.confidently_missed]
    lines = [
        f"{case.title}: {case.confident_errors} of {case.n} wrong at 80 % or more"
        for case in missed
        if case.confident_errors is not None
    ]
    if lines:
        parts.append(f"<div><h3>Missed with conviction</h3>{listed(lines)}</div>")
    return f'<div class="pair">{"".join(parts)}</div>' if parts else ""


def items(report: Report) -> str:
    """Write how each case behaves as a question."""
    if not report.cases:
        return ""
    rows = [
        (
            str(case.number),
            f'<b class="name">{escape(case.case)}, version {case.version}</b>',
            share(case.right),
            chance(case.above_coin),
            number(case.discrimination),
            '<span class="flag">check the key</span>' if case.asks_to_check else "",
        )
        for case in report.cases
    ]
    head = ("", "case", "difficulty: right", "above a coin", "discrimination r", "")
    whole = (
        plain(report.kr20) if isinstance(report.kr20, float) else hidden(report.kr20)
    )
    return table(head, rows) + f"<p>Consistency of the whole, KR-20: {whole}.</p>"
