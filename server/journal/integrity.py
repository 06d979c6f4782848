"""Whether a room's stored events are what was written: seals over batches, and marks.

**Seals.** Every append is sealed: a checksum over its events as they are stored, in the
same transaction. A seal that does not fit names the event from which on the room is
damaged. What was before it is intact.

**Marks.** When the file's newest part is lost (a truncated write-ahead log, an old copy
put back), what is left is whole and looks well. So the number of events of each room is
also noted in a file of its own, after each commit, one line of 32 bytes a room. It is
not synced, so it can lag behind after a power cut, but it is never ahead of what was
committed: if it says more than the journal holds, recorded events are missing.
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
"""``user_version`` of a journal's SQLite file; a file of a later version is refused."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The checksum of the events ``first`` to ``last`` (1-based) of one room."""

    first: int
    last: int
    crc: int


@dataclass(frozen=True, slots=True)
class Damage:
    """From which event on a room cannot be trusted, and what was found there."""

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
    """Return where a room's events stop being what was written; None for nowhere.

    ``stored`` is version and body, in order; ``expected`` how many there were by the
    table of rooms or by the marks. Events older than the first seal are not covered.
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
"""Windows would write other line ends than these."""

LINE = 32
SUFFIX = ".marks"


class Marks:
    """The marks of one journal. Used by the journal's thread alone."""

    def __init__(self, journal: Path) -> None:
        self._path = marks_of(journal)
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._handle: int | None = None

    def note(self, versions: Mapping[str, int]) -> None:
        """Note how many events rooms have; 0 for a room that is gone.

        A vote is not refused because its mark cannot be written: the mark is left out.
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
        """Let go of the file. Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def marks_of(journal: Path) -> Path:
    """Return where the marks of a journal are."""
    return journal.with_name(journal.name + SUFFIX)


def read_marks(journal: Path) -> dict[str, int]:
    """Return how many events each room had, as far as was noted."""
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
