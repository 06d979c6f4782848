"""``twogaps journal backup`` and ``restore``: a data folder as one file, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from server.backup import BackupError, Manifest, back_up
from server.backup import restore as unpack
from server.cli.console import DataOption, JournalOption, default_data, fail, out


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
            help="Include the admin's key, so that its link keeps opening old rooms.",
        ),
    ] = True,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Write all rooms into one file, also while the server runs and people vote.

    Every vote that was recorded before is in it. The file is as secret as the data
    folder: it holds names, reasons and the keys of all rooms; a purge cannot reach it.
    """
    target = file or Path(time.strftime("two-gaps-%Y%m%d-%H%M%S.tar"))
    try:
        with out.status(f"Writing {target}"):
            folder = data or default_data()
            manifest = back_up(folder, target, journal=journal, with_key=with_key)
    except BackupError as exc:
        raise fail(str(exc)) from exc
    out.print(f"Wrote {target}: {_told(manifest)}.", highlight=False, soft_wrap=True)


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
    told = f"Restored into {folder}: {_told(manifest)}."
    out.print(told, highlight=False, soft_wrap=True)
    out.print(f"Serve it with: twogaps serve --data {folder}", soft_wrap=True)


def _told(manifest: Manifest) -> str:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.made_ms / 1000))
    key = "with" if "admin.key" in manifest.sha256 else "without"
    return (
        f"{manifest.rooms} rooms, {manifest.events} events, {key} the admin's key, "
        f"of {made}, by version {manifest.version}"
    )
