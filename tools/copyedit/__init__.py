"""Blind copy-editing: current stories, old versions and native prose, shuffled.

    python -m tools.copyedit draw INTO --key KEY.json --old COMMIT --native FOLDER
    python -m tools.copyedit score KEY.json MARKS...

The passage of a case consists of its story and the running prose of its breakdown. Old
versions are read from the history of this repository; a case is never drawn in both
versions. Native prose is read from a folder of text files that someone has collected
and that are not part of this repository. A marks file has one line for each sentence
that a copy editor would change: the number of the passage, a colon, and the reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from scenarios.library import Library

KINDS = ("new", "old", "native")
NEW, OLD, NATIVE = 40, 20, 20
SEED, FILES = 62, 4
CASES = "scenarios/cases"
ARGUED = ("why", "why_not", "more_capable", "residual")
"""The fields of a breakdown that are running prose."""
SENTENCE_END = re.compile(r"[.!?][\"')”]*(?=\s|$)")
SHORT = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Co|Fla|St|vs|No|a\.m|p\.m|[A-Z])\.(?=\s)")
MARK = re.compile(r"^\s*(\d+)\s*[:|]")
TASK = """# Read as a copy editor

You are a native American copy editor at a good magazine. The files hold {total}
numbered passages by different writers. Read each and mark every sentence that you would
not let pass: not what a native writer says, a wrong word, an idiom that is off, a
clumsy construction, a sentence that has to be read twice. A matter of taste, or a fact
that you doubt, is not a mark. Where a passage reads as it should, mark nothing in it.

Write one line for each sentence that you mark, in a file of your own:

    17: "the first words of the sentence" - why, or how you would put it

Do not guess where a passage comes from, and do not look for it.
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage to read: its origin and its text."""

    kind: str
    name: str
    text: str


def sentences(text: str) -> int:
    """Return the approximate number of sentences in a text, counted by punctuation."""
    return len(SENTENCE_END.findall(SHORT.sub("x", text)))


def text_of(story: str, breakdown: Mapping[str, str]) -> str:
    """Return the running prose of a case: the story, and the fields in ARGUED."""
    argued = " ".join(breakdown[name].strip() for name in ARGUED)
    return f"{story.strip()}\n\n{argued}"


def present_texts(library: Library) -> dict[str, str]:
    """Return the current text of each case."""
    return {
        case.id: text_of(case.story, case.breakdown.model_dump())
        for case in library.cases.values()
    }


def old_texts(root: Path, commit: str) -> dict[str, str]:
    """Return the text of each case as it was at a commit of a repository.

    Raises ValueError if git does not know the commit.
    """
    found: dict[str, str] = {}
    for path in _git(root, "ls-tree", "--name-only", commit, f"{CASES}/").split():
        case = tomllib.loads(_git(root, "show", f"{commit}:{path}"))
        found[case["id"]] = text_of(case["story"], case["breakdown"])
    return found


def _git(root: Path, *arguments: str) -> str:
    ran = subprocess.run(  # noqa: S603
        ["git", "-C", str(root), *arguments],  # noqa: S607
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if ran.returncode:
        raise ValueError(ran.stderr.strip())
    return ran.stdout


def choose(
    new: Mapping[str, str], old: Mapping[str, str], native: Mapping[str, str], seed: int
) -> list[Passage]:
    """Return 40 current cases, old versions of 20 others and 20 native texts, shuffled.

    Raises ValueError if there are not enough texts of a kind.
    """
    random = Random(seed)  # noqa: S311
    passages: list[Passage] = []
    for kind, texts, count in zip(
        KINDS, (new, old, native), (NEW, OLD, NATIVE), strict=True
    ):
        names = sorted(set(texts) - {each.name for each in passages})
        if len(names) < count:
            raise ValueError(f"{len(names)} {kind} texts are too few: {count}")
        passages += [
            Passage(kind, each, texts[each].strip())
            for each in random.sample(names, count)
        ]
    random.shuffle(passages)
    return passages


def write_passages(passages: Sequence[Passage], into: Path, key: Path) -> None:
    """Write the task, the passages in a few files, and the key with their origins."""
    into.mkdir(parents=True, exist_ok=True)
    task = TASK.format(total=len(passages))
    (into / "TASK.md").write_text(task, encoding="utf-8")
    size = -(-len(passages) // FILES)
    for start in range(0, len(passages), size):
        part = passages[start : start + size]
        text = "\n\n".join(
            f"## {number}\n\n{each.text}" for number, each in enumerate(part, start + 1)
        )
        name = f"passages{start // size + 1}.txt"
        (into / name).write_text(text + "\n", encoding="utf-8")
    told = {
        number: [each.kind, each.name, sentences(each.text)]
        for number, each in enumerate(passages, 1)
    }
    key.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def read_marks(lines: Iterable[str]) -> Counter[int]:
    """Return the number of marked sentences in each passage."""
    found = (MARK.match(line) for line in lines)
    return Counter(int(match[1]) for match in found if match)


def rates(
    key: Mapping[int, tuple[str, str, int]], marks: Mapping[int, int]
) -> dict[str, tuple[int, int]]:
    """Return, for each kind, the numbers of marked sentences and of all sentences."""
    every = dict.fromkeys(KINDS, (0, 0))
    for number, (kind, _, n) in key.items():
        marked, total = every[kind]
        every[kind] = (marked + min(marks.get(number, 0), n), total + n)
    return every
