"""Limits, as numbers and as buckets. A whole school sits behind one address: limits
per address are generous, limits per socket strict."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask of the server. Rates are per second."""

    player_frame: int = 4 * 1024
    """Bytes in a frame of a player or a screen."""
    staff_frame: int = 256 * 1024
    """Bytes in a frame of a host or an admin."""
    player_rate: float = 20
    """Messages of one player's socket; a burst of twice as many is let through."""
    staff_rate: float = 100
    """Messages of a host's or admin's socket."""
    hello_s: float = 15
    """Seconds in which a socket must be welcome."""
    hellos: int = 10
    """Refused hellos on one socket before it is closed."""
    wrong_codes: float = 2
    """Wrong codes and proofs of one address; a burst of 100 is let through."""
    sockets: int = 12_000
    """Open sockets of the whole server."""
    rooms: int = 200
    """Rooms running at once."""


class Bucket:
    """A token bucket: ``rate`` tokens a second, at most ``burst`` saved up."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = time.monotonic()

    def take(self) -> float:
        """Take a token; return how many seconds to wait first (0: none)."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate


class Wrongs:
    """Counts wrong codes and proofs by address, for the last few thousand of them."""

    def __init__(self, rate: float, burst: float = 100, most: int = 4096) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def count(self, address: str) -> float:
        """Note one more; return how many seconds the address should wait."""
        bucket = self._buckets.setdefault(address, Bucket(self._rate, self._burst))
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket.take()
