"""``--version`` and ``--help`` answer without importing the server."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOK = """
import sys
sys.argv = ["twogaps", *{words!r}]
from server.cli import main
try:
    main()
except SystemExit:
    pass
print("MODULES", *sys.modules, file=sys.stderr)
"""
HEAVY = {
    "aiomqtt", "asyncio", "openpyxl", "prometheus_client", "pydantic", "segno",
    "sqlite3", "ssl", "websockets", "xlsxwriter",
}  # fmt: skip
OURS = {"server", "server.cli"}


def imported_by(*words: str) -> set[str]:
    """Return the modules that are imported when a command ends."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(words=words)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.partition("MODULES ")[2].split())


@pytest.mark.posix  # the imitation of Windows imports asyncio itself
@pytest.mark.parametrize("word", ["--version", "--help"])
def test_start_imports_no_command_and_no_heavy_library(word: str) -> None:
    modules = imported_by(word)
    assert modules & HEAVY == set()
    roots = ("server", "client", "scenarios")
    assert {name for name in modules if name.partition(".")[0] in roots} == OURS


def test_a_command_imports_only_its_own_module() -> None:
    modules = imported_by("broker", "list-sites", "--folder", "/nonexistent")
    assert "server.cli.broker" in modules
    assert not modules & {"server.app", "server.cli.serve", "websockets"}
