"""Checks that stored rooms are intact: that their bytes match and their events replay.

``meaning`` and ``examine_rooms`` work with any journal. The other functions read a
SQLite file that may be damaged, without changing it.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.game.engine import ReplayError, replay
from server.game.events import Event
from server.game.ids import RoomCode
from server.journal.codec import decode
from server.journal.integrity import (
    FORMAT,
    Damage,
    Seal,
    crc_of,
    first_damage,
    read_marks,
)
from server.journal.store import (
    DamagedRoom,
    Examination,
    Finding,
    JournalDamaged,
    NoJournal,
    RoomIndex,
    StoreUnavailable,
    UnreadableEvent,
)


@dataclass(frozen=True, slots=True)
class Examined:
    """One room: its events as stored, and where they are damaged."""

    room: RoomCode
    bodies: list[str]
    damage: Damage | None = None

    @property
    def intact(self) -> list[str]:
        """The events before the damage."""
        return self.bodies[: self.damage.version - 1] if self.damage else self.bodies

    @property
    def finding(self) -> Finding:
        """The result for this room."""
        return Finding(self.room, len(self.intact), str(self.damage or ""))


def meaning(bodies: Sequence[str]) -> Damage | None:
    """Return the first stored event that cannot be read or replayed, or None."""
    events: list[Event] = []
    for version, body in enumerate(bodies, start=1):
        try:
            events.append(decode(body))
        except UnreadableEvent as exc:
            return Damage(version, str(exc))
    try:
        replay(events)
    except ReplayError as exc:
        return Damage(exc.version, f"it does not replay: {exc.event_type or 'nothing'}")
    return None


async def examine_rooms(journal: RoomIndex) -> Examination:
    """Read and replay every room of any journal."""
    records = await journal.rooms()
    findings = []
    for record in records:
        try:
            bodies = await journal.bodies(record.code)
        except DamagedRoom as exc:
            damage: Damage | None = Damage(exc.version, exc.what)
            intact = exc.version - 1
        else:
            damage = meaning(bodies)
            intact = damage.version - 1 if damage else len(bodies)
        findings.append(Finding(record.code, intact, str(damage or "")))
    latest_ms = max((record.updated_ms for record in records), default=None)
    return Examination(tuple(findings), latest_ms)


# --- a SQLite file -------------------------------------------------------------------


@contextlib.contextmanager
def any_text(db: sqlite3.Connection, errors: str = "surrogateescape") -> Iterator[None]:
    """Let queries return texts that damage has made invalid.

    Bytes that are not UTF-8 become surrogates, which never match a seal or an event.
    Pass "replace" for ``errors`` to get texts that can be shown.
    """
    db.text_factory = lambda raw: raw.decode(errors=errors)
    try:
        yield
    finally:
        db.text_factory = str


def later_format(form: int) -> str:
    """Return a message that only a later version can read a journal of this format."""
    return f"written by a later version of Two Gaps (format {form}); update first"


def is_corrupt(exc: sqlite3.Error) -> bool:
    """Whether an error means that the file itself is damaged."""
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def examine(db: sqlite3.Connection, room: RoomCode, marked: int = 0) -> Examined:
    """Examine a room's events; ``marked`` is their number according to the marks.

    Raises sqlite3.Error if the file cannot be read for a reason other than damage.
    """
    stored, torn = _stored(db, room)
    bodies = [body for _, body in stored]
    expected = max(_expected(db, room), marked)
    damage = first_damage(stored, _seals(db, room), 0 if torn else expected)
    if torn and damage is None:
        damage = Damage(len(stored) + 1, torn)
    return Examined(room, bodies, damage)


def examine_whole(db: sqlite3.Connection, room: RoomCode, marked: int) -> Examined:
    """Examine a room, and replay those of its events whose bytes are intact."""
    found = examine(db, room, marked)
    unsound = meaning(found.intact) if found.intact else None
    return Examined(room, found.bodies, unsound) if unsound else found


def examine_file(journal: Path) -> Examination:
    """Examine every room of a SQLite journal; see ``JournalAdmin.examine``."""
    marks = read_marks(journal)
    with reading(journal) as db:
        (form,) = db.execute("PRAGMA user_version").fetchone()
        if form > FORMAT:
            raise StoreUnavailable(later_format(form))
        (verdict,) = db.execute("PRAGMA quick_check").fetchone()
        fault = "" if verdict == "ok" else f"damaged: {verdict}"
        findings = tuple(found.finding for found in examined(db, marks))
        return Examination(findings, _latest_ms(db), fault)


def examined(db: sqlite3.Connection, marks: dict[str, int]) -> Iterator[Examined]:
    """Yield every room that is still found in any part of the journal."""
    for room in _codes(db, marks):
        yield examine_whole(db, room, marks.get(room, 0))


@contextlib.contextmanager
def reading(journal: Path) -> Iterator[sqlite3.Connection]:
    """Open a snapshot of a journal for reading, including its write-ahead log.

    Read the marks before: the snapshot does not include later commits.
    """
    if not journal.exists():
        raise NoJournal(f"There is no journal at {journal}.")
    try:
        with contextlib.closing(sqlite3.connect(journal)) as db:
            db.execute("PRAGMA query_only=ON")
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield db
    except sqlite3.Error as exc:
        raise JournalDamaged(
            f"{journal.name} cannot be read at all ({exc}). Restore a backup to an "
            "empty folder with: twogaps journal restore."
        ) from exc


def seal(db: sqlite3.Connection, room: RoomCode) -> None:
    """Seal a room's events again, as they are stored now."""
    stored, _ = _stored(db, room)
    db.execute("DELETE FROM seals WHERE room = ?", (room,))
    if stored:
        crc = crc_of([body for _, body in stored])
        row = (room, 1, len(stored), crc)
        db.execute("INSERT INTO seals VALUES (?, ?, ?, ?)", row)


def _stored(
    db: sqlite3.Connection, room: RoomCode
) -> tuple[list[tuple[int, str]], str]:
    """Return version and body of the readable events, and why the others are not."""
    query = "SELECT version, body FROM events WHERE room = ? ORDER BY version"
    with contextlib.suppress(sqlite3.Error):
        return db.execute(query, (room,)).fetchall(), ""
    rows: list[tuple[int, str]] = []
    try:
        with any_text(db):
            rows.extend(db.execute(query, (room,)))
    except sqlite3.Error as exc:
        if not is_corrupt(exc):
            raise
        return rows, "the file cannot be read there"
    return rows, ""


def _expected(db: sqlite3.Connection, room: RoomCode) -> int:
    try:
        row = db.execute("SELECT version FROM rooms WHERE code = ?", (room,)).fetchone()
    except sqlite3.Error as exc:
        if not is_corrupt(exc):
            raise
        return 0
    return int(row[0]) if row else 0


def _seals(db: sqlite3.Connection, room: RoomCode) -> list[Seal]:
    """Return a room's seals. A journal from the first release does not have any."""
    known = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'seals'"
    query = "SELECT first, last, crc FROM seals WHERE room = ? ORDER BY first"
    try:
        if db.execute(known).fetchone() is None:
            return []
        return [
            Seal(first, last, crc) for first, last, crc in db.execute(query, (room,))
        ]
    except sqlite3.Error as exc:
        if is_corrupt(exc):
            return []
        raise


def _latest_ms(db: sqlite3.Connection) -> int | None:
    try:
        (latest,) = db.execute("SELECT max(updated_ms) FROM rooms").fetchone()
    except sqlite3.Error as exc:
        if not is_corrupt(exc):
            raise
        return None
    return latest if isinstance(latest, int) else None


def _codes(db: sqlite3.Connection, marks: dict[str, int]) -> list[RoomCode]:
    """Return the rooms that are still found in any part of the journal."""
    found: dict[str, None] = {}
    for query in (
        "SELECT code FROM rooms ORDER BY opened_ms",
        "SELECT DISTINCT room FROM events ORDER BY room",
        "SELECT DISTINCT room FROM events ORDER BY room DESC",
    ):
        try:
            with any_text(db):
                for (code,) in db.execute(query):
                    found[code] = None
        except sqlite3.Error as exc:
            if not is_corrupt(exc):
                raise
    found.update(dict.fromkeys(marks))
    return [RoomCode(code) for code in found if _is_code(code)]


def _is_code(value: object) -> bool:
    """Whether a value can be the code of a room, and is not damaged itself."""
    return isinstance(value, str) and re.fullmatch(r"[A-Z0-9]{1,16}", value) is not None
