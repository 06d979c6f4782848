"""A fake server on a free port, and a back-off that does not wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from websockets.asyncio.server import serve

from client.connection import Backoff
from tests.client.fake_server import FakeServer


@asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    """Run a fake server on a free port."""
    server = FakeServer()
    async with serve(server.handle, "127.0.0.1", 0, compression=None) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"127.0.0.1:{port}"
        yield server


@pytest.fixture
async def fake() -> AsyncIterator[FakeServer]:
    """Run a fake server on a free port."""
    async with fake_server() as server:
        yield server


@pytest.fixture
def no_wait() -> Backoff:
    """Return a back-off that never waits."""
    return Backoff(Random(1), first_s=0, cap_s=0)
