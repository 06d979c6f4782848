"""``twogaps cases stats``: what the library holds, as tables or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from scenarios.model import VerdictWord
from scenarios.stats import VERDICTS, Stats, count
from server.cli.cases.look import load
from server.cli.console import CasesOption, out


def register(cases: typer.Typer) -> None:
    """Add the command to those about cases."""
    cases.command("stats")(show_stats)


def show_stats(
    cases: CasesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the cases by verdict, domain, decade, level, kind and how checked.

    "Checked" is the weakest check among a case's sources.
    """
    stats = count(load(cases))
    if as_json:
        typer.echo(json.dumps(asdict(stats), indent=2))
        return
    out.print(_table("verdict", {"all": stats.verdicts}))
    for dimension, rows in stats.by.items():
        out.print(_table(dimension, rows))
    out.print(_pairs(stats))
    stops = ", ".join(stats.before_the_failure) or "none"
    out.print(f"Stop before the failure ({len(stats.before_the_failure)}): {stops}.")


def _table(name: str, rows: Mapping[str, Mapping[VerdictWord, int]]) -> Table:
    table = Table(name)
    for heading in (*VERDICTS, "total"):
        table.add_column(heading, justify="right")
    for value, counts in rows.items():
        cells = [counts[verdict] for verdict in VERDICTS]
        shown = [str(cell) if cell else "·" for cell in cells]
        table.add_row(value, *shown, str(sum(cells)))
    return table


def _pairs(stats: Stats) -> Table:
    title = f"{len(stats.minimal_pairs)} minimal pairs: one fact changed, other verdict"
    table = Table("documented", "variant", title=title, title_justify="left")
    for documented, variant in stats.minimal_pairs:
        table.add_row(documented, variant)
    return table
