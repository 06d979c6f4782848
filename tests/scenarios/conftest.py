"""Small valid cases and decks to bend, and a folder to write them into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

CASE = """
id = "{id}"
version = 1
kind = "documented"
title = "A small tale"
year = 2020
domain = "games"
level = 1
story = "Something was built and something happened."
tempting = "It looks like the other one."

[truth]
outer = true
inner = false

[breakdown]
intended = "a"
written = "b"
learned = "c"
broke = "d"
why = "e"
why_not = "f"
flip = "g"
fix = "h"
owner = "i"
more_capable = "j"
residual = "k"
say = "l"

[reasons]
outer = ["one", "two"]
inner = ["one", "two"]

[fix_question]
question = "Which repair fits?"

[[fix_question.options]]
text = "Rewrite the score."
repairs = "this gap"
comment = "Yes."

[[fix_question.options]]
text = "Vary the levels."
repairs = "the other gap"
comment = "No."

[[fix_question.options]]
text = "Buy a computer."
repairs = "neither gap"
comment = "No."

[[sources]]
authors = "A. Author"
year = 2020
title = "A paper"
where = "A journal"
checked = "read in source"
"""

DECK = """
id = "{id}"
version = 1
title = "A small deck"
audience = "anyone"
minutes = 20
teaches = "the difference"
order = "fixed"

[[rounds]]
case = "good"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good case and one good deck."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "decks").mkdir()
    (tmp_path / "cases" / "good.toml").write_text(CASE.format(id="good"))
    (tmp_path / "decks" / "fine.toml").write_text(DECK.format(id="fine"))
    return tmp_path


@pytest.fixture
def write_case(folder: Path) -> Callable[..., Path]:
    """Writes a case with some text of it replaced, and returns its file."""

    def write(name: str, *changes: tuple[str, str]) -> Path:
        return _write(folder / "cases" / f"{name}.toml", CASE, changes)

    return write


@pytest.fixture
def write_deck(folder: Path) -> Callable[..., Path]:
    """Writes a deck with some text of it replaced, and returns its file."""

    def write(name: str, *changes: tuple[str, str]) -> Path:
        return _write(folder / "decks" / f"{name}.toml", DECK, changes)

    return write


def _write(file: Path, template: str, changes: tuple[tuple[str, str], ...]) -> Path:
    text = template.format(id=file.stem)
    for old, new in changes:
        assert old in text, f"nothing to change: {old}"
        text = text.replace(old, new, 1)
    file.write_text(text)
    return file
