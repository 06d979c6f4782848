"""The command line: ``twogaps``. Each file holds the commands of one purpose."""

from __future__ import annotations

import sys
import typing

import typer

from server import __version__
from server.cli import (
    backup,
    broker,
    cases,
    demo,
    doctor,
    journal,
    move,
    play,
    report,
    salvage,
    serve,
)
from server.cli.console import complain
from server.folder import CannotStart

app = typer.Typer(
    name="twogaps",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A live classroom game: where did the AI system fail, at the [b]outer[/b] gap "
    "(we wrote the wrong thing) or at the [b]inner[/b] gap (it learned the wrong "
    "thing)?",
    epilog="First minute: twogaps demo. A class: twogaps serve. Exit codes: 0 done, "
    "1 something failed (the message says what), 2 a wrong option, 130 interrupted.",
    rich_markup_mode="rich",
)
serve.register(app)
demo.register(app)
doctor.register(app)
play.register(app)
cases.register(app)
journal.register(app)
backup.register(app)
salvage.register(app)
report.register(app)
broker.register(app)
move.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twogaps {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: typing.Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Hold the options of the program itself."""


def main() -> None:
    """Run the command line; the entry point ``twogaps``."""
    try:
        app()
    except CannotStart as exc:
        complain(str(exc))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
