"""Runs tests as on Windows: ``pytest -p tests.support.as_on_windows.plugin``.

Tests marked ``posix`` are left out. ``--one-of 12`` runs a sample of the others, by the
seed of the run.
"""

from __future__ import annotations

import os

import pytest

from tests.support.as_on_windows import windows
from tests.support.tiers import is_drawn

windows.imitate()
windows.imitate_in_children(os.environ)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the size of the sample."""
    parser.addoption("--one-of", type=int, default=1, help="Run one test of N.")


def pytest_report_header() -> str:
    """Say that what follows does not happen on this system."""
    return "as on Windows: without what its Python lacks"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what only Linux and macOS can do."""
    one_of = config.getoption("--one-of")
    kept = [item for item in items if _is_run(item, one_of)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _is_run(item: pytest.Item, one_of: int) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    if "postgresql" in fixtures or item.name.endswith("postgresql]"):
        return False  # refused there: tests/test_as_on_windows.py
    is_portable = item.get_closest_marker("posix") is None
    return is_portable and is_drawn(item.nodeid, one_of)
