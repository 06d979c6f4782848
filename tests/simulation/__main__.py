"""``python -m tests.simulation``: simulate seed after seed, and add up what was seen.

    python -m tests.simulation --seeds 2000   # the next 2,000, where the last run ended
    python -m tests.simulation --minutes 60   # as many as an hour gives
    python -m tests.simulation --only 4711    # one seed, with what it breaks

Runs are spread over the cores. The total of all runs is in docs/simulation.json, with
how often each fault met each phase; docs/simulation.md shows it. Both are written again
and again, so an interruption loses only the runs at that moment. A seed that fails is
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

from tests.simulation.runs import shrunk, simulate
from tests.simulation.world import (
    FLEET_KINDS,
    KINDS,
    STAGES,
    Kind,
    Outcome,
    Script,
    Stage,
    script,
)

DOCS = Path(__file__).parents[2] / "docs"
TOTAL, PAGE = DOCS / "simulation.json", DOCS / "simulation.md"
START, END = "<!-- total -->", "<!-- end of total -->"
CHUNK = 20
"""Seeds that a process runs before it is asked again."""


class StageTotal(BaseModel):
    """What all runs of one stage came to."""

    runs: int = 0
    messages: int = 0
    recorded: int = 0
    met: dict[str, dict[str, int]] = {}
    """How often each fault met each phase of the room."""

    def add(self, outcome: Outcome) -> None:
        """Count one run."""
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


class Total(BaseModel):
    """What all runs so far came to."""

    next: int = 1
    """The seed that comes next."""
    seconds: float = 0.0
    stages: dict[Stage, StageTotal] = {}

    def of(self, stage: Stage) -> StageTotal:
        """Return the total of a stage."""
        return self.stages.setdefault(stage, StageTotal())

    def line(self) -> str:
        """Return the figures in one line."""
        runs = sum(each.runs for each in self.stages.values())
        messages = sum(each.messages for each in self.stages.values())
        return f"{runs:,} runs, {messages:,} messages"


def main(argv: Sequence[str] | None = None) -> int:
    """Run seeds, print progress, store the total; return the exit code."""
    options = _arguments(argv)
    logging.disable(logging.CRITICAL)
    if options.only is not None:
        return max(_show(script(options.only, stage)) for stage in STAGES)
    total = _load()
    began_s, failed = time.monotonic(), list[Script]()
    before_s = total.seconds
    with ProcessPoolExecutor(options.processes) as pool:
        chunks = _chunks(total.next, options.seeds)
        while some := list(islice(chunks, options.processes)):
            for chunk, outcomes in zip(some, pool.map(_run, some), strict=True):
                total.next = chunk.stop
                for plan, outcome in outcomes:
                    total.of(plan.stage).add(outcome)
                    if outcome.problems:
                        failed.append(plan)
                        about = f"seed {plan.seed}, {plan.stage}"
                        print(f"{about} failed: {outcome.problems[0]}")
            print(f"{total.line()}, {len(failed)} failed", flush=True)
            took_s = time.monotonic() - began_s
            total.seconds = before_s + took_s
            TOTAL.write_text(total.model_dump_json(indent=1) + "\n", encoding="utf-8")
            _write_page(total)
            if took_s > 60 * options.minutes:
                break
    for plan in failed:
        _show(plan)
    return 1 if failed else 0


def _chunks(first: int, how_many: int) -> Iterator[range]:
    for start in range(first, first + how_many, CHUNK):
        yield range(start, min(start + CHUNK, first + how_many))


def _run(seeds: range) -> list[tuple[Script, Outcome]]:
    logging.disable(logging.CRITICAL)
    plans = [script(number, stage) for number in seeds for stage in STAGES]
    return [(plan, simulate(plan)) for plan in plans]


def _show(plan: Script) -> int:
    """Print what a seed breaks, and the smallest run that breaks something."""
    outcome = simulate(plan)
    about = f"seed {plan.seed}, {plan.stage}"
    print(f"{about}: {len(outcome.problems)} problems, digest {outcome.digest}")
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
    parts = [
        f"{total.line()}, in {total.seconds / 3600:.1f} hours.",
        f"With a home, its edges and a broker:\n{total.of('sites').line()}.",
        table(KINDS, total.of("sites")),
        f"With nodes on one database:\n{total.of('fleet').line()}.",
        table(FLEET_KINDS, total.of("fleet")),
    ]
    body = "\n\n".join(parts)
    PAGE.write_text(f"{before}{START}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def table(kinds: Sequence[Kind], total: StageTotal) -> str:
    """Return how often each fault met each phase, as Markdown."""
    phases = sorted({phase for of in total.met.values() for phase in of})
    rows = [
        "| fault | " + " | ".join(phases) + " |",
        "|---|" + "---:|" * len(phases),
    ]
    for kind in kinds:
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
