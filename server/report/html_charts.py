"""The report's charts, as SVG drawn by hand. Beside each stands a table of the same."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from server.protocol.report_types import Dot, Estimate

WIDTH, ROW = 240, 24


def share_chart(before: Estimate, after: Estimate | None, label: str) -> str:
    """Draw a share right on 0 to 1: interval and dot, and a line to the second vote."""
    parts = [
        _line(_x(0), 12, _x(1), 12, "axis"),
        _line(_x(0.5), 6, _x(0.5), 18, "zero"),
        _line(_x(before.low), 12, _x(before.high), 12, "band"),
    ]
    if after is None:
        parts.append(_circle(_x(before.value), 12, 4.5, "dot"))
    else:
        start, end = _x(before.value), _x(after.value)
        parts += [
            _line(start, 12, end, 12, "move"),
            _circle(start, 12, 4.5, "hollow"),
            _circle(end, 12, 4.5, "dot"),
        ]
    return _svg(WIDTH, ROW, parts, label)


def interval_chart(
    figure: Estimate, low: float, high: float, ticks: Sequence[tuple[float, str]]
) -> str:
    """Draw one figure with its interval on a scale with named ticks."""
    width = 400

    def at(value: float) -> float:
        inside = min(max(value, low), high)
        return 40 + (width - 80) * (inside - low) / (high - low)

    parts = [_line(at(low), 18, at(high), 18, "axis")]
    for value, name in ticks:
        parts.append(_line(at(value), 10, at(value), 26, "zero"))
        parts.append(_text(at(value), 42, name))
    parts.append(_line(at(figure.low), 18, at(figure.high), 18, "whisker"))
    ends = (at(figure.low), at(figure.high))
    parts += [_line(end, 13, end, 23, "whisker") for end in ends]
    parts.append(_circle(at(figure.value), 18, 5.5, "dot"))
    told = f"{figure.value:.2f}, 95 % interval {figure.low:.2f} to {figure.high:.2f}"
    return _svg(width, 50, parts, told)


def lean_chart(figure: Estimate) -> str:
    """Draw c between the ring of outer and the dot of inner."""
    chart = interval_chart(figure, -2, 2, [(0, "no lean")])
    ends = [
        _circle(16, 18, 7, "o"),
        _circle(384, 18, 7, "i"),
        _text(16, 42, "outer"),
        _text(384, 42, "inner"),
    ]
    return chart.replace("</svg>", "".join(ends) + "</svg>")


def calibration_chart(dots: Sequence[Dot]) -> str:
    """Draw share right over confidence: the dots' area is their n."""
    side, margin = 300, 52
    most = max((dot.n for dot in dots), default=1)

    def x(confidence: float) -> float:
        return margin + (side - margin - 16) * (confidence - 0.5) / 0.5

    def y(share: float) -> float:
        return 12 + (side - margin - 12) * (1 - share)

    parts = [
        _line(x(0.5), y(0), x(1), y(0), "axis"),
        _line(x(0.5), y(0), x(0.5), y(1), "axis"),
        _line(x(0.5), y(0.5), x(1), y(1), "ideal"),
        _text((x(0.5) + x(1)) / 2, side - 6, "confidence"),
    ]
    parts += [_text(x(c), y(0) + 16, f"{100 * c:.0f} %") for c in (0.5, 0.7, 0.9)]
    parts += [
        _text(x(0.5) - 12, y(s) + 4, f"{100 * s:.0f} %", "end") for s in (0, 0.5, 1)
    ]
    for dot in dots:
        if isinstance(dot.share, Estimate):
            at = x(dot.confidence)
            parts.append(_line(at, y(dot.share.low), at, y(dot.share.high), "whisker"))
            radius = 3 + 7 * (dot.n / most) ** 0.5
            parts.append(_circle(at, y(dot.share.value), radius, "dot"))
    return _svg(side, side, parts, "Share right at each confidence; table beside it")


def _x(share: float) -> float:
    return 8 + (WIDTH - 16) * share


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return (
        f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" '
        f'x2="{x2:.1f}" y2="{y2:.1f}"/>'
    )


def _circle(x: float, y: float, radius: float, kind: str) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str], label: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
    )
