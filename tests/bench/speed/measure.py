"""The measurements: what is done to a subject, and what is read off meanwhile.

CPU figures are differences of the subject's own CPU clock, so neighbors on the machine
disturb them little; times on the wall include whatever else the machine was doing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from tests.bench.speed.server_process import Subject
from tests.bench.speed.swarm import GUARD_S, Swarm

MS = 1e-6
"""Milliseconds in a nanosecond."""


@dataclass(frozen=True, slots=True)
class Fan:
    """One message to all sockets: medians over several times. Times in ms since it was
    asked for; CPU of the subject in µs a socket."""

    bytes_each: int
    cpu_us: float
    first_ms: float
    median_ms: float
    p99_ms: float
    last_ms: float
    driver_share: float

    @property
    def spread_ms(self) -> float:
        """How much later than the first the last one has it."""
        return self.last_ms - self.first_ms


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes of all players, each waiting for its answer before the next."""

    votes: int
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_s_per_1000: float
    answer_bytes: float
    """Bytes of one answer, its frame's header included."""
    progress_bytes: float
    """All other bytes to players meanwhile, by votes."""
    server_share: float
    """Part of one core that the subject used."""
    driver_share: float


@dataclass(frozen=True, slots=True)
class Joins:
    """The arrival of all players."""

    per_s: float
    cpu_ms_each: float
    memory_kb_each: float
    """Growth of the subject's resident set, by connections (kB of 1,000 bytes)."""


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share (0-1) of sorted values lies."""
    return values[min(len(values) - 1, int(share * len(values)))]


def joins(
    swarm: Swarm,
    subject: Subject,
    hellos: list[bytes],
    ready: bytes,
    tell: Callable[[int], None],
) -> Joins:
    """Let all players join."""
    memory, cpu = subject.memory_bytes, subject.cpu_s
    took_s = swarm.enter(hellos, ready, tell)
    rest(swarm, 0.3)
    n = len(hellos)
    return Joins(
        per_s=n / took_s,
        cpu_ms_each=(subject.cpu_s - cpu) / n * 1e3,
        memory_kb_each=(subject.memory_bytes - memory) / n / 1e3,
    )


def rest(swarm: Swarm, for_s: float) -> None:
    """Read what comes for a while, and do nothing."""
    end = time.monotonic() + for_s
    swarm.listen(
        lambda *_: False,
        idle=lambda: min(0.05, left) if (left := end - time.monotonic()) > 0 else -1,
    )


def fan(
    swarm: Swarm, subject: Subject, order: Callable[[], None], begins: bytes, times: int
) -> Fan:
    """Have one message sent to all sockets, several times over: the medians."""
    return middle([_fan_once(swarm, subject, order, begins) for _ in range(times)])


def middle(fans: Sequence[Fan]) -> Fan:
    """Return the median of each figure."""
    names = [each.name for each in fields(Fan)]
    return Fan(**{n: statistics.median(getattr(fan, n) for fan in fans) for n in names})


def _fan_once(
    swarm: Swarm, subject: Subject, order: Callable[[], None], begins: bytes
) -> Fan:
    n = len(swarm.seats)
    got: dict[int, int] = {}
    size = 0

    def heard(index: int, payload: bytes, now_ns: int) -> bool:
        nonlocal size
        if payload.startswith(begins):
            got[index] = now_ns
            size = len(payload)
        return len(got) == n

    swarm.is_awake = True
    cpu, mine, start_ns = subject.cpu_s, swarm.busy_ns, time.monotonic_ns()
    order()
    swarm.listen(heard)
    swarm.is_awake = False
    took_s = (time.monotonic_ns() - start_ns) / 1e9
    share = (swarm.busy_ns - mine) / 1e9 / took_s
    rest(swarm, ACCOUNTED_S)
    cpu_us = (subject.cpu_s - cpu) * 1e6 / n
    ms = sorted((ns - start_ns) * MS for ns in got.values())
    return Fan(
        bytes_each=size,
        cpu_us=cpu_us,
        first_ms=ms[0],
        median_ms=percentile(ms, 0.5),
        p99_ms=percentile(ms, 0.99),
        last_ms=ms[-1],
        driver_share=share,
    )


ACCOUNTED_S = 0.02
"""The kernel books a process's time when it next sleeps: it is read after that."""

BUNCH = 32
"""Votes that the driver sends before it looks for answers again."""


def votes(
    swarm: Swarm, subject: Subject, frames: list[list[bytes]], answer: bytes
) -> Votes:
    """Let all players vote together, and again as soon as the answer is there.

    ``frames`` are each player's votes, ``answer`` how its answers begin.
    """
    n, total = len(frames), sum(map(len, frames))
    sent_ns = [0] * n
    turn = [0] * n
    took_ns: list[int] = []
    first = iter(range(n))

    def cast(index: int) -> None:
        sent_ns[index] = time.monotonic_ns()
        swarm.send(index, frames[index][turn[index]])
        turn[index] += 1

    def idle() -> float:
        began_ns = time.monotonic_ns()
        for _, index in zip(range(BUNCH), first, strict=False):
            cast(index)
        swarm.busy_ns += time.monotonic_ns() - began_ns
        return GUARD_S

    answered = 0

    def heard(index: int, payload: bytes, now_ns: int) -> bool:
        nonlocal answered
        if payload.startswith(answer):
            answered += len(payload) + (4 if len(payload) > 125 else 2)
            took_ns.append(now_ns - sent_ns[index])
            if turn[index] < len(frames[index]):
                cast(index)
        return len(took_ns) == total

    swarm.is_awake = True
    had, cpu, mine = swarm.received, subject.cpu_s, swarm.busy_ns
    start = time.perf_counter()
    swarm.listen(heard, idle=idle)
    took_s, mine = time.perf_counter() - start, swarm.busy_ns - mine
    swarm.is_awake = False
    rest(swarm, ACCOUNTED_S)
    cpu = subject.cpu_s - cpu
    ms = sorted(ns * MS for ns in took_ns)
    return Votes(
        votes=total,
        per_s=total / took_s,
        p50_ms=percentile(ms, 0.5),
        p99_ms=percentile(ms, 0.99),
        cpu_s_per_1000=cpu / total * 1e3,
        answer_bytes=answered / total,
        progress_bytes=(swarm.received - had - answered) / total,
        server_share=cpu / took_s,
        driver_share=mine / 1e9 / took_s,
    )


def paced(
    swarm: Swarm, frames: list[bytes], within_s: float, answer: bytes
) -> list[float]:
    """Let each player vote once, evenly within a time; return sorted ms to answers."""
    n = len(frames)
    start_ns = time.monotonic_ns() + 10_000_000
    due_ns = [start_ns + int(i * within_s * 1e9 / n) for i in range(n)]
    sent_ns = [0] * n
    following = 0
    took: list[float] = []

    def idle() -> float:
        nonlocal following
        while following < n and time.monotonic_ns() >= due_ns[following]:
            sent_ns[following] = time.monotonic_ns()
            swarm.send(following, frames[following])
            following += 1
        if following == n:
            return 60
        return max(0.0, (due_ns[following] - time.monotonic_ns()) / 1e9)

    def heard(index: int, payload: bytes, now_ns: int) -> bool:
        if payload.startswith(answer):
            took.append((now_ns - sent_ns[index]) * MS)
        return len(took) == n

    swarm.listen(heard, idle=idle)
    return sorted(took)
