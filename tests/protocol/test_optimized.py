"""Rights hold when Python runs without assertions, as PYTHONOPTIMIZE has it.

The tests of roles, keys and forged messages run in a Python of their own, in which no
``assert`` of the server is carried out. pytest rewrites those of the tests, so that
they do hold there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GUARD_S = 200

KEYS = (
    "tests/net/test_session.py",
    "tests/net/test_session_paths.py",
    "--deselect",
    "tests/net/test_session.py::test_any_bytes_get_a_documented_answer",
)
LIARS = ("tests/federation/test_liars.py",)
ROLES = ("tests/protocol/test_roles.py", "tests/federation/test_refusals.py")
BROKERS = (
    "tests/federation/test_forged.py",
    "tests/federation/test_access.py",
    "tests/federation/test_cohost.py",
)


def _passes(*tests: str) -> None:
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
            "-W", "ignore::pytest.PytestConfigWarning", *tests, f"{__file__}::{PROBE}",
        ],
        env={**os.environ, "PYTHONOPTIMIZE": "1", "PYTEST_ADDOPTS": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-4_000:] + run.stderr[-1_000:]


def test_this_python_is_the_one_that_is_meant() -> None:
    is_optimized = os.environ.get("PYTHONOPTIMIZE") == "1"
    assert sys.flags.optimize == int(is_optimized)
    with pytest.raises(AssertionError):
        _is(sys.flags.optimize + 1)


def _is(optimize: int) -> None:
    assert sys.flags.optimize == optimize, "written anew by pytest"


PROBE = test_this_python_is_the_one_that_is_meant.__name__


def test_rights_hold_without_assertions() -> None:
    _passes(*KEYS, *LIARS)


@pytest.mark.full
@pytest.mark.parametrize("tests", [ROLES, BROKERS], ids=["roles", "brokers"])
def test_rights_hold_without_assertions_in_every_role_and_at_both_brokers(
    tests: tuple[str, ...],
) -> None:
    _passes(*tests)
