"""A case written as a file reads back as the same case, in the house's layout."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scenarios.model import Case
from scenarios.toml_text import case_text
from tests.support.library import LIBRARY

BOAT = LIBRARY.case("coastrunners-lagoon")
texts = st.text(
    st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200
).filter(lambda text: text.strip() == text and text != "")


def test_every_case_survives_its_own_file() -> None:
    for case in LIBRARY.cases.values():
        assert Case.model_validate(tomllib.loads(case_text(case))) == case


@given(texts)
def test_any_text_survives(text: str) -> None:
    breakdown = BOAT.breakdown.model_copy(update={"why": text})
    changes = {"story": text, "contested": text, "breakdown": breakdown}
    case = BOAT.model_copy(update=changes)
    assert Case.model_validate(tomllib.loads(case_text(case))) == case


def test_stories_are_folded_so_that_they_can_be_edited() -> None:
    text = case_text(BOAT)
    lines = text[: text.index("[truth]")].splitlines()
    assert 'story = """' in lines
    assert sum(line.endswith(" \\") for line in lines) > 5
    assert max(map(len, lines)) <= 96


def test_the_file_is_text_that_ends_in_a_line_break(tmp_path: Path) -> None:
    file = tmp_path / "case.toml"
    file.write_text(case_text(BOAT), encoding="utf-8")
    assert file.read_bytes().endswith(b"\n")
    assert not file.read_bytes().endswith(b"\n\n")
