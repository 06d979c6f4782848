"""The systemd unit: well-formed, tightly shut, and wide enough for what it does."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import run
from tests.support.http import get
from tests.support.missing import need
from tests.support.program import Program
from tests.support.proxies import DEPLOY
from tests.support.wire import wire

UNIT = DEPLOY / "two-gaps.service"
EXPOSURE = 15
"""Tenths of systemd's own score, 0 (shut) to 100; it is at 15."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    need(shutil.which("systemd-analyze"), "systemd-analyze (apt-get install systemd)")
    command = ("systemd-analyze", *words)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_unit_is_well_formed(tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "twogaps")
    text = UNIT.read_text().replace("/opt/two-gaps/bin/twogaps", program)
    (tmp_path / "two-gaps.service").write_text(text)
    done = analyze("verify", str(tmp_path / "two-gaps.service"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_tightly_shut() -> None:
    words = ("--offline=true", f"--threshold={EXPOSURE}", str(UNIT))
    done = analyze("security", *words)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def allowed() -> set[str]:
    """Return the system calls that the unit's filters leave."""
    told = re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.MULTILINE)
    calls: set[str] = set()
    for line in told:
        named = _expanded(line.lstrip("~").split())
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def _expanded(names: list[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        if name.startswith("@"):
            lines = analyze("syscall-filter", name).stdout.splitlines()[1:]
            words = [line.strip() for line in lines]
            found |= _expanded([w for w in words if w and not w.startswith("#")])
        else:
            found.add(name)
    return found


def test_the_command_of_the_unit_is_one_that_the_program_knows() -> None:
    command = re.search(r"^ExecStart=\S+ (.*)$", UNIT.read_text(), re.MULTILINE)
    assert command is not None
    words = command[1].replace("--host", "--help --host").split()
    assert run(*words)[0] == 0


@pytest.mark.fault
async def test_all_that_the_server_calls_is_allowed(tmp_path: Path) -> None:
    """It is watched from its start through a vote, a scrape and its end."""
    need(shutil.which("strace"), "strace (apt-get install strace)")
    trace = tmp_path / "trace"
    program = Program(tmp_path, "--data", str(tmp_path / "data"), "--metrics-port", "0")
    before = ("strace", "-f", "-qq", "-o", str(trace), "--signal=none")
    await program.start("--room", "first-class", before=before)
    room, key = program.room
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(wire(program.port))
        ann = await stack.enter_async_context(wire(program.port))
        await teacher.prove("host", room, key)
        await ann.join(room)
        await teacher.do("open_round", "open_vote")
        assert (await ann.vote())["type"] == "recorded"
        assert (await get(program.port, "/healthz")).status == 200
    child = int(trace.read_text().split(maxsplit=1)[0])
    await program.interrupt(child)
    assert (await program.ended()).code == 0
    lines = await asyncio.to_thread(trace.read_text)
    called = set(re.findall(r"^\d+ +(\w+)\(", lines, re.MULTILINE))
    assert {"fdatasync", "accept4", "execve"} & called
    assert called - allowed() == set()
    executable = re.findall(r"PROT_WRITE\|PROT_EXEC|PROT_EXEC\|PROT_WRITE", lines)
    assert executable == []  # MemoryDenyWriteExecute
    families = set(re.findall(r"socket\((AF_\w+)", lines))
    assert families <= set(_families())


def _families() -> list[str]:
    found = re.search(r"^RestrictAddressFamilies=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()
