"""Whether the server's parts work: each is really tried, at most once a second.

A check does what the part is there for (a commit that is synced, free space, a broker
that answers) and returns what is wrong, in words that name no path and no person. All
who ask in the same second share one look, so that asking costs next to nothing.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from server.disk import DiskError
from server.journal.store import StoreUnavailable
from server.metrics import Metrics

log = logging.getLogger("twogaps.health")

LOW_BYTES = 16 * 1024 * 1024
"""Less free space than this is a full disk soon: a class of 300 writes about 1 MB."""

Check = Callable[[], Awaitable[str | None]]
"""Tries a part; returns what is wrong, or None."""


class Health:
    """Looks at the parts of a server when asked."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: Metrics,
        now: Callable[[], float] = time.monotonic,
        *,
        fresh_s: float = 1.0,
        patience_s: float = 3.0,
    ) -> None:
        """A look is good for ``fresh_s`` seconds. A part that has not answered after
        ``patience_s`` seconds does not work; ``now`` tells seconds that never go back.
        """
        self._checks = dict(checks)
        self._metrics = metrics
        self._now = now
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._looked_s = -fresh_s
        self._found: dict[str, str | None] = {}
        self._looking = asyncio.Lock()

    async def look(self) -> Mapping[str, str | None]:
        """Return for each part what is wrong with it, or None; a second old at most."""
        async with self._looking:
            if self._now() - self._looked_s >= self._fresh_s:
                self._take_in(await self._try_all())
                self._looked_s = self._now()
            return self._found

    async def _try_all(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}

        async def attempt(part: str, check: Check) -> None:
            try:
                async with asyncio.timeout(self._patience_s):
                    found[part] = await check()
            except TimeoutError:
                found[part] = "does not answer"
            except Exception:
                log.exception("health: the check of %s failed", part)
                found[part] = "cannot be checked"

        async with asyncio.TaskGroup() as group:
            for part, check in self._checks.items():
                group.create_task(attempt(part, check), name=f"check-{part}")
        return found

    def _take_in(self, found: dict[str, str | None]) -> None:
        """Keep what was found, and log what has changed."""
        for part, complaint in found.items():
            self._metrics.healthy.labels(part).set(complaint is None)
            if complaint is None and self._found.get(part) is not None:
                log.info("health: %s works again", part)
            elif complaint is not None and self._found.get(part) != complaint:
                log.warning("health: %s %s", part, complaint)
        self._found = found


def check_journal(commit: Callable[[], Awaitable[None]]) -> Check:
    """Return a check of the journal: ``commit`` writes a heartbeat to it, and syncs."""

    async def check() -> str | None:
        try:
            await commit()
        except StoreUnavailable:
            return "cannot be written"
        return None

    return check


def check_space(folder: Path, low_bytes: int = LOW_BYTES) -> Check:
    """Return a check of the free space where the journal grows.

    A heartbeat alone may still fit into a file that exists; a class's votes may not.
    """

    async def check() -> str | None:
        try:
            free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        except OSError:
            return "cannot be read"
        return "is nearly full" if free < low_bytes else None

    return check


class Outbox(Protocol):
    """What is asked of an outbox to find out whether it works."""

    @property
    def is_full(self) -> bool:
        """Whether no more may be taken."""
        ...

    async def check(self) -> None:
        """Write and commit something that leaves no trace. Raises DiskError."""
        ...


def check_outbox(box: Outbox) -> Check:
    """Return a check that writes to the outbox and waits for its sync."""

    async def check() -> str | None:
        if box.is_full:
            return "is full"
        try:
            await box.check()
        except DiskError:
            return "cannot be written"
        return None

    return check


def check_broker(is_up: Callable[[], bool]) -> Check:
    """Return a check of the line to the broker, which is pinged every few seconds."""

    async def check() -> str | None:
        return None if is_up() else "is not connected"

    return check
