"""Health checks and metrics for monitoring systems, over plain HTTP.

``/livez``   The process responds. If this fails, restart it.
``/healthz`` Every part of the server works. If this fails, alert a person.
``/readyz``  Clients may be sent here: all parts work, and it isn't full or stopping.
             Parts that all nodes share may fail for a while: others are no better off.
``/metrics`` The metrics, on a port of their own or with a key on the main one.

Each check really exercises its part, at most once a second: it syncs a commit, measures
free space, or pings the broker. Problems are described without paths or names of
people. Requests within the same second share one result, so they cost next to nothing.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from server.disk import DiskError
from server.journal.store import StoreUnavailable
from server.metrics import Metrics
from server.net.pages import (
    bad_request,
    is_well_formed,
    json_response,
    not_found,
    response,
    without_body,
)
from server.protocol.keys import is_equal

log = logging.getLogger("twogaps.health")

LOW_BYTES = 16 * 1024 * 1024
"""Free space below which a disk counts as nearly full; a class of 300 writes 1 MB."""

Check = Callable[[], Awaitable[str | None]]
"""Checks a part of the server; returns what is wrong with it, or None."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    """Checks the parts of a server on request."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: Metrics,
        now: Callable[[], float] = time.monotonic,
        *,
        fresh_s: float = 1.0,
        patience_s: float = 3.0,
        shared: Collection[str] = (),
        shared_s: float = 15.0,
    ) -> None:
        """Results are reused for ``fresh_s`` seconds. A part that has not responded
        after ``patience_s`` seconds has failed. ``now`` is a monotonic clock.

        All nodes share the ``shared`` parts. One that has worked makes a node unready
        only after ``shared_s`` seconds: by then, the node alone may be cut off.
        """
        self._checks = dict(checks)
        self._metrics = metrics
        self._now = now
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._shared, self._shared_s = frozenset(shared), shared_s
        self._worked_s: dict[str, float] = {}
        """When each part worked last."""
        self._looked_s = -fresh_s
        self._found: dict[str, str | None] = {}
        self._looking = asyncio.Lock()

    async def look(self) -> Mapping[str, str | None]:
        """Return what is wrong with each part, or None; reuses a recent result."""
        async with self._looking:
            if self._now() - self._looked_s >= self._fresh_s:
                self._take_in(await self._try_all())
                self._looked_s = self._now()
            return self._found

    def is_enough(self, found: Mapping[str, str | None]) -> bool:
        """Whether nothing is wrong that another node could do better."""
        return all(
            complaint is None or self._may_wait(part)
            for part, complaint in found.items()
        )

    def _may_wait(self, part: str) -> bool:
        worked_s = self._worked_s.get(part)
        is_recent = worked_s is not None and self._now() - worked_s < self._shared_s
        return is_recent and part in self._shared

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
        """Store the results and log what has changed."""
        for part, complaint in found.items():
            self._metrics.healthy.labels(part).set(complaint is None)
            if complaint is None:
                self._worked_s[part] = self._now()
            if complaint is None and self._found.get(part) is not None:
                log.info("health: %s works again", part)
            elif complaint is not None and self._found.get(part) != complaint:
                log.warning("health: %s %s", part, complaint)
        self._found = found


def check_journal(commit: Callable[[], Awaitable[None]]) -> Check:
    """Return a check of the journal: ``commit`` writes a heartbeat to it and syncs."""

    async def check() -> str | None:
        try:
            await commit()
        except StoreUnavailable:
            return "cannot be written"
        return None

    return check


def check_space(folder: Path, low_bytes: int = LOW_BYTES) -> Check:
    """Return a check of the free space on the journal's disk.

    A heartbeat may still fit into an existing file when a class's votes no longer do.
    """

    async def check() -> str | None:
        try:
            free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        except OSError:
            return "cannot be read"
        return "is nearly full" if free < low_bytes else None

    return check


class Outbox(Protocol):
    """The part of an outbox's interface that its health check uses."""

    @property
    def is_full(self) -> bool:
        """Whether it accepts no more messages."""
        ...

    async def check(self) -> None:
        """Write and commit something that leaves no trace. Raises DiskError."""
        ...


def check_outbox(box: Outbox) -> Check:
    """Return a check that writes to the outbox and waits until that is synced."""

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
    """Return a check of the broker connection, which is pinged every few seconds."""

    async def check() -> str | None:
        return None if is_up() else "is not connected"

    return check


class Operations:
    """Answers requests from monitoring systems."""

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        why_closed: Callable[[], str | None],
        key: str | None = None,
    ) -> None:
        """``why_closed`` returns why new clients should not be sent here, or None.
        ``key`` protects /metrics on the main port (``Authorization: Bearer KEY``).
        """
        self._health = health
        self._metrics = metrics
        self._why_closed = why_closed
        self._key = key

    async def answer(self, request: Request) -> Response | None:
        """Return the response on the main port; None if the path is not one of ours."""
        path = urlsplit(request.path).path
        if path == "/metrics":
            return await self._figures() if self._may_read(request.headers) else None
        return await self._vitals(path)

    async def answer_private(self, _: ServerConnection, request: Request) -> Response:
        """Return the response on the private port, which only operators can reach."""
        if not is_well_formed(request):
            return bad_request()
        path = urlsplit(request.path).path
        if path == "/metrics":
            return await self._figures()
        return await self._vitals(path) or not_found()

    def _may_read(self, headers: Headers) -> bool:
        given = headers.get("Authorization") or ""
        return self._key is not None and is_equal(given, f"Bearer {self._key}")

    async def _figures(self) -> Response:
        await self._health.look()
        return response(HTTPStatus.OK, self._metrics.text(), METRICS_TYPE)

    async def _vitals(self, path: str) -> Response | None:
        match path:
            case "/livez":
                return _verdict({}, is_well=True)
            case "/healthz":
                found = await self._health.look()
                return _verdict(found, is_well=not any(found.values()))
            case "/readyz":
                found, doors = await self._health.look(), self._why_closed()
                is_ready = doors is None and self._health.is_enough(found)
                return _verdict({**found, "doors": doors}, is_well=is_ready)
            case _:
                return None


def _verdict(found: Mapping[str, str | None], *, is_well: bool) -> Response:
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    parts = {part: complaint or "ok" for part, complaint in found.items()}
    return json_response(status, {"ok": is_well, "parts": parts})


async def listen_privately(
    operations: Operations, host: str, port: int, *, open_timeout_s: float = 15
) -> Server:
    """Open the operators' private port. Raises OSError if that is not possible.

    Requests must arrive within ``open_timeout_s`` seconds.
    """

    async def refuse(ws: ServerConnection) -> None:
        await ws.close()  # never reached: every request is answered as a page

    return await serve(
        refuse,
        host,
        port,
        process_request=operations.answer_private,
        process_response=without_body,
        open_timeout=open_timeout_s,
        server_header=None,
        logger=logging.getLogger("twogaps.websockets"),
    )


class LagMeter:
    """Measures the lag of the event loop."""

    def __init__(
        self, metrics: Metrics, report: Callable[[float], None], pulse_s: float = 0.5
    ) -> None:
        """``report`` is called with the lag in seconds, every ``pulse_s`` seconds."""
        self._metrics = metrics
        self._report = report
        self._pulse_s = pulse_s

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._pulse_s
            await asyncio.sleep(self._pulse_s)
            lag_s = max(0.0, loop.time() - due)
            self._metrics.lag_seconds.observe(lag_s)
            self._report(lag_s)
