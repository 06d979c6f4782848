"""``twogaps journal backup``, ``restore``, ``check`` and ``salvage``."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from scenarios.prose import plural
from server.backup import BackupError, Manifest, back_up
from server.backup import restore as unpack
from server.cli.console import DataOption, JournalOption, default_data, fail, out
from server.cli.journal import reading
from server.folder import JOURNAL, CannotStart, lock
from server.game.ids import RoomCode
from server.journal.opening import Address, address_of, open_journal, open_store
from server.journal.salvage import copy_room
from server.journal.salvage import salvage as take_out
from server.journal.store import (
    Examination,
    Finding,
    StoreUnavailable,
    UnreadableEvent,
    VersionConflict,
)

# --- a data folder as one file, and back ---------------------------------------------


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="File to write, which must not exist.  [default: "
            "two-gaps-DATE-TIME.tar here]",
            show_default=False,
        ),
    ] = None,
    with_key: Annotated[
        bool,
        typer.Option(
            "--key/--no-key",
            help="Include the admin key, so that the admin link still opens old rooms.",
        ),
    ] = True,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Write all rooms to one file, even while the server is running.

    The file contains every vote recorded so far. Keep it as safe as the data folder: it
    contains names, reasons and the keys of all rooms, and a purge cannot reach it.
    """
    target = file or Path(time.strftime("two-gaps-%Y%m%d-%H%M%S.tar"))
    try:
        with out.status(f"Writing {target}"):
            folder = data or default_data()
            manifest = back_up(folder, target, journal=journal, with_key=with_key)
    except BackupError as exc:
        raise fail(str(exc)) from exc
    out.print(
        f"Wrote {target}: {_described(manifest)}.", highlight=False, soft_wrap=True
    )


def restore(
    file: Annotated[
        Path, typer.Argument(help="A file that twogaps journal backup wrote.")
    ],
    data: DataOption = None,
) -> None:
    """Unpack a backup into an empty data folder; nothing is ever overwritten."""
    folder = data or default_data()
    try:
        with out.status(f"Restoring {file}"):
            manifest = unpack(file, folder)
    except BackupError as exc:
        raise fail(str(exc)) from exc
    told = f"Restored into {folder}: {_described(manifest)}."
    out.print(told, highlight=False, soft_wrap=True)
    out.print(f"Serve it with: twogaps serve --data {folder}", soft_wrap=True)


def _described(manifest: Manifest) -> str:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.made_ms / 1000))
    key = "with" if "admin.key" in manifest.sha256 else "without"
    return (
        f"{plural(manifest.rooms, 'room')}, {plural(manifest.events, 'event')}, "
        f"{key} the admin key, made {made} by version {manifest.version}"
    )


# --- from one database to another -----------------------------------------------------

AddressArgument = Annotated[
    str,
    typer.Argument(
        help="A data folder, sqlite:FILE, or postgresql://USER:PASSWORD@HOST/DATABASE.",
        show_default=False,
    ),
]

PART = 1_000
"""The number of events copied at a time."""


def copy(source: AddressArgument, target: AddressArgument) -> None:
    """Copy all rooms into another journal, such as from SQLite to PostgreSQL.

    Each room is read back from the target and replayed. If the target already has a
    room, the missing events are added; a room that continued differently in the target
    is left unchanged and reported. The admin key and your own cases and decks are not
    copied: copy those with the data folder. Stop the server first, or run this again
    afterwards.
    """
    left = asyncio.run(_copy(address_of(source), address_of(target)))
    if left:
        raise fail(
            "Not copied, because the target has rooms with the same code but other "
            f"events: {', '.join(left)}."
        )


async def _copy(source: Address, target: Address) -> list[RoomCode]:
    left: list[RoomCode]
    try:
        async with (
            open_store(source, must_exist=True) as old,
            open_journal(target) as new,
        ):
            records = await old.rooms()
            left = [
                record.code
                for record in track(records, "Copying", console=out, transient=True)
                if not await copy_room(old, new, record.code, PART)
            ]
    except CannotStart as exc:
        raise fail(str(exc)) from exc
    except (StoreUnavailable, VersionConflict, UnreadableEvent) as exc:
        raise fail(f"Stopped: {exc}. What was copied is complete.") from exc
    copied = len(records) - len(left)
    out.print(f"{plural(copied, 'room')} copied and verified.", highlight=False)
    return left


# --- checking and salvaging a damaged journal -----------------------------------------


def check(data: DataOption = None, journal: JournalOption = None) -> None:
    """Check every room for damage, even while a server is running.

    A room is damaged if its events have changed on disk, or cannot be replayed.
    Exit code 1 means that something is damaged.
    """
    _report(list(asyncio.run(_examine(data, journal)).rooms))


def salvage(data: DataOption = None) -> None:
    """Copy intact rooms, and damaged ones up to the damage, to a new journal.

    The old journal is renamed and kept unchanged in the same folder. To see what is
    damaged, run twogaps journal check.
    """
    _salvage(data or default_data())


async def _examine(data: Path | None, journal: str | None) -> Examination:
    async with reading(data, journal) as store:
        return await store.examine()


def _report(findings: list[Finding]) -> None:
    if _tell(findings):
        out.print("Stop the server, then run: twogaps journal salvage")
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
            "The new journal will be used from the next start. The old one is "
            f"{aside}. It still contains names, which a purge does not reach: remove "
            "it when you no longer need it.",
            highlight=False,
            soft_wrap=True,
        )


def _tell(findings: list[Finding]) -> bool:
    """Print the findings; return whether anything is damaged."""
    damaged = [finding for finding in findings if finding.damage]
    if not damaged:
        out.print(f"{plural(len(findings), 'room')}, no damage.", highlight=False)
        return False
    out.print(_table(damaged))
    intact = len(findings) - len(damaged)
    out.print(f"{plural(intact, 'other room')} without damage.", highlight=False)
    return True


def _table(findings: list[Finding]) -> Table:
    table = Table("room", "intact", "what is wrong")
    for finding in findings:
        kept = plural(finding.intact, "event") if finding.intact else "nothing"
        table.add_row(finding.room, kept, finding.damage)
    return table
