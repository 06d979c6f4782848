"""What a home keeps for each edge: how far it has flushed, and what goes down to it.

A flush mark says that everything the edge received before it is on its way. It holds
once its own batch and every older one have arrived: a lost batch is sent again under
the same number. Messages going down are cut to a size that every broker takes. Frames
go before acknowledgements, so an edge that hears an acknowledgement has the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from server.federation.messages import MOST_BYTES, Mark, encode_down_batch
from server.game.ids import RoomCode


class Flushes:
    """The flush marks of one edge, in one of its runs."""

    def __init__(self) -> None:
        self._heard: set[int] = set()
        self._oldest = 0
        self._marks: dict[RoomCode, tuple[int, int]] = {}
        """Batch and version of each room's latest mark that does not hold yet."""
        self._versions: dict[RoomCode, int] = {}

    def version(self, room: RoomCode) -> int:
        """Return up to which version everything has come; 0 before the first mark."""
        return self._versions.get(room, 0)

    def heard(self, number: int, oldest: int) -> None:
        """A batch has come, whole; all before ``oldest`` are done. Idempotent."""
        if oldest > self._oldest:
            self._oldest = oldest
            self._heard = {one for one in self._heard if one >= oldest}
        if number >= self._oldest:
            self._heard.add(number)
        self._settle()

    def marked(self, room: RoomCode, version: int, number: int) -> None:
        """A flush mark has come in a batch. Idempotent."""
        mark = (number, version)
        self._marks[room] = max(mark, self._marks.get(room, mark))
        self._settle()

    def _settle(self) -> None:
        for room, (number, version) in list(self._marks.items()):
            if all(one in self._heard for one in range(self._oldest, number + 1)):
                del self._marks[room]
                self._versions[room] = max(version, self.version(room))


ROOM = MOST_BYTES - 1_024
"""Bytes in a message beside its frame."""

SEQ_BYTES = 20
"""What a number takes, at most, with its comma."""


def fits(encoded: bytes) -> bool:
    """Whether an encoded item fits into a message at all."""
    return len(encoded) < ROOM


def messages(
    boot: str, items: Iterable[bytes], acks: Sequence[int], marks: Sequence[Mark]
) -> Iterator[bytes]:
    """Yield messages of at most MOST_BYTES; each of ``items`` has to fit."""
    chunk: list[bytes] = []
    size = 0
    for item in items:
        if size + len(item) + 1 > ROOM:
            yield encode_down_batch(boot, [], chunk)
            chunk, size = [], 0
        chunk.append(item)
        size += len(item) + 1
    beside = max(0, ROOM - size) // SEQ_BYTES
    if chunk or acks[:beside]:
        yield encode_down_batch(boot, acks[:beside], chunk)
    most = ROOM // SEQ_BYTES
    for start in range(beside, len(acks), most):
        yield encode_down_batch(boot, acks[start : start + most], [])
    if marks:
        yield encode_down_batch(boot, [], [], marks)
