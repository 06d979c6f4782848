"""The generated tables of settings and figures are current."""

from __future__ import annotations

import pytest

from server.cli import app
from server.cli.reference import limits, metrics, settings
from tests.support.wire import DOCS


@pytest.mark.parametrize("name", ["settings.md", "limits.md", "metrics.md"])
def test_the_tables_are_current(name: str) -> None:
    makers = {
        "settings.md": lambda: settings(app),
        "limits.md": limits,
        "metrics.md": metrics,
    }
    assert (DOCS / name).read_text() == makers[name](), "run: make docs"
