"""The two gaps in one line, and tallies as bars: what is drawn of characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from client.terminal.words import (
    INNER_STYLE,
    LEARNED,
    MEANT,
    OUTER_STYLE,
    SIGNS,
    STYLES,
    WROTE,
    option_words,
)
from server.game.outcomes import percent
from server.game.views.stage_types import Bars, Move, Verdict

Gap = Literal["unknown", "held", "broke"]

GAP_WIDTH = 13
STATIONS = 3


@dataclass(frozen=True, slots=True)
class Chain:
    """What the diagram shows: how far it is drawn (0 to 3), and each gap."""

    stations: int = STATIONS
    outer: Gap = "unknown"
    inner: Gap = "unknown"

    @classmethod
    def of(cls, verdict: Verdict | None, stations: int = STATIONS) -> Chain:
        """Return the chain of a verdict; both gaps unknown where there is none."""
        if verdict is None:
            return cls(stations)
        return cls(
            stations,
            "broke" if verdict.outer else "held",
            "broke" if verdict.inner else "held",
        )


def diagram(chain: Chain) -> Text:
    """Draw the chain in one line, with a second one naming the gaps once known."""
    line = Text(no_wrap=True)
    under = Text(no_wrap=True)
    gaps = (
        ("outer", chain.outer, OUTER_STYLE),
        ("inner", chain.inner, INNER_STYLE),
    )
    for index, name in enumerate((MEANT, WROTE, LEARNED)[: chain.stations]):
        if index:
            gap, how, style = gaps[index - 1]
            line.append(_gap(SIGNS[gap], how), style=_emphasis(style, how))
            said = "" if how == "unknown" else f"{gap} {how}"
            under.append(said.center(GAP_WIDTH), style=_emphasis(style, how))
        line.append(name, style="bold")
        under.append(" " * len(name))
    if chain.outer == chain.inner == "unknown":
        return line
    under.rstrip()
    return Text("\n", no_wrap=True).join([line, under])


def _gap(sign: str, how: Gap) -> str:
    """Return a gap of 13 columns: whole, or cracked open."""
    return f" ───{sign}╱  ╱─── " if how == "broke" else f" ─────{sign}───── "


def _emphasis(style: str, how: Gap) -> str:
    return f"bold {style}" if how == "broke" else style


BAR_WIDTH = 36


def tally(title: str, bars: Bars, right: str | None = None) -> RenderableType:
    """Draw one tally; ``right`` is the option that gets a tick, once it is known."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(width=BAR_WIDTH, no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for option, n in bars.options.items():
        share = n / bars.n if bars.n else 0.0
        style = STYLES.get(option, "")
        grid.add_row(
            Text(f"  {_name(option, bars)}", style=style),
            Text(_bar(share), style=style),
            Text(str(n)),
            Text(f"{percent(share)} %", style="dim"),
            Text("✓ right" if option == right else "", style="bold green"),
        )
    answers = "answer" if bars.n == 1 else "answers"
    return Group(Text(f"{title} ({bars.n} {answers})", style="bold"), grid)


def _name(option: str, bars: Bars) -> str:
    """Return an option's name; beside "both", a gap means that one alone."""
    is_alone = "both" in bars.options and option in ("outer", "inner")
    return f"{option_words(option)} only" if is_alone else option_words(option)


def _bar(share: float) -> str:
    """Return a bar with halves, so that one vote of sixty still shows."""
    halves = round(share * BAR_WIDTH * 2)
    return "█" * (halves // 2) + "▌" * (halves % 2)


def moves(moved: Sequence[Move], carried: int) -> Text:
    """Say who moved from one answer to another, and whose first vote was carried."""
    said = [
        f"{'some' if move.n is None else move.n} from {option_words(move.before)} "
        f"to {option_words(move.after)}"
        for move in moved
        if move.before != move.after and move.n != 0
    ]
    text = f"Moved: {', '.join(said)}." if said else "No one changed their answer."
    if carried:
        text += f" {carried} kept the first vote without voting again."
    return Text(text, style="dim")
