"""``python -m tests.simulation``: simulate seed after seed, and add up what was seen.

    python -m tests.simulation --seeds 2000   # the next 2,000, where the last run ended
    python -m tests.simulation --minutes 60   # as many as an hour gives
    python -m tests.simulation --only 4711    # one seed, with what it breaks

Runs are spread over the cores. The total of all runs is in docs/simulation.json, with
how often each fault met each phase; docs/simulation.md shows it. A seed that fails is
printed, with the smallest run that fails as well.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

from pydantic import BaseModel

from tests.simulation.world import KINDS, Outcome, script, shrunk, simulate

DOCS = Path(__file__).parents[2] / "docs"
TOTAL, PAGE = DOCS / "simulation.json", DOCS / "simulation.md"
START, END = "<!-- total -->", "<!-- end of total -->"
CHUNK = 20
"""Seeds that a process runs before it is asked again."""


class Total(BaseModel):
    """What all runs so far came to."""

    next: int = 1
    """The seed that comes next."""
    runs: int = 0
    messages: int = 0
    recorded: int = 0
    seconds: float = 0.0
    met: dict[str, dict[str, int]] = {}
    """How often each fault met each phase of the room."""

    def add(self, outcome: Outcome) -> None:
        """Count one run."""
        self.next += 1
        self.runs += 1
        self.messages += outcome.sent
        self.recorded += outcome.recorded
        for (kind, phase), times in outcome.coverage.items():
            of = self.met.setdefault(kind, {})
            of[phase] = of.get(phase, 0) + times

    @property
    def faults(self) -> int:
        """How many faults there were."""
        return sum(sum(of.values()) for of in self.met.values())

    def line(self) -> str:
        """Return the figures in one line."""
        return (
            f"{self.runs:,} runs, {self.faults:,} faults, {self.messages:,} messages, "
            f"{self.recorded:,} votes recorded"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run seeds, print progress, store the total; return the exit code."""
    options = _arguments(argv)
    logging.disable(logging.CRITICAL)
    if options.only is not None:
        return _show(options.only)
    total = _load()
    began_s = time.monotonic()
    failed: list[int] = []
    with ProcessPoolExecutor(options.processes) as pool:
        chunks = _chunks(total.next, options.seeds)
        while some := list(islice(chunks, options.processes)):
            for chunk, outcomes in zip(some, pool.map(_run, some), strict=True):
                for number, outcome in zip(chunk, outcomes, strict=True):
                    total.add(outcome)
                    if outcome.problems:
                        failed.append(number)
                        print(f"seed {number} failed: {outcome.problems[0]}")
            print(f"{total.line()}, {len(failed)} failed", flush=True)
            if time.monotonic() - began_s > 60 * options.minutes:
                break
    total.seconds += time.monotonic() - began_s
    TOTAL.write_text(total.model_dump_json(indent=1) + "\n", encoding="utf-8")
    _write_page(total)
    for number in failed:
        _show(number)
    return 1 if failed else 0


def _chunks(first: int, how_many: int) -> Iterator[range]:
    for start in range(first, first + how_many, CHUNK):
        yield range(start, min(start + CHUNK, first + how_many))


def _run(seeds: range) -> list[Outcome]:
    logging.disable(logging.CRITICAL)
    return [simulate(script(number)) for number in seeds]


def _show(number: int) -> int:
    """Print what a seed breaks, and the smallest run that breaks something."""
    plan = script(number)
    outcome = simulate(plan)
    print(f"seed {number}: {len(outcome.problems)} problems, digest {outcome.digest}")
    if outcome.problems:
        plan = shrunk(plan, lambda fewer: bool(simulate(fewer).problems))
        outcome = simulate(plan)
        print(f"  shrunk to {plan}")
    for problem in outcome.problems:
        print(f"  {problem}")
    return 1 if outcome.problems else 0


def _load() -> Total:
    if TOTAL.exists():
        return Total.model_validate_json(TOTAL.read_text(encoding="utf-8"))
    return Total()


def _write_page(total: Total) -> None:
    """Write the total into the page, between its two marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START, 1)
    after = rest.split(END, 1)[1]
    body = f"{total.line()}, in {total.seconds / 3600:.1f} hours.\n\n{table(total)}"
    PAGE.write_text(f"{before}{START}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def table(total: Total) -> str:
    """Return how often each fault met each phase, as Markdown."""
    phases = sorted({phase for of in total.met.values() for phase in of})
    rows = [
        "| fault | " + " | ".join(phases) + " |",
        "|---|" + "---:|" * len(phases),
    ]
    for kind in KINDS:
        of = total.met.get(kind, {})
        cells = (str(of.get(phase, 0)) for phase in phases)
        rows.append(f"| {kind.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=10**9, help="How many at most.")
    parser.add_argument("--minutes", type=float, default=120, help="How long at most.")
    parser.add_argument("--only", type=int, help="One seed, with what it breaks.")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
