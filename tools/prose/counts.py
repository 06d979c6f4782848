"""``python -m tools.prose.counts``: count the worst habits of the project's prose.

    python -m tools.prose.counts                  # now, compared with the first review
    python -m tools.prose.counts --since v0.1.0   # now, compared with another revision
    python -m tools.prose.counts --show "at once" # where one of them occurs now

The first review of the project's English, at commit 05d6d64, counted phrases that no
native engineer writes. This program counts the same phrases in every tracked Python,
Markdown, TypeScript and Svelte file. Identifiers count too: ``test_nobody_waits`` is a
hit.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
REVIEWED = "05d6d64"
"""The commit that was reviewed."""

SUFFIXES = {".py", ".md", ".ts", ".svelte"}

EXCEPT = re.compile(
    r"tools/prose/counts\.py|tests/tools/test_(prose|reading|copyedit)\.py"
    r"|docs/evidence\.md|scenarios/prose\.py|client/web/src/i18n/de(\.\w+)?\.ts"
)
"""Files with text that is not our English: examples, quotes, word lists, German."""

GAP = r"(?:_|[ \t]+|[ \t]*\n[ \t]*(?:(?:\#:?|//|\*)[ \t]+)?)"
"""What separates two words in text, across a line break, or in an identifier."""

HEAD = (
    rf"(?:^|[^\w\s,]\s*|(?<![a-z])(?:to|for|by|of|from|with|than|as|is|on|in|at){GAP})"
)
"""What precedes a word that has no noun to refer to."""


def _phrase(pattern: str) -> re.Pattern[str]:
    bounded = rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])".replace(" ", GAP)
    return re.compile(bounded, re.IGNORECASE | re.MULTILINE)


HABITS: dict[str, re.Pattern[str]] = {
    "-body": _phrase("(?:some|every|no)body"),
    "whoever": _phrase("who(?:m)?ever"),
    "mend": _phrase("mend(?:s|ed|ing)?"),
    "stands": _phrase("(?:stands?|stood|standing) (?:in|on|at|there|here|beside|with)"),
    "is no": _phrase(
        r"(?<!there\s)(?<!there_)(?:is|are|was|were) no (?!longer|more|less|one)[a-z]+"
    ),
    "headless who": re.compile(
        rf"{HEAD}who{GAP}(?:is|has|was|does|[a-z]+s)(?![A-Za-z])(?![^.\n]*\?)",
        re.IGNORECASE | re.MULTILINE,
    ),
    "at once": _phrase("at once"),
    "by itself": _phrase("by (?:itself|themselves)"),
    "told, said": _phrase("(?:be|been|is|are|was|were) (?:told|said)"),
    "so many": _phrase("so (?:many|often)(?! (?:that|as))"),
    ", too": re.compile(r", too(?=[.:;)\"`])"),
    "he, his": _phrase("he|him|his|himself"),
}


def count(folder: Path, names: Sequence[str]) -> dict[str, int]:
    """Return how often each habit occurs in these files in a folder."""
    totals = dict.fromkeys(HABITS, 0)
    for name in names:
        text = (folder / name).read_text(encoding="utf-8")
        for habit, pattern in HABITS.items():
            totals[habit] += sum(1 for _ in pattern.finditer(text))
    return totals


def tracked(root: Path) -> list[str]:
    """Return the text files of a checkout that are tracked or not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(  # noqa: S603 - git, with arguments of our own
        command, cwd=root, check=True, text=True, capture_output=True
    )
    names = sorted(set(done.stdout.splitlines()))
    return [name for name in names if _is_text(name) and (root / name).is_file()]


def count_revision(root: Path, revision: str) -> dict[str, int]:
    """Return the counts of a revision, unpacked into a temporary folder."""
    done = subprocess.run(  # noqa: S603 - git, with arguments of our own
        ["git", "archive", "--format=tar", revision],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
            names = [each.name for each in archive.getmembers() if each.isfile()]
        return count(Path(folder), [name for name in names if _is_text(name)])


def places(root: Path, habit: str) -> Iterator[str]:
    """Yield the path, line and text of every occurrence of a habit."""
    for name in tracked(root):
        text = (root / name).read_text(encoding="utf-8")
        for found in HABITS[habit].finditer(text):
            number = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{number}: {' '.join(found[0].split())}"


def _is_text(name: str) -> bool:
    return Path(name).suffix in SUFFIXES and not EXCEPT.fullmatch(name)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, or all occurrences of one habit; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.prose.counts")
    parser.add_argument("--since", default=REVIEWED, help="The revision before.")
    parser.add_argument("--show", choices=sorted(HABITS), help="List its places.")
    options = parser.parse_args(argv)
    if options.show:
        print("\n".join(places(ROOT, options.show)))
        return 0
    before = count_revision(ROOT, options.since)
    now = count(ROOT, tracked(ROOT))
    print(f"{'':30}{options.since:>10}{'now':>8}{'change':>9}")
    for habit in HABITS:
        change = (now[habit] - before[habit]) / before[habit] if before[habit] else 0
        print(f"{habit:30}{before[habit]:10}{now[habit]:8}{change:9.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
