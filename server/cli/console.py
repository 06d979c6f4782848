"""What every command shares: where to write, where the data lies, how to fail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

out = Console()
err = Console(stderr=True)


def complain(text: str) -> None:
    """Write an error: what is wrong and what to do."""
    err.print(f"[bold red]twogaps:[/] {escape(text)}", highlight=False, soft_wrap=True)


def fail(text: str) -> typer.Exit:
    """Return the exit to raise, after writing the error."""
    complain(text)
    return typer.Exit(1)


def default_data() -> Path:
    """Return the folder of the journal: TWOGAPS_DATA, else the user's data folder."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "twogaps"


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="TWOGAPS_DATA",
        help="Folder of the journal.  [default: ~/.local/share/twogaps]",
        show_default=False,
    ),
]
JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        envvar="TWOGAPS_JOURNAL",
        help="Address of the journal, if it is not in the data folder: sqlite:FILE.",
        show_default=False,
    ),
]
UrlOption = Annotated[
    str,
    typer.Option(
        "--url", envvar="TWOGAPS_URL", help="Address of the server, as in a browser."
    ),
]
CasesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--cases",
        envvar="TWOGAPS_CASES",
        help="A folder with cases/*.toml and decks/*.toml of your own; repeatable.",
    ),
]
