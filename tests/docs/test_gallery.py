"""The gallery shows every sheet there is, and every phase has one."""

from __future__ import annotations

import re
from pathlib import Path

from server.game.phases import Phase

DOCS = Path(__file__).parents[2] / "docs"
SHEETS = sorted((DOCS / "pictures" / "gallery").glob("*.webp"))
MOST_BYTES = 3_000_000


def test_each_sheet_is_shown_once() -> None:
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(pictures/gallery/([\w-]+\.webp)\)", page)
    assert sorted(shown) == [path.name for path in SHEETS]


def test_every_phase_is_pictured() -> None:
    pictured = {path.stem.split("-")[1] for path in SHEETS}
    assert {phase.value for phase in Phase} - pictured == set()


def test_the_sheets_stay_small() -> None:
    assert all(path.read_bytes()[8:12] == b"WEBP" for path in SHEETS)
    assert sum(path.stat().st_size for path in SHEETS) < MOST_BYTES
