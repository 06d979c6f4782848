"""The share of passive sentences in the documents that people read from top to bottom.

A passive is a form of *be* with a past participle ("is stored", "was quickly sent").
This is an estimate: it takes "is tired" for a passive, and misses "gets sent".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.prose.pages import GENERATED, checked_files

MOST = 0.33
"""Largest share of passive sentences on a page."""

FEWEST = 20
"""Sentences below which a page is not judged."""

_PARTICIPLE = (
    r"(?:\w+ed|built|bought|brought|chosen|cut|done|drawn|found|given|held|hidden|kept|"
    r"known|left|lost|made|meant|met|paid|put|read|run|seen|sent|set|shown|shut|sold|"
    r"spent|split|taken|thrown|understood|won|worn|written)"
)
PASSIVE = re.compile(
    rf"\b(?:am|is|are|was|were|be|been|being)(?: (?:not|never|\w+ly))? {_PARTICIPLE}\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_NOT_TEXT = re.compile(r"^(?: {4,}.*|\|.*|#.*|<.*)$", re.MULTILINE)
_ITEM = re.compile(r"^ *(?:[-*]|\d+\.) ", re.MULTILINE)
_END = re.compile(r"(?<=[.!?:])\s+|\n\s*\n")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a Markdown page, without code, tables and headings."""
    prose = _NOT_TEXT.sub("", _FENCE.sub("", text))
    for part in _END.split(_ITEM.sub("\n\n", prose)):
        flat = " ".join(part.split())
        if len(flat.split()) > 2:
            yield flat


def share(text: str) -> tuple[float, int]:
    """Return the share of passive sentences of a page, and how many it has."""
    found = list(sentences(text))
    passive = sum(1 for each in found if PASSIVE.search(each))
    return passive / max(1, len(found)), len(found)


def pages(root: Path) -> list[str]:
    """Return the documents that are judged: README and docs/, decisions left out."""
    return [
        name
        for name in checked_files(root)
        if name.endswith(".md")
        and (name.startswith("docs/") or "/" not in name)
        and not name.startswith(("docs/decisions/", "CHANGELOG"))
        and name not in GENERATED
    ]


def too_many(root: Path) -> list[str]:
    """Return a line for each page with too many passives."""
    lines = []
    for name in pages(root):
        part, n = share((root / name).read_text(encoding="utf-8"))
        if n >= FEWEST and part > MOST:
            lines.append(
                f"{name}: {part:.0%} of {n} sentences are passive; at most {MOST:.0%}"
            )
    return lines
