"""``twogaps case list``, ``show`` and ``stats``; ``twogaps deck list``, ``show``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from scenarios.library import Library, ScenarioError
from scenarios.load import load_library
from scenarios.model import Case, VerdictWord
from scenarios.prose import plural
from scenarios.stats import TOLD_AS, VERDICTS, count, grade_of_evidence
from server.cli.console import CasesOption, complain, fail, out
from server.game.phases import records_of


def load(folders: CasesOption) -> Library:
    """Return the library with the given folders; skipped files are reported."""
    library = load_library(*(folders or ()))
    for problem in library.problems:
        complain(f"left out: {problem}")
    return library


def list_cases(
    cases: CasesOption = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Also show the verdicts.")
    ] = False,
) -> None:
    """List all cases (verdicts only on request: you may want to play them)."""
    table = Table("id", "title", "year", "told as", "domain", "level")
    if verdicts:
        table.add_column("verdict")
    for case in sorted(load(cases).cases.values(), key=lambda case: case.id):
        row = [case.id, case.title, _year(case), TOLD_AS[case.kind], case.domain]
        row.append(str(case.level))
        table.add_row(*row, *([case.verdict] if verdicts else []))
    out.print(table)


def _year(case: Case) -> str:
    return str(case.year) if case.is_true else ""


def _told_as(case: Case) -> str:
    """Return how a story is labeled, with the year if it really happened."""
    told = TOLD_AS[case.kind].capitalize()
    return f"{told}, {case.year}" if case.is_true else told


def show_case(
    case_id: Annotated[str, typer.Argument(metavar="ID")],
    cases: CasesOption = None,
    story: Annotated[
        bool, typer.Option("--story", help="Show only the story, not the breakdown.")
    ] = False,
) -> None:
    """Show one case with its breakdown and sources."""
    try:
        case = load(cases).case(case_id)
    except ScenarioError as exc:
        raise fail(str(exc)) from exc
    out.print(Panel(case.story, title=f"{case.title} ({_told_as(case)})"))
    if story:
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("verdict", case.verdict, style="bold")
    if case.rule is not None:
        table.add_row("rule", f"{case.rule} (docs/labels.md)")
    for key, text in case.breakdown.model_dump().items():
        table.add_row(key.replace("_", " "), text)
    table.add_row("tempting", case.tempting)
    for source in case.sources:
        cited = f"{source.authors} ({source.year}): {source.title}. {source.where}"
        table.add_row("source", f"{cited} [{source.checked}]")
        if source.words is not None:
            table.add_row("", f'"{source.words}" ({source.place})')
    if case.evidence is not None:
        table.add_row("evidence", grade_of_evidence(case))
    for record in records_of(case):
        table.add_row("on record", record)
    out.print(table)


def show_stats(
    cases: CasesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the cases by verdict, domain, year, level, rule, kind and evidence.

    "Checked" is the weakest check among a case's sources; "evidence" is the grade that
    a true story gives itself.
    """
    stats = count(load(cases))
    if as_json:
        typer.echo(json.dumps(asdict(stats), indent=2))
        return
    out.print(_table("verdict", {"all": stats.verdicts}))
    for dimension, rows in stats.by.items():
        out.print(_table(dimension, rows))
    out.print(_pairs(TOLD_AS["one-fact"], stats.minimal_pairs))
    out.print(_pairs(TOLD_AS["variant"], stats.variant_pairs))
    stops = ", ".join(stats.before_the_failure) or "none"
    out.print(f"Stop before the failure ({len(stats.before_the_failure)}): {stops}.")


def _table(name: str, rows: Mapping[str, Mapping[VerdictWord, int]]) -> Table:
    table = Table(name)
    for heading in (*VERDICTS, "total"):
        table.add_column(heading, justify="right")
    for value, counts in rows.items():
        cells = [counts[verdict] for verdict in VERDICTS]
        shown = [str(cell) if cell else "·" for cell in cells]
        table.add_row(value, *shown, str(sum(cells)))
    return table


def _pairs(told_as: str, pairs: Sequence[tuple[str, str]]) -> Table:
    title = f"Pairs with different verdicts: {len(pairs)}"
    table = Table("true story", told_as, title=title, title_justify="left")
    for true_story, twin in pairs:
        table.add_row(true_story, twin)
    return table


def list_decks(cases: CasesOption = None) -> None:
    """List all decks, each with its length and audience."""
    for deck in load(cases).decks.values():
        length = f"{plural(len(deck.rounds), 'round')}, {deck.minutes} minutes"
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
