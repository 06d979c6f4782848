"""Whether a room's stored events are what was written: seals over batches, and marks.

Every append is sealed: a checksum over its events as they are stored, in the same
transaction. A seal that does not fit names the event from which on the room is damaged.
What was before it is intact. Nothing here touches a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32


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
            return Damage(seal.first, "its checksum does not fit")
    if len(bodies) < expected:
        return Damage(len(bodies) + 1, f"{expected - len(bodies)} events are missing")
    if len(bodies) > expected > 0:
        return Damage(expected + 1, "events were added by another hand")
    return None
