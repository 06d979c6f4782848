"""How fast, beside what it could be: one run, on two cores.

    python -m tests.bench.speed                       # the whole run (make bench)
    python -m tests.bench.speed --steer               # the same, receivers apart, too
    python -m tests.bench.speed --sizes 100 1000      # a quick look, written nowhere

Prints a table, and whether each promise of docs/performance.md is held; a whole run
also writes the table there, docs/performance.json, and the picture.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from typing import Any

from tests.bench.speed import beside, campaign, machine
from tests.bench.speed.beside import Beside
from tests.bench.speed.campaign import Cores, Paced, Size
from tests.bench.speed.home import Home, home
from tests.bench.speed.page import DOCS, MARK, replace_part
from tests.bench.speed.picture import picture
from tests.bench.speed.promises import promises
from tests.bench.speed.table import table

SIZES = (100, 1_000, 5_000, 10_000)
BESIDE = 5_000


def _cores() -> Cores:
    """Choose two cores; one must do if there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return Cores(server=available[0], driver=available[-1])


def _tell(text: str) -> None:
    """Show what is going on, in one line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _measured(sizes: list[int], cores: Cores) -> list[Size]:
    found = []
    for place, n in enumerate(sizes, start=1):
        began = time.monotonic()
        found.append(
            campaign.size(
                n,
                cores,
                lambda text, n=n, place=place: _tell(  # type: ignore[misc]
                    f"[{place} of {len(sizes)}] {n:,} players, {text}"
                ),
            )
        )
        _tell("")
        took_s = time.monotonic() - began
        print(f"{n:,} players: {took_s:.0f} s", file=sys.stderr)
    return found


def _around() -> dict[str, Any]:
    return {
        "processor": machine.processor(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_before": machine.load(),
    }


def _beside(cores: Cores, is_steered: bool) -> list[Beside]:
    """Measure fan-out side by side; with steering, both without and with it."""
    ways = (False, True) if is_steered else (False,)
    found = [beside.beside(BESIDE, cores, _tell, is_steered=way) for way in ways]
    _tell("")
    return found


def _write(
    around: dict[str, Any],
    sizes: list[Size],
    turns: list[Beside],
    homes: list[Home],
    paced: Paced,
    text: str,
) -> None:
    found = {
        **around,
        "sizes": [asdict(size) for size in sizes],
        "side_by_side": [asdict(one) for one in turns],
        "home_beside_alone": [asdict(one) for one in homes],
        "paced": asdict(paced),
    }
    (DOCS / "performance.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "pictures" / "performance.svg").write_text(picture(sizes, turns), "utf-8")
    replace_part("speed", text)


def main() -> None:
    """Measure, print, and write what a whole run has found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument(
        "--steer",
        action="store_true",
        help="measure fan-out also with loopback's receiving half done by the driver's "
        "core: changes rps_cpus of lo while that lasts (root)",
    )
    parser.add_argument(
        "--home",
        action="store_true",
        help="with --sizes: also measure a home with a broker beside a lone node",
    )
    options = parser.parse_args()
    sizes, is_whole = options.sizes, tuple(options.sizes) == SIZES
    try:
        machine.raise_file_limit(3 * BESIDE)
    except machine.TooFewFiles as exc:
        raise SystemExit(str(exc)) from exc
    cores = _cores()
    machine.pin(cores.driver)
    around = _around()
    print(f"{around['processor']}, server and driver on a core each", file=sys.stderr)
    print(f"load before: {around['load_before']}", file=sys.stderr)
    try:
        turns = _beside(cores, options.steer) if is_whole else []
        homes = [home(BESIDE, cores, _tell)] if is_whole or options.home else []
    except machine.CannotSteer as exc:
        raise SystemExit(str(exc)) from exc
    found = _measured(sizes, cores)
    paced = campaign.paced(cores, _tell)
    _tell("")
    judged = "\n".join(str(promise) for promise in promises(found, paced, turns, homes))
    ending = f"load before {around['load_before']}, after {machine.load()}"
    tables = [table(found), *([beside.table(turns)] if turns else [])]
    text = "\n\n".join(
        (*tables, f"{MARK}\n\n```\n{judged}\n```", f"{around['processor']}; {ending}.")
    )
    print(text)
    if is_whole:
        _write(around, found, turns, homes, paced, text)


if __name__ == "__main__":
    main()
