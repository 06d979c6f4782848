"""The gate: says who may come in, join, try a code, open a room or fetch a page.

Everything that bounds more than one socket is here; what bounds a single one is in
session.py. Who is inside is never slowed by the gate: coming back with a token and
everything that is said in a room pass by it.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from server.game.errors import Refused
from server.game.ids import RoomCode
from server.metrics import Metrics
from server.net.addresses import HERE
from server.net.limits import MOST, NAMES, TOLD, Bucket, Buckets, Limits, Now

QUEUE_S = 5.0
"""A join that need not wait for longer waits here; others are refused, with a hint."""

REMEMBERED = 256
"""Codes remembered of each address, right ones and wrong ones."""

LEAST_RETRY_MS = 1_000
BUSY_RETRY_MS = 5_000


class Gate:
    """Counts by address and by room, and refuses what is too much."""

    def __init__(
        self, limits: Limits, metrics: Metrics, now: Now = time.monotonic
    ) -> None:
        self.limits = limits
        self._hits = metrics.limits_hit(NAMES)
        self._sockets: Counter[str] = Counter()
        self._open = 0
        self._pages = Buckets(limits.pages_address, 100 * limits.pages_address, now)
        self._joins = Buckets(limits.joins_address, 60 * limits.joins_address, now)
        self._room_joins = Buckets(limits.joins_room, 2 * limits.joins_room, now)
        self._opens = Buckets(limits.opens_address, 40 * limits.opens_address, now)
        self._opened: dict[str, set[RoomCode]] = {}
        self._guesses = Guesses(limits.wrong_codes, 50 * limits.wrong_codes, now)
        self.is_overloaded = False
        self._was_late = False

    def hit(self, limit: str) -> None:
        """Count that a limit, by its name in :class:`Limits`, was reached."""
        self._hits[limit].inc()

    # --- sockets and pages -----------------------------------------------------------

    @property
    def sockets(self) -> int:
        """How many websockets are open."""
        return self._open

    @property
    def is_full(self) -> bool:
        """Whether the server has all the sockets that it may have."""
        return self._open >= self.limits.sockets

    @property
    def is_overfull(self) -> bool:
        """Whether so many are being told so that the rest is not even let ask."""
        return self._open >= self.limits.sockets + TOLD

    def enter(self, address: str) -> str | None:
        """Count a websocket in; return the limit by which it has to go again."""
        is_full, is_crowded = self.is_full, self._is_crowded(address)
        self._open += 1
        self._sockets[address] += 1
        if not is_full and not is_crowded:
            return None
        limit = "sockets" if is_full else "sockets_address"
        self.hit(limit)
        return limit

    def _is_crowded(self, address: str) -> bool:
        held = self._sockets[address] if address != HERE else 0
        return held >= self.limits.sockets_address

    def leave(self, address: str) -> None:
        """Count a websocket out."""
        self._open -= 1
        self._sockets[address] -= 1
        if not self._sockets[address]:
            del self._sockets[address]

    def page_wait_s(self, address: str) -> float:
        """Return how long to wait before a page is given (0: take it now)."""
        if address == HERE:
            return 0.0
        bucket = self._pages.of(address)
        wait_s = bucket.wait_s()
        if wait_s > 0:
            self.hit("pages_address")
        else:
            bucket.take()
        return wait_s

    # --- joining ---------------------------------------------------------------------

    def join_wait_s(self, address: str, room: str) -> float:
        """Return how long a new player waits for a turn; it is then taken.

        Raises :class:`Refused` ("too_fast", "busy") where that would be too long.
        """
        if self.is_overloaded:
            self.hit("lag_ms")
            detail = "The server is very busy; who plays already goes first."
            raise Refused("busy", detail, BUSY_RETRY_MS)
        turns = {"joins_room": self._room_joins.of(room)}
        if address != HERE:
            turns["joins_address"] = self._joins.of(address)
        waits = {name: bucket.take() for name, bucket in turns.items()}
        limit = max(waits, key=lambda name: waits[name])
        if waits[limit] > QUEUE_S:
            for bucket in turns.values():
                bucket.give_back()
            self.hit(limit)
            raise _later("Too many people are joining at once.", waits[limit])
        return waits[limit]

    # --- codes -----------------------------------------------------------------------

    def try_code(self, address: str, code: str) -> None:
        """Let an address try a room's code; raises :class:`Refused` ("too_fast")."""
        wait_s = self._guesses.wait_s(address, code) if address != HERE else 0.0
        if wait_s > 0:
            self.hit("wrong_codes")
            raise _later("Too many wrong codes were tried from your network.", wait_s)

    def code_was(self, address: str, code: str, *, is_right: bool) -> None:
        """Note what came of a try."""
        if address != HERE:
            note = self._guesses.right if is_right else self._guesses.wrong
            note(address, code)

    # --- rooms -----------------------------------------------------------------------

    def may_open(self, address: str, is_running: Callable[[RoomCode], bool]) -> None:
        """Let an address open a room; raises :class:`Refused`."""
        if address == HERE:
            return
        rooms = {code for code in self._opened.get(address, ()) if is_running(code)}
        self._opened[address] = rooms
        if len(rooms) >= self.limits.rooms_address:
            self.hit("rooms_address")
            detail = f"{len(rooms)} rooms opened from your network are running already."
            raise Refused("rooms_full", detail)
        bucket: Bucket = self._opens.of(address)
        if (wait_s := bucket.wait_s()) > 0:
            self.hit("opens_address")
            raise _later("Rooms are being opened too fast.", wait_s)
        bucket.take()

    def opened(self, address: str, code: RoomCode) -> None:
        """Note who has opened a room."""
        if address != HERE:
            self._opened.setdefault(address, set()).add(code)

    # --- load ------------------------------------------------------------------------

    def feel(self, lag_s: float) -> None:
        """Note how late the loop is: twice too late, and nobody new is let in."""
        is_late = lag_s * 1000 >= self.limits.lag_ms
        if is_late and self._was_late:
            self.is_overloaded = True
        elif lag_s * 1000 < self.limits.lag_ms / 2:
            self.is_overloaded = False
        self._was_late = is_late


def _later(what: str, wait_s: float) -> Refused:
    retry_ms = max(LEAST_RETRY_MS, round(wait_s * 1000))
    return Refused("too_fast", f"{what} Please wait a moment.", retry_ms)


@dataclass(slots=True)
class _Tries:
    """What one address has tried."""

    bucket: Bucket
    right: OrderedDict[str, None] = field(default_factory=OrderedDict)
    wrong: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Guesses:
    """Wrong codes by address, for the last few thousand addresses.

    A code has six characters, so it could be found by trying. Keys and tokens have 128
    bits: they cannot, and trying them is limited by the socket alone. What is counted
    is each *different* wrong code of an address: a whole class that asks again and
    again for a room that is gone counts once. An address that has tried too many may
    not try new ones for a while, right or wrong, so that nothing is learned by going
    on; codes that were right for one person at this address stay open to all people
    there.
    """

    def __init__(self, rate: float, burst: float, now: Now = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._of: OrderedDict[str, _Tries] = OrderedDict()

    def wait_s(self, address: str, code: str) -> float:
        """Return how long an address has to wait before it may try a code (0: now)."""
        tries = self._tries(address)
        if code in tries.right or code in tries.wrong:
            return 0.0
        return tries.bucket.wait_s()

    def right(self, address: str, code: str) -> None:
        """Note that a room has this code: it stays open to this address."""
        tries = self._tries(address)
        tries.wrong.pop(code, None)
        _remember(tries.right, code)

    def wrong(self, address: str, code: str) -> None:
        """Note that no room has this code; the same again does not count again."""
        tries = self._tries(address)
        if code not in tries.wrong:
            tries.bucket.take()
        tries.right.pop(code, None)
        _remember(tries.wrong, code)

    def _tries(self, address: str) -> _Tries:
        tries = self._of.get(address)
        if tries is None:
            tries = _Tries(Bucket(self._rate, self._burst, self._now))
            self._of[address] = tries
            if len(self._of) > MOST:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(address)
        return tries


def _remember(codes: OrderedDict[str, None], code: str) -> None:
    codes[code] = None
    codes.move_to_end(code)
    if len(codes) > REMEMBERED:
        codes.popitem(last=False)
