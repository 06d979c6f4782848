"""What is released: built twice alike, and played with nothing of the sources near."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from server.protocol.keys import host_key
from server.report.reporting import FROZEN_WORKER
from tests.support.broker import free_port
from tests.support.figures import Figure
from tests.support.http import get
from tests.support.missing import need
from tests.support.wire import wire
from tools.release.__main__ import SUMS, digest, program_name
from twogaps.__main__ import REPORT_WORKER

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
GUARD_S = 60.0
SAME = ", the same in two builds"
SAID = "said.txt"
BARE = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "LANG": "C.UTF-8"}
"""The environment of a machine that knows nothing of this one's."""


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all that is released, made from this checkout.

    TWOGAPS_RELEASED names a folder where that has been done before.
    """
    given = os.environ.get("TWOGAPS_RELEASED")
    into = Path(given) if given else tmp_path_factory.mktemp("released")
    if given:
        return into
    done = subprocess.run(
        [sys.executable, "-m", "tools.release", "--into", str(into)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    need("No matching distribution" not in done.stdout, "a package index")
    need("registry cannot be reached" not in done.stdout, "the npm registry")
    assert done.returncode == 0, done.stdout
    said = "".join(f"{line}\n" for line in done.stdout.splitlines() if SAME in line)
    (into / SAID).write_text(said, encoding="utf-8")
    return into


@pytest.fixture(scope="module")
def house(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and all that it needs as wheels, for use without a network."""
    folder = tmp_path_factory.mktemp("house")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest"]
    subprocess.run([*command, str(folder), str(wheel_of(released)), "pip"], check=True)
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty folder to work in, beside an empty home folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def wheel_of(released: Path) -> Path:
    (found,) = released.glob("*.whl")
    return found


def alone(released: Path, empty: Path) -> Path:
    """Copy the one-file program, and nothing else, to an empty folder."""
    return Path(shutil.copy(released / program_name(), empty / "two-gaps"))


def run(
    empty: Path, *command: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in the empty folder, with the empty home folder."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=empty,
        env={**BARE, "HOME": str(empty.parent / "home"), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


def offline(house: Path) -> dict[str, str]:
    """Return settings by which pip and uv take packages from a folder alone."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(house),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(house),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }


def is_demo(done: subprocess.CompletedProcess[str]) -> None:
    """Check that a game was played to its final table."""
    assert done.returncode == 0, done.stdout
    assert "and 15 more" in done.stdout


# --- what is built -------------------------------------------------------------------


def test_two_builds_are_the_same_and_sizes_are_printed(
    released: Path, figure: Figure
) -> None:
    said = (released / SAID).read_text(encoding="utf-8")
    same = re.findall(rf"^(\w{{64}})  (\S+){SAME}$", said, re.MULTILINE)
    assert sorted(Path(name).suffix for _, name in same) == [".gz", ".whl"]
    for total, name in same:
        assert digest(released / name) == total
        size = (released / name).stat().st_size / 1e6
        figure(f"release: {name} {size:.1f} MB, sha256 {total[:16]}… in two builds")
    size = (released / program_name()).stat().st_size / 1e6
    figure(f"release: {program_name()} {size:.1f} MB")


def test_every_file_has_its_hash(released: Path) -> None:
    lines = (released / SUMS).read_text(encoding="utf-8").splitlines()
    found = dict(reversed(line.split("  ")) for line in lines)
    names = {path.name for path in released.iterdir()} - {SUMS, SAID}
    assert set(found) == names
    assert all(digest(released / name) == total for name, total in found.items())


@pytest.mark.parametrize(
    ("kind", "parts"),
    [("python", {"two-gaps", "websockets", "pydantic"}), ("pages", {"svelte", "vite"})],
)
def test_the_bill_of_materials_lists_the_parts(
    released: Path, kind: str, parts: set[str]
) -> None:
    text = (released / f"two-gaps-{kind}.cdx.json").read_text(encoding="utf-8")
    bill = json.loads(text)
    assert bill["bomFormat"] == "CycloneDX"
    assert parts <= {part["name"] for part in bill["components"]}
    assert "serialNumber" not in bill


def test_the_frozen_program_knows_its_report_process() -> None:
    assert FROZEN_WORKER == REPORT_WORKER


# --- the wheel -----------------------------------------------------------------------


def test_the_wheel_plays_in_an_environment_of_its_own(
    released: Path, house: Path, empty: Path
) -> None:
    python = empty.parent / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    pip = (python, "-m", "pip", "install", "--quiet", wheel_of(released))
    assert run(empty, *pip, **offline(house)).returncode == 0
    for name in ("twogaps", "two-gaps"):
        is_demo(run(empty, python.with_name(name), "demo", "--fast"))
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("tool", ["uvx", "pipx"])
def test_a_tool_runs_the_wheel_without_a_network(
    released: Path, house: Path, empty: Path, tool: str
) -> None:
    program = Path(sys.executable).with_name(tool)
    words = ("--from",) if tool == "uvx" else ("run", "--spec")
    command = (program, *words, wheel_of(released), "two-gaps", "demo", "--fast")
    is_demo(run(empty, *command, **offline(house)))
    assert list(empty.iterdir()) == []


# --- the one-file program ------------------------------------------------------------


def test_the_program_alone_serves_plays_reports_and_journals(
    released: Path, empty: Path
) -> None:
    program = alone(released, empty)
    is_demo(run(empty, program, "demo", "--fast", "--data", "kept"))
    assert (empty / "kept" / "journal.sqlite").stat().st_size > 0
    listed = run(empty, program, "room", "list", "--data", "kept").stdout
    room = re.search(r"\b[A-Z0-9]{6}\b", listed)
    assert room is not None, listed
    where = ("--data", "kept", "--format", "xlsx", "--out", "report.xlsx")
    done = run(empty, program, "room", "report", room[0], *where)
    assert done.returncode == 0, done.stdout
    assert (empty / "report.xlsx").read_bytes().startswith(b"PK")
    key = host_key((empty / "kept" / "admin.key").read_text().strip(), room[0])
    port = free_port()
    served = ("serve", "--host", "127.0.0.1", "--port", port, "--data", "kept")
    with started(empty, Browser(empty.parent), program, *served):
        report = asyncio.run(reported(port, room[0], key))
    assert report["room"]["people"] == 30


async def reported(port: int, room: str, key: str) -> dict[str, Any]:
    """Return a room's report, which the program's own second process makes."""
    async with asyncio.timeout(GUARD_S):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if (await get(port, "/livez")).status == 200:
                    break
            await asyncio.sleep(0.1)
        async with wire(port) as teacher:
            await teacher.prove("host", room, key)
            await teacher.send("get_report", ref=7)
            answer = await teacher.until("report", ref=7)
    return dict(answer["report"])


# --- the time to the QR code ---------------------------------------------------------


class Browser:
    """A fake browser: fetches the address it gets, and notes when."""

    def __init__(self, folder: Path) -> None:
        self.page = ""
        self.opened_s = 0.0
        self._opened = threading.Event()
        browser = self

        class Told(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                browser.opened_s = time.monotonic()
                browser.page = self.path.removeprefix("/?")
                browser._opened.set()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Told)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        port = self.server.server_address[1]
        self.file = folder / "browser"
        self.file.write_text(f'#!/bin/sh\nexec curl -s "http://127.0.0.1:{port}/?$1"\n')
        self.file.chmod(0o755)

    def wait(self) -> str:
        """Return the link that was opened."""
        assert self._opened.wait(GUARD_S)
        return self.page


@contextlib.contextmanager
def started(
    empty: Path, browser: Browser, *command: object, **environment: str
) -> Iterator[float]:
    """Start a command, as by a double click; yield when, and stop it at the end."""
    began_s = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=empty,
        env={
            **BARE,
            "HOME": str(empty.parent / "home"),
            "BROWSER": f"{browser.file} %s",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield began_s
        process.terminate()
        assert process.wait(GUARD_S) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()


def shown_in_s(
    empty: Path, command: Sequence[object], *, has_port: bool, **environment: str
) -> float:
    """Return the seconds until the page with the QR code is opened and answers.

    Without ``has_port``, another program has port 8000.
    """
    with contextlib.ExitStack() as stack:
        if not has_port:
            other = stack.enter_context(socket.socket())
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # it is taken already
                other.bind(("0.0.0.0", 8000))
                other.listen()
        browser = Browser(empty.parent)
        began_s = stack.enter_context(started(empty, browser, *command, **environment))
        link = browser.wait()
        page = subprocess.run(
            ["curl", "-s", link], capture_output=True, encoding="utf-8", check=True
        ).stdout
        assert "<svg" in page
        assert "Two Gaps is running" in page
        if not has_port:
            assert ":8000/" not in page
        return browser.opened_s - began_s


@pytest.mark.parametrize("has_port", [True, False], ids=["free", "8000-taken"])
def test_a_double_click_comes_to_the_qr_code(
    released: Path, empty: Path, figure: Figure, has_port: bool
) -> None:
    program = alone(released, empty)
    took_s = shown_in_s(empty, (program,), has_port=has_port)
    port = "free" if has_port else "taken"
    figure(f"double click to QR, no terminal, port 8000 {port}: {took_s:.2f} s")
    assert (empty.parent / "home/.local/share/twogaps/journal.sqlite").exists()
    assert {path.name for path in empty.iterdir()} == {"two-gaps"}


@pytest.mark.parametrize("tool", ["uvx", "pipx"])
def test_a_tool_comes_to_the_qr_code(
    released: Path, house: Path, empty: Path, figure: Figure, tool: str
) -> None:
    program = Path(sys.executable).with_name(tool)
    words = ("--from",) if tool == "uvx" else ("run", "--spec")
    command = (program, *words, wheel_of(released), "two-gaps", "play")
    for time_of in ("first", "second"):
        took_s = shown_in_s(empty, command, has_port=True, **offline(house))
        figure(f"{tool} to QR, no terminal, {time_of} time: {took_s:.2f} s")


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_the_program_answers_quickly(figure: Figure, word: str) -> None:
    took = []
    for _ in range(7):
        began_s = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "twogaps", word], check=True, capture_output=True
        )
        took.append(time.monotonic() - began_s)
    figure(f"twogaps {word}: {min(took):.3f} s at best of {len(took)}, {max(took):.3f}")
