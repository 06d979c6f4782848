"""docs/performance.md: replacing the parts that are measured."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
MARK = "<!-- block: not run: figures of a run -->"
"""Says how the code blocks of the page are held (tools/docs/blocks.py)."""

PAGE = DOCS / "performance.md"


def replace_part(name: str, text: str) -> None:
    """Put a text between the page's marks of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = PAGE.read_text("utf-8").split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
