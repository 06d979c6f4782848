"""An event loop whose time is simulated: it passes only when nothing is left to do.

Everything runs in one thread in an order that depends on nothing but the seed. Work
that the code under test gives to a thread is run on the loop, after a moment drawn from
the seed.

looptime has a loop with simulated time as well. It does not run the work of threads on
the loop, so a run with a SQLite file in it would not repeat; two others that promise
seeded schedules are not released as packages. What is needed of a loop is small.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREAD_S = 0.004
"""How long the work of a thread takes at most."""


class NothingLeft(Exception):  # noqa: N818 - names a condition
    """The simulation waits for something that nothing will bring about."""


class _Selector(selectors.SelectSelector):
    """Has no files to wait for: lets the time pass instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeft("no callback and no timer is left")
        self.now_s += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with simulated time, in seconds from 0."""

    def __init__(self, chance: random.Random) -> None:
        """``chance`` draws how long the work of threads takes."""
        self._clock = _Selector()
        self._chance = chance
        super().__init__(self._clock)
        self._clock_resolution = 1e-6  # a timer is due if rounding alone says no

    def time(self) -> float:
        """Return the simulated time."""
        return self._clock.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a function on the loop a moment later."""
        del executor
        done: asyncio.Future[T] = self.create_future()

        def run() -> None:
            if done.cancelled():
                return
            try:
                result = func(*args)
            except Exception as exc:  # noqa: BLE001 - handed to the awaiting task
                done.set_exception(exc)
            else:
                done.set_result(result)

        self.call_later(self._chance.uniform(0, THREAD_S), run)
        return done


def run(work: Coroutine[Any, Any, T], chance: random.Random) -> T:
    """Run a coroutine on a loop of its own; every task that it leaves is cancelled."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(chance)) as runner:
        return runner.run(work)
