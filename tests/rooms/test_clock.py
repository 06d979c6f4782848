"""The clock of the rooms: what the machine does to its clocks moves no deadline."""

from __future__ import annotations

import time

import pytest

from server.rooms.clock import SystemClock, since_boot_ns

HOUR_NS = 3600 * 10**9


class Machine:
    """A machine whose clocks the test moves."""

    def __init__(self) -> None:
        self.wall_ns = 1_790_000_000 * 10**9
        self.boot_ns = 5 * HOUR_NS
        self.awake_ns = 5 * HOUR_NS

    def suspend(self, ns: int) -> None:
        """Sleep: the wall clock and the time since boot go on, the rest stops."""
        self.wall_ns += ns
        self.boot_ns += ns

    def gettime_ns(self, clock: int) -> int:
        """Return what ``time.clock_gettime_ns`` would."""
        return self.boot_ns if clock == time.CLOCK_BOOTTIME else self.awake_ns


@pytest.mark.posix
def test_a_night_asleep_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(time, "clock_gettime_ns", machine.gettime_ns)
    monkeypatch.setattr(time, "monotonic_ns", lambda: machine.awake_ns)
    monkeypatch.setattr("sys.platform", "linux")
    clock = SystemClock(wall_ns=lambda: machine.wall_ns)
    before_ms = clock.now_ms()
    machine.suspend(8 * HOUR_NS)
    assert clock.now_ms() - before_ms == 8 * 3600 * 1000
    assert clock.now_ms() == machine.wall_ns // 10**6


def test_setting_the_wall_clock_moves_nothing() -> None:
    machine = Machine()
    clock = SystemClock(lambda: machine.wall_ns, lambda: machine.boot_ns)
    before_ms = clock.now_ms()
    machine.wall_ns -= HOUR_NS
    assert clock.now_ms() == before_ms


def test_it_is_utc_now() -> None:
    assert abs(SystemClock().now_ms() - time.time_ns() // 10**6) < 1000
    assert since_boot_ns() <= since_boot_ns()
