"""A run as a picture: SVG drawn by hand, bars beside the bars they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.bench.speed.beside import Beside
from tests.bench.speed.campaign import Size

OURS, THEIRS, BARE = "#0072b2", "#e69f00", "#8a8f98"
PANEL, HEIGHT, TOP, FOOT = 420, 300, 64, 236
BAR, GAP = 20, 4


@dataclass(frozen=True, slots=True)
class Series:
    """Bars of one kind, a value for each number of players."""

    name: str
    colour: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: a title that says what is good, and series side by side."""

    title: str
    unit: str
    series: tuple[Series, ...]
    names: tuple[str, ...]
    """What each place along the axis is."""
    axis: str


def picture(sizes: Sequence[Size], turns: Sequence[Beside]) -> str:
    """Return the whole picture as an SVG document."""
    panels = (_fan_out(turns), *_panels(sizes))
    width = PANEL * len(panels)
    body = "".join(
        f'<g transform="translate({PANEL * i} 0)">{_chart(panel)}</g>'
        for i, panel in enumerate(panels)
    )
    label = "; ".join(panel.title for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'role="img" aria-label="{escape(label)}" '
        'font-family="system-ui, sans-serif" font-size="12">'
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>{body}</svg>\n'
    )


def _fan_out(turns: Sequence[Beside]) -> Panel:
    who = [
        ("bare loop", BARE, tuple(one.floor.cpu_us for one in turns)),
        ("Two Gaps", OURS, tuple(one.game.cpu_us for one in turns)),
        ("websockets.broadcast", THEIRS, tuple(one.library.cpu_us for one in turns)),
    ]
    paid = {False: "the sender", True: "the receiver"}
    return Panel(
        "Fan-out to 5,000: CPU a socket (less is better)",
        "µs",
        tuple(Series(*each) for each in who),
        tuple(paid[one.is_steered] for one in turns),
        "receiver's cost",
    )


def _panels(sizes: Sequence[Size]) -> tuple[Panel, ...]:
    names = tuple(f"{size.n:,}" for size in sizes)
    return (
        Panel(
            "Votes a second (more is better)",
            "thousand",
            (
                Series(
                    "Two Gaps, stored and synced",
                    OURS,
                    tuple(s.game.votes.per_s / 1e3 for s in sizes),
                ),
                Series(
                    "websockets echo, stores nothing",
                    THEIRS,
                    tuple(s.library.votes.per_s / 1e3 for s in sizes),
                ),
            ),
            names,
            "players",
        ),
        Panel(
            "Memory a connection (less is better)",
            "KB",
            (
                Series(
                    "Two Gaps",
                    OURS,
                    tuple(s.game.joins.memory_kb_each for s in sizes),
                ),
                Series(
                    "websockets echo",
                    THEIRS,
                    tuple(s.library.joins.memory_kb_each for s in sizes),
                ),
            ),
            names,
            "players",
        ),
    )


def _chart(panel: Panel) -> str:
    most = max(max(series.values) for series in panel.series)
    step = (PANEL - 60) / len(panel.names)
    group = len(panel.series) * (BAR + GAP)
    parts = [
        _text(30, 22, panel.title, weight="600"),
        _legend(panel.series),
        f'<line x1="30" x2="{PANEL - 20}" y1="{FOOT}" y2="{FOOT}" stroke="#444"/>',
    ]
    for place, name in enumerate(panel.names):
        left = 30 + step * place + (step - group) / 2
        middle = 30 + step * (place + 0.5)
        parts.append(_text(middle, FOOT + 18, name, anchor="middle"))
        for i, series in enumerate(panel.series):
            value = series.values[place]
            parts.append(_bar(left + i * (BAR + GAP), value, most, series.colour))
    parts.append(
        _text(
            PANEL / 2, FOOT + 38, f"{panel.axis}; {panel.unit} above", anchor="middle"
        )
    )
    return "".join(parts)


def _bar(x: float, value: float, most: float, colour: str) -> str:
    tall = (FOOT - TOP - 18) * value / most
    said = f"{value:.0f}" if value >= 10 else f"{value:.1f}"
    return (
        f'<rect x="{x:.1f}" y="{FOOT - tall:.1f}" width="{BAR}" '
        f'height="{tall:.1f}" fill="{colour}"/>'
        + _text(x + BAR / 2, FOOT - tall - 4, said, anchor="middle", size=10)
    )


def _legend(series: Sequence[Series]) -> str:
    parts, x = [], 30.0
    for one in series:
        parts.append(
            f'<rect x="{x:.0f}" y="34" width="10" height="10" fill="{one.colour}"/>'
        )
        parts.append(_text(x + 14, 43, one.name, size=11))
        x += 26 + 6.0 * len(one.name)
    return "".join(parts)


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "start",
    size: int = 12,
    weight: str = "",
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f'{bold} fill="#222">{escape(text)}</text>'
    )
