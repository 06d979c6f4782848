"""Several rooms as one HTML file: side by side, by case, and before against after."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from server.protocol.report_types import Estimate, Hidden, Report
from server.report.across import Across, BeforeAfter, PooledCase
from server.report.html_style import STYLE
from server.report.html_words import (
    date,
    hidden,
    listed,
    number,
    percent,
    plain,
    points,
    section,
    share,
    table,
    verdict,
)


def across_page(found: Across) -> str:
    """Return the comparison as a whole HTML document."""
    codes = ", ".join(report.room.code for report in found.rooms)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(codes)} · Two Gaps</title><style>{STYLE}</style></head><body>"
        '<header><p class="brand">◎ Two Gaps: rooms together</p>'
        f"<h1>{escape(codes)}</h1></header>{''.join(_sections(found))}</body></html>\n"
    )


def _sections(found: Across) -> Iterator[str]:
    yield (
        f'<aside class="care"><h2>Read with care</h2>{listed(found.caveats)}</aside>'
    )
    head = ("room", "opened", "people", "right", "d′", "c", "mean score")
    rows = [_room(report) for report in found.rooms]
    said = [f"{report.room.code}: {report.sentence}" for report in found.rooms]
    yield section("Side by side", table(head, rows, wide=True), listed(said))
    if found.before_after is not None:
        yield section("Before and after", _before_after(found.before_after))
    cases = table(
        ("case", "verdict", "rooms", "right", "difficulty, logits", "answers"),
        [_case(case) for case in found.cases],
        wide=True,
    )
    yield section("Cases, hardest first", cases)


def _room(report: Report) -> tuple[str, ...]:
    first = report.detections[0]
    return (
        report.room.code,
        date(report.room.opened_ms),
        str(report.room.people),
        share(report.accuracy),
        number(first.d_prime),
        number(first.criterion),
        number(report.score, 1),
    )


def _before_after(found: BeforeAfter) -> str:
    rows = [
        ("people in both", str(found.matched)),
        ("only before", str(found.only_before)),
        ("only after", str(found.only_after)),
    ]
    if isinstance(found.change, Estimate):
        rows += [
            ("right before", percent(found.before)),
            ("right after", percent(found.after)),
            ("change", points(found.change)),
            ("normalized gain", plain(found.gain)),
        ]
        return table(("", ""), rows)
    return table(("", ""), rows) + f"<p>Change: {hidden(found.change)}.</p>"


def _case(case: PooledCase) -> tuple[str, ...]:
    b = case.difficulty
    return (
        f'<b class="name">{escape(case.title)}</b>',
        verdict(case.verdict),
        str(case.rooms),
        share(case.right),
        hidden(b) if isinstance(b, Hidden) else number(Estimate(b.b, *b.interval, b.n)),
        str(b.n),
    )
