"""Whether the server's parts work: each is really tried, at most once a second.

A check does what the part is there for (a commit that is synced, free space, a broker
that answers) and returns what is wrong, in words that name no path and no person. All
who ask in the same second share one look, so that asking costs next to nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from server.metrics import Metrics

log = logging.getLogger("twogaps.health")

FRESH_S = 1.0
"""How long a look is good for."""

PATIENCE_S = 3.0
"""A part that has not answered after so long does not work."""

Check = Callable[[], Awaitable[str | None]]
"""Tries a part; returns what is wrong, or None."""


class Health:
    """Looks at the parts of a server when asked."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: Metrics,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``now`` tells seconds that never go back."""
        self._checks = dict(checks)
        self._metrics = metrics
        self._now = now
        self._looked_s = -FRESH_S
        self._found: dict[str, str | None] = {}
        self._looking = asyncio.Lock()

    async def look(self) -> Mapping[str, str | None]:
        """Return for each part what is wrong with it, or None; a second old at most."""
        async with self._looking:
            if self._now() - self._looked_s >= FRESH_S:
                self._take_in(await self._try_all())
                self._looked_s = self._now()
            return self._found

    async def _try_all(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}

        async def attempt(part: str, check: Check) -> None:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    found[part] = await check()
            except TimeoutError:
                found[part] = "does not answer"

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
