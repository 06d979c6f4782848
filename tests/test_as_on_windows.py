"""The imitation of Windows: our packages see it, in this process's children as well."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.federation.topics import WATCHING, watch_sockets
from tests.support.as_on_windows.windows import WindowsLoop, imitate_in_children

ROOT = Path(__file__).parents[1]


def run_as_ours(code: str, folder: Path) -> str:
    """Run code that says it is of the package ``server``; return its last line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    imitate_in_children(environment)
    done = subprocess.run(
        [sys.executable, "-c", f"__package__ = 'server'\n{code}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import fcntl", "ModuleNotFoundError: No module named 'fcntl'"),
        ("import resource", "ModuleNotFoundError: No module named 'resource'"),
        ("from os import pwrite", "ImportError: cannot import name 'pwrite'"),
        ("import os; os.geteuid()", "has no 'geteuid' on Windows"),
        ("import os; os.nice(1)", "has no 'nice' on Windows"),
        ("import signal; signal.SIGHUP", "has no 'SIGHUP' on Windows"),
        ("import sys, os; print(sys.platform, os.name)", "win32 nt"),
        ("open('a', 'w'); f = open('b', 'w'); import os; os.replace('a', 'b')",
         "another program is using it"),
        ("from pathlib import Path; f = open('a', 'w'); Path('a').unlink()",
         "another program is using it"),
        ("from pathlib import Path; Path('a').touch(); Path('b').touch(); "
         "Path('a').rename('b')", "The file exists: 'b'"),
        ("open('12:30.csv', 'w')", "syntax is incorrect: '12:30.csv'"),
        ("import os; os.open('.', os.O_RDONLY)", "Permission denied: '.'"),
        ("from server.journal.opening import journal_at; "
         "journal_at('postgresql://ann@db/gaps')", "needs Linux or macOS"),
    ],
)  # fmt: skip
def test_our_code_sees_windows(tmp_path: Path, code: str, said: str) -> None:
    assert said in run_as_ours(code, tmp_path)


def test_the_loop_watches_no_sockets_and_no_signals(tmp_path: Path) -> None:
    for call in ("add_reader(0, print)", "add_signal_handler(2, print)"):
        code = (
            "import asyncio\n"
            "async def main(): asyncio.get_running_loop()." + call + "\n"
            "asyncio.run(main())"
        )
        assert run_as_ours(code, tmp_path) == "NotImplementedError"


def test_a_loop_that_watches_no_sockets_gets_a_thread_that_does() -> None:
    async def heard() -> bytes:
        loop = asyncio.get_running_loop()
        with pytest.raises(NotImplementedError):
            loop.add_reader(0, print)
        watch_sockets(loop)
        watch_sockets(loop)
        reader, writer = os.pipe()
        arrived = asyncio.Event()
        loop.add_reader(reader, arrived.set)
        os.write(writer, b"here")
        await asyncio.wait_for(arrived.wait(), 10)
        loop.remove_reader(reader)
        said = os.read(reader, 4)
        os.close(reader)
        os.close(writer)
        return said

    with asyncio.Runner(loop_factory=WindowsLoop) as runner:
        assert runner.run(heard()) == b"here"


@pytest.mark.posix
async def test_a_loop_that_watches_sockets_is_left_alone() -> None:
    loop = asyncio.get_running_loop()
    watch_sockets(loop)
    assert not set(WATCHING) & set(vars(loop))
