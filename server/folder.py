"""The data folder: its lock, its files and the admin key."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from filelock import lock_descriptor

from server.protocol.keys import KEY_BYTES

JOURNAL = "journal.sqlite"
OUTBOX = "outbox.sqlite"
"""Votes that this node has yet to deliver to other nodes."""

ADMIN_KEY = "admin.key"
LOCK = "server.lock"
SITE = "site"
"""The name under which a node last served this folder."""

RETENTION = "retention.json"
"""The retention ledger: how long each room, listed by code, has been kept."""

SHELF = "shelf"
"""A local copy of a fleet's own cases and decks, which are in its database."""

INCOMING = "incoming"
"""Rooms that arrive from other nodes, one file each."""


class CannotStart(Exception):  # noqa: N818 - read as a sentence
    """The server cannot start; the message says why and what to do."""


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Lock a folder against use by a second server until the block or process ends.

    The folder is created if necessary, accessible to this user only, because it
    contains names and keys. Raises :class:`CannotStart` if another process has locked
    it or it cannot be locked.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle: IO[str] = (folder / LOCK).open("w")
    except OSError as exc:
        raise CannotStart(
            f"The folder {folder} cannot be used: {exc.strerror} "
            f"({exc.filename or folder}). Choose another one with --data, or correct "
            "its owner and permissions."
        ) from exc
    with handle:
        try:
            is_ours = lock_descriptor(handle.fileno(), blocking=False)
        except OSError as exc:
            raise CannotStart(
                f"Files in {folder} cannot be locked ({exc.strerror}), so a second "
                "server could write the same journal. Use --data to choose a folder on "
                "a local disk."
            ) from exc
        if not is_ours:
            raise in_use(folder)
        with _itself(folder) as own:
            if own is not None and not _locked(own):
                raise in_use(folder)
            yield


def in_use(folder: Path) -> CannotStart:
    """Return the error for a folder that another server is using."""
    return CannotStart(
        f"Another Two Gaps server is using {folder}. Stop it first, or choose another "
        "folder with --data."
    )


def is_served(folder: Path) -> bool:
    """Whether a server is using a folder; False if that cannot be determined."""
    with contextlib.suppress(OSError), (folder / LOCK).open("r+") as handle:
        if not lock_descriptor(handle.fileno(), blocking=False):
            return True
    with _itself(folder) as own:
        return own is not None and not _locked(own)


@contextlib.contextmanager
def _itself(folder: Path) -> Iterator[int | None]:
    """Open the folder itself to lock it as well, in case its lock file is removed.

    Yields None if the system cannot open folders. Such a system does not allow the
    removal of open files either.
    """
    try:
        own = os.open(folder, os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        yield own
    finally:
        os.close(own)


def _locked(own: int) -> bool:
    """Try to lock a folder; True also if the file system (such as NFS) cannot."""
    try:
        return lock_descriptor(own, blocking=False)
    except OSError:
        return True


def admin_key(data: Path | None, shared: str | None = None) -> str:
    """Return the admin key (hex), which is stored so that links remain valid.

    ``shared`` is the key of a fleet; it is stored here as well, for the tools on this
    machine. Raises :class:`CannotStart`.
    """
    kept = None if data is None else stored_key(data)
    key = shared or kept or secrets.token_hex(KEY_BYTES)
    if data is None or key == kept:
        return key
    path = data / ADMIN_KEY
    try:
        path.touch(mode=0o600)
        path.write_text(key + "\n", encoding="ascii")
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return key


def stored_key(data: Path) -> str | None:
    """Return the admin key in a folder, or None if there is none.

    Raises :class:`CannotStart`.
    """
    path = data / ADMIN_KEY
    try:
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return key if len(key) == 2 * KEY_BYTES else None


def _unusable(path: Path, exc: OSError) -> CannotStart:
    return CannotStart(
        f"The file {path} cannot be used: {exc.strerror}. Make the user that runs the "
        "server its owner (chown)."
    )


def size_of(folder: Path) -> int:
    """Return the total size of the journal's files in bytes, including its WAL."""
    return sum(path.stat().st_size for path in folder.glob(f"{JOURNAL}*"))
