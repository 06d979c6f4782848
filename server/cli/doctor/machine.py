"""Checks of this machine: open files, clock, pages, cases and data folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import lock_descriptor

from scenarios.load import load_library
from scenarios.prose import plural
from server.cli.console import Finding, bad, good, note
from server.folder import ADMIN_KEY, JOURNAL, OUTBOX
from server.journal.opening import Address, open_store
from server.journal.store import Examination, NoJournal, StoreUnavailable
from server.net.limits import Limits, fit
from server.net.operations import LOW_BYTES

ROOMY_BYTES = 500 * 1024 * 1024
SYNCS = 20
SLOW_MS, TOO_SLOW_MS = 30.0, 250.0
"""Median sync times, in milliseconds, above which a disk gets a remark or counts as a
problem. The votes of a class share a few syncs, and people wait for those."""

ELSEWHERE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"})
"""Network file systems, on which SQLite's write-ahead log may get corrupted."""

FLEETING = frozenset({"tmpfs", "ramfs"})
FUTURE_MS = 60_000
DAY_MS = 24 * 3600 * 1000
LONG_DAYS = 30
"""Days without a change that suggest a holiday or a wrong clock."""

CLASS = 300
EPOCH_S = 1_780_000_000
"""A time (May 2026) before this program was written; an earlier clock is wrong."""


def look(web: Path, cases: tuple[Path, ...]) -> Iterator[Finding]:
    """Check the machine."""
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        has_limit = most != resource.RLIM_INFINITY
        yield open_files(most if has_limit else None, Limits().sockets)
    yield clock(time.time())
    yield pages(web)
    yield library(cases)


def open_files(most: int | None, sockets: int) -> Finding:
    """Check the hard limit on open files, to which the server raises its own limit.

    None means unlimited.
    """
    if most is None:
        return good("open files", f"enough for {plural(sockets, 'phone')}")
    phones = fit(Limits(sockets=sockets), most).sockets
    if phones >= sockets:
        return good("open files", f"enough for {plural(sockets, 'phone')}")
    remedy = (
        f"Raise it before starting: ulimit -Hn {2 * sockets} "
        f"(systemd: LimitNOFILE={2 * sockets})."
    )
    says = f"the limit of {most} is enough for {plural(phones, 'phone')}"
    return (note if phones >= CLASS else bad)("open files", says, remedy)


def clock(now_s: float) -> Finding:
    """Check the clock, which dates rooms and orders votes from several sites."""
    if now_s < EPOCH_S:
        shown = time.strftime("%Y-%m-%d", time.localtime(now_s))
        return bad("clock", f"says {shown}", "Set the date: timedatectl set-ntp true.")
    shown = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(now_s))
    if _is_synchronized() is False:
        return note(
            "clock",
            f"{shown}, not synchronized by the network",
            "timedatectl set-ntp true. It matters for games across sites.",
        )
    return good("clock", shown)


def _is_synchronized() -> bool | None:
    """Return whether the clock is synchronized over the network; None if unknown."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, found on PATH
            [program, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def pages(folder: Path) -> Finding:
    """Check whether the browser client has been built."""
    wanted = ("index.html", "host.html", "screen.html", "report.html")
    missing = [name for name in wanted if not (folder / name).is_file()]
    if not missing:
        return good("pages", "built")
    return bad(
        "pages",
        "not built: phones would get an empty page",
        "Reinstall with network access (make play), without TWOGAPS_SKIP_WEB.",
    )


def library(cases: tuple[Path, ...]) -> Finding:
    """Check whether cases and decks can be read."""
    loaded = load_library(*cases)
    decks = plural(len(loaded.decks), "deck")
    found = f"{plural(len(loaded.cases), 'case')}, {decks}"
    if not loaded.problems:
        return good("cases", found)
    first = loaded.problems[0]
    return bad(
        "cases",
        f"{found}; {len(loaded.problems)} left out: {first}",
        "twogaps case lint says what to change in each.",
    )


# --- the data folder: rights, space, how fast it syncs, what kind of disk -------------


def look_at_folder(folder: Path, where: str | None = None) -> Iterator[Finding]:
    """Check the data folder or, if it does not exist yet, the place for it.

    ``where`` is the URL of the journal, if it is not in the folder.
    """
    place = _nearest(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        yield bad(
            "folder",
            f"this user cannot write to {place}",
            "Change its owner (chown), or choose another folder with --data (now "
            f"{folder}).",
        )
        return
    yield rights(folder)
    yield kind(kind_of(place))
    yield space(shutil.disk_usage(place).free)
    yield syncing(sync_ms(place))
    yield locking(place)
    if (found := journal(where or folder, int(time.time() * 1000))) is not None:
        yield found


def _nearest(folder: Path) -> Path:
    """Return the folder or its nearest existing parent."""
    whole = folder.absolute()
    return next(path for path in (whole, *whole.parents) if path.is_dir())


def rights(folder: Path) -> Finding:
    """Check who else may read the names and keys in the folder."""
    if not folder.exists():
        return good("folder", f"{folder} will be created at the first start")
    open_to_all = [
        path.name
        for path in (folder / ADMIN_KEY, folder / JOURNAL, folder / OUTBOX)
        if path.exists() and path.stat().st_mode & 0o007
    ]
    is_shut = not folder.stat().st_mode & 0o005
    if not open_to_all or is_shut:
        return good("folder", str(folder))
    return note(
        "folder",
        f"every user of this machine can read {', '.join(open_to_all)} in {folder}",
        f"chmod 700 {folder}",
    )


def kind(name: str) -> Finding:
    """Check the type of the file system."""
    if name in ELSEWHERE:
        return bad(
            "file system",
            f"{name}: on a network, where a journal can be damaged",
            "Choose a folder on this machine's own disk with --data.",
        )
    if name in FLEETING:
        return note(
            "file system",
            f"{name}: lost when this machine restarts",
            "Choose a folder on a disk with --data.",
        )
    return good("file system", name or "of an unknown type")


def kind_of(place: Path) -> str:
    """Return the type of a folder's file system; empty if unknown."""
    try:
        table = Path("/proc/self/mounts").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    inside = str(place.resolve())
    best, found = "", ""
    for line in table.splitlines():
        _, point, name, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        is_above = inside == point or inside.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(best):
            best, found = point, name
    return found


def space(free: int) -> Finding:
    """Check the free disk space."""
    says = f"{free // 1024**2:,} MB free"
    if free < LOW_BYTES:
        return bad(
            "space", says, "Free some space: votes are refused when the disk is full."
        )
    if free < ROOMY_BYTES:
        return note(
            "space", says, "A class writes about 1 MB per game; backups take more."
        )
    return good("space", says)


def sync_ms(place: Path) -> float:
    """Return the median time for a small write and its sync, in milliseconds."""
    taken = []
    with tempfile.TemporaryFile(dir=place) as file:
        for _ in range(SYNCS):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def locking(place: Path) -> Finding:
    """Check whether files can be locked, which prevents two servers on one journal."""
    with tempfile.TemporaryFile(dir=place) as file:
        try:
            lock_descriptor(file.fileno(), blocking=False)
        except OSError as exc:
            return bad(
                "locks",
                f"files cannot be locked here: {exc.strerror}",
                "Choose a folder on this machine's own disk with --data.",
            )
    return good("locks", "work")


def syncing(median_ms: float) -> Finding:
    """Check how long it takes until a vote is on disk."""
    says = f"{median_ms:.1f} ms to put a vote on disk"
    if median_ms > TOO_SLOW_MS:
        return bad(
            "sync",
            says,
            "Choose a faster disk with --data, or players will have to wait.",
        )
    if median_ms > SLOW_MS:
        return note("sync", says, "Good enough; an SSD is faster.")
    return good("sync", says)


def journal(where: Address, now_ms: int) -> Finding | None:
    """Check that the journal is intact and replayable, in a known format, and recent.

    Returns None if there is no journal yet.
    """
    try:
        found = asyncio.run(_examine(where))
    except NoJournal:
        return None
    except StoreUnavailable as exc:
        return bad("journal", str(exc), _FROM_BACKUP)
    if found.fault:
        return bad("journal", found.fault, _FROM_BACKUP)
    if found.latest_ms is not None and found.latest_ms > now_ms + FUTURE_MS:
        return bad(
            "journal",
            "has rooms from the future: the clock was set back",
            "Set the clock (timedatectl), then run the doctor again.",
        )
    rooms = plural(len(found.rooms), "room")
    if found.damaged:
        first = "; ".join(f"{one.room} {one.damage}" for one in found.damaged[:3])
        return bad(
            "journal",
            f"{len(found.damaged)} of {rooms} damaged: {first}",
            "Stop the server, then recover what is intact: twogaps journal salvage.",
        )
    says = f"intact, {rooms}"
    days = (now_ms - (found.latest_ms or now_ms)) // DAY_MS
    if days > LONG_DAYS:
        return note(
            "journal",
            f"{says}; the last change was {days} days ago",
            "If not, the clock is ahead now or was behind then: check timedatectl.",
        )
    return good("journal", says)


async def _examine(where: Address) -> Examination:
    async with open_store(where, must_exist=True) as store:
        return await store.examine()


_FROM_BACKUP = (
    "If a later version wrote the journal, update Two Gaps. Otherwise stop the "
    "server; then twogaps journal salvage recovers what is intact, or twogaps journal "
    "restore restores a backup to a new folder."
)
