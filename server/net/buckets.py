"""Token buckets, one by one and by key. Bounded in memory whatever the keys are."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 8192
"""Keys that are remembered at once; who was quiet for longest is forgotten first."""

Now = Callable[[], float]
"""Seconds that never go back."""


class Bucket:
    """A token bucket: ``rate`` tokens a second, at most ``burst`` saved up."""

    __slots__ = ("_at", "_burst", "_now", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: Now = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._now = now
        self._at = now()

    def wait_s(self) -> float:
        """Return how many seconds it takes until a token is there (0: there is)."""
        self._fill()
        return max(0.0, 1 - self._tokens) / self._rate

    def take(self) -> float:
        """Take a token, on credit too; return how many seconds to wait for it."""
        self._fill()
        self._tokens -= 1
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

    def give_back(self) -> None:
        """Undo a take that came to nothing."""
        self._tokens += 1

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Buckets:
    """A bucket for each key, of the same rate and burst."""

    def __init__(self, rate: float, burst: float, now: Now = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._of: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        """Return a key's bucket, full where the key is new."""
        bucket = self._of.get(key)
        if bucket is None:
            bucket = self._of[key] = Bucket(self._rate, self._burst, self._now)
            if len(self._of) > MOST:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(key)
        return bucket

    def __len__(self) -> int:
        return len(self._of)
