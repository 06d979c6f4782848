"""What an operator's programs read: figures and health, as plain pages.

``/livez``   the process answers: restart it when this fails.
``/healthz`` every part of it works: alert a person when this fails.
``/readyz``  people may be sent here: parts work, and it is neither full nor stopping.
``/metrics`` the figures, on a port of their own or with a key on the main one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from server.metrics import Metrics
from server.net.health import Health
from server.net.pages import (
    bad_request,
    is_well_formed,
    json_response,
    not_found,
    response,
    without_body,
)
from server.protocol.keys import is_equal

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Operations:
    """Answers programs that watch this server."""

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        why_closed: Callable[[], str | None],
        key: str | None = None,
    ) -> None:
        """``why_closed`` says why new people should not come; ``key`` opens /metrics on
        the main port, as ``Authorization: Bearer KEY``.
        """
        self._health = health
        self._metrics = metrics
        self._why_closed = why_closed
        self._key = key

    async def answer(self, request: Request) -> Response | None:
        """Return the response on the main port; None where the page is not ours."""
        path = urlsplit(request.path).path
        if path == "/metrics":
            return await self._figures() if self._may_read(request.headers) else None
        return await self._vitals(path)

    async def answer_private(self, _: ServerConnection, request: Request) -> Response:
        """Return the response on the port that only operators reach."""
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
                return _verdict({})
            case "/healthz":
                return _verdict(await self._health.look())
            case "/readyz":
                doors = {"doors": self._why_closed()}
                return _verdict({**await self._health.look(), **doors})
            case _:
                return None


def _verdict(found: Mapping[str, str | None]) -> Response:
    is_well = not any(found.values())
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    parts = {part: complaint or "ok" for part, complaint in found.items()}
    return json_response(status, {"ok": is_well, "parts": parts})


async def listen_privately(
    operations: Operations, host: str, port: int, *, open_timeout_s: float = 15
) -> Server:
    """Open the operators' port. Raises OSError if that is not possible.

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
    """Measures how late the event loop is."""

    def __init__(
        self, metrics: Metrics, report: Callable[[float], None], pulse_s: float = 0.5
    ) -> None:
        """``report`` is called with the lateness in seconds, every ``pulse_s``."""
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
