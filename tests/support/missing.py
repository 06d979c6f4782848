"""Parts of the system that a test needs: skipped if absent, unless told to fail."""

from __future__ import annotations

import os

import pytest

SWITCH = "TWOGAPS_REQUIRE_ALL"
"""Set to 1, a missing part fails its tests instead of skipping them."""


def need(is_there: object, what: str) -> None:
    """Skip the test if a part of the system is missing; fail under the switch."""
    if is_there:
        return
    text = f"needs {what}"
    if os.environ.get(SWITCH) == "1":
        pytest.fail(text)
    pytest.skip(text)
