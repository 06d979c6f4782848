"""The data folder: one server at a time, its files, and the admin's key."""

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
"""Votes that a node still owes to others."""

ADMIN_KEY = "admin.key"
LOCK = "server.lock"
SITE = "site"
"""Name under which a node last served this folder to others."""

RETENTION = "retention.json"
"""How long rooms have been kept; holds their codes."""

SHELF = "shelf"
"""Own cases and decks of a fleet, as its database has them."""

INCOMING = "incoming"
"""Rooms that come from other nodes, a file each."""


class CannotStart(Exception):  # noqa: N818 - read as a sentence
    """The server cannot start; the text says why and what to do."""


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep a second server off the same folder, until the block or the process ends.

    The folder is made if need be, for this user alone: it holds names and keys. Raises
    :class:`CannotStart` if another process holds it, or it cannot be locked.
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
                "server could write the same journal. Choose a folder on a disk of "
                "this machine with --data."
            ) from exc
        if not is_ours:
            raise in_use(folder)
        with _itself(folder) as own:
            if own is not None and not _locked(own):
                raise in_use(folder)
            yield


def in_use(folder: Path) -> CannotStart:
    """Return the error that a server is using a folder."""
    return CannotStart(
        f"Another Two Gaps server is using {folder}. Stop it first, or choose another "
        "folder with --data."
    )


def is_served(folder: Path) -> bool:
    """Whether a server is using a folder. False if none can tell."""
    with contextlib.suppress(OSError), (folder / LOCK).open("r+") as handle:
        if not lock_descriptor(handle.fileno(), blocking=False):
            return True
    with _itself(folder) as own:
        return own is not None and not _locked(own)


@contextlib.contextmanager
def _itself(folder: Path) -> Iterator[int | None]:
    """Open a folder to be locked beside its lock file, which someone may remove.

    None if the system opens no folders; such a system lets no one remove an open
    file either.
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
    """Lock a folder; True also if the file system locks no folders, as NFS does."""
    try:
        return lock_descriptor(own, blocking=False)
    except OSError:
        return True


def admin_key(data: Path | None, shared: str | None = None) -> str:
    """Return the admin key (hex): kept beside the journal, so that links stay good.

    ``shared`` is that of a fleet; it is kept here as well, for the tools on this
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
    """Return the admin key in a folder; None without one.

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
    """Return the bytes of the journal's files, those it writes ahead included."""
    return sum(path.stat().st_size for path in folder.glob(f"{JOURNAL}*"))
