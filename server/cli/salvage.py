"""``twogaps salvage``: what is intact of a damaged journal."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from server.cli.console import DataOption, JournalOption, default_data, fail, out
from server.cli.journal import reading
from server.folder import JOURNAL, lock
from server.journal.maintenance.salvage import salvage as take_out
from server.journal.store import Examination, Finding, StoreUnavailable


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(rich_help_panel="Journal")(salvage)


def salvage(
    check: Annotated[
        bool,
        typer.Option("--check", help="Only look, also while a server runs."),
    ] = False,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Take every intact room, and damaged ones up to their damage, into a new journal.

    A room is damaged where its events are not what was written, or do not replay. The
    old journal is put aside in the same folder, and nothing of it is lost or changed.
    With --check, exit code 1 says that something is damaged.
    """
    if check:
        _report(list(asyncio.run(_examine(data, journal)).rooms))
    elif journal is not None:
        raise typer.BadParameter("--journal goes with --check: a folder is salvaged")
    else:
        _salvage(data or default_data())


async def _examine(data: Path | None, journal: str | None) -> Examination:
    async with reading(data, journal) as store:
        return await store.examine()


def _report(findings: list[Finding]) -> None:
    if _tell(findings):
        out.print("Take out what is intact with: twogaps salvage (the server stopped).")
        raise typer.Exit(1)


def _salvage(folder: Path) -> None:
    aside = folder / time.strftime("journal.damaged-%Y%m%d-%H%M%S.sqlite")
    try:
        with lock(folder), out.status("Writing what is intact into a new journal"):
            findings = take_out(folder / JOURNAL, aside)
    except StoreUnavailable as exc:
        raise fail(str(exc)) from exc
    if _tell(findings):
        out.print(
            f"The new journal is used from the next start on; the old one is {aside}. "
            "It still holds names, which a purge does not reach: remove it in time.",
            highlight=False,
            soft_wrap=True,
        )


def _tell(findings: list[Finding]) -> bool:
    """Show what was found; return whether anything is damaged."""
    damaged = [finding for finding in findings if finding.damage]
    if not damaged:
        out.print(f"{len(findings)} rooms, all of them intact.", highlight=False)
        return False
    out.print(_table(damaged))
    intact = len(findings) - len(damaged)
    out.print(f"{intact} other rooms are intact.", highlight=False)
    return True


def _table(findings: list[Finding]) -> Table:
    table = Table("room", "intact", "what is wrong")
    for finding in findings:
        kept = f"{finding.intact} events" if finding.intact else "nothing"
        table.add_row(finding.room, kept, finding.damage)
    return table
