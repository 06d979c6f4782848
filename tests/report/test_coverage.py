"""The table of docs/report.md: every interval that is shown holds, or is hidden."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bench.recovery import BEGIN, DOCUMENT, END, MODELS, has_turns, model_of

CELL = re.compile(r"(\d+\.\d) \(\d+\.\d\d\)")


def measured(document: Path = DOCUMENT) -> list[list[str]]:
    """Return the cells of the first table, row by row."""
    text = document.read_text("utf-8").split(BEGIN)[1].split(END)[0]
    table = text.strip().split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_every_cell_is_within_92_to_98_percent_or_hidden() -> None:
    head, _, *rows = measured()
    assert head[1:] == list(MODELS)
    assert len(rows) >= 12
    for name, *cells in rows:
        assert len(cells) == len(MODELS), name
        for cell in cells:
            if cell != "hidden":
                found = CELL.fullmatch(cell)
                assert found, (name, cell)
                assert 92 <= float(found[1]) <= 98, (name, cell)


def test_small_classes_play_other_cases_each_time() -> None:
    small = [name for name in MODELS if has_turns(name)]
    assert small == ["10 × 6", "10 × 4", "12 × 2"]
    for name in small:
        drawn = {model_of(name, seed) for seed in range(16)}
        assert len(drawn) == 8
