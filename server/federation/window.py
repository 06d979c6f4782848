"""The batches on their way from an edge to one home: a few at once, kept until done.

Batches are numbered. Each says which is the oldest that is not done yet, so that the
home can tell whether everything before a flush mark has come, whatever was lost on the
way. Knows no clock and no bus.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

UNACKED = 32
"""At most so many batches are on their way; the rest waits, and gathers."""

SPAN = 1_024
"""The newest batch on its way is less than so many behind the oldest."""

BATCH = 500
"""Requests in a batch, at most."""


@dataclass(slots=True)
class Batch:
    """Requests that travel together, each encoded."""

    number: int
    left: dict[int, bytes] = field(default_factory=dict)
    """What is not acknowledged, by its number among all requests."""
    sent_s: float | None = None
    """When it was last sent; None: it has to be sent now."""
    times: int = 0
    """How often it was sent."""


class Window:
    """What one home is owed, in its order."""

    def __init__(self, batch_bytes: int) -> None:
        """``batch_bytes`` bounds the requests of a batch, without its frame."""
        self._batch_bytes = batch_bytes
        self._queue: deque[tuple[int, bytes]] = deque()
        self._batches: dict[int, Batch] = {}
        self._batch_of: dict[int, Batch] = {}
        self._next = 1

    @property
    def on_the_way(self) -> int:
        """How many batches are not done yet."""
        return len(self._batches)

    @property
    def oldest(self) -> int:
        """The number of the oldest batch that is not done; else of the next."""
        return next(iter(self._batches), self._next)

    def put(self, seq: int, encoded: bytes) -> None:
        """Let a request wait for its turn."""
        self._queue.append((seq, encoded))

    def due(self, now_s: float, rto_s: float) -> list[Batch]:
        """Return the batches to send now, oldest first, and take them as sent.

        Those that have waited ``rto_s`` for an answer come again.
        """
        while self._queue and self._has_room:
            self._pack()
        ready = [
            batch
            for batch in self._batches.values()
            if batch.sent_s is None or now_s - batch.sent_s >= rto_s
        ]
        for batch in ready:
            batch.sent_s = now_s
            batch.times += 1
        return ready

    def acknowledged(self, seqs: Iterable[int]) -> None:
        """Forget what the home has dealt with."""
        for seq in seqs:
            batch = self._batch_of.pop(seq, None)
            if batch is None:
                continue
            del batch.left[seq]
            if not batch.left:
                del self._batches[batch.number]

    def withdraw(self, seqs: Iterable[int]) -> None:
        """Forget requests that another home will get, sent or not."""
        gone = set(seqs)
        self._queue = deque(one for one in self._queue if one[0] not in gone)
        self.acknowledged(gone)

    def again(self) -> None:
        """Everything on its way may be lost: it is due at once."""
        for batch in self._batches.values():
            batch.sent_s = None

    @property
    def _has_room(self) -> bool:
        return len(self._batches) < UNACKED and self._next - self.oldest < SPAN

    def _pack(self) -> None:
        """Make a batch of what waits longest; one request always fits."""
        batch = self._batches[self._next] = Batch(self._next)
        self._next += 1
        size = 0
        while self._queue and len(batch.left) < BATCH:
            seq, encoded = self._queue[0]
            size += len(encoded) + 1
            if batch.left and size > self._batch_bytes:
                break
            self._queue.popleft()
            batch.left[seq] = encoded
            self._batch_of[seq] = batch
