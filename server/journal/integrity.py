"""Checks that a room's stored events are what was written, with seals and marks.

**Seals.** Every append stores a seal, a checksum over its events as they are stored, in
the same transaction. A seal that does not match gives the event from which the room is
damaged. All earlier events are intact.

**Marks.** When the newest part of the file is lost (a truncated write-ahead log, or an
old copy that was put back), the rest is consistent and looks undamaged. After each
commit, the number of events of each room is therefore also noted in a separate file, in
one line of 32 bytes per room. That file is not synced, so it can lag behind after a
power cut, but it is never ahead of what was committed. If it has a higher number than
the journal, recorded events are missing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from scenarios.prose import plural

FORMAT = 1
"""The ``user_version`` of a journal's SQLite file; later versions are refused."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The checksum of the events ``first`` to ``last`` (1-based) of one room."""

    first: int
    last: int
    crc: int


@dataclass(frozen=True, slots=True)
class Damage:
    """The first event of a room that cannot be trusted, and what is wrong with it."""

    version: int
    what: str

    def __str__(self) -> str:
        return f"damaged from event {self.version} on ({self.what})"


def crc_of(bodies: Sequence[str]) -> int:
    """Return the checksum of events as they are stored (CRC-32 of a JSON list)."""
    return crc_of_list(f"[{','.join(bodies)}]")


def crc_of_list(array: str) -> int:
    """Return the checksum of events in one JSON array."""
    return crc32(array.encode("utf-8", "surrogatepass"))


def first_damage(
    stored: Sequence[tuple[int, str]], seals: Sequence[Seal], expected: int
) -> Damage | None:
    """Return where a room's events stop matching what was written; None if they match.

    ``stored`` has version and body of each event, in order. ``expected`` is the number
    of events according to the table of rooms or the marks. Events that are older than
    the first seal are not covered.
    """
    for position, (version, _) in enumerate(stored, start=1):
        if version != position:
            return Damage(position, "an event is missing")
    bodies = [body for _, body in stored]
    for seal in seals:
        whole = seal.last <= len(bodies)
        if whole and crc_of(bodies[seal.first - 1 : seal.last]) != seal.crc:
            return Damage(seal.first, "its checksum does not match")
    if len(bodies) < expected:
        missing = plural(expected - len(bodies), "event is", "events are")
        return Damage(len(bodies) + 1, f"{missing} missing")
    if len(bodies) > expected > 0:
        return Damage(expected + 1, "events were added by another program")
    return None


# --- marks ----------------------------------------------------------------------------

_READ_WRITE = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
"""Without ``O_BINARY``, Windows would change the line endings."""

LINE = 32
SUFFIX = ".marks"


class Marks:
    """The marks of one journal. Used only by the journal's thread."""

    def __init__(self, journal: Path) -> None:
        self._path = marks_of(journal)
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._handle: int | None = None

    def note(self, versions: Mapping[str, int]) -> None:
        """Note the number of events of each room; 0 for a room that was deleted.

        A mark that cannot be written is skipped, so that no vote is refused for it.
        """
        with contextlib.suppress(OSError):
            handle = self._open()
            for room, version in versions.items():
                self._write(handle, room, version)

    def _write(self, handle: int, room: str, version: int) -> None:
        slot = self._slots.get(room)
        if slot is None:
            if not version:
                return
            slot = self._free.pop() if self._free else len(self._slots)
            self._slots[room] = slot
        os.lseek(handle, slot * LINE, os.SEEK_SET)
        os.write(handle, _line(room, version) if version else _EMPTY)
        if not version:
            del self._slots[room]
            self._free.append(slot)

    def _open(self) -> int:
        if self._handle is None:
            self._handle = os.open(self._path, _READ_WRITE, 0o600)
            data = self._path.read_bytes()
            found = [_parse(data[at : at + LINE]) for at in range(0, len(data), LINE)]
            self._slots = {m[0]: slot for slot, m in enumerate(found) if m}
            self._free = [slot for slot, m in enumerate(found) if not m]
        return self._handle

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def marks_of(journal: Path) -> Path:
    """Return the path of a journal's marks."""
    return journal.with_name(journal.name + SUFFIX)


def read_marks(journal: Path) -> dict[str, int]:
    """Return the noted number of events of each room; empty if it cannot be read."""
    try:
        data = marks_of(journal).read_bytes()
    except OSError:
        return {}
    found = (_parse(data[at : at + LINE]) for at in range(0, len(data), LINE))
    return dict(mark for mark in found if mark)


_EMPTY = b" " * (LINE - 1) + b"\n"


def _line(room: str, version: int) -> bytes:
    text = f"{room} {version}".encode()
    return f"{room} {version} {crc32(text):08x}".encode().ljust(LINE - 1) + b"\n"


def _parse(line: bytes) -> tuple[str, int] | None:
    """Return a mark; None for a line that is empty, torn or damaged."""
    match line.split():
        case [room, version, crc] if crc == b"%08x" % crc32(room + b" " + version):
            return room.decode(), int(version)
        case _:
            return None
