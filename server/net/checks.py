"""The checks behind /healthz: each tries the real thing, and says what is wrong."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from server.disk import DiskError
from server.federation.outbox import Outbox
from server.journal.store import EventStore, StoreUnavailable
from server.net.health import Check

LOW_BYTES = 16 * 1024 * 1024
"""Less free space than this is a full disk soon: a class of 300 writes about 1 MB."""


def journal(store: EventStore) -> Check:
    """Return a check that commits a heartbeat and waits for its sync."""

    async def check() -> str | None:
        try:
            await store.check()
        except StoreUnavailable:
            return "cannot be written"
        return None

    return check


def space(folder: Path, low_bytes: int | None = None) -> Check:
    """Return a check of the free space where the journal grows.

    A heartbeat alone may still fit into a file that exists; a class's votes may not.
    """

    async def check() -> str | None:
        try:
            free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        except OSError:
            return "cannot be read"
        low = LOW_BYTES if low_bytes is None else low_bytes
        return "is nearly full" if free < low else None

    return check


def outbox(box: Outbox) -> Check:
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


def broker(is_up: Callable[[], bool]) -> Check:
    """Return a check of the line to the broker, which is pinged every few seconds."""

    async def check() -> str | None:
        return None if is_up() else "is not connected"

    return check
