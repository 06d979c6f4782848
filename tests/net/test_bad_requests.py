"""Requests that cannot be read: refused, counted like pages, and not logged."""

from __future__ import annotations

import asyncio
import logging

import pytest
from websockets.http11 import Request

from server.net.limits import Limits
from server.net.server import REFUSED_S
from tests.support.server import hall
from tests.support.until import until
from tests.support.wire import wire

UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)
BAD = {
    "path": "GET //[ HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute path": "GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
    "origin": f"GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: http://[\r\n{UPGRADE}\r\n",
    "two origins": "GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n"
    f"Origin: http://x\r\n{UPGRADE}\r\n",
    "two hosts": f"GET /ws HTTP/1.1\r\nHost: x\r\nHost: y\r\n{UPGRADE}\r\n",
    "two nodes": "GET /ws HTTP/1.1\r\nHost: x\r\nX-TwoGaps-Node: a\r\n"
    f"X-TwoGaps-Node: b\r\n{UPGRADE}\r\n",
    "two keys": "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\n"
    "Authorization: b\r\n\r\n",
}


async def ask(port: int, request: str) -> bytes:
    """Return the whole answer to a request that is sent as it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("request_text", BAD.values(), ids=BAD)
async def test_a_bad_request_is_a_400_without_a_line_in_the_log(
    request_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hall(metrics_key="k", metrics_port=0) as at:
        with caplog.at_level(logging.WARNING):
            answer = await ask(at.port, request_text)
            assert at.server.metrics_port is not None
            private = await ask(at.server.metrics_port, request_text)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert private.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert caplog.records == []


async def test_bad_requests_are_counted_with_the_pages_of_an_address() -> None:
    limits = Limits(pages_address=5, lag_ms=10**9)  # 500, and each costs a hundred
    async with hall(limits=limits) as at:
        request = "GET //[ HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
        codes = [(await ask(at.port, request))[9:12] for _ in range(6)]
        assert codes == [b"400"] * 5 + [b"429"]
        began_s = asyncio.get_running_loop().time()
        assert (await ask(at.port, request))[9:12] == b"429"
        assert asyncio.get_running_loop().time() - began_s >= REFUSED_S


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "//["])
async def test_an_answer_to_head_is_that_to_get_without_its_body(path: str) -> None:
    async with hall() as at:
        head, get = [
            await ask(at.port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n")
            for method in ("HEAD", "GET")
        ]
        if not hasattr(Request, "method"):  # websockets 16 reads GET alone
            assert head == b""
            return
        head_of_get, _, body = get.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head_of_get
        length = [line for line in head.split(b"\r\n") if b"Content-Length" in line]
        assert head.endswith(b"\r\n\r\n")
        assert head.split(b"\r\n")[0] == get.split(b"\r\n")[0]
        assert length == [f"Content-Length: {len(body)}".encode()]


@pytest.mark.parametrize("name", ["If-None-Match", "Accept-Encoding"])
async def test_headers_that_may_come_twice_are_read_as_one(name: str) -> None:
    async with hall() as at:
        request = f"GET / HTTP/1.1\r\nHost: x\r\n{name}: a\r\n{name}: b\r\n\r\n"
        assert (await ask(at.port, request)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_socket_that_fails_as_it_comes_in_holds_no_place() -> None:
    """Whatever raises after a socket was counted: it is counted out again."""
    async with hall(limits=Limits(sockets=1, lag_ms=10**9)) as at:
        for _ in range(3):
            two_hosts = BAD["two hosts"].replace(
                "Host: y", "Host: y\r\nX-Forwarded-For: 192.0.2.7"
            )
            await ask(at.port, two_hosts)
        await until(lambda: at.server.gate.sockets == 0)
        async with wire(at.port) as ann:
            await ann.join(at.room)
