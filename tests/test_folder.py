"""The data folder: one process at a time, on every system."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server import folder as folder_module
from server.folder import LOCK, CannotStart, is_served, lock

HOLD = """
import sys
from pathlib import Path
from server.folder import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
WITHOUT_FCNTL = """
import sys
sys.modules["fcntl"] = sys.modules["resource"] = None
import server.disk, server.folder, server.backup
import server.journal.opening, server.journal.salvage
print("imported")
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds a folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed there")
def test_without_its_lock_file_a_folder_still_has_one_server(tmp_path: Path) -> None:
    with holder(tmp_path):
        (tmp_path / LOCK).unlink()
        assert is_served(tmp_path)
        with pytest.raises(CannotStart, match="Another Two Gaps server is using"):
            lock(tmp_path).__enter__()
    with lock(tmp_path):
        pass


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert is_served(tmp_path)
        with pytest.raises(CannotStart, match="Another Two Gaps server is using"):
            lock(tmp_path).__enter__()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_served(tmp_path)
        with lock(tmp_path):
            assert is_served(tmp_path)
    assert not is_served(tmp_path)


def test_the_same_process_cannot_take_a_folder_twice(tmp_path: Path) -> None:
    with (
        lock(tmp_path),
        pytest.raises(CannotStart, match="Another Two Gaps server is using"),
        lock(tmp_path),
    ):
        pass
    with lock(tmp_path):
        pass


def test_a_file_system_that_cannot_lock_is_named_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS without its lock daemon: no other server is to blame."""

    def refuse(fd: int, *, blocking: bool) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_module, "lock_descriptor", refuse)
    with (
        pytest.raises(CannotStart, match="cannot be locked") as refused,
        lock(tmp_path),
    ):
        pass
    assert "No locks available" in str(refused.value)


def test_the_journal_imports_where_there_is_no_fcntl() -> None:
    """As on Windows."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FCNTL],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "imported\n", done.stderr
