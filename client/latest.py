"""Values that change. Readers always get the newest, and may miss older ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Awaited(Protocol):
    """Something that must arrive at least once before a session can be used."""

    async def arrived(self) -> None:
        """Wait for the first value, or for the end of the series."""
        ...

    def close(self) -> None:
        """End the series: no more values will follow."""
        ...


class Latest(Generic[T]):
    """Holds the newest value and wakes its readers. Never grows."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.is_over = False
        self._count = 0
        self._changed = asyncio.Event()

    def put(self, value: T) -> None:
        """Replace the value."""
        self.value = value
        self._count += 1
        self._wake()

    def close(self) -> None:
        """End the series. Followers stop after the last value. Idempotent."""
        self.is_over = True
        self._wake()

    def follow(self) -> AsyncIterator[T]:
        """Iterate over the current value, then each new one; ends when closed."""
        return _Follower(self)

    def now(self) -> T:
        """Return the value, which must already have arrived."""
        if self.value is None:
            raise RuntimeError("wait for the first value with arrived()")
        return self.value

    async def until(self, is_wanted: Callable[[T], bool]) -> T | None:
        """Wait for a value that matches; return None if the series ends first."""
        async for value in self.follow():
            if is_wanted(value):
                return value
        return None

    async def arrived(self) -> None:
        """Wait for the first value, or for the end of the series."""
        await self.until(lambda _: True)

    async def newer_than(self, count: int) -> tuple[int, T] | None:
        """Return the next value and its number, or None if the series ends first."""
        while self._count == count:
            if self.is_over:
                return None
            await self._changed.wait()
        return self._count, self.now()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _Follower(AsyncIterator[T]):
    def __init__(self, latest: Latest[T]) -> None:
        self._latest = latest
        self._seen = 0

    async def __anext__(self) -> T:
        found = await self._latest.newer_than(self._seen)
        if found is None:
            raise StopAsyncIteration
        self._seen, value = found
        return value


ViewT = TypeVar("ViewT")


class Stage(Generic[ViewT]):
    """The newest view of one role, according to its version."""

    def __init__(self) -> None:
        self.views: Latest[ViewT] = Latest()
        self._version = -1

    def restart(self) -> None:
        """Prepare for a new socket: take its first view, whatever its version is."""
        self._version = -1

    def take(self, version: int, view: ViewT, *, is_last: bool) -> None:
        """Take a view unless it is outdated; close the series after the last one."""
        if version < self._version:
            return
        self._version = version
        self.views.put(view)
        if is_last:
            self.views.close()
