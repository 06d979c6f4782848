"""``twogaps serve`` in odd surroundings: consoles, streams, signals, rights."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from server.cli import console
from server.cli.console import default_data
from server.folder import CannotStart, admin_key, lock
from tests.support.broker import free_port
from tests.support.http import get
from tests.support.program import GUARD_S, ROOT

TWOGAPS = (sys.executable, "-m", "twogaps")


@contextlib.asynccontextmanager
async def served(
    *command: str, port: int, is_quiet: bool = False, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command until its server answers; stop it at the end, which must be 0."""
    stream = None if is_quiet else asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stream,
        stderr=asyncio.subprocess.STDOUT if stream else None,
    )
    try:
        async with asyncio.timeout(GUARD_S):
            while True:
                assert process.returncode is None, await _said(process)
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    if (await get(port, "/livez")).status == 200:
                        break
                await asyncio.sleep(0.05)
            yield process
            process.terminate()
            said = await _said(process)
            assert await process.wait() == 0, said
            assert "Traceback" not in said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _said(process: asyncio.subprocess.Process) -> str:
    return (await process.stdout.read()).decode("latin-1") if process.stdout else ""


def _serve(port: int, *more: str) -> tuple[str, ...]:
    words = ("serve", "--host", "127.0.0.1", "--port", str(port))
    return (*TWOGAPS, *words, *(more or ("--memory",)))


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=["ascii", "latin-1", "cp1252", "C"],
)
async def test_a_console_that_is_not_utf8_gets_links_without_a_code(
    environment: dict[str, str],
) -> None:
    port = free_port()
    command = _serve(port, "--memory", "--room", "first-class")
    async with served(*command, port=port, **environment) as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            said += (await process.stdout.readline()).decode("latin-1")
        code = re.search(r"code (\w{6})\)", said)
        assert code is not None, said
        shown = await get(port, f"/qr/{code[1]}.svg")
    assert f"http://127.0.0.1:{port}/j/" in said
    picture = re.search(rf"QR code +http://127\.0\.0\.1:{port}(/qr/\w+\.svg)", said)
    assert picture is not None, said
    assert shown.status == 200
    assert b"<svg" in shown.body
    assert "?" not in said


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
async def test_closed_streams_change_nothing(closed: str) -> None:
    port = free_port()
    shell = ("/bin/sh", "-c", f'exec "$0" "$@" {closed}', *_serve(port))
    async with served(*shell, port=port, is_quiet=">" in closed):
        pass


HANGS_UP = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "server.cli.serve":
            os.kill(os.getpid(), signal.SIGHUP)
sys.meta_path.insert(0, Hook())
sys.argv = ["twogaps", *sys.argv[1:]]
from twogaps.__main__ import main
main()
"""


@pytest.mark.posix
async def test_a_hangup_during_the_start_changes_nothing() -> None:
    port = free_port()
    command = (sys.executable, "-c", HANGS_UP, *_serve(port)[3:])
    async with served(*command, port=port):
        pass


async def test_settings_of_kubernetes_for_a_service_are_ignored() -> None:
    port = free_port()
    address = f"tcp://10.0.0.143:{port}"
    about = {"TWOGAPS_PORT": address, "TWOGAPS_METRICS_PORT": address}
    async with served(*_serve(port), port=port, **about):
        pass


async def test_the_journal_is_for_its_owner_alone_in_a_folder_that_was_there(
    tmp_path: Path,
) -> None:
    os.chmod(tmp_path, 0o755)  # noqa: PTH101 - the test blocks nothing else
    port = free_port()
    command = _serve(port, "--data", str(tmp_path), "--room", "first-class")
    async with served(*command, port=port):
        pass
    found = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}
    assert "journal.sqlite" in modes
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("has_variable", [True, False])
def test_on_windows_the_journal_is_in_the_users_local_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_variable: bool
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(console, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    local = tmp_path / "AppData" / "Local"
    if has_variable:
        local = tmp_path / "elsewhere"
        monkeypatch.setenv("LOCALAPPDATA", str(local))
    assert default_data() == local / "twogaps"


@pytest.mark.parametrize("terminal", ["dumb", "legacy"])
def test_a_console_that_cannot_draw_gets_no_code(
    monkeypatch: pytest.MonkeyPatch, terminal: str
) -> None:
    shown = Console(force_terminal=True, legacy_windows=terminal == "legacy")
    monkeypatch.setenv("TERM", "dumb" if terminal == "dumb" else "xterm")
    monkeypatch.setattr(console, "out", shown)
    assert not console.can_draw_qr()


def test_without_a_home_folder_the_option_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(CannotStart, match=r"no home folder.*--data"):
        default_data()


def test_a_file_of_the_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "admin.key").mkdir()
    with pytest.raises(CannotStart, match=r"admin\.key cannot be used"):
        admin_key(tmp_path)
    (tmp_path / "server.lock").mkdir()
    with pytest.raises(CannotStart, match=r"server\.lock"), lock(tmp_path):
        pass
