"""``python -m tests.campaign``: hours of kills, faults, random games and broken frames.

    python -m tests.campaign            # start, or continue where it was interrupted
    python -m tests.campaign kill fuzz  # the steps whose names contain one of these
    python -m tests.campaign --list     # the steps, and which have passed
    python -m tests.campaign --fresh    # start again

Each step runs in a process of its own. The folder .campaign keeps its result, its
figures and its log, for one commit and one seed; another commit or seed starts again.
Interrupting loses the step that is running and no other.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.support.tiers import SEED_SWITCH, SWITCH, Tier, seed

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".campaign"
PYTEST = (sys.executable, "-m", "pytest", "-q")
LONG_S = 14_400
"""Seconds after which a step that hangs is ended."""

PROGRAMS = {
    "soak": ("tests.bench.soak",),
    "stuck readers": ("tests.bench.stuck",),
    "flood": ("tests.bench.flood",),
}
"""Steps that are programs of their own: the module and its arguments."""


@dataclass(slots=True)
class Result:
    """How a step ended: whether it passed, its seconds, and its figures."""

    passed: bool
    took_s: float
    figures: list[str]


@dataclass(slots=True)
class State:
    """What has been run of one commit with one seed."""

    commit: str
    seed: int
    results: dict[str, Result] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the state, so that an interruption leaves the old or the new one."""
        folder.mkdir(exist_ok=True)
        partial = folder / "state.partial"
        partial.write_text(json.dumps(asdict(self), indent=1))
        partial.replace(folder / "state.json")


def resumed(folder: Path, commit: str, number: int) -> State:
    """Return the stored state of this commit and seed, or a new one."""
    try:
        stored = json.loads((folder / "state.json").read_text())
    except FileNotFoundError:
        return State(commit, number)
    if (stored["commit"], stored["seed"]) != (commit, number):
        return State(commit, number)
    results = {name: Result(**each) for name, each in stored["results"].items()}
    return State(commit, number, results)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps that have not passed; return the exit code."""
    options = _arguments(argv)
    os.chdir(ROOT)
    os.environ[SWITCH] = Tier.CAMPAIGN
    os.environ.setdefault(SEED_SWITCH, str(seed()))
    state = resumed(FOLDER, _commit(), seed())
    if options.fresh:
        state.results.clear()
    steps = {
        name: command
        for name, command in all_steps().items()
        if not options.only or any(part in name for part in options.only)
    }
    print(f"commit {state.commit[:10]}, seed {state.seed}, {len(steps)} steps")
    if options.list:
        print("\n".join(line(name, state.results.get(name)) for name in steps))
        return 0
    try:
        return campaign(steps, state, FOLDER)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command continues from here.")
        return 130


def run(name: str, command: Sequence[str], folder: Path) -> Result:
    """Run one step with its output in a log; return how it ended."""
    log = folder / f"{re.sub(r'[^a-zA-Z0-9]+', '-', name).strip('-')}.log"
    folder.mkdir(exist_ok=True)
    began_s = time.monotonic()
    with log.open("w") as output:
        done = subprocess.run(
            command, check=False, stdout=output, stderr=subprocess.STDOUT
        )
    took_s = time.monotonic() - began_s
    return Result(done.returncode == 0, took_s, figures_in(log.read_text()))


def figures_in(log: str) -> list[str]:
    """Return the figures that pytest printed, or the last lines of a program.

    A test without figures has its line of results.
    """
    section = re.search(
        r"^=+ figures =+\n(.*?)(?=^=|\Z)", log, re.MULTILINE | re.DOTALL
    )
    last = log.splitlines()[
        -1 if re.search(r"\b(passed|failed)\b.* in ", log) else -4 :
    ]
    lines = section[1].splitlines() if section else last
    return [text for text in lines if text.strip()]


Run = Callable[[str, Sequence[str], Path], Result]


def campaign(
    steps: Mapping[str, Sequence[str]], state: State, folder: Path, run: Run = run
) -> int:
    """Run each step that has not passed, save after each, and write the summary."""
    for name, command in steps.items():
        known = state.results.get(name)
        if known is None or not known.passed:
            print(f"      ...  {name}", flush=True)
            state.results[name] = run(name, command, folder)
            state.save(folder)
        print(line(name, state.results[name]), flush=True)
        for text in state.results[name].figures:
            print(f"             {text}", flush=True)
    (folder / "summary.md").write_text(summary(state))
    print(f"Figures: {folder / 'summary.md'}")
    return 0 if all(state.results[name].passed for name in steps) else 1


def all_steps() -> dict[str, Sequence[str]]:
    """Return every step by name: test functions of this tier, then the programs."""
    done = subprocess.run(
        (*PYTEST, "--collect-only"), check=False, text=True, capture_output=True
    )
    names = re.findall(r"^(tests/\S+?::\w+)", done.stdout, re.MULTILINE)
    if not names:
        raise SystemExit(f"No tests could be collected:\n{done.stdout[-2000:]}")
    tests = {name: (*PYTEST, "-o", f"timeout={LONG_S}", name) for name in names}
    programs = {
        name: (sys.executable, "-m", *command) for name, command in PROGRAMS.items()
    }
    return {**tests, **programs}


def line(name: str, result: Result | None) -> str:
    """Return a step's line: its seconds, its result, its name."""
    if result is None:
        return f"        not yet  {name}"
    return f"{result.took_s:7.0f} s {'passed' if result.passed else 'FAILED'}  {name}"


def summary(state: State) -> str:
    """Return the results and figures as Markdown."""
    rows = [
        f"| {name} | {'passed' if each.passed else 'FAILED'} | {each.took_s:.0f} s |"
        f" {'<br>'.join(text.replace('|', '/') for text in each.figures)} |"
        for name, each in state.results.items()
    ]
    head = [f"# Campaign on {state.commit[:10]}, seed {state.seed}", ""]
    table = ["| step | result | time | figures |", "|---|---|---|---|", *rows]
    return "\n".join([*head, *table]) + "\n"


def _commit() -> str:
    command = ("git", "rev-parse", "HEAD")
    done = subprocess.run(command, check=False, text=True, capture_output=True)
    return done.stdout.strip() or "no-commit"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("only", nargs="*", help="Parts of the names of steps.")
    parser.add_argument("--list", action="store_true", help="Show the steps.")
    parser.add_argument("--fresh", action="store_true", help="Start again.")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
