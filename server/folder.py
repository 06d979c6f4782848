"""The data folder: one server at a time, its journal, and the admin's key.

What else lies there: ``outbox.sqlite`` where the node plays with others.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from server.journal.maintenance.examine import is_corrupt
from server.journal.sqlite import SqliteStore
from server.journal.store import StoreUnavailable
from server.protocol.keys import KEY_BYTES

JOURNAL = "journal.sqlite"
OUTBOX = "outbox.sqlite"
ADMIN_KEY = "admin.key"
LOCK = "server.lock"
SITE = "site"
"""Name of the node that has served this folder last, among others."""

INCOMING = "incoming"
"""Rooms that come from other nodes, a file each."""


class CannotStart(Exception):  # noqa: N818 - read as a sentence
    """The server cannot start; the text says why and what to do."""


@contextlib.asynccontextmanager
async def open_journal(folder: Path) -> AsyncIterator[SqliteStore]:
    """Open the journal in a folder, for this process alone.

    Raises :class:`CannotStart` where another server holds it, or it cannot be opened.
    """
    with lock(folder):
        try:
            store = await SqliteStore.open(folder / JOURNAL)
            await _must_list(store)
        except StoreUnavailable as exc:
            raise CannotStart(_why_not(folder, exc)) from exc
        try:
            yield store
        finally:
            await store.close()


async def _must_list(store: SqliteStore) -> None:
    """Make sure that the rooms can be listed at all; let go of the file if not."""
    try:
        await store.rooms()
    except StoreUnavailable:
        await store.close()
        raise


def _why_not(folder: Path, exc: StoreUnavailable) -> str:
    """Say why a journal cannot be opened, and what to do."""
    cause = exc.__cause__.__cause__ if exc.__cause__ is not None else None
    if isinstance(cause, sqlite3.Error) and is_corrupt(cause):
        return (
            f"The journal in {folder} is damaged: {exc}. Every room that can be read "
            f"is taken out of it by: twogaps salvage --data {folder}. Nothing is "
            "overwritten. A backup is put back by: twogaps restore."
        )
    return (
        f"The journal in {folder} cannot be opened: {exc}. Check that the folder is "
        "writable and the disk is not full, or choose another one with --data."
    )


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep a second server off the same folder.

    It is made if need be, for this user alone: it holds names and keys.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle: IO[str] = (folder / LOCK).open("w")
    except OSError as exc:
        raise CannotStart(
            f"The folder {folder} cannot be used: {exc.strerror}. "
            "Choose another one with --data."
        ) from exc
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise CannotStart(
                f"Another Two Gaps server is using {folder}. Stop it first, or choose "
                "another folder with --data."
            ) from exc
        yield


def admin_key(data: Path | None) -> str:
    """Return the admin key (hex): kept beside the journal, so that links stay good."""
    if data is None:
        return secrets.token_hex(KEY_BYTES)
    path = data / ADMIN_KEY
    if path.exists():
        key = path.read_text().strip()
        if len(key) == 2 * KEY_BYTES:
            return key
    key = secrets.token_hex(KEY_BYTES)
    path.touch(mode=0o600)
    path.write_text(key + "\n")
    return key


def size_of(folder: Path) -> int:
    """Return the bytes of the journal's files, those it writes ahead included."""
    return sum(path.stat().st_size for path in folder.glob(f"{JOURNAL}*"))
