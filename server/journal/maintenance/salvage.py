"""Taking what is intact out of a damaged journal, into a new one beside it.

Before anything is read the journal is copied aside, with its write-ahead log and its
marks, as it is: to read a journal folds that log into it. Each room comes out whole, or
up to the event before its damage, which is where it goes on from.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.game.ids import RoomCode
from server.journal.codec import decode
from server.journal.integrity import SUFFIX, read_marks
from server.journal.maintenance.examine import (
    Examined,
    examine_whole,
    is_corrupt,
    is_no_text,
)
from server.journal.sqlite import write_room
from server.journal.store import record_of

PARTS = ("", "-wal", "-shm", SUFFIX)
"""The files of a journal, by what their names end with."""


class CannotSalvage(Exception):  # noqa: N818 - read as a sentence
    """Nothing can be taken out; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one room."""

    room: RoomCode
    intact: int
    """Events that are what was written, from the first on."""
    damage: str
    """What is wrong after them; empty for nothing."""


def inspect(journal: Path) -> list[Finding]:
    """Look at every room of a journal, whole; changes nothing.

    Raises :class:`CannotSalvage` where the file cannot be read at all.
    """
    with _reading(journal) as db:
        return [_finding(found) for found in _examined(db, journal)]


def salvage(journal: Path, aside: Path) -> list[Finding]:
    """Copy a journal aside, and write what is intact of it where it was.

    One that has no damage is left alone. The journal must be nobody else's meanwhile.
    Raises :class:`CannotSalvage`; then nothing has changed.
    """
    fresh = journal.with_name(journal.name + ".salvaged")
    _remove(fresh)
    _copy(journal, aside)
    with _reading(journal) as db, contextlib.closing(sqlite3.connect(fresh)) as new:
        findings = []
        for found in _examined(db, journal):
            findings.append(_finding(found))
            events = [decode(body) for body in found.intact]
            if events:
                record = record_of(None, found.room, events)
                write_room(new, record, found.intact)
    if any(finding.damage for finding in findings):
        _remove(journal)
        fresh.replace(journal)
    else:
        _remove(fresh)
        _remove(aside)
    return findings


def _finding(found: Examined) -> Finding:
    return Finding(found.room, len(found.intact), str(found.damage or ""))


def _examined(db: sqlite3.Connection, journal: Path) -> Iterator[Examined]:
    marks = read_marks(journal)
    for room in _codes(db, marks):
        yield examine_whole(db, room, marks.get(room, 0))


def _codes(db: sqlite3.Connection, marks: dict[str, int]) -> list[RoomCode]:
    """Return the rooms that any part of the journal still tells of."""
    found: dict[str, None] = {}
    for query in (
        "SELECT code FROM rooms ORDER BY opened_ms",
        "SELECT DISTINCT room FROM events ORDER BY room",
        "SELECT DISTINCT room FROM events ORDER BY room DESC",
    ):
        try:
            for (code,) in db.execute(query):
                found[code] = None
        except sqlite3.Error as exc:
            if not is_corrupt(exc) and not is_no_text(exc):
                raise
    found.update(dict.fromkeys(marks))
    return [RoomCode(code) for code in found if _is_code(code)]


def _is_code(value: object) -> bool:
    """Whether a value can be the code of a room, and is not garbled itself."""
    return isinstance(value, str) and re.fullmatch(r"[A-Z0-9]{1,16}", value) is not None


@contextlib.contextmanager
def _reading(journal: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading, its write-ahead log included."""
    if not journal.exists():
        raise CannotSalvage(f"There is no journal at {journal}.")
    try:
        with contextlib.closing(sqlite3.connect(journal)) as db:
            db.execute("PRAGMA query_only=ON")
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield db
    except sqlite3.Error as exc:
        raise CannotSalvage(
            f"{journal.name} cannot be read at all ({exc}). Put a backup back into an "
            "empty folder with: twogaps restore."
        ) from exc


def _copy(journal: Path, aside: Path) -> None:
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(f"{journal}{part}", f"{aside}{part}")


def _remove(journal: Path) -> None:
    for part in PARTS:
        Path(f"{journal}{part}").unlink(missing_ok=True)
