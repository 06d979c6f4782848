"""Generated documents are current, and decisions are numbered once each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scenarios.load import load_library
from tools.docs import DOCUMENTS, PROJECT, write
from tools.docs.evidence import Check, read_checks, verdict_of


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_document_is_current(name: str) -> None:
    committed = (PROJECT / name).read_text(encoding="utf-8")
    assert committed == DOCUMENTS[name](), "stale: run `make docs`"


def test_every_document_is_written_into_the_checkout(tmp_path: Path) -> None:
    assert write(tmp_path) == [tmp_path / name for name in DOCUMENTS]
    for name in DOCUMENTS:
        assert (tmp_path / name).read_bytes() == (PROJECT / name).read_bytes()


def test_thirty_true_cases_were_checked_fact_by_fact() -> None:
    checks = read_checks()
    cases = load_library().cases
    assert len({check.case for check in checks}) == 30
    assert [each for each in checks if not cases[each.case].is_true] == []
    assert all(all(each) and verdict_of(each) for each in checks)
    with pytest.raises(ValueError, match="'fine' is not one of"):
        verdict_of(Check("boat", "it circled", "the post", "words seen", "fine"))


def test_each_decision_has_a_number_of_its_own_in_name_and_title() -> None:
    numbers = []
    for path in sorted((PROJECT / "docs" / "decisions").glob("*.md")):
        title = re.match(r"# (\d+)\. \S", path.read_text(encoding="utf-8"))
        assert title, f"{path.name}: the title begins with '# NUMBER. '"
        assert int(path.name[:4]) == int(title[1]), path.name
        numbers.append(int(title[1]))
    assert sorted(set(numbers)) == numbers, "a number is used twice"
