"""Commands about cases and decks."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from scenarios.errors import ScenarioError
from scenarios.library import Library
from scenarios.lint import lint as find_faults
from scenarios.load import load_library
from scenarios.model import Case
from server.cli.console import CasesOption, complain, fail, out

cases_app = typer.Typer(
    no_args_is_help=True, help="Look at the cases, and check your own."
)
decks_app = typer.Typer(no_args_is_help=True, help="Look at the decks.")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(cases_app, name="cases", rich_help_panel="Cases")
    app.add_typer(decks_app, name="decks", rich_help_panel="Cases")


def _load(folders: CasesOption) -> Library:
    library = load_library(*(folders or ()))
    for problem in library.problems:
        complain(f"left out: {problem}")
    return library


def _verdict(case: Case) -> str:
    if case.contested is not None:
        return "contested"
    if case.label is not None:
        return case.label.value
    return "both" if case.truth.outer else "neither"


@cases_app.command("list")
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
    for case in sorted(_load(cases).cases.values(), key=lambda case: case.id):
        row = [case.id, case.title, str(case.year), case.kind, case.domain]
        row.append(str(case.level))
        table.add_row(*row, *([_verdict(case)] if verdicts else []))
    out.print(table)


@cases_app.command("show")
def show_case(
    case_id: Annotated[str, typer.Argument(metavar="ID")],
    cases: CasesOption = None,
    story: Annotated[
        bool, typer.Option("--story", help="Only the story, not the breakdown.")
    ] = False,
) -> None:
    """Show one case with its breakdown and sources."""
    try:
        case = _load(cases).case(case_id)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc
    out.print(Panel(case.story, title=f"{case.title} ({case.year}, {case.kind})"))
    if story:
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("verdict", _verdict(case), style="bold")
    for key, text in case.breakdown.model_dump().items():
        table.add_row(key.replace("_", " "), text)
    table.add_row("tempting", case.tempting)
    for source in case.sources:
        cited = f"{source.authors} ({source.year}): {source.title}. {source.where}"
        table.add_row("source", f"{cited} [{source.checked}]")
    out.print(table)


@cases_app.command("lint")
def lint_cases(cases: CasesOption = None) -> None:
    """Check every case and deck; each finding names file, key and remedy."""
    library = load_library(*(cases or ()))
    findings = [*map(str, library.problems), *map(str, find_faults(library))]
    for finding in findings:
        complain(finding)
    if findings:
        raise typer.Exit(1)
    out.print(f"{len(library.cases)} cases and {len(library.decks)} decks: all clean.")


@decks_app.command("list")
def list_decks(cases: CasesOption = None) -> None:
    """List all decks."""
    table = Table("id", "title", "rounds", "minutes", "order", "for")
    for deck in _load(cases).decks.values():
        rounds, minutes = str(len(deck.rounds)), str(deck.minutes)
        table.add_row(deck.id, deck.title, rounds, minutes, deck.order, deck.audience)
    out.print(table)


@decks_app.command("show")
def show_deck(
    deck_id: Annotated[str, typer.Argument(metavar="ID")], cases: CasesOption = None
) -> None:
    """Show what a deck teaches, its rounds and its reading."""
    library = _load(cases)
    try:
        deck = library.deck(deck_id)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc
    out.print(Panel(f"{deck.teaches}\n\nFor: {deck.audience}", title=deck.title))
    table = Table("round", "case", "contrast", "transfer")
    for number, item in enumerate(deck.rounds, start=1):
        names = (item.case, item.contrast or "", item.transfer or "")
        table.add_row(str(number), *names)
    out.print(table)
    for reading in deck.reading:
        start = "[b]start here:[/] " if reading.start_here else ""
        cited = f"{reading.authors} ({reading.year}): {reading.title}. {reading.where}"
        out.print(f"{start}{cited}", highlight=False)
