"""The Containerfile: what it copies is there, and what it runs works."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.test_cli import run
from tests.support.program import ROOT, Program
from tests.support.proxies import DEPLOY

TEXT = (DEPLOY / "Containerfile").read_text()
OLD_PORT = ":8000/"


def listed(word: str) -> list[str]:
    """Return the words of an instruction in its JSON form (the last one)."""
    found = re.findall(rf"^(?:.*\s)?{word} (\[.*\])$", TEXT, re.MULTILINE)
    return json.loads(found[-1])  # type: ignore[no-any-return] # JSON


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    made = Program(tmp_path, "--memory")
    yield made
    await made.kill()


def test_what_it_starts_is_a_command_of_the_program() -> None:
    program, *words = [*listed("ENTRYPOINT"), *listed("CMD")]
    assert program == "twogaps"
    assert run(*words, "--help")[0] == 0


async def test_its_health_check_tells_well_from_unwell(program: Program) -> None:
    await program.start()
    health = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", TEXT, re.MULTILINE)
    assert health is not None
    _, *words = json.loads(health[1])
    assert OLD_PORT in words[-1]
    command = [
        sys.executable,
        *(w.replace(OLD_PORT, f":{program.port}/") for w in words),
    ]

    def check() -> int:
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert await asyncio.to_thread(check) == 0
    assert (await program.stop()).code == 0
    assert await asyncio.to_thread(check) != 0


def test_nothing_that_the_build_needs_is_kept_out() -> None:
    out = (ROOT / ".dockerignore").read_text().split()
    needed = ("server", "client", "scenarios", "hatch_build.py", "pyproject.toml")
    assert not set(needed) & set(out)
    assert {".venv", "data", ".git"} <= set(out)  # no keys, no names
