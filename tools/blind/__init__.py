"""Blind labeling of the cases: draw stories, hide the key, measure the agreement.

    python -m tools.blind draw INTO --key KEY.json      # sheets without a verdict
    python -m tools.blind score KEY.json ANSWERS...     # agreement and alpha

A sheet contains a title and a story, as a class reads them before it votes. Its number
is random too, so that neither names nor order give anything away. Labelers read
docs/labels.md, so the cases it names are never drawn. An answers file has one line per
sheet, with the number of the sheet and one of the words in VALUES.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from random import Random
from statistics import stdev

from scenarios.library import Library
from scenarios.model import Case
from server.game.intervals import wilson

VALUES = ("outer", "inner", "both", "neither", "contested", "undecidable")
SEED, COUNT, DRAWS = 60, 60, 2000
FEWEST_FOR_INTERVAL = 30
"""Minimum number of stories for a confidence interval of alpha."""
RULES = Path(__file__).parents[2] / "docs" / "labels.md"
"""The rules that labelers read. They know the labels of the cases it names."""
NAMED = re.compile(r"[`/]([a-z0-9]+(?:-[a-z0-9]+)+)(?:`|\.toml)")
LINE = re.compile(r"^\s*(\d+)\s*[:.,;\t ]\s*([a-z]+)\b", re.IGNORECASE)
TASK = """# Which of the two links broke?

Each numbered file holds one story. Two links are asked about, each on its own. Did what
was written (the objective in force) miss what was meant? Did what was learned miss what
was written? Answer with one word a story, in a file with a line for each:

    1: outer

- outer: what was written missed what was meant.
- inner: what was learned missed what was written.
- both, neither: as the words say. A bug, an attack or a lack of skill alone is neither.
- contested: the story gives a fact for each of two answers, and either names people who
  read it differently or says that what would decide isn't known.
- undecidable: this story leaves out what would decide, and doesn't say so.

The rules are in labels.md, beside this page. Do not look at the files of the cases, or
at answers of others.
"""

Answers = Mapping[int, str]


def worked_examples(library: Library) -> set[str]:
    """Return the IDs of the cases whose labels docs/labels.md gives away."""
    return set(NAMED.findall(RULES.read_text(encoding="utf-8"))) & set(library.cases)


def draw(library: Library, seed: int, count: int) -> list[Case]:
    """Return a random sample of the cases, without the worked examples of the rules."""
    names = sorted(set(library.cases) - worked_examples(library))
    chosen = Random(seed).sample(names, min(count, len(names)))  # noqa: S311
    return [library.cases[name] for name in chosen]


def write_sheets(cases: Sequence[Case], into: Path, key: Path) -> None:
    """Write a sheet for each story, all sheets in one file, the task and the rules.

    They are written to the folder ``into``, and the key to a file elsewhere. Raises
    ValueError if the key would be in the folder of the sheets.
    """
    if key.resolve().is_relative_to(into.resolve()):
        raise ValueError(f"The key has to be outside of {into}: name another file.")
    into.mkdir(parents=True, exist_ok=True)
    (into / "TASK.md").write_text(TASK, encoding="utf-8")
    (into / RULES.name).write_bytes(RULES.read_bytes())
    sheets = [
        f"{number}. {case.title}\n\n{case.story}\n"
        for number, case in enumerate(cases, 1)
    ]
    for number, text in enumerate(sheets, 1):
        (into / f"{number:02}.txt").write_text(text, encoding="utf-8")
    (into / "stories.txt").write_text("\n".join(sheets), encoding="utf-8")
    told = {number: [case.id, case.verdict] for number, case in enumerate(cases, 1)}
    key.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def read_answers(path: Path) -> dict[int, str]:
    """Return the answers in a file by sheet; raise ValueError for an unknown word."""
    found: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        number, word = int(match[1]), match[2].lower()
        if word not in VALUES or number in found:
            raise ValueError(f"{path.name}: '{line}': one of {', '.join(VALUES)}, once")
        found[number] = word
    return found


def alpha(stories: Iterable[Sequence[str]]) -> float:
    """Return Krippendorff's alpha for nominal labels; each item is one story's labels.

    Stories with fewer than two labels are ignored (Krippendorff 2011). If all labels
    are the same, no disagreement is possible, and the result is 1.
    """
    agreed = 0.0
    totals: dict[str, float] = {}
    for labels in stories:
        for (one, other), times in Counter(permutations(labels, 2)).items():
            weight = times / (len(labels) - 1)
            totals[one] = totals.get(one, 0.0) + weight
            agreed += weight if one == other else 0.0
    n = sum(totals.values())
    expected = n * n - sum(value * value for value in totals.values())
    if expected == 0:
        return 1.0
    return 1 - (n - 1) * (n - agreed) / expected


def interval(stories: Sequence[Sequence[str]]) -> tuple[float, float] | None:
    """Return a 95% confidence interval of alpha by resampling stories.

    The interval is computed on a log scale of 1 - alpha. Returns None for fewer than 30
    stories, or if there is no disagreement at all.
    """
    middle = alpha(stories)
    if len(stories) < FEWEST_FOR_INTERVAL or middle == 1:
        return None
    random = Random(0)  # noqa: S311
    spread = stdev(alpha(random.choices(stories, k=len(stories))) for _ in range(DRAWS))
    factor = math.exp(1.96 * spread / (1 - middle))
    return 1 - (1 - middle) * factor, 1 - (1 - middle) / factor


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a labeler agreed with the key: ``right`` out of ``n`` stories."""

    right: int
    n: int

    def __str__(self) -> str:
        low, high = wilson(self.right, self.n)
        share = self.right / self.n if self.n else 0
        return f"{self.right} of {self.n} ({share:.0%}, 95% {low:.0%} to {high:.0%})"


def with_key(key: Mapping[int, str], answers: Answers, clean: bool) -> Agreement:
    """Return the agreement with the key over all stories, or only over clean ones."""
    asked = [n for n in key if not clean or key[n] in ("outer", "inner")]
    told = [n for n in asked if n in answers]
    return Agreement(sum(answers[n] == key[n] for n in told), len(told))
