"""The code blocks of the documentation, and how each is tested.

A mark is a comment on the line before a block:

- ``<!-- block: run -->``: a test runs it as written (tests/docs/test_blocks.py);
- ``<!-- block: run, until stopped -->``: the same, for a server that has to be stopped;
- ``<!-- block: parsed -->``: a test parses or compiles it, depending on its language;
- ``<!-- block: not run: REASON -->``: no test runs it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from scenarios.prose import plural

MARK = re.compile(
    r"<!-- block: (?P<how>run, until stopped|run|parsed|not run)(?:: (?P<why>.+?))? -->"
)


@dataclass(frozen=True, slots=True)
class Block:
    """One code block of a page."""

    page: str
    line: int
    language: str
    text: str
    how: str
    """How it is tested, as in its mark: run, parsed, …; empty if it has no mark."""
    why: str

    @property
    def place(self) -> str:
        """The path and line of the block."""
        return f"{self.page}:{self.line}"


def pages(project: Path) -> list[Path]:
    """Return the pages whose blocks are tested."""
    found = [*(project / "docs").rglob("*.md"), *project.glob("*.md")]
    return sorted(path for path in found if path.is_file())


def blocks_of(project: Path) -> list[Block]:
    """Return the code blocks of all pages, in order."""
    return [
        block
        for path in pages(project)
        for block in parse(
            path.relative_to(project).as_posix(), path.read_text(encoding="utf-8")
        )
    ]


def parse(page: str, text: str) -> list[Block]:
    """Return the code blocks of a page, fenced or indented."""
    found = []
    lines = text.split("\n")
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type not in {"fence", "code_block"} or token.map is None:
            continue
        start = token.map[0]
        mark = MARK.search(_before(lines, start))
        why = (mark["why"] or "") if mark else ""
        how = mark["how"] if mark and (mark["how"] != "not run" or why) else ""
        language = token.info.split(" ")[0] if token.info else ""
        found.append(Block(page, start + 1, language, token.content, how, why))
    return found


def _before(lines: list[str], start: int) -> str:
    """Return the last nonempty line before a block."""
    above = (line.strip() for line in reversed(lines[:start]))
    return next((line for line in above if line), "")


def unmarked(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks that do not say how they are tested."""
    return [block for block in blocks if not block.how]


def summary(blocks: Iterable[Block]) -> str:
    """Return a one-line summary of how many blocks are tested in which way."""
    counts = Counter(block.how.partition(",")[0] for block in blocks)
    parts = [f"{counts[how]} {how}" for how in ("run", "parsed", "not run")]
    return f"{plural(counts.total(), 'code block')}: {', '.join(parts)}"
