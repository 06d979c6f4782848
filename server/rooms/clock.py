"""The clock of the rooms: UTC milliseconds that never jump."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in integer UTC milliseconds."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970; never goes backwards."""
        ...


class SystemClock:
    """UTC as it was at the start, carried on by the monotonic clock.

    Somebody setting the laptop's clock in mid-lesson moves no deadline.
    """

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000
