"""The code blocks of the documentation are held as their marks say.

A page's blocks marked ``run`` are run in order, in a clean folder, by a shell that
knows only the system's programs and ``twogaps``. Two things are replaced, because they
differ from machine to machine: the port 8000 by a free one, and the code K7MQ2P by that
of the room that the page opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.broker import free_port
from tests.support.cli import twogaps
from tests.support.figures import Figure
from tests.support.missing import need
from tools.docs.blocks import Block, blocks_of, parse, summary, unmarked
from tools.prose.__main__ import found_node

ROOT = Path(__file__).parents[2]
BLOCKS = blocks_of(ROOT)
RUN = [
    page
    for page in dict.fromkeys(block.page for block in BLOCKS)
    if any(b.page == page and b.how.startswith("run") for b in BLOCKS)
]
CODE = "K7MQ2P"
PORT = "8000"
OPENED = re.compile(r"/j/([A-Z0-9]{6})\b")
GUARD_S = 180

READY = {"serve": OPENED, "practice": re.compile(""), "preview": re.compile("http")}
"""What a command that runs until it is stopped prints when it is ready.

Practice players print nothing until a vote opens.
"""

WITHOUT_ROOM = re.compile("http")


def test_every_block_is_marked() -> None:
    assert [block.place for block in unmarked(BLOCKS)] == []


def test_a_mark_belongs_to_the_block_below_it_and_not_run_needs_a_reason() -> None:
    text = (
        "<!-- block: run -->\n```sh\ntrue\n```\n\n    indented\n\n"
        "- item\n\n  <!-- block: parsed -->\n  ```toml\n  a = 1\n  ```\n\n"
        "<!-- block: not run -->\n```sh\nfalse\n```\n"
    )
    found = parse("a.md", text)
    assert [(each.line, each.how) for each in found] == [
        (2, "run"),
        (6, ""),
        (11, "parsed"),
        (16, ""),
    ]
    assert summary(found) == "4 code blocks: 1 run, 1 parsed, 0 not run"


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.how == "parsed"], ids=lambda b: b.place
)
def test_a_parsed_block_is_what_it_says(block: Block) -> None:
    match block.language:
        case "toml":
            tomllib.loads(block.text)
        case "json":
            json.loads(block.text)
        case "python":
            compile(block.text, block.place, "exec", ast_flags)
        case "js":
            check_script(block.text)
        case _:
            check_commands(block.text)


ast_flags = 0x2000
"""``ast.PyCF_ALLOW_TOP_LEVEL_AWAIT``: a snippet may await."""


def check_script(text: str) -> None:
    """Check that Node.js can parse a script."""
    node = found_node()
    need(node, "Node.js")
    assert node is not None
    arguments = [node.node, "--input-type=module", "--check", "-"]
    done = subprocess.run(
        arguments, input=text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def check_commands(text: str) -> None:
    """Check that each command and option of a shell block exists."""
    lines = text.replace("\\\n", " ").splitlines()
    commands = [line for line in lines if re.match(r"(\.venv/bin/)?twogaps ", line)]
    assert commands, text
    for line in commands:
        words = shlex.split(line, comments=True)[1:]
        nouns = [word for word in words[:2] if re.fullmatch("[a-z-]+", word)]
        if nouns[0] in {"serve", "join", "host", "demo", "doctor", "play"}:
            nouns = nouns[:1]
        helped = twogaps(*nouns, "--help")
        assert helped.exit_code == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert option.partition("=")[0] in helped.output, (line, option)


class Reader:
    """Follows a page in a clean folder."""

    def __init__(self, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.port = str(free_port())
        self.code = ""
        programs = folder / "bin"
        programs.mkdir()
        for name, command in (
            ("twogaps", f'exec {shlex.quote(sys.executable)} -m twogaps "$@"\n'),
            ("python", f'exec {shlex.quote(sys.executable)} "$@"\n'),
        ):
            (programs / name).write_text(f"#!/bin/sh\n{command}")
            (programs / name).chmod(0o755)
        self.work = folder / "work"
        self.work.mkdir()
        self.environment = {
            "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
            "TWOGAPS_PORT": self.port,
            "TWOGAPS_URL": f"http://127.0.0.1:{self.port}",
            "LC_ALL": "C.UTF-8",
        }

    async def follow(self, block: Block) -> None:
        """Run one block as its mark says."""
        text = block.text.replace(PORT, self.port)
        if CODE in text:
            assert self.code, f"{block.place}: no room is open"
            text = text.replace(CODE, self.code)
        shell = ["bash", "-euo", "pipefail", "-c", text]
        if block.language == "python":
            (self.work / "block.py").write_text(text)
            shell = [sys.executable, "block.py"]
        if "until stopped" in block.how:
            await self._start(["bash", "-c", f"exec {text}"], block)
        else:
            await self._run(shell, block)

    async def _run(self, command: list[str], block: Block) -> None:
        process = await self._process(command)
        output, _ = await process.communicate()
        assert process.returncode == 0, f"{block.place}:\n{output.decode()}"

    async def _start(self, command: list[str], block: Block) -> None:
        process = await self._process(command)
        self.stack.push_async_callback(self._stop, process)
        verb = next(verb for verb in READY if f" {verb} " in block.text)
        has_room = verb != "serve" or "--room" in block.text
        ready = READY[verb] if has_room else WITHOUT_ROOM
        assert process.stdout is not None
        seen = ""
        while not (found := ready.search(seen)):
            line = await process.stdout.readline()
            assert line, f"{block.place} ended:\n{seen}"
            seen += line.decode()
        if ready is OPENED:
            self.code = found[1]

    async def _process(self, command: list[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=self.work,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        assert process.returncode is None, "a command ended before it was stopped"
        os.kill(process.pid, signal.SIGTERM)
        await process.communicate()


@contextlib.asynccontextmanager
async def reader(folder: Path) -> AsyncIterator[Reader]:
    async with contextlib.AsyncExitStack() as stack:
        yield Reader(folder, stack)


@pytest.mark.parametrize("page", RUN)
async def test_the_blocks_of_a_page_run_as_written(page: str, tmp_path: Path) -> None:
    blocks = [b for b in BLOCKS if b.page == page and b.how.startswith("run")]
    async with asyncio.timeout(GUARD_S), reader(tmp_path) as one:
        for block in blocks:
            await one.follow(block)


def test_most_commands_for_one_laptop_run_as_written(figure: Figure) -> None:
    pages = ("first-lesson", "first-case", "first-client")
    counts = {True: 0, False: 0}
    for block in BLOCKS:
        if block.page.removeprefix("docs/tutorials/").removesuffix(".md") in pages:
            text = block.text.partition("<<")[0] if "<<" in block.text else block.text
            is_program = block.language in {"python", "js"}
            commands = 1 if is_program else len(text.splitlines())
            counts[block.how.startswith("run")] += commands
    share = counts[True] / sum(counts.values())
    figure(f"commands for one laptop that a test runs: {share:.0%} of {counts}")
    figure(summary(BLOCKS))
    assert share >= 0.8
