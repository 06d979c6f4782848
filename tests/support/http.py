"""One plain GET over a socket of its own, as any program would send it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

GUARD_S = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


async def get(
    port: int,
    path: str,
    *,
    tls: ssl.SSLContext | None = None,
    name: str = "127.0.0.1",
    **headers: str,
) -> Answer:
    """Fetch a page from this machine; ``name`` is the host that is asked for."""
    asked = {"Host": f"{name}:{port}", "Connection": "close", **headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in asked.items())]
    async with asyncio.timeout(GUARD_S):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname=name if tls else None
        )
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *rest = head.strip().split("\r\n")
            pairs = (line.split(":", 1) for line in rest)
            known = {name.strip().lower(): value.strip() for name, value in pairs}
            length = known.get("content-length")
            body = (
                await reader.readexactly(int(length)) if length else await _all(reader)
            )
        finally:
            writer.close()
    return Answer(int(first.split()[1]), known, body)


async def _all(reader: asyncio.StreamReader) -> bytes:
    return await reader.read()
