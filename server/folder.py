"""The data folder: one server at a time, its journal, and the admin's key.

What else lies there: ``outbox.sqlite`` where the node plays with others.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from server.journal.opening import JOURNAL, Address, folder_of, open_store
from server.journal.store import (
    BadAddress,
    Journal,
    JournalDamaged,
    NoJournal,
    StoreUnavailable,
)
from server.protocol.keys import KEY_BYTES

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
async def open_journal(
    where: Address, folder: Path | None = None, *, must_exist: bool = False
) -> AsyncIterator[Journal]:
    """Open a journal, and the data folder beside it, for this process alone.

    ``folder`` is the data folder, where the journal is not in it. Raises
    :class:`CannotStart` where another server uses either, or the journal cannot be
    opened.
    """
    with contextlib.ExitStack() as stack:
        places = {place for place in (folder, folder_of(where)) if place is not None}
        for place in sorted(places):
            stack.enter_context(lock(place))
        async with contextlib.AsyncExitStack() as opened:
            try:
                opening = open_store(where, must_exist=must_exist)
                store = await opened.enter_async_context(opening)
                await store.check()
                await store.rooms()  # it must be possible to list them at all
            except StoreUnavailable as exc:
                raise CannotStart(_why_not(where, exc)) from exc
            yield store


def _why_not(where: Address, exc: StoreUnavailable) -> str:
    """Say why a journal cannot be opened, and what to do."""
    match exc:
        case BadAddress() | NoJournal():
            return f"{exc}. Choose another with --journal or --data."
        case JournalDamaged():
            return (
                f"The journal in {where} is damaged: {exc}. Every room that can be "
                f"read is taken out of it by: twogaps salvage --data {where}. Nothing "
                "is overwritten. A backup is put back by: twogaps restore."
            )
        case _:
            return (
                f"The journal in {where} cannot be opened: {exc}. Check that the "
                "folder is writable and the disk is not full, or choose another one "
                "with --data."
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
