"""Sends an edge's requests to homes: in batches, and again until acknowledged.

Votes are secured on disk first. This module knows about homes and their clocks, but not
about clients and views. Batches to one home are numbered, and each names the oldest
unfinished batch, so that the home can tell whether everything before a flush mark has
arrived, even if batches were lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from server.disk import DiskError
from server.federation import topics
from server.federation.messages import (
    MOST_BYTES,
    SPAN,
    UpBody,
    UpItem,
    encode,
    encode_up_batch,
)
from server.federation.mqtt import Bus
from server.federation.outbox import Outbox, is_vote
from server.game.ids import RoomCode

UNACKED = 32
"""Maximum number of batches in flight; other requests wait in the queue."""

STUBBORN = 8
"""Number of sends after which a batch is queued again when the window is full."""

BATCH = 500
"""Maximum number of requests in a batch."""


@dataclass(slots=True)
class Batch:
    """Encoded requests that are sent together."""

    number: int
    left: dict[int, bytes] = field(default_factory=dict)
    """Unacknowledged requests, by request number."""
    sent_s: float | None = None
    """When the batch was last sent; None if it has to be sent now."""
    times: int = 0
    """How many times the batch was sent."""


class Window:
    """The unacknowledged requests to one home, in order."""

    def __init__(self, batch_bytes: int) -> None:
        """``batch_bytes`` limits the size of a batch, without its envelope."""
        self._batch_bytes = batch_bytes
        self._queue: deque[tuple[int, bytes]] = deque()
        self._batches: dict[int, Batch] = {}
        self._batch_of: dict[int, Batch] = {}
        self._next = 1

    @property
    def on_the_way(self) -> int:
        """Number of unfinished batches."""
        return len(self._batches)

    @property
    def oldest(self) -> int:
        """The number of the oldest unfinished batch; without any, of the next batch."""
        return next(iter(self._batches), self._next)

    def put(self, seq: int, encoded: bytes) -> None:
        """Queue a request."""
        self._queue.append((seq, encoded))

    def due(self, now_s: float, rto_s: float, *, is_up: bool = True) -> list[Batch]:
        """Return the batches to send now, oldest first, and mark them as sent.

        Includes batches that have waited ``rto_s`` seconds for an answer. ``is_up`` is
        whether the home is up, as far as is known.
        """
        if is_up and self._queue and not self._has_room:
            self._repack()
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
        """Remove requests that the home has acknowledged."""
        for seq in seqs:
            batch = self._batch_of.pop(seq, None)
            if batch is None:
                continue
            del batch.left[seq]
            if not batch.left:
                del self._batches[batch.number]

    def withdraw(self, seqs: Iterable[int]) -> None:
        """Remove requests that another home will get, whether or not they were sent."""
        gone = set(seqs)
        self._queue = deque(one for one in self._queue if one[0] not in gone)
        self.acknowledged(gone)

    def again(self) -> None:
        """Make all batches in flight due immediately, as they may have been lost."""
        for batch in self._batches.values():
            batch.sent_s = None

    @property
    def _has_room(self) -> bool:
        return len(self._batches) < UNACKED and self._next - self.oldest < SPAN

    def _repack(self) -> None:
        """Move requests that remain unacknowledged to the end of the queue.

        A room that a home cannot handle now must not hold up votes for its other rooms,
        so batches that were sent several times are queued again.
        """
        for batch in list(self._batches.values()):
            if batch.times < STUBBORN:
                continue
            del self._batches[batch.number]
            for seq, encoded in batch.left.items():
                del self._batch_of[seq]
                self._queue.append((seq, encoded))

    def _pack(self) -> None:
        """Make a batch of the oldest queued requests; a single one always fits."""
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


PROBES = 16
"""Number of the latest probes that are compared."""


class ClockOffset:
    """Home time minus own time, in milliseconds."""

    def __init__(self) -> None:
        self._probes: deque[tuple[float, float]] = deque(maxlen=PROBES)
        self._is_old = False

    def doubt(self) -> None:
        """Use the offset only until the next answer: a side may have been suspended."""
        self._is_old = True

    def add(self, sent_ms: float, home_ms: float, heard_ms: float) -> None:
        """Add a probe: own time when sent, home's time, own time when answered."""
        if self._is_old:
            self._probes.clear()
            self._is_old = False
        round_trip_ms = max(0.0, heard_ms - sent_ms)
        self._probes.append((round_trip_ms, home_ms + round_trip_ms / 2 - heard_ms))

    @property
    def offset_ms(self) -> float:
        """What to add to this node's time; 0 before the first answer."""
        return min(self._probes)[1] if self._probes else 0.0

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest round trip; None before the first answer."""
        return min(self._probes)[0] if self._probes else None


log = logging.getLogger("twogaps.federation")

FORGET_S = 0.1
"""How long acknowledged votes are collected before they are deleted from disk (s)."""

ROUND_TRIPS = 3
"""Number of round trips after which a batch without an answer is sent again."""

ROOM_FOR_ITEMS = MOST_BYTES - 1_024
"""Maximum bytes of requests in a batch; the rest is for its envelope."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When an edge resends unacknowledged batches. Times are in seconds."""

    least_rto_s: float = 1.0
    """Minimum wait for an answer; three round trips if they take longer."""
    retry_s: float = 0.25
    """Interval between checks for batches that have waited too long."""


PACE = Pace()


@dataclass(slots=True)
class Home:
    """What an edge knows about one home."""

    boot: str = ""
    is_up: bool = False
    offset: ClockOffset = field(default_factory=ClockOffset)
    window: Window = field(default_factory=lambda: Window(ROOM_FOR_ITEMS))
    fresh: list[UpItem] = field(default_factory=list)
    """Requests that are not secured on disk yet."""


class Sender:
    """Sends the requests of one edge to its homes."""

    def __init__(
        self,
        node: str,
        boot: str,
        bus: Bus,
        outbox: Outbox,
        received: Callable[[UpItem], None],
        pace: Pace,
    ) -> None:
        """``received`` is called with each request once it is secured at this site."""
        self._node = node
        self._boot = boot
        self._bus = bus
        self._outbox = outbox
        self._received = received
        self._pace = pace
        self._homes: dict[str, Home] = {}
        self._done: list[UpItem] = []
        """Acknowledged requests that are still on disk."""
        self._news = asyncio.Event()
        self.resent = 0
        """Number of times that a batch was sent again."""

    # --- unacknowledged requests -----------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether no more requests can be accepted."""
        return self._outbox.is_full

    @property
    def owed(self) -> int:
        """Number of unacknowledged requests."""
        return self._outbox.size

    def home(self, name: str) -> Home:
        """Return a home; a new one starts with the requests left by an earlier run."""
        home = self._homes.get(name)
        if home is None:
            home = self._homes[name] = Home()
            for item in self._outbox.waiting(name):
                home.window.put(item.seq, encode(item))
        return home

    def live(self) -> list[str]:
        """Return the homes that are up."""
        return [name for name, home in self._homes.items() if home.is_up]

    def put(self, home: str, room: RoomCode, link: str, body: UpBody) -> UpItem:
        """Accept a request to a home, and return it as an item."""
        known = self.home(home)
        item = self._outbox.put(home, room, link, body)
        known.fresh.append(item)
        self._news.set()
        return item

    def is_waiting(self, home: str, seq: int) -> bool:
        """Whether a request is not acknowledged yet."""
        return self._outbox.is_waiting(home, seq)

    def votes_owed(self, home: str, room: RoomCode) -> int:
        """Return the number of unacknowledged votes for a room."""
        waiting = self._outbox.waiting(home)
        return sum(item.room == room and is_vote(item.body) for item in waiting)

    def acknowledged(self, home: str, seqs: Iterable[int]) -> list[UpItem]:
        """Remove and return the requests that a home has acknowledged."""
        known = self._homes.get(home)
        if known is None:
            return []
        done = self._outbox.acknowledged(home, seqs)
        known.window.acknowledged(item.seq for item in done)
        self._done += done
        self._news.set()
        return done

    def again(self, home: str | None = None) -> None:
        """Resend everything that a disconnect or a home's restart may have lost."""
        for owed in self._outbox.homes():
            self.home(owed)
        for name, known in self._homes.items():
            if home in (None, name):
                known.window.again()
        self._news.set()

    def move(self, room: RoomCode, old: str, new: str) -> None:
        """Redirect a room's requests to its new home."""
        items = self._outbox.move(room, old, new)
        self.home(old).window.withdraw(item.seq for item in items)
        self.home(new).fresh += items
        self._news.set()

    def take_home(self, room: RoomCode, old: str) -> None:
        """Redirect the votes for a room that has moved here to this node itself.

        They are sent over the bus like all others. The room's other requests are
        dropped, since those clients join again.
        """
        items = self._outbox.move(room, old, self._node)
        self.home(old).window.withdraw(item.seq for item in items)
        rest = [item.seq for item in items if not is_vote(item.body)]
        self._outbox.acknowledged(self._node, rest)
        self.home(self._node).fresh += [
            item.model_copy(update={"link": ""}) for item in items if is_vote(item.body)
        ]
        self._news.set()

    # --- sending ---------------------------------------------------------------------

    async def run(self) -> None:
        """Secure new requests on disk and send them, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            for name, home in list(self._homes.items()):
                fresh, home.fresh = home.fresh, []
                if fresh:
                    await self._secure(name, fresh)
                for item in fresh:
                    if self._outbox.is_waiting(name, item.seq):
                        home.window.put(item.seq, encode(item))
                self.send(name)

    async def _secure(self, name: str, fresh: list[UpItem]) -> None:
        try:
            await self._outbox.secure(name, fresh)
        except DiskError as exc:
            log.warning("the outbox cannot be written: %s", exc)
        else:
            for item in fresh:
                self._received(item)

    def send_all(self) -> None:
        """Send the batches that are due to any home, including those to send again."""
        for name in self._homes:
            self.send(name)

    def send(self, name: str) -> None:
        """Send the batches that are due to a home, if the broker is connected."""
        if not self._bus.is_up:
            return
        window, offset = self._homes[name].window, self._homes[name].offset
        round_trip_s = (offset.round_trip_ms or 0) / 1000
        rto_s = max(self._pace.least_rto_s, ROUND_TRIPS * round_trip_s)
        topic = topics.up(name, self._node)
        now_s, is_up = asyncio.get_running_loop().time(), self._homes[name].is_up
        for batch in window.due(now_s, rto_s, is_up=is_up):
            items = batch.left.values()
            payload = encode_up_batch(self._boot, batch.number, window.oldest, items)
            self._bus.publish(topic, payload)
            self.resent += batch.times > 1

    async def resend(self) -> None:
        """Resend batches that have waited too long, until cancelled."""
        while True:
            await asyncio.sleep(self._pace.retry_s)
            self.send_all()

    async def forget_done(self) -> None:
        """Delete acknowledged votes from disk, many at a time, until cancelled."""
        while True:
            await asyncio.sleep(FORGET_S)
            done, self._done = self._done, []
            await self._forget(done)

    async def _forget(self, done: list[UpItem]) -> None:
        try:
            await self._outbox.forget(done)
            await self._outbox.save_kept()
        except DiskError as exc:
            log.warning("the outbox cannot be written: %s", exc)
