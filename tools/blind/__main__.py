"""``python -m tools.blind``: see the package."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from scenarios.load import load_library
from tools.blind import (
    COUNT,
    SEED,
    alpha,
    draw,
    interval,
    read_answers,
    with_key,
    write_sheets,
)

KEY: TypeAdapter[dict[int, tuple[str, str]]] = TypeAdapter(dict[int, tuple[str, str]])


def main(arguments: Sequence[str]) -> int:
    """Draw sheets, or score answers; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.blind")
    actions = parser.add_subparsers(dest="action", required=True)
    drawing = actions.add_parser("draw", help="write sheets without their verdicts")
    drawing.add_argument("into", type=Path)
    drawing.add_argument("--key", type=Path, required=True)
    drawing.add_argument("--seed", type=int, default=SEED)
    drawing.add_argument("--count", type=int, default=COUNT)
    scoring = actions.add_parser("score", help="agreement with the key and each other")
    scoring.add_argument("key", type=Path)
    scoring.add_argument("answers", type=Path, nargs="+")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.action == "draw":
            cases = draw(load_library(), chosen.seed, chosen.count)
            write_sheets(cases, chosen.into, chosen.key)
            print(f"{len(cases)} sheets in {chosen.into}, the key in {chosen.key}")
        else:
            _score(chosen.key, chosen.answers)
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _score(path: Path, files: Sequence[Path]) -> None:
    key = KEY.validate_json(path.read_bytes())
    verdicts = {number: verdict for number, (_, verdict) in key.items()}
    every = [read_answers(file) for file in files]
    for file, answers in zip(files, every, strict=True):
        print(f"{file.name}: clean {with_key(verdicts, answers, clean=True)}")
        print(f"{file.name}: all {with_key(verdicts, answers, clean=False)}")
    labels = [[each[n] for each in every if n in each] for n in verdicts]
    stories = [each for each in labels if len(each) > 1]
    bounds = interval(stories)
    told = f" (95% {bounds[0]:.2f} to {bounds[1]:.2f})" if bounds else ""
    print(
        f"Krippendorff's alpha over {len(stories)} stories: {alpha(stories):.4f}{told}"
    )
    for number, (name, verdict) in key.items():
        given = [each.get(number, "-") for each in every]
        if any(word != verdict for word in given):
            print(f"{number:3} {name}: key {verdict}, given {json.dumps(given)}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
