"""Commands about cases and decks: look at them, check them, write and move them."""

from __future__ import annotations

import typer

from server.cli.cases import check, counts, decks, exchange, look, new, preview


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    cases = typer.Typer(
        no_args_is_help=True, help="Look at the cases; write and check your own."
    )
    for part in (look, counts, new, preview, check, exchange):
        part.register(cases)
    app.add_typer(cases, name="cases", rich_help_panel="Cases")
    decks.register(app)
