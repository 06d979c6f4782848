"""Salvages a damaged journal: copies its intact events into a new journal.

The old journal is first copied aside as it is, with its write-ahead log and its marks,
because reading a journal merges that log into it. Each room is recovered completely, or
up to the last event before the damage, and can continue from there.
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
"""The files of a journal, by the ends of their names."""


def salvage(journal: Path, aside: Path) -> list[Finding]:
    """Copy a journal aside, and replace it with one that has only its intact events.

    An undamaged journal is not changed. No other process may use the journal during the
    salvage. If :class:`StoreUnavailable` is raised, nothing has changed.
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
    """Copy a room's events to another journal; return False if the two differ.

    ``part`` events are stored at a time. The stored events are then read back and
    replayed. Raises the errors of journals, and :class:`ReplayError`.
    """
    wanted, held = await source.load(room), await target.load(room)
    if wanted[: len(held)] != held:
        return False
    for start in range(len(held), len(wanted), part):
        await target.append(room, start, wanted[start : start + part])
    stored = await target.load(room)
    replay(stored)
    return stored == wanted
