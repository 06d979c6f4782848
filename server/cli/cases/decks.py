"""``twogaps decks list`` and ``show``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from scenarios.library import ScenarioError
from server.cli.cases.look import load
from server.cli.console import CasesOption, fail, out


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    decks = typer.Typer(no_args_is_help=True, help="Look at the decks.")
    decks.command("list")(list_decks)
    decks.command("show")(show_deck)
    app.add_typer(decks, name="decks", rich_help_panel="Cases")


def list_decks(cases: CasesOption = None) -> None:
    """List all decks, each with its length and for whom it is."""
    for deck in load(cases).decks.values():
        length = f"{len(deck.rounds)} rounds, {deck.minutes} minutes"
        out.print(f"[b]{deck.id}[/]  {deck.title}, {length}", highlight=False)
        out.print(Padding(deck.audience, (0, 0, 0, 4)), style="dim")


def show_deck(
    deck_id: Annotated[str, typer.Argument(metavar="ID")], cases: CasesOption = None
) -> None:
    """Show what a deck teaches, its rounds and its reading."""
    library = load(cases)
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
