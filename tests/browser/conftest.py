"""A real Chromium and a real server, for tests that look at the pages.

One event loop serves the whole folder: server, browser and tests share it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from server.app import Config, Running, running
from tests.browser.table import AXE, HOST_NAME, NAMED, PATIENCE_MS, Table
from tests.support.missing import need

if TYPE_CHECKING:
    from playwright.async_api import Browser

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser")),
    ),
    None,
)
"""The shell first: made for this, it takes half the CPU of a browser with windows."""
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {HOST_NAME} 127.0.0.1",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, once for all tests."""
    need(find_spec("playwright"), "playwright (pip install playwright)")
    need(CHROMIUM, "Chromium (apt-get install chromium-headless-shell)")
    need(AXE.is_file(), "axe-core (npm ci in client/web)")
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A server with a journal on disk, once for all tests."""
    config = Config(port=0, origins=NAMED, data=tmp_path_factory.mktemp("data"))
    async with running(config) as found:
        need(found.is_web_built, "the built pages (npm run build in client/web)")
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def table(browser: Browser, server: Running) -> AsyncIterator[Table]:
    """A table to play at; all its pages are closed afterwards."""
    seated = Table(browser, server)
    yield seated
    await seated.leave()
