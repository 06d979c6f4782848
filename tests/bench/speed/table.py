"""A run as a table: plain text that Markdown also shows as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.bench.speed.campaign import Size
from tests.bench.speed.measure import Fan, Joins, Votes

Row = tuple[str, Callable[[Size], str]]


def _joins(who: str, of: Callable[[Size], Joins]) -> list[Row]:
    return [
        (f"joins/s, {who}", lambda size: f"{of(size).per_s:,.0f}"),
        (f"CPU ms a join, {who}", lambda size: f"{of(size).cpu_ms_each:.2f}"),
        (f"memory a connection, {who}", lambda s: f"{of(s).memory_kb_each:.1f} KB"),
    ]


def _fan(who: str, of: Callable[[Size], Fan]) -> list[Row]:
    return [
        (f"fan-out, CPU µs a socket, {who}", lambda size: f"{of(size).cpu_us:.1f}"),
        (
            f"first / p50 / p99 / last has it, ms, {who}",
            lambda size: " / ".join(
                f"{ms:.1f}"
                for ms in (
                    of(size).first_ms,
                    of(size).median_ms,
                    of(size).p99_ms,
                    of(size).last_ms,
                )
            ),
        ),
        (f"last − first, ms, {who}", lambda size: f"{of(size).spread_ms:.1f}"),
    ]


def _votes(who: str, of: Callable[[Size], Votes]) -> list[Row]:
    return [
        (f"votes/s, {who}", lambda size: f"{of(size).per_s:,.0f}"),
        (
            f"p50 / p99 to the answer, ms, {who}",
            lambda size: f"{of(size).p50_ms:.0f} / {of(size).p99_ms:.0f}",
        ),
        (f"CPU s for 1,000, {who}", lambda size: f"{of(size).cpu_s_per_1000:.4f}"),
        (
            f"core used, server / driver, {who}",
            lambda s: f"{of(s).server_share:.0%} / {of(s).driver_share:.0%}",
        ),
    ]


GAME, LIBRARY = "Two Gaps", "websockets"

ROWS: list[Row] = [
    *_joins(GAME, lambda size: size.game.joins),
    *_joins(LIBRARY, lambda size: size.library.joins),
    ("bytes of the view", lambda size: f"{size.game.fan.bytes_each:,}"),
    *_fan(GAME, lambda size: size.game.fan),
    *_fan("bare loop", lambda size: size.floor),
    *_fan("broadcast", lambda size: size.library.fan),
    (
        "driver's core during fan-out",
        lambda s: f"{s.game.fan.driver_share:.0%}",
    ),
    *_votes(f"{GAME}, stored", lambda size: size.game.votes),
    *_votes(f"{LIBRARY}, echoed", lambda size: size.library.votes),
    ("bytes sent for a vote", lambda s: f"{s.game.votes.answer_bytes:.0f}"),
    ("... and for its progress", lambda s: f"{s.game.votes.progress_bytes:.0f}"),
    ("bytes to a player, a round", lambda s: f"{s.game.round_bytes_each:,.0f}"),
    ("voters found in the journal", lambda size: f"{size.game.voters_stored:,}"),
]


def table(sizes: Sequence[Size]) -> str:
    """Return all figures, a row each, a column for each number of players."""
    lines = [["players", *(f"{size.n:,}" for size in sizes)]]
    lines += [[name, *(cell(size) for size in sizes)] for name, cell in ROWS]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [_line(line, widths) for line in lines]
    rule = [f"{'-' * (width - 1)}:" for width in widths]
    rule[0] = "-" * widths[0]
    return "\n".join([text[0], _line(rule, widths), *text[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "| " + " | ".join([first, *rest]) + " |"
