"""``python -m tools.copyedit``: see the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from scenarios.load import load_library
from tools.copyedit import (
    SEED,
    choose,
    old_texts,
    present_texts,
    rates,
    read_marks,
    write_passages,
)

ROOT = Path(__file__).parents[2]
KEY: TypeAdapter[dict[int, tuple[str, str, int]]] = TypeAdapter(
    dict[int, tuple[str, str, int]]
)


def main(arguments: Sequence[str]) -> int:
    """Draw passages, or count marks; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.copyedit")
    actions = parser.add_subparsers(dest="action", required=True)
    drawing = actions.add_parser("draw", help="write passages without their origin")
    drawing.add_argument("into", type=Path)
    drawing.add_argument("--key", type=Path, required=True)
    drawing.add_argument("--old", required=True, metavar="COMMIT")
    drawing.add_argument("--native", type=Path, required=True, metavar="FOLDER")
    drawing.add_argument("--seed", type=int, default=SEED)
    scoring = actions.add_parser("score", help="marked sentences of each kind")
    scoring.add_argument("key", type=Path)
    scoring.add_argument("marks", type=Path, nargs="+")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.action == "draw":
            native = {
                path.stem: path.read_text(encoding="utf-8")
                for path in chosen.native.glob("*.txt")
            }
            new = present_texts(load_library())
            old = old_texts(ROOT, chosen.old)
            passages = choose(new, old, native, chosen.seed)
            write_passages(passages, chosen.into, chosen.key)
            print(f"{len(passages)} passages in {chosen.into}, key in {chosen.key}")
        else:
            _score(chosen.key, chosen.marks)
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _score(path: Path, files: Sequence[Path]) -> None:
    key = KEY.validate_json(path.read_bytes())
    lines = [
        line for file in files for line in file.read_text(encoding="utf-8").splitlines()
    ]
    marks = read_marks(lines)
    for kind, (marked, total) in rates(key, marks).items():
        told = f", one in {total / marked:.1f}" if marked else ""
        print(f"{kind}: {marked} of {total} sentences marked{told}")
    for number, times in sorted(marks.items()):
        kind, name, _ = key[number]
        if kind == "new":
            print(f"{number:3} {name}: {times}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
