"""The generated tables of settings and figures are current."""

from __future__ import annotations

import pytest

from server.cli import app
from server.cli.reference import metrics, settings
from tests.support.wire import DOCS


@pytest.mark.parametrize("name", ["settings.md", "metrics.md"])
def test_the_tables_are_current(name: str) -> None:
    made = settings(app) if name == "settings.md" else metrics()
    assert (DOCS / name).read_text() == made, "run: make docs"
