"""Plain HTTP responses, all with the headers that every one of ours carries."""

from __future__ import annotations

import json as text_of
from collections.abc import Mapping
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
_UNSTORED = {"Cache-Control": "no-store"}


def make(
    status: HTTPStatus, body: bytes, kind: str, extra: Mapping[str, str] = _UNSTORED
) -> Response:
    """Return a response; by default nobody may keep it."""
    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": CSP,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Connection": "close",
            **extra,
        }
    )
    return Response(status.value, status.phrase, headers, body)


def json(status: HTTPStatus, value: Mapping[str, object]) -> Response:
    """Return a value as JSON."""
    return make(status, text_of.dumps(value).encode() + b"\n", JSON)


def not_found() -> Response:
    """Return a 404."""
    return _plain(HTTPStatus.NOT_FOUND, "There is no such page.\n")


def forbidden(text: str) -> Response:
    """Return a 403 that says why."""
    return _plain(HTTPStatus.FORBIDDEN, text)


def later(status: HTTPStatus, text: str, wait_s: float) -> Response:
    """Return a refusal that says when to try again (``Retry-After``, whole seconds)."""
    response = _plain(status, text)
    response.headers["Retry-After"] = str(max(1, round(wait_s)))
    return response


def _plain(status: HTTPStatus, text: str) -> Response:
    return make(status, text.encode(), PLAIN)
