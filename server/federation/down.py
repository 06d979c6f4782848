"""Cutting what goes down to an edge into messages that every broker takes.

Frames go first: an acknowledgement never comes before what belongs to it, so an edge
that has heard it has had the answer, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from server.federation.messages import MOST_BYTES, Mark, encode_down_batch

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
