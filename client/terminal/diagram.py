"""The two gaps in one line: three stations, and between them what holds or breaks.

What we meant ─────◯───── What we wrote ─────●───── What it learned
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from client.terminal.words import (
    INNER_STYLE,
    LEARNED,
    MEANT,
    OUTER_STYLE,
    SIGNS,
    WROTE,
)
from server.game.views.stage_types import Verdict

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
