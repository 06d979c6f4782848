"""Figures as the page writes them, and the smallest pieces of HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from server.protocol.report_types import Figure, Hidden

SHAPES = {"outer": "◯", "inner": "●", "both": "◉", "neither": "–", "contested": "?"}


def share(figure: Figure | None) -> str:
    """Write a proportion as per cents with its interval, or why not."""
    if figure is None:
        return ""
    if isinstance(figure, Hidden):
        return hidden(figure)
    low, high = 100 * figure.low, 100 * figure.high
    return f"{100 * figure.value:.0f} % {_range(f'{low:.0f} to {high:.0f}')}"


def points(figure: Figure) -> str:
    """Write a difference of proportions in points, signed, with its interval."""
    if isinstance(figure, Hidden):
        return hidden(figure)
    low, high = signed(100 * figure.low, 0), signed(100 * figure.high, 0)
    return f"{signed(100 * figure.value, 0)} points {_range(f'{low} to {high}')}"


def number(figure: Figure, digits: int = 2) -> str:
    """Write a plain figure with its interval."""
    if isinstance(figure, Hidden):
        return hidden(figure)
    low, high = signed(figure.low, digits), signed(figure.high, digits)
    return f"{signed(figure.value, digits)} {_range(f'{low} to {high}')}"


def hidden(figure: Hidden) -> str:
    """Write a count where there is one, else why nothing is shown."""
    if figure.count is not None and figure.n:
        return f'{figure.count} <span class="sub">of {figure.n}</span>'
    return f'<span class="why">{escape(figure.why)}</span>'


def _range(text: str) -> str:
    return f'<span class="range">({text})</span>'


def signed(value: float, digits: int) -> str:
    """Write a number with a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Write a proportion as whole per cents; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.0f} %"


def chance(p: float | None) -> str:
    """Write a probability, never rounded up to certainty; a dash for none."""
    if p is None:
        return "–"
    return "&gt; 99 %" if p > 0.99 else "&lt; 1 %" if p < 0.01 else percent(p)


def plain(value: float | None, digits: int = 2) -> str:
    """Write a number; a dash where there is none."""
    return "–" if value is None else signed(value, digits)


def count(n: int | None) -> str:
    """Write a count; what is suppressed is said to be few."""
    return '<span class="why">few</span>' if n is None else str(n)


def verdict(word: str) -> str:
    """Write a verdict with its shape and colour."""
    return f'<span class="{word}">{SHAPES[word]} {word}</span>'


def date(ms: int) -> str:
    """Write a UTC day."""
    day = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{day.day} {day:%B %Y}"


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, wide: bool = False
) -> str:
    """Write a table whose cells are HTML; names and charts are told by their start."""
    top = "".join(f'<th scope="col"{_kind(cell)}>{cell}</th>' for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td{_kind(cell)}>{cell}</td>' for cell in row)}</tr>"
        for row in rows
    )
    kind = ' class="wide"' if wide else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _kind(cell: str) -> str:
    if cell.startswith("<svg"):
        return ' class="chart"'
    return ' class="left"' if cell.startswith("<b") or cell in _NAMES else ""


_NAMES = ("case", "twin case")
"""Headings of columns that hold names."""


def listed(items: Iterable[str]) -> str:
    """Write a list of plain sentences; nothing for none."""
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def section(title: str, *parts: str) -> str:
    """Write a section; nothing where all of its parts are empty."""
    body = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def note(text: str) -> str:
    """Write a remark in small print."""
    return f'<p class="note">{escape(text)}</p>'
