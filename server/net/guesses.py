"""Guessing room codes: what is counted, whom it slows, and whom it does not.

A code has six characters, so it could be found by trying. Keys and tokens have 128
bits: they cannot, and trying them is limited by the socket alone. What is counted is
each *different* wrong code of an address: a whole class that asks again and again for
a room that is gone counts once. An address that has tried too many is not let try new
ones before it may again, right or wrong, so that nothing is learned by trying on; codes
that were right for somebody at this address stay open to everybody there.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from server.net.buckets import MOST, Bucket, Now

REMEMBERED = 256
"""Codes remembered of each address, right ones and wrong ones."""


@dataclass(slots=True)
class _Tries:
    """What one address has tried."""

    bucket: Bucket
    right: OrderedDict[str, None] = field(default_factory=OrderedDict)
    wrong: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Guesses:
    """Wrong codes by address, for the last few thousand addresses."""

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
