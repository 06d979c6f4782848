"""``python -m tests.run``: the parts of ``make test``, each with its time.

    python -m tests.run              # the checks, then the tests over processes
    python -m tests.run test --all   # with the tests of the full tier
    python -m tests.run check        # the checks alone
    python -m tests.run -- -k votes  # what follows -- goes to pytest

The tests marked ``alone`` run in one process after the others, because they measure the
machine that they run on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.support.tiers import SWITCH, Tier

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent


def _mypy_for(platform: str) -> tuple[str, ...]:
    """Return the command that checks types for a platform, with a cache of its own."""
    cache = f".mypy_cache/{platform}"
    return (str(BIN / "mypy"), "--platform", platform, "--cache-dir", cache)


CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "types": ((str(BIN / "mypy"),),),
    "types on Windows": (_mypy_for("win32"),),
    "types on macOS": (_mypy_for("darwin"),),
    "pages": ((PYTHON, "-m", "tests.support.web"),),
    "prose": ((PYTHON, "-m", "tools.prose"),),
    "style": (
        (str(BIN / "ruff"), "format", "--check", "."),
        (str(BIN / "ruff"), "check", "."),
    ),
    "imports": ((str(BIN / "lint-imports"),),),
    "cases": ((str(BIN / "twogaps"), "case", "lint"),),
}
"""Each check by name: its commands, the slowest check first."""

AS_ON_WINDOWS = ("-p", "tests.support.as_on_windows.plugin")
"""Arguments for pytest that run tests without what Windows does not have."""

PORTABLE = tuple(
    f"tests/{folder}"
    for folder in ("game", "rooms", "journal", "net", "client", "cli", "contract")
)
"""The tests that also run as on Windows, with the samples of the fast tier."""

ONE_OF = {Tier.FAST: 12, Tier.FULL: 4}
"""Each tier runs one in this many of them, drawn by the seed."""

SAMPLES = {"browser": 4, "deploy": 2, "docs": 2, "faults": 2, "fault": 2}
"""Of these folders and markers, the fast tier runs one test in this many."""

LEAST_COVERED = 12
"""How many files the coverage report shows."""

FAILED, INTERRUPTED, NO_TESTS = 1, 2, 5
"""Exit codes of pytest."""

FAILURES = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
"""Where pytest keeps the names of the tests that failed."""

GROUP = re.compile(r"@[^\]@]*$")
"""What pytest-xdist adds to the name of a test of a group; pytest does not know it."""

FEW = 3
"""Up to this many failed tests are run once more, alone."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the run: its name, its seconds, and whether it passed."""

    name: str
    took_s: float
    passed: bool
    output: str = ""
    failed: tuple[str, ...] = ()
    """Tests that failed when others ran beside them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts, print a table of their times, and return the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    split = given.index("--") if "--" in given else len(given)
    options, for_pytest = _arguments(given[:split]), given[split + 1 :]
    os.chdir(ROOT)
    if options.all:
        os.environ[SWITCH] = Tier.FULL
    began_s = time.monotonic()
    parts = run_checks(2)
    if options.what == "test":
        parts += run_tests(options.workers, for_pytest, coverage=options.all)
    if options.what == "test" and options.all:
        parts.append(report_coverage())
    tier = Tier.FULL if options.all else Tier.FAST
    print(f"\nTier {tier}: what each part took")
    print(table(parts, time.monotonic() - began_s))
    return 0 if all(part.passed for part in parts) else 1


def run_checks(
    at_a_time: int, checks: Mapping[str, Sequence[Sequence[str]]] = CHECKS
) -> list[Part]:
    """Run the checks, several at a time, and print each when it has finished."""
    parts = []
    with ThreadPoolExecutor(at_a_time) as pool:
        waiting = [pool.submit(_quiet, name, checks[name]) for name in checks]
        for done in as_completed(waiting):
            part = done.result()
            print(f"{_mark(part)} {part.name} ({part.took_s:.1f} s)", flush=True)
            if not part.passed:
                print(part.output, flush=True)
            parts.append(part)
    return parts


def run_tests(workers: int, more: Sequence[str], *, coverage: bool) -> list[Part]:
    """Run the tests over ``workers`` processes, then those that need the machine.

    ``more`` are arguments for pytest. Without them, a few tests that failed beside
    others are run once more and named in the table if they pass. The second run
    collects only the files that have a test marked ``alone``. A third runs a sample of
    what is portable as on Windows, larger if ``coverage`` is measured. Without
    coverage, slow folders are sampled.
    """
    first = ("--cov", "--cov-report=") if coverage else ()
    then = (*first, "--cov-append") if coverage else ()
    spread = ("-m", "not alone", "--dist", "loadgroup", "-n")
    is_sampled = not coverage and not more
    samples = [f"--sample={name}={n}" for name, n in SAMPLES.items() if is_sampled]
    parts = [
        _loud("tests over processes", (*spread, f"{workers}", *first, *samples, *more)),
        _loud("tests alone", ("-m", "alone", *then, *(more or files_alone()))),
    ]
    if more:
        return parts
    parts = [once_more(part, then) for part in parts]
    some = ("--one-of", str(ONE_OF[Tier.FULL if coverage else Tier.FAST]))
    where = (*AS_ON_WINDOWS, *some, *PORTABLE)
    few = workers if coverage else min(workers, 2)  # each process collects every test
    portable = _loud("tests as on Windows", (*spread, f"{few}", *where), Tier.FAST)
    return [*parts, once_more(portable, AS_ON_WINDOWS, Tier.FAST)]


def once_more(
    part: Part, arguments: Sequence[str] = (), tier: Tier | None = None
) -> Part:
    """Run the failed tests of a part once more, if they are few, in one process.

    A test of browsers or processes can fail because others kept the machine busy. What
    passes alone is named in the table; what is wrong fails again (hypothesis keeps the
    examples that failed).
    """
    if part.passed or not 0 < len(part.failed) <= FEW:
        return part
    second = _loud(f"{part.name}, once more", (*arguments, *part.failed), tier)
    took_s = part.took_s + second.took_s
    return Part(part.name, took_s, second.passed, failed=part.failed)


def files_alone() -> list[str]:
    """Return the files that have a test marked ``alone``."""
    return [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "pytest.mark.alone" in path.read_text(encoding="utf-8")
    ]


def report_coverage() -> Part:
    """Print the coverage by branch: the files with the least, and the total."""
    command = (PYTHON, "-m", "coverage", "report", "--sort=cover")
    part = _quiet("coverage by branch", (command,))
    lines = part.output.splitlines()
    start = next((n for n, text in enumerate(lines) if text.startswith("Name ")), 0)
    shown = lines[start : start + LEAST_COVERED + 2]
    total = [text for text in lines if text.startswith("TOTAL")]
    print("\n".join(["", "coverage by branch, the least first", *shown, *total]))
    return part


def table(parts: Sequence[Part], took_s: float) -> str:
    """Return the parts and their times as text, and the sum in wall-clock time."""
    width = max(len(part.name) for part in parts)
    lines = []
    for part in parts:
        lines.append(f"  {part.name:<{width}} {part.took_s:7.1f} s  {_mark(part)}")
        unsteady = part.failed if part.passed else ()
        lines += [f"    failed beside others, passed alone: {one}" for one in unsteady]
    return "\n".join([*lines, f"  {'in all':<{width}} {took_s:7.1f} s"])


def _mark(part: Part) -> str:
    return "passed" if part.passed else "FAILED"


def _quiet(name: str, commands: Sequence[Sequence[str]]) -> Part:
    """Run commands and keep what they print."""
    began_s, output, passed = time.monotonic(), "", True
    for command in commands:
        done = subprocess.run(
            command,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output += done.stdout
        passed = passed and done.returncode == 0
    return Part(name, time.monotonic() - began_s, passed, output)


def _loud(name: str, arguments: Sequence[str], tier: Tier | None = None) -> Part:
    """Run pytest and show its progress, in another tier if one is given.

    Raises KeyboardInterrupt if it was interrupted.
    """
    environment = {**os.environ, **({SWITCH: tier} if tier else {})}
    print(f"\n{name}: pytest {' '.join(arguments)}", flush=True)
    began_s = time.monotonic()
    FAILURES.unlink(missing_ok=True)
    command = (PYTHON, "-m", "pytest", *arguments)
    code = subprocess.run(command, check=False, env=environment).returncode
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    took_s, passed = time.monotonic() - began_s, code in (0, NO_TESTS)
    return Part(name, took_s, passed, failed=failed_tests() if code == FAILED else ())


def failed_tests(failures: Path = FAILURES) -> tuple[str, ...]:
    """Return the tests that failed in the last run of pytest, without their groups."""
    kept = json.loads(failures.read_text()) if failures.is_file() else ()
    return tuple(GROUP.sub("", name) for name in kept)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.run")
    parser.add_argument("what", nargs="?", choices=("test", "check"), default="test")
    parser.add_argument(
        "--all", action="store_true", help="Also run the tests of the full tier."
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=(os.cpu_count() or 1) + 2,
        help="Processes for the tests. Most of their time is waiting.",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
