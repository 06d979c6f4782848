"""Commands for the results of stored rooms: reports, exports and rescoring."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from scenarios.load import load_library
from scenarios.model import Case
from scenarios.prose import plural
from server.cli.console import (
    CasesOption,
    DataOption,
    JournalOption,
    SemicolonsOption,
    complain,
    fail,
    out,
    with_options,
)
from server.cli.journal import reading
from server.game.engine import ReplayError, replay
from server.game.events import Event
from server.game.ids import RoomCode
from server.game.state import RoomState
from server.journal.store import EventStore, UnreadableEvent
from server.report.exports import OTHER_ROOMS, Wanted, written
from server.report.report import CannotReport
from server.report.rescore import Rescoring, compare, corrected

PLAYERS_SHOWN = 20

Codes = Annotated[list[str], typer.Argument(metavar="CODE...", help="Rooms.")]


class Format(StrEnum):
    """The file format of a report."""

    HTML = "html"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


class Reader(StrEnum):
    """The audience of a report."""

    HOST = "host"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of ``twogaps room report``."""

    codes: Codes
    kind: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = (
        Format.HTML
    )
    file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where to write it; - for the terminal.  "
            "[default: two-gaps-CODE.FORMAT, here]",
            show_default=False,
        ),
    ] = None
    reader: Annotated[
        Reader,
        typer.Option(
            "--for", help="Who it is for; for others, small counts are hidden."
        ),
    ] = Reader.HOST
    reasons: Annotated[
        bool, typer.Option(help="Include typed reasons in the table of answers.")
    ] = True
    match_names: Annotated[
        bool,
        typer.Option(
            "--match-names",
            help="With several rooms: treat people with the same name as the same "
            "person; the first room is before, the last one after.",
        ),
    ] = False
    semicolons: SemicolonsOption = False
    rescored: Annotated[
        bool, typer.Option("--rescored", help="Use the cases of the current library.")
    ] = False
    data: DataOption = None
    journal: JournalOption = None
    cases: CasesOption = None


@with_options(ReportOptions)
def report(options: ReportOptions) -> None:
    """Write what a room learned: a report, or its answers.

    HTML is one file that you can send by email and print on A4. CSV is the table of
    answers, with one row per person, case and phase. XLSX and JSON contain both. People
    get new pseudonyms in each export. Several rooms are compared and pooled. This works
    while a server is running.
    """
    codes, kind, reader = options.codes, options.kind, options.reader
    if options.match_names and len(codes) < 2:
        raise typer.BadParameter("--match-names needs two or more rooms")
    if reader is Reader.OTHERS and (kind is Format.CSV or len(codes) > 1):
        raise typer.BadParameter(
            "--for others works only for one room, and not with csv"
        )
    library = _present(options.cases) if options.rescored else None
    wanted_codes = [RoomCode(code.upper()) for code in codes]
    loading = _load(options.data, options.journal, wanted_codes, with_others=True)
    stored = asyncio.run(loading)
    states = [_state(code, stored[code], library) for code in wanted_codes]
    others = [
        state
        for code, events in stored.items()
        if code not in wanted_codes and (state := _perhaps(events)) is not None
    ]
    wanted = Wanted(
        kind.value,
        reader.value,
        options.reasons,
        options.match_names,
        options.semicolons,
    )
    try:
        content = written(states, others, wanted)
    except CannotReport as exc:
        raise fail(str(exc)) from exc
    named = Path(f"two-gaps-{'-'.join(codes).upper()}.{kind}")
    _write(content, options.file or named)


def _write(content: bytes, file: Path) -> None:
    if str(file) == "-":
        typer.get_binary_stream("stdout").write(content)
        return
    try:
        file.write_bytes(content)
    except OSError as exc:
        raise fail(f"{file} cannot be written: {exc.strerror}.") from exc
    out.print(f"Wrote {file}.", highlight=False)


def _state(
    code: RoomCode, events: Sequence[Event], library: Mapping[str, Case] | None
) -> RoomState:
    try:
        return replay(events if library is None else corrected(events, library))
    except ReplayError as exc:
        told = f"Room {code} cannot be replayed: {exc}. Run twogaps journal check."
        raise fail(told) from exc


def _perhaps(events: Sequence[Event]) -> RoomState | None:
    """Return the state of another room; None if it cannot be replayed."""
    try:
        return replay(events)
    except ReplayError:
        return None


async def _load(
    data: Path | None,
    journal: str | None,
    wanted: Sequence[RoomCode],
    *,
    with_others: bool = False,
) -> dict[RoomCode, list[Event]]:
    """Return the events of some rooms, and optionally of the journal's other rooms."""
    async with reading(data, journal) as store:
        known = [record.code for record in await store.rooms()]
        for code in wanted:
            if code not in known:
                raise fail(f"There is no room {code}: see twogaps room list.")
        found = {code: await store.load(code) for code in wanted}
        others = [code for code in known if code not in wanted][:OTHER_ROOMS]
        if with_others:
            found |= {code: await _events(store, code) for code in others}
        return found


async def _events(store: EventStore, code: RoomCode) -> list[Event]:
    """Return the events of another room; none if they cannot be read."""
    try:
        return await store.load(code)
    except UnreadableEvent:
        return []


def rescore(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The room.")],
    data: DataOption = None,
    journal: JournalOption = None,
    cases: CasesOption = None,
) -> None:
    """Score a stored room again with today's cases, and show what changes.

    Use this if a case's verdict turned out to be wrong and was corrected, in an update
    or in your own file with the same ID (--cases). The journal does not change; twogaps
    room report --rescored writes any export with the corrected cases.
    """
    library = _present(cases)
    room = RoomCode(code.upper())
    events = asyncio.run(_load(data, journal, [room]))[room]
    before, after = _state(room, events, None), _state(room, events, library)
    _tell(compare(before, after, library))


def _present(folders: Sequence[Path] | None) -> dict[str, Case]:
    """Return the current cases; cases in ``folders`` replace built-in ones."""
    own = load_library(*(folders or ()), builtin=False)
    for problem in own.problems:
        if problem.key != "twin":
            complain(f"left out: {problem}")
    return {**load_library().cases, **own.cases}


def _tell(found: Rescoring) -> None:
    if found.unknown:
        gone = ", ".join(found.unknown)
        out.print(f"No longer in the library, kept as played: {gone}.")
    if not found.cases:
        out.print("Nothing changes: every case is as it was played.")
        return
    cases = Table("round", "phase", "case", "version", "verdict", "right")
    for one in found.cases:
        cases.add_row(
            str(one.number),
            one.ballot.value,
            one.case,
            _arrow(*one.versions),
            _arrow(*one.verdicts) if one.is_rekeyed else "text only",
            _arrow(
                *(f"{right} of {n}" for right, n in zip(one.right, one.n, strict=True))
            ),
        )
    out.print(cases)
    before, after = (f"{m:.1f}" if m is not None else "none" for m in found.mean)
    out.print(f"Mean score of the class: {_arrow(before, after)}.")
    if not found.players:
        out.print("The points do not change.")
        return
    players = plural(len(found.players), "player")
    out.print(f"The points of {players} change:")
    people = Table("player", "points", "place")
    for player in found.players[:PLAYERS_SHOWN]:
        points = _arrow(*(f"{value:.1f}" for value in player.points))
        people.add_row(player.name, points, _arrow(*player.place))
    out.print(people)


def _arrow(before: object, after: object) -> str:
    return str(after) if before == after else f"{before} → {after}"
