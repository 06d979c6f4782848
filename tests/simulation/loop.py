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
import contextvars
import random
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

NODE: contextvars.ContextVar[str | None] = contextvars.ContextVar("node", default=None)
"""Whose work a callback is; None for phones, the network and the disks."""

NOWHERE = contextvars.Context()
"""The context of what belongs to no node, and so cannot be paused."""

THREAD_S = 0.004
"""How long the work of a thread takes at most."""


_Held = tuple[
    list[asyncio.Handle], Callable[..., object], tuple[Any, ...], contextvars.Context
]
"""A callback of a paused node, and its handle, by which it may be cancelled still."""


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
        self._held: dict[str, list[_Held]] = {}
        super().__init__(self._clock)
        self._clock_resolution = 1e-6  # a timer is due if rounding alone says no

    # --- nodes that are paused --------------------------------------------------------

    def pause(self, node: str) -> None:
        """Run nothing of a node, as SIGSTOP does; time passes meanwhile."""
        self._held.setdefault(node, [])

    def resume(self, node: str) -> None:
        """Run what has become due of a node meanwhile, and all that follows."""
        for gate, callback, args, context in self._held.pop(node, ()):
            super().call_soon(self._gated, node, gate, callback, args, context=context)

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Run a callback soon, unless its node is paused by then."""
        node = NODE.get() if context is None else context.get(NODE)
        if node is None:
            return super().call_soon(callback, *args, context=context)
        gate: list[asyncio.Handle] = []
        handle = super().call_soon(
            self._gated, node, gate, callback, args, context=context
        )
        gate.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a time, unless its node is paused then."""
        node = NODE.get() if context is None else context.get(NODE)
        if node is None:
            return super().call_at(when, callback, *args, context=context)
        gate: list[asyncio.Handle] = []
        handle = super().call_at(
            when, self._gated, node, gate, callback, args, context=context
        )
        gate.append(handle)
        return handle

    def _gated(
        self,
        node: str,
        gate: list[asyncio.Handle],
        callback: Callable[..., object],
        args: tuple[Any, ...],
    ) -> None:
        if gate[0].cancelled():  # while its node was paused
            return
        held = self._held.get(node)
        if held is None:
            callback(*args)
        else:
            held.append((gate, callback, args, contextvars.copy_context()))

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
