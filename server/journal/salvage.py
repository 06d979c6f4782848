"""Salvage: copy what is intact of a damaged journal into a new one beside it.

Before anything is read the journal is copied aside, with its write-ahead log and its
marks, as it is: to read a journal folds that log into it. Each room comes out whole, or
up to the event before its damage, from where it continues.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from server.game.engine import replay
from server.game.ids import RoomCode
from server.journal.codec import decode
from server.journal.examine import examined, reading
from server.journal.integrity import SUFFIX, read_marks
from server.journal.sqlite import write_room
from server.journal.store import EventStore, Finding, record_of

PARTS = ("", "-wal", "-shm", SUFFIX)
"""The files of a journal, by what their names end with."""


def salvage(journal: Path, aside: Path) -> list[Finding]:
    """Copy a journal aside, and write what is intact of it where it was.

    One that has no damage is left alone. No other process may use it meanwhile. Raises
    :class:`StoreUnavailable`; then nothing has changed.
    """
    fresh = journal.with_name(journal.name + ".salvaged")
    _remove(fresh)
    _copy(journal, aside)
    try:
        findings = _write_intact(journal, fresh)
        if any(finding.damage for finding in findings):
            _remove(journal)
            fresh.replace(journal)
        else:
            _remove(aside)
    finally:
        _remove(fresh)
    return findings


def _write_intact(journal: Path, fresh: Path) -> list[Finding]:
    findings = []
    marks = read_marks(journal)
    with reading(journal) as db, contextlib.closing(sqlite3.connect(fresh)) as new:
        for found in examined(db, marks):
            findings.append(found.finding)
            events = [decode(body) for body in found.intact]
            if events:
                record = record_of(None, found.room, events)
                write_room(new, record, found.intact)
    return findings


def _copy(journal: Path, aside: Path) -> None:
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(f"{journal}{part}", f"{aside}{part}")


def _remove(journal: Path) -> None:
    for part in PARTS:
        Path(f"{journal}{part}").unlink(missing_ok=True)


async def copy_room(
    source: EventStore, target: EventStore, room: RoomCode, part: int
) -> bool:
    """Store in one journal what another holds of a room; return False if they differ.

    ``part`` events are stored at a time. What the target then holds is read back and
    replayed. Raises what journals raise, and :class:`ReplayError`.
    """
    wanted, held = await source.load(room), await target.load(room)
    if wanted[: len(held)] != held:
        return False
    for start in range(len(held), len(wanted), part):
        await target.append(room, start, wanted[start : start + part])
    stored = await target.load(room)
    replay(stored)
    return stored == wanted
