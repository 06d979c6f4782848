"""``twogaps cases list`` and ``show``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from scenarios.library import Library, ScenarioError
from scenarios.load import load_library
from server.cli.console import CasesOption, complain, fail, out


def register(cases: typer.Typer) -> None:
    """Add the commands to those about cases."""
    cases.command("list")(list_cases)
    cases.command("show")(show_case)


def load(folders: CasesOption) -> Library:
    """Return the library with own folders; what was left out is told."""
    library = load_library(*(folders or ()))
    for problem in library.problems:
        complain(f"left out: {problem}")
    return library


def list_cases(
    cases: CasesOption = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Show the verdicts, too.")
    ] = False,
) -> None:
    """List all cases (verdicts only on request: you may want to play them)."""
    table = Table("id", "title", "year", "kind", "domain", "level")
    if verdicts:
        table.add_column("verdict")
    for case in sorted(load(cases).cases.values(), key=lambda case: case.id):
        row = [case.id, case.title, str(case.year), case.kind, case.domain]
        row.append(str(case.level))
        table.add_row(*row, *([case.verdict] if verdicts else []))
    out.print(table)


def show_case(
    case_id: Annotated[str, typer.Argument(metavar="ID")],
    cases: CasesOption = None,
    story: Annotated[
        bool, typer.Option("--story", help="Only the story, not the breakdown.")
    ] = False,
) -> None:
    """Show one case with its breakdown and sources."""
    try:
        case = load(cases).case(case_id)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc
    out.print(Panel(case.story, title=f"{case.title} ({case.year}, {case.kind})"))
    if story:
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("verdict", case.verdict, style="bold")
    for key, text in case.breakdown.model_dump().items():
        table.add_row(key.replace("_", " "), text)
    table.add_row("tempting", case.tempting)
    for source in case.sources:
        cited = f"{source.authors} ({source.year}): {source.title}. {source.where}"
        table.add_row("source", f"{cited} [{source.checked}]")
    out.print(table)
