"""Figures that tests measure, printed after a run although the tests pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

Figure = Callable[[str], None]
"""The ``figure`` fixture: reports one line of text."""

NAME = "figure"
"""The name under which pytest's reports carry a figure, also between processes."""


def figures_of(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return the figures in these reports, in their order."""
    return [
        str(value)
        for report in reports
        for name, value in report.user_properties
        if name == NAME
    ]
