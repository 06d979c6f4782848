"""What is measured of a process, and what is asked of the machine. Linux only."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPARE_FILES = 200
"""Files a process has open besides its sockets."""


class TooFewFiles(Exception):  # noqa: N818 - read as a sentence
    """The system does not let a process open as many files as are needed."""


def raise_file_limit(sockets: int) -> None:
    """Let this process open this many sockets; raises :class:`TooFewFiles`."""
    wanted = sockets + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    if hard < wanted and hard != resource.RLIM_INFINITY:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, OSError) as exc:
            raise TooFewFiles(
                f"{sockets:,} players need {wanted:,} open files, and the system "
                f"allows {hard:,}. Raise it ('ulimit -Hn {wanted}' as root, or "
                f"/etc/security/limits.conf), or measure fewer: --sizes 100 1000."
            ) from exc
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def pin(core: int) -> None:
    """Keep this process, and the threads it will start, on one core."""
    os.sched_setaffinity(0, {core})


_STEERING = Path("/sys/class/net/lo/queues/rx-0/rps_cpus")


class CannotSteer(Exception):  # noqa: N818 - read as a sentence
    """The system does not let this process say where loopback receives."""


@contextmanager
def receiving_on(core: int) -> Iterator[None]:
    """Have a core do the receiving half of loopback, for as long as the block lasts.

    Left alone, the kernel delivers what is sent over loopback within the very call that
    sends it, and charges the sender for its receiver. Receive packet steering
    (Documentation/networking/scaling.rst of Linux) has another core deliver it, as the
    receiver's own machine does on a network. Raises :class:`CannotSteer`: it takes
    root, and a /sys that can be written to.
    """
    try:
        before = _STEERING.read_text()
        _STEERING.write_text(f"{1 << core:x}")
    except OSError as exc:
        raise CannotSteer(
            f"{_STEERING} cannot be written ({exc.strerror}): run as root, on a "
            "machine whose /sys is not read-only, or leave --steer out."
        ) from exc
    try:
        yield
    finally:
        _STEERING.write_text(before)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used so far, in all its threads.

    Read from the process's CPU clock (clock_getcpuclockid(3)), exact to the nanosecond.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory_bytes(pid: int) -> int:
    """Return how much of a process is in memory now (resident set)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def load() -> str:
    """Return how busy the machine has been: means over 1, 5 and 15 minutes."""
    return " ".join(f"{mean:.2f}" for mean in os.getloadavg())


def processor() -> str:
    """Return the name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "an unnamed processor"
