"""The clock that rooms use: UTC milliseconds that never jump."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Tells the time in integer UTC milliseconds."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970; never goes backwards."""
        ...


class SystemClock:
    """UTC read once at startup, advanced by a monotonic clock that includes suspend.

    Setting the machine's clock during a lesson does not move deadlines, and a laptop
    that was suspended overnight wakes up with the right time.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        running_ns: Callable[[], int] | None = None,
    ) -> None:
        """``wall_ns`` returns UTC and is called once; ``running_ns`` is monotonic.

        Both return nanoseconds.
        """
        self._running_ns = running_ns or since_boot_ns
        self._offset_ns = wall_ns() - self._running_ns()

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return (self._running_ns() + self._offset_ns) // 1_000_000


def since_boot_ns() -> int:
    """Return nanoseconds since an arbitrary point, including suspended time.

    ``time.monotonic`` stops during suspend on Linux (CLOCK_MONOTONIC) and on macOS
    (mach_absolute_time), but not on Windows. The clocks used here keep running:
    CLOCK_BOOTTIME on Linux and CLOCK_MONOTONIC on macOS (clock_gettime(2) and (3)).
    """
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return time.monotonic_ns()
