"""Backs up a whole data folder to one file, even while a server is running.

The file is a tar archive that contains ``manifest.json`` (contents, date, version and
checksums), the journal, the outbox if there is one, and the admin key unless excluded.
Databases are copied by their adapters, as a consistent snapshot of each room and
without data that was removed earlier. The file must be kept as secret as the folder: it
contains names, reasons and the keys of all rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import lock_descriptor

from server import __version__
from server.disk import vacuum_into
from server.folder import ADMIN_KEY, JOURNAL, LOCK, OUTBOX, lock
from server.game.errors import Broken, required
from server.journal.integrity import FORMAT
from server.journal.opening import Address, open_store
from server.journal.store import NoJournal, StoreUnavailable, UnreadableEvent

MANIFEST = "manifest.json"
KIND = "two-gaps backup 1"
DATABASES = (JOURNAL, OUTBOX)
MEMBERS = (*DATABASES, ADMIN_KEY)
BACKING_UP, RESTORING = ".backup-", ".restore-"
"""Prefixes of the names of temporary folders."""

YOUNG_S = 60
MOST_MANIFEST = 64 * 1024
COPY = 1024 * 1024


class BackupError(Exception):
    """The backup cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's description of itself."""

    kind: str
    version: str
    made_ms: int
    format: int
    """The journal's ``user_version``."""
    rooms: int
    events: int
    sha256: dict[str, str]
    """The checksum of each file in the archive."""


def back_up(
    folder: Path,
    target: Path,
    *,
    journal: Address | None = None,
    with_key: bool = True,
) -> Manifest:
    """Write a backup of a data folder to a new file; a server may be using the folder.

    ``journal`` is the journal's URL, if it is not in the folder; in the backup, it is
    always a SQLite file. The file gets its name only when it is complete and synced.
    Raises :class:`BackupError`.
    """
    if target.exists():
        raise BackupError(f"{target} already exists. Backups are never overwritten.")
    try:
        with _scratch(target.parent, BACKING_UP) as made:
            asyncio.run(_copy_journal(journal or folder, made / JOURNAL))
            return _pack(folder, made, target, with_key=with_key)
    except NoJournal as exc:
        raise BackupError(f"{exc}. Choose another with --data.") from exc
    except (OSError, sqlite3.Error, StoreUnavailable, UnreadableEvent) as exc:
        raise BackupError(f"The backup could not be written: {exc}.") from exc


@contextlib.contextmanager
def _scratch(folder: Path, prefix: str) -> Iterator[Path]:
    """Make a temporary folder; also remove any that killed runs have left behind."""
    clear_leftovers(folder, prefix)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=prefix) as made,
        (Path(made) / LOCK).open("w") as handle,
    ):
        with contextlib.suppress(OSError):  # cannot be locked there
            lock_descriptor(handle.fileno(), blocking=False)
        yield Path(made)


def clear_leftovers(folder: Path, *prefixes: str) -> int:
    """Remove folders left by killed backups and restores; return how many.

    Folders that are still in use are kept.
    """
    left = [path for prefix in prefixes for path in folder.glob(f"{prefix}*")]
    dead = [path for path in left if path.is_dir() and _is_dead(path)]
    for path in dead:
        shutil.rmtree(path, ignore_errors=True)
    return len(dead)


def _is_dead(scratch: Path) -> bool:
    try:
        with (scratch / LOCK).open("r+") as handle:
            return lock_descriptor(handle.fileno(), blocking=False)
    except FileNotFoundError:  # just created, or from an earlier version
        return time.time() - scratch.stat().st_mtime > YOUNG_S
    except OSError:
        return False


def _pack(folder: Path, scratch: Path, target: Path, *, with_key: bool) -> Manifest:
    names = [JOURNAL]
    if (folder / OUTBOX).exists():
        vacuum_into(folder / OUTBOX, scratch / OUTBOX)
        names.append(OUTBOX)
    if with_key and (folder / ADMIN_KEY).exists():
        (scratch / ADMIN_KEY).write_bytes((folder / ADMIN_KEY).read_bytes())
        names.append(ADMIN_KEY)
    manifest = _describe(scratch, names)
    path = scratch / "packed"
    with _create(path) as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            text = json.dumps(asdict(manifest), indent=1).encode()
            archive.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
            for name in names:
                with (scratch / name).open("rb") as content:
                    size = (scratch / name).stat().st_size
                    archive.addfile(_entry(name, size), content)
        file.flush()
        os.fsync(file.fileno())
    _name_finally(path, target)
    return manifest


def _name_finally(path: Path, target: Path) -> None:
    """Give a complete file its final name; raises FileExistsError if it is taken.

    On file systems without links, such as FAT on a USB stick, an empty file with that
    name is created first and then replaced.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        target.touch(mode=0o600, exist_ok=False)
        path.replace(target)


def _create(path: Path) -> BinaryIO:
    """Create and open a file that only this user may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry


async def _copy_journal(where: Address, copy: Path) -> None:
    async with open_store(where, must_exist=True) as store:
        await store.copy_to(copy)


def _describe(folder: Path, names: list[str]) -> Manifest:
    db = sqlite3.connect(folder / JOURNAL)
    try:
        (form,) = db.execute("PRAGMA user_version").fetchone()
        (rooms,) = db.execute("SELECT count(*) FROM rooms").fetchone()
        (events,) = db.execute("SELECT count(*) FROM events").fetchone()
    finally:
        db.close()
    return Manifest(
        kind=KIND,
        version=__version__,
        made_ms=int(time.time() * 1000),
        format=form,
        rooms=rooms,
        events=events,
        sha256={name: _checksum(folder / name) for name in names},
    )


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- the way back --------------------------------------------------------------------


def restore(source: Path, folder: Path) -> Manifest:
    """Unpack a backup into an empty data folder.

    All files are checked before any is moved into place. Raises :class:`BackupError`,
    and :class:`CannotStart` if a server is using the folder.
    """
    with lock(folder):
        clear_leftovers(folder, RESTORING)
        found = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
        if found:
            held = ", ".join(found[:5])
            raise BackupError(
                f"{folder} is not empty ({held}), and nothing is ever overwritten. "
                "Choose an empty folder with --data, or move these files away."
            )
        try:
            with _scratch(folder, RESTORING) as made:
                manifest = _unpack(source, made)
                for name in manifest.sha256:
                    (made / name).rename(folder / name)
                _give_to_owner(folder, [*manifest.sha256, LOCK])
                _sync(folder)
        except (OSError, sqlite3.Error, tarfile.TarError) as exc:
            raise BackupError(f"{source} could not be restored: {exc}.") from exc
    return manifest


def _give_to_owner(folder: Path, names: Iterable[str]) -> None:
    """Give files that root has restored to the folder's owner, who runs the server."""
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = folder.stat()
        for name in names:
            os.chown(folder / name, owner.st_uid, owner.st_gid)


def _unpack(source: Path, scratch: Path) -> Manifest:
    """Extract the files of a backup into a folder and check them."""
    with tarfile.open(source, mode="r:") as archive:
        manifest = _read_manifest(source, archive)
        for name in manifest.sha256:
            _take_out(archive, name, scratch / name)
    for name, right in manifest.sha256.items():
        if _checksum(scratch / name) != right:
            raise BackupError(
                f"{source} is damaged: {name} has changed since it was packed."
            )
        if name in DATABASES:
            _check_database(scratch / name, source)
    return manifest


def _read_manifest(source: Path, archive: tarfile.TarFile) -> Manifest:
    try:
        entry = archive.getmember(MANIFEST)
        content = required(archive.extractfile(entry), "the manifest's content")
        manifest = Manifest(**json.loads(content.read(MOST_MANIFEST)))
        is_ours = manifest.kind == KIND and set(manifest.sha256) <= set(MEMBERS)
    except (KeyError, TypeError, ValueError, Broken) as exc:
        raise BackupError(f"{source} is not a Two Gaps backup.") from exc
    if not is_ours or JOURNAL not in manifest.sha256:
        raise BackupError(f"{source} is not a backup that this version can read.")
    if manifest.format > FORMAT:
        raise BackupError(
            f"{source} was made by version {manifest.version}. Update Two Gaps first."
        )
    return manifest


def _take_out(archive: tarfile.TarFile, name: str, target: Path) -> None:
    """Extract one file by its name; paths in the archive are not trusted."""
    content = archive.extractfile(archive.getmember(name))
    if content is None:
        raise BackupError(f"{name} in this backup is not a file.")
    with _create(target) as file:
        while chunk := content.read(COPY):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _check_database(path: Path, source: Path) -> None:
    db = sqlite3.connect(path)
    try:
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
    finally:
        db.close()
    if verdict != "ok":
        raise BackupError(f"{source} is damaged: {path.name}: {verdict}.")


def _sync(folder: Path) -> None:
    """Sync a folder's entries, if the system can (Windows cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
