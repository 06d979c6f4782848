"""Looking at the rooms of a SQLite journal that may be damaged, without changing it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from server.game.ids import RoomCode
from server.journal.codec import decode
from server.journal.integrity import Damage, Seal, crc_of, first_damage
from server.journal.store import UnreadableEvent


@dataclass(frozen=True, slots=True)
class Examined:
    """One room: its events as stored, and from where on they are not to be trusted."""

    room: RoomCode
    bodies: list[str]
    damage: Damage | None = None

    @property
    def intact(self) -> list[str]:
        """The events before the damage."""
        return self.bodies[: self.damage.version - 1] if self.damage else self.bodies


def is_corrupt(exc: sqlite3.Error) -> bool:
    """Whether an error says that the file itself is damaged."""
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_no_text(exc: sqlite3.Error) -> bool:
    """Whether an error says that a stored text is none."""
    return "decode to UTF-8" in str(exc)


def examine(db: sqlite3.Connection, room: RoomCode, marked: int = 0) -> Examined:
    """Read a room's events; ``marked`` is how many there were by the marks.

    Raises sqlite3.Error where the file cannot be read now for another reason than
    damage.
    """
    stored, torn = _stored(db, room)
    bodies = [body for _, body in stored]
    expected = max(_expected(db, room), marked)
    damage = first_damage(stored, _seals(db, room), 0 if torn else expected)
    if torn and damage is None:
        damage = Damage(len(stored) + 1, torn)
    return Examined(room, bodies, damage)


def examine_whole(db: sqlite3.Connection, room: RoomCode, marked: int) -> Examined:
    """Examine a room, and read every event of it."""
    found = examine(db, room, marked)
    for version, body in enumerate(found.intact, start=1):
        try:
            decode(body)
        except UnreadableEvent as exc:
            return Examined(room, found.bodies, Damage(version, str(exc)))
    return found


def seal(db: sqlite3.Connection, room: RoomCode) -> None:
    """Seal a room's events anew, as they are now."""
    stored, _ = _stored(db, room)
    db.execute("DELETE FROM seals WHERE room = ?", (room,))
    if stored:
        crc = crc_of([body for _, body in stored])
        row = (room, 1, len(stored), crc)
        db.execute("INSERT INTO seals VALUES (?, ?, ?, ?)", row)


def _stored(
    db: sqlite3.Connection, room: RoomCode
) -> tuple[list[tuple[int, str]], str]:
    """Return version and body of what can be read, and why it stops there."""
    rows: list[tuple[int, str]] = []
    try:
        for version, body in db.execute(
            "SELECT version, body FROM events WHERE room = ? ORDER BY version", (room,)
        ):
            rows.append((version, body))
    except sqlite3.Error as exc:
        if not is_corrupt(exc) and not is_no_text(exc):
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
    query = "SELECT first, last, crc FROM seals WHERE room = ? ORDER BY first"
    try:
        return [Seal(*row) for row in db.execute(query, (room,))]
    except sqlite3.Error as exc:
        if is_corrupt(exc) or "no such table" in str(exc):
            return []
        raise
