"""``twogaps case lint``: every finding with its file, its key and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from scenarios.library import Library
from scenarios.lint import HARDEST_GRADE, LONGEST, SHORTEST
from scenarios.lint import lint as find_faults
from scenarios.load import BUILTIN, load_library
from scenarios.prose import grade
from server.cli.console import CasesOption, complain, err, out


def lint_cases(
    cases: CasesOption = None,
    measures: Annotated[
        bool,
        typer.Option("--measures", help="Show words and reading level of each story."),
    ] = False,
) -> None:
    """Check every case and deck; each finding names file, key and remedy.

    With --cases, own cases are checked as well; --measures then shows only those.
    """
    library = load_library(*(cases or ()))
    findings = find_faults(library)
    errors = [*map(str, library.problems)]
    errors += [str(each) for each in findings if each.severity == "error"]
    for text in errors:
        complain(text)
    notes = [str(each) for each in findings if each.severity == "note"]
    notes += map(str, library.notes)
    for note in notes:
        _tell_note(note)
    if measures:
        _show_measures(library, own_only=bool(cases))
    if errors:
        raise typer.Exit(1)
    clean = "all clean" if not notes else f"no errors, notes: {len(notes)}"
    out.print(f"{len(library.cases)} cases and {len(library.decks)} decks: {clean}.")


def _tell_note(note: str) -> None:
    err.print(f"[bold yellow]note:[/] {escape(note)}", highlight=False, soft_wrap=True)


def _show_measures(library: Library, *, own_only: bool) -> None:
    table = Table(
        "case",
        f"words ({SHORTEST}-{LONGEST})",
        f"school grade (at most {HARDEST_GRADE:.0f})",
    )
    for name, case in sorted(library.cases.items()):
        if own_only and _is_built_in(library.case_files[name]):
            continue
        table.add_row(name, str(len(case.story.split())), f"{grade(case.story):.1f}")
    out.print(table)


def _is_built_in(file: Path) -> bool:
    return file.is_relative_to(BUILTIN)
