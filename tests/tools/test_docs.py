"""The generated documents in the repository are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs import DOCUMENTS, PROJECT, write


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_document_is_current(name: str) -> None:
    committed = (PROJECT / name).read_text(encoding="utf-8")
    assert committed == DOCUMENTS[name](), "stale: run `make docs`"


def test_every_document_is_written_into_the_checkout(tmp_path: Path) -> None:
    assert write(tmp_path) == [tmp_path / name for name in DOCUMENTS]
    for name in DOCUMENTS:
        assert (tmp_path / name).read_bytes() == (PROJECT / name).read_bytes()
