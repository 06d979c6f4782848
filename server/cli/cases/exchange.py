"""``twogaps case export`` and ``import``: spreadsheets, Moodle and Kahoot."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from xlsxwriter.exceptions import (  # type: ignore[import-untyped] # it ships no types
    FileCreateError,
)

from scenarios.build import build_plan
from scenarios.exchange.quizzes import gift_text, quiz_of, write_kahoot
from scenarios.exchange.spreadsheet import (
    FORMATS,
    READ_FORMATS,
    UnreadableSheet,
    read_sheet,
    write_sheet,
)
from scenarios.library import Library, ScenarioError
from scenarios.load import BUILTIN
from scenarios.model import Case, Deck, Plan
from scenarios.prose import plural
from scenarios.toml_text import case_text
from server.cli.cases.look import load
from server.cli.console import CasesOption, SemicolonsOption, complain, err, fail, out


class As(StrEnum):
    """The format to write."""

    SHEET = "sheet"
    GIFT = "gift"
    KAHOOT = "kahoot"


def export_cases(
    file: Annotated[
        Path, typer.Argument(help="What to write: .csv, .xlsx, or .gift for Moodle.")
    ],
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Which cases.  [default: all]"),
    ] = None,
    deck: Annotated[
        str | None, typer.Option(help="Only the cases of this deck, in its order.")
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="Only cases from folders of --cases.")
    ] = False,
    form: Annotated[
        As,
        typer.Option(
            "--as", help="A plain spreadsheet, Moodle's GIFT, or Kahoot's spreadsheet."
        ),
    ] = As.SHEET,
    semicolons: SemicolonsOption = False,
    cases: CasesOption = None,
) -> None:
    """Write cases as a spreadsheet, or a deck as a quiz for Moodle or Kahoot.

    A spreadsheet has one row per case and one column per key; 'twogaps case import'
    reads it back without loss. GIFT and Kahoot need --deck; whatever is cut to fit
    their limits is reported.
    """
    library = load(cases)
    if form is As.SHEET and file.suffix.lower() == ".gift":
        form = As.GIFT
    if form is As.SHEET:
        chosen = _chosen(library, ids, deck, own_only=own)
        _export_sheet(file, chosen, ";" if semicolons else ",")
        return
    if deck is None:
        raise fail("For GIFT and Kahoot, name a deck, for example --deck first-class.")
    found = _deck(library, deck)
    _export_quiz(file, found, _plan(library, found), form)


def _export_sheet(file: Path, chosen: list[Case], separator: str) -> None:
    _check_suffix(file, FORMATS)
    if not chosen:
        raise fail("There are no cases to write.")
    _write(file, lambda: write_sheet(chosen, file, separator=separator))
    _wrote(len(chosen), "case", file)


def _export_quiz(file: Path, deck: Deck, plan: Plan, form: As) -> None:
    if form is As.GIFT:
        _check_suffix(file, (".gift", ".txt"))
        text = gift_text(plan, two_link=deck.two_link)
        write_text(file, text)
        _wrote(len(plan.rounds), "question", file)
        return
    _check_suffix(file, (".xlsx",))
    quiz = quiz_of(plan, two_link=deck.two_link)
    _write(file, lambda: write_kahoot(plan, quiz, file))
    _wrote(len(quiz.questions), "question", file)
    for each in quiz.cut:
        err.print(f"[yellow]cut:[/] {each}", highlight=False, soft_wrap=True)


def _wrote(n: int, noun: str, where: Path) -> None:
    out.print(f"Wrote {plural(n, noun)} to {where}.", highlight=False)


def import_cases(
    file: Annotated[Path, typer.Argument(help="The spreadsheet: .xlsx, .csv or .tsv.")],
    into: Annotated[
        Path, typer.Option(help="Your folder; cases are written to cases/ in it.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite existing files.")
    ] = False,
) -> None:
    """Write a case file for each valid row of a spreadsheet, and explain the others."""
    _check_suffix(file, READ_FORMATS)
    try:
        found = read_sheet(file)
    except UnreadableSheet as exc:
        raise fail(str(exc)) from exc
    for problem in found.problems:
        complain(str(problem))
    folder = into / "cases"
    kept = [case.id for case in found.cases if (folder / f"{case.id}.toml").exists()]
    for name in kept if not replace else ():
        complain(
            f"{folder / name}.toml already exists and was kept. Use --replace to "
            "overwrite it."
        )
    wanted = [case for case in found.cases if replace or case.id not in kept]
    for case in wanted:
        write_text(folder / f"{case.id}.toml", case_text(case))
    _wrote(len(wanted), "case", folder)
    if found.problems or len(wanted) < len(found.cases):
        raise typer.Exit(1)


def _chosen(
    library: Library, ids: list[str] | None, deck: str | None, *, own_only: bool
) -> list[Case]:
    try:
        if deck is not None:
            return [library.case(name) for name in _deck(library, deck).case_ids]
        if ids:
            return [library.case(name) for name in ids]
    except ScenarioError as exc:
        raise fail(str(exc)) from exc
    return [
        case
        for name, case in sorted(library.cases.items())
        if not own_only or not library.case_files[name].is_relative_to(BUILTIN)
    ]


def _deck(library: Library, name: str) -> Deck:
    try:
        return library.deck(name)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc


def _plan(library: Library, deck: Deck) -> Plan:
    try:
        return build_plan(deck, library, seed=1, length=None, two_link=deck.two_link)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc


def _check_suffix(file: Path, known: tuple[str, ...]) -> None:
    if file.suffix.lower() not in known:
        raise fail(f"{file.name}: the name must end in {' or '.join(known)}.")


def _write(file: Path, work: Callable[[], object]) -> None:
    """Create the file's folder and call ``work``; report an error and exit."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        work()
    except (OSError, FileCreateError) as exc:
        raise fail(f"{file} cannot be written: {exc}.") from exc


def write_text(file: Path, text: str) -> None:
    """Write a text file, creating its folder; report an error and exit."""
    _write(file, lambda: file.write_text(text, encoding="utf-8"))
