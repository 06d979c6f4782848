"""The machine and the installation: open files, the clock, the pages, the cases."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from scenarios.load import load_library
from server.cli.console import Finding, bad, good, note
from server.net.limits import Limits, fit

CLASS = 300
EPOCH_S = 1_780_000_000
"""May 2026, before this program was written: an earlier clock is wrong."""


def look(web: Path, cases: tuple[Path, ...]) -> Iterator[Finding]:
    """Look at the machine."""
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        has_limit = most != resource.RLIM_INFINITY
        yield open_files(most if has_limit else None, Limits().sockets)
    yield clock(time.time())
    yield pages(web)
    yield library(cases)


def open_files(most: int | None, sockets: int) -> Finding:
    """Judge the hard limit of open files, which the server raises its own to.

    None means unlimited.
    """
    if most is None:
        return good("open files", f"enough for {sockets} phones")
    phones = fit(Limits(sockets=sockets), most).sockets
    if phones >= sockets:
        return good("open files", f"enough for {sockets} phones")
    remedy = (
        f"Raise it before starting: ulimit -Hn {2 * sockets} "
        f"(systemd: LimitNOFILE={2 * sockets})."
    )
    says = f"the limit of {most} is enough for {phones} phones"
    return (note if phones >= CLASS else bad)("open files", says, remedy)


def clock(now_s: float) -> Finding:
    """Judge the clock, which dates rooms and orders the votes of several sites."""
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
    """Return whether time comes from the network; None if unknown."""
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
    """Judge whether the pages for browsers are there."""
    wanted = ("index.html", "host.html", "screen.html", "report.html")
    missing = [name for name in wanted if not (folder / name).is_file()]
    if not missing:
        return good("pages", "built")
    return bad(
        "pages",
        "not built: phones would get an empty page",
        "Install again with network access (make play), without TWOGAPS_SKIP_WEB.",
    )


def library(cases: tuple[Path, ...]) -> Finding:
    """Judge whether cases and decks can be read."""
    loaded = load_library(*cases)
    counted = f"{len(loaded.cases)} cases, {len(loaded.decks)} decks"
    if not loaded.problems:
        return good("cases", counted)
    first = loaded.problems[0]
    return bad(
        "cases",
        f"{counted}; {len(loaded.problems)} left out: {first}",
        "twogaps case lint says what to change in each.",
    )
