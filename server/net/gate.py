"""The gate: decides who may connect, join, try a code, open a room or fetch a page.

Limits that span several sockets are enforced here; limits on a single socket are in
session.py. The gate never slows down clients that are already in a room: reconnecting
with a token and sending messages in a room bypass it.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from server.game.errors import Refused
from server.game.ids import RoomCode
from server.metrics import Metrics
from server.net.addresses import HERE
from server.net.limits import NAMES, TOLD, Bucket, Limits, Now, Recent

REMEMBERED = 256
"""Right codes remembered per address, and as many wrong ones."""

LEAST_RETRY_MS = 1_000
BUSY_RETRY_MS = 5_000


class Gate:
    """Counts requests by address and by room, and refuses those over a limit."""

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        now: Now = time.monotonic,
        *,
        queue_s: float = 5.0,
        most: int = 8192,
    ) -> None:
        """A new socket or a join waits at most ``queue_s`` seconds for its turn. At
        most ``most`` addresses are remembered, and as many rooms.
        """
        self.limits = limits
        self._hits = metrics.limits_hit(NAMES)
        self._queue_s = queue_s
        self._sockets: Counter[str] = Counter()
        self._open = 0

        def full(rate: float, bursts: float) -> Callable[[], Bucket]:
            return lambda: Bucket(rate, max(1, bursts * rate), now)

        self._connects = Recent(full(limits.connects_address, 0.5), most)
        self._pages = Recent(full(limits.pages_address, 100), most)
        self._joins = Recent(full(limits.joins_address, 60), most)
        self._room_joins = Recent(full(limits.joins_room, 2), most)
        self._opens = Recent(full(limits.opens_address, 40), most)
        self._opened = Recent(_Opened, most)
        self._guesses = Guesses(full(limits.wrong_codes, 50), most)
        self.is_overloaded = False
        self._was_late = False

    def hit(self, limit: str) -> None:
        """Count that a limit was reached; ``limit`` is its name in :class:`Limits`."""
        self._hits[limit].inc()

    # --- sockets and pages -----------------------------------------------------------

    @property
    def sockets(self) -> int:
        """The number of open websockets."""
        return self._open

    @property
    def is_full(self) -> bool:
        """Whether the server has reached its limit of open sockets."""
        return self._open >= self.limits.sockets

    @property
    def is_overfull(self) -> bool:
        """Whether too many sockets are open even to send another one its refusal."""
        return self._open >= self.limits.sockets + TOLD

    def connect_wait_s(self, address: str) -> float:
        """Take a turn for a new websocket; return how many seconds to wait for it.

        Raises :class:`Refused` ("too_fast") if that would be too long.
        """
        if address == HERE:
            return 0.0
        bucket = self._connects.of(address)
        wait_s = bucket.take()
        if wait_s > self._queue_s:
            bucket.give_back()
            self.hit("connects_address")
            what = "Your network is opening too many connections right now."
            raise _later(what, wait_s - self._queue_s)
        return wait_s

    def is_crowded(self, address: str) -> bool:
        """Whether a new websocket from an address would have to wait too long."""
        if address == HERE:
            return False
        return self._connects.of(address).wait_s() > self._queue_s

    def enter(self, address: str) -> str | None:
        """Count a new websocket; return the limit it exceeds, or None."""
        is_full, has_all = self.is_full, self._has_all(address)
        self._open += 1
        self._sockets[address] += 1
        if not is_full and not has_all:
            return None
        limit = "sockets" if is_full else "sockets_address"
        self.hit(limit)
        return limit

    def _has_all(self, address: str) -> bool:
        held = self._sockets[address] if address != HERE else 0
        return held >= self.limits.sockets_address

    def leave(self, address: str) -> None:
        """Stop counting a websocket that has closed."""
        self._open -= 1
        self._sockets[address] -= 1
        if not self._sockets[address]:
            del self._sockets[address]

    def page_wait_s(self, address: str, price: float = 1) -> float:
        """Return how many seconds to wait before fetching a page (0: fetch it now).

        ``price`` is the cost of the request, where an ordinary page costs 1.
        """
        if address == HERE:
            return 0.0
        bucket = self._pages.of(address)
        wait_s = bucket.wait_s(price)
        if wait_s > 0:
            self.hit("pages_address")
        else:
            bucket.take(price)
        return wait_s

    # --- joining ---------------------------------------------------------------------

    def join_wait_s(self, address: str, room: str) -> float:
        """Take a turn for a new player to join; return how many seconds to wait for it.

        Raises :class:`Refused` ("too_fast", "busy") if that would be too long.
        """
        if self.is_overloaded:
            self.hit("lag_ms")
            detail = "The server is very busy; people already playing go first."
            raise Refused("busy", detail, BUSY_RETRY_MS)
        turns = {"joins_room": self._room_joins.of(room)}
        if address != HERE:
            turns["joins_address"] = self._joins.of(address)
        waits = {name: bucket.take() for name, bucket in turns.items()}
        limit = max(waits, key=lambda name: waits[name])
        if waits[limit] > self._queue_s:
            for bucket in turns.values():
                bucket.give_back()
            self.hit(limit)
            raise _later("Too many people are joining right now.", waits[limit])
        return waits[limit]

    # --- codes -----------------------------------------------------------------------

    def try_code(self, address: str, code: str) -> None:
        """Let an address try a room's code; raises :class:`Refused` ("too_fast")."""
        wait_s = self._guesses.wait_s(address, code) if address != HERE else 0.0
        if wait_s > 0:
            self.hit("wrong_codes")
            raise _later("Too many wrong codes were tried from your network.", wait_s)

    def code_was(self, address: str, code: str, *, is_right: bool) -> None:
        """Record whether a code that an address tried was right."""
        if address != HERE:
            note = self._guesses.right if is_right else self._guesses.wrong
            note(address, code)

    # --- rooms -----------------------------------------------------------------------

    @contextlib.contextmanager
    def opening(
        self, address: str, is_running: Callable[[RoomCode], bool]
    ) -> Iterator[Callable[[RoomCode], None]]:
        """Let an address open a room; raises :class:`Refused`.

        Call the yielded function with the new room's code. Rooms that are being opened
        count as running.
        """
        if address == HERE:
            yield lambda _: None
            return
        opened = self._opened.of(address)
        opened.codes = {code for code in opened.codes if is_running(code)}
        if opened.n >= self.limits.rooms_address:
            self.hit("rooms_address")
            detail = (
                f"Your network has reached its limit of open rooms ({opened.n}). "
                "Finish one first."
            )
            raise Refused("rooms_full", detail)
        bucket = self._opens.of(address)
        if (wait_s := bucket.wait_s()) > 0:
            self.hit("opens_address")
            raise _later("Rooms are being opened too fast.", wait_s)
        bucket.take()
        opened.on_the_way += 1
        try:
            yield opened.codes.add
        finally:
            opened.on_the_way -= 1

    # --- load ------------------------------------------------------------------------

    def feel(self, lag_s: float) -> None:
        """Record the loop's lag; after two high readings, new joins are refused."""
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
class _Opened:
    """The rooms that one address has opened or is opening."""

    codes: set[RoomCode] = field(default_factory=set)
    on_the_way: int = 0

    @property
    def n(self) -> int:
        return len(self.codes) + self.on_the_way


@dataclass(slots=True)
class _Tries:
    """The codes that one address has tried."""

    bucket: Bucket
    right: OrderedDict[str, None] = field(default_factory=OrderedDict)
    wrong: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Guesses:
    """Counts wrong codes per address, for the last few thousand addresses.

    A code has only six characters, so it could be guessed. Keys and tokens have 128
    bits and cannot be guessed, so attempts at them are only limited per socket. Only
    *distinct* wrong codes from an address are counted: a whole class that keeps asking
    for a room that is gone counts once. After too many wrong codes, an address may not
    try new ones for a while, right or wrong, so an attacker learns nothing by
    continuing. Codes that were right for one person at an address still work for
    everyone there.
    """

    def __init__(self, full: Callable[[], Bucket], most: int) -> None:
        """``full`` makes an address's bucket; ``most`` addresses are remembered."""
        self._of = Recent(lambda: _Tries(full()), most)

    def wait_s(self, address: str, code: str) -> float:
        """Return how many seconds an address must wait to try a code (0: now)."""
        tries = self._of.of(address)
        if code in tries.right or code in tries.wrong:
            return 0.0
        return tries.bucket.wait_s()

    def right(self, address: str, code: str) -> None:
        """Record that a room has this code, so it keeps working for this address."""
        tries = self._of.of(address)
        tries.wrong.pop(code, None)
        _remember(tries.right, code)

    def wrong(self, address: str, code: str) -> None:
        """Record that no room has this code; repeating it does not count again."""
        tries = self._of.of(address)
        if code not in tries.wrong:
            tries.bucket.take()
        tries.right.pop(code, None)
        _remember(tries.wrong, code)


def _remember(codes: OrderedDict[str, None], code: str) -> None:
    codes[code] = None
    codes.move_to_end(code)
    if len(codes) > REMEMBERED:
        codes.popitem(last=False)
