"""One room as a file, for moving it to another node: a header and its events.

The file contains JSON lines, compressed with gzip. It is as secret as the journal,
because it contains the room's key.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from server.game.events import Event
from server.journal.codec import decode
from server.journal.store import UnreadableEvent

KIND = "two-gaps room 1"
SUFFIX = ".room"
MOST_BYTES = 512 * 1024 * 1024


class ParcelError(Exception):
    """The file is not a room file, or it is damaged; the message says which."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A room that moves from one node to another."""

    code: str
    to: str
    """The node that the room moves to."""
    epoch: int
    bodies: tuple[str, ...]
    """Its events as they are stored."""

    def events(self) -> list[Event]:
        """Return the events. Raises :class:`ParcelError` if one cannot be read."""
        try:
            return [decode(body) for body in self.bodies]
        except UnreadableEvent as exc:
            raise ParcelError(f"an event cannot be read: {exc}") from exc


def pack(code: str, to: str, epoch: int, bodies: Sequence[str]) -> bytes:
    """Return the contents of a room's file."""
    text = "\n".join(bodies)
    head = {
        "kind": KIND,
        "room": code,
        "to": to,
        "epoch": epoch,
        "events": len(bodies),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    return gzip.compress(f"{json.dumps(head)}\n{text}".encode(), mtime=0)


def unpack(data: bytes, most_bytes: int = MOST_BYTES) -> Parcel:
    """Return the room in a file, which may unpack to ``most_bytes`` at most.

    Raises :class:`ParcelError`.
    """
    first, _, rest = _text(data, most_bytes).partition("\n")
    try:
        head = json.loads(first)
        is_ours = head["kind"] == KIND
        code, to, epoch = str(head["room"]), str(head["to"]), int(head["epoch"])
        events, digest = int(head["events"]), str(head["sha256"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ParcelError("it is not a room file") from exc
    if not is_ours:
        raise ParcelError("it was written by another version of Two Gaps")
    bodies = tuple(rest.split("\n"))
    if hashlib.sha256(rest.encode()).hexdigest() != digest or len(bodies) != events:
        raise ParcelError("it is damaged or cut off: copy it again")
    return Parcel(code, to, epoch, bodies)


def _text(data: bytes, most_bytes: int) -> str:
    """Return the text in a file, without unpacking more than ``most_bytes``."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        raw = unpacker.decompress(data, most_bytes)
        if not unpacker.eof:
            raise ParcelError("it is damaged or cut off: copy it again")
        return raw.decode()
    except (zlib.error, UnicodeDecodeError) as exc:
        raise ParcelError("it is not a room file") from exc
