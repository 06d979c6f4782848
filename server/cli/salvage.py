"""``twogaps salvage``: what is intact of a damaged journal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from server.cli.console import DataOption, default_data, fail, out
from server.folder import JOURNAL, lock
from server.journal.maintenance.salvage import CannotSalvage, Finding, inspect
from server.journal.maintenance.salvage import salvage as take_out


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(rich_help_panel="Journal")(salvage)


def salvage(
    check: Annotated[
        bool,
        typer.Option("--check", help="Only look, also while a server runs."),
    ] = False,
    data: DataOption = None,
) -> None:
    """Take every intact room, and damaged ones up to their damage, into a new journal.

    The old one is put aside in the same folder, and nothing of it is lost or changed.
    With --check, exit code 1 says that something is damaged.
    """
    folder = data or default_data()
    journal = folder / JOURNAL
    aside = folder / time.strftime("journal.damaged-%Y%m%d-%H%M%S.sqlite")
    try:
        findings = inspect(journal) if check else _take_out(journal, aside)
    except CannotSalvage as exc:
        raise fail(str(exc)) from exc
    damaged = [finding for finding in findings if finding.damage]
    if not damaged:
        out.print(f"{len(findings)} rooms, all of them intact.", highlight=False)
        return
    out.print(_table(damaged))
    intact = len(findings) - len(damaged)
    out.print(f"{intact} other rooms are intact.", highlight=False)
    if check:
        out.print("Take out what is intact with: twogaps salvage (the server stopped).")
        raise typer.Exit(1)
    out.print(
        f"The new journal is in use from the next start on; the old one is {aside}. "
        "It holds names still, which a purge does not reach: remove it in time.",
        highlight=False,
        soft_wrap=True,
    )


def _take_out(journal: Path, aside: Path) -> list[Finding]:
    with lock(journal.parent), out.status("Writing what is intact into a new journal"):
        return take_out(journal, aside)


def _table(findings: list[Finding]) -> Table:
    table = Table("room", "intact", "what is wrong")
    for finding in findings:
        kept = f"{finding.intact} events" if finding.intact else "nothing"
        table.add_row(finding.room, kept, finding.damage)
    return table
