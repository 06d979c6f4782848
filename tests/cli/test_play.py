"""``twogaps play``: one command serves, shows the QR code and opens the browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from client import connect
from client.staff import host
from server.cli.greeting import STYLE
from server.cli.play import PORTS, free_port
from server.game.commands import Finish
from tests.support.broker import free_port as any_port
from tests.support.http import get
from tests.support.program import GUARD_S, ROOT
from tests.support.until import until

SERVES = "Stop with Ctrl-C"
BROWSER = """#!/bin/sh
echo "$1" >> "$(dirname "$0")/opened"
"""


@dataclass
class Played:
    """A run of ``twogaps play``."""

    process: asyncio.subprocess.Process
    home: Path
    said: str = field(default="")

    @property
    def opened(self) -> list[str]:
        """What it has opened in the browser."""
        file = self.home / "opened"
        return file.read_text().splitlines() if file.exists() else []

    def link(self, name: str) -> str:
        """Return a link that it has printed."""
        found = re.search(rf"{name} +(http\S+)", self.said)
        assert found is not None, self.said
        return found[1]

    @property
    def room(self) -> tuple[str, str]:
        """Code and host key of the room that is shown."""
        found = re.search(r"#room=(\w+)&key=(\w+)", self.link("Host"))
        assert found is not None
        return found[1], found[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder, and a browser that notes what it is to open."""
    browser = tmp_path / "browser"
    browser.write_text(BROWSER)
    browser.chmod(0o755)
    return tmp_path


@contextlib.asynccontextmanager
async def played(
    home: Path, *words: str, end: str = SERVES, port: int | None = None
) -> AsyncIterator[Played]:
    """Run ``twogaps play`` without a terminal; at the end it must stop in order."""
    number = () if port == 0 else ("--port", str(port or any_port()))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twogaps", "play", "--host", "127.0.0.1"),
        *(*number, "--data", str(home / "data"), *words),
        cwd=ROOT,
        env={**os.environ, "BROWSER": f"{home}/browser %s", "COLUMNS": "200"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    run = Played(process, home)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            while end not in run.said:
                line = await process.stdout.readline()
                assert line, f"it ended: {run.said}"
                run.said += line.decode()
        yield run
        if SERVES in end:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        run.said += (await process.stdout.read()).decode()
        assert await process.wait() == 0, run.said
        assert "Traceback" not in run.said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def page_of(run: Played) -> tuple[int, str]:
    """Return port and path of the start page that it has opened."""
    await until(lambda: run.opened)
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/\S+)", run.opened[-1])
    assert found is not None, run.opened
    return int(found[1]), found[2]


async def test_without_a_terminal_a_page_shows_the_code_and_stops_the_server(
    home: Path,
) -> None:
    async with played(home) as run:
        port, path = await page_of(run)
        shown = await get(port, path)
        page = shown.body.decode()
        code, _ = run.room
        assert shown.status == 200
        assert "<svg" in page
        assert code in page
        assert run.link("Host").replace("&", "&amp;") in page
        assert STYLE in page
        assert (await get(port, "/")).status == 404
        stopped = await get(port, f"{path}/stop?")
        assert "Two Gaps has stopped" in stopped.body.decode()
        await until(lambda: run.process.returncode is not None)
    assert not (home / "data" / "started").exists()


async def test_the_page_speaks_german_to_a_german_browser(home: Path) -> None:
    async with played(home) as run:
        port, path = await page_of(run)
        shown = await get(port, path, **{"Accept-Language": "de-AT,en;q=0.5"})
    assert "Two Gaps läuft" in shown.body.decode()


async def test_an_unfinished_room_is_continued_and_a_new_one_only_if_asked_for(
    home: Path,
) -> None:
    async with played(home, "--no-browser") as run:
        first = run.room
        async with connect(run.link("Players").partition("/j/")[0], first[0], "Ann"):
            pass
    async with played(home, "--no-browser") as run:
        assert run.room == first
    async with played(home, "--no-browser", "--new") as run:
        assert run.room[0] != first[0]
        port, path = re.findall(r"Start page +http://127.0.0.1:(\d+)(/\S+)", run.said)[
            0
        ]
        page = (await get(int(port), path)).body.decode()
        assert f">{first[0]}</a>" in page
        assert "1 player" in page
    assert run.opened == []


async def test_a_room_is_opened_with_a_name_that_lists_show(home: Path) -> None:
    async with played(home, "--no-browser") as run:
        first = run.room
    async with played(home, "--no-browser", "--name", "[b]9b[/], <i>Tue</i>") as run:
        assert run.room[0] != first[0], "a name is for a new room"
        port, path = re.findall(r"Start page +http://127.0.0.1:(\d+)(/\S+)", run.said)[
            0
        ]
        page = (await get(int(port), path)).body.decode()
        assert "<b>[b]9b[/], &lt;i&gt;Tue&lt;/i&gt;</b>" in page
        listed = await asyncio.to_thread(listing, home)
    assert "[b]9b[/]," in listed
    assert first[0] in listed


def listing(home: Path) -> str:
    """Return what ``twogaps room list`` prints, in a wide terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "twogaps", "room", "list", "--data", home / "data"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


async def test_a_finished_room_is_not_continued(home: Path) -> None:
    async with played(home, "--no-browser") as run:
        code, key = run.room
        url = run.link("Players").partition("/j/")[0]
        async with host(url, code, key) as teacher:
            await teacher.send(Finish())
    async with played(home, "--no-browser") as run:
        assert run.room[0] != code


async def test_a_second_start_shows_the_page_of_the_first(home: Path) -> None:
    async with played(home) as run:
        page = await page_of(run)
        async with played(home, end="already running"):
            pass
        await until(lambda: len(run.opened) == 2)
        assert await page_of(run) == page


async def test_a_server_without_a_start_page_is_named(home: Path) -> None:
    """As one that ``twogaps serve`` has started, after a ``play`` that was killed."""
    async with played(home) as run:
        note = home / "data" / "started"
        note.write_text(f"http://127.0.0.1:{any_port()}/dead\n")
        with pytest.raises(AssertionError, match="server is using"):
            async with played(home):
                pass
        note.unlink()
        with pytest.raises(AssertionError, match="server is using"):
            async with played(home):
                pass
    assert run.process.returncode == 0


async def test_without_a_terminal_a_page_says_why_it_cannot_start(home: Path) -> None:
    (home / "data").write_text("a file, not a folder")
    with pytest.raises(AssertionError, match="it ended"):
        async with played(home):
            pass
    (opened,) = (home / "opened").read_text().splitlines()
    shown = await asyncio.to_thread(taken_away, opened)
    assert "Two Gaps cannot start" in shown
    assert "cannot be used" in shown


def taken_away(link: str) -> str:
    """Return the text of a file that was opened, and remove it."""
    file = Path(link.removeprefix("file://"))
    text = file.read_text(encoding="utf-8")
    file.unlink()
    return text


def test_a_port_that_is_taken_is_skipped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        found = free_port("0.0.0.0", taken)
    assert found == 0 or taken < found < taken + PORTS
    assert f"Port {taken} is in use" in capsys.readouterr().out


# --- with a terminal -----------------------------------------------------------------


class Terminal:
    """``twogaps play`` on a terminal of its own."""

    def __init__(self, home: Path, *words: str) -> None:
        self.said = ""
        self._ours, theirs = os.openpty()
        command = (sys.executable, "-m", "twogaps", "play", "--host", "127.0.0.1")
        self._process = subprocess.Popen(
            [*command, "--port", str(any_port()), "--data", str(home / "data"), *words],
            cwd=ROOT,
            env={
                **os.environ,
                "BROWSER": f"{home}/browser %s",
                "TERM": "xterm",
                "COLUMNS": "200",
            },
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def reads(self, text: str) -> None:
        """Read until a text is shown."""
        while text not in self.said:
            assert select.select([self._ours], [], [], GUARD_S)[0], self.said
            self.said += os.read(self._ours, 4096).decode(errors="replace")

    def types(self, text: str) -> None:
        """Type a text."""
        os.write(self._ours, text.encode())

    def ends(self) -> int:
        """Interrupt it, as Ctrl-C does; return the exit code."""
        self._process.send_signal(signal.SIGINT)
        while True:
            try:
                if not os.read(self._ours, 4096):
                    break
            except OSError:  # its end is closed
                break
        os.close(self._ours)
        return self._process.wait(GUARD_S)


@pytest.fixture
async def unfinished(home: Path) -> str:
    """The code of a room that someone has joined, of a server that has stopped."""
    async with played(home, "--no-browser") as run:
        code, _ = run.room
        async with connect(run.link("Players").partition("/j/")[0], code, "Ann"):
            return code


@pytest.mark.posix
@pytest.mark.parametrize(("answer", "is_same"), [("\n", True), ("n\n", False)])
def test_with_a_terminal_it_asks_whether_an_unfinished_room_continues(
    home: Path, unfinished: str, answer: str, is_same: bool
) -> None:
    terminal = Terminal(home)
    terminal.reads("Continue it? [Y/n]")
    assert f"Room {unfinished} (" in terminal.said
    assert "1 player" in terminal.said
    terminal.types(answer)
    terminal.reads(SERVES)
    assert terminal.ends() == 0
    assert (f"/j/{unfinished}" in terminal.said) is is_same


@pytest.mark.posix
async def test_with_a_terminal_the_browser_opens_the_console(home: Path) -> None:
    terminal = await asyncio.to_thread(Terminal, home)
    await asyncio.to_thread(terminal.reads, SERVES)
    await until((home / "opened").exists)
    assert "█" in terminal.said
    assert "/host#room=" in (home / "opened").read_text()
    assert await asyncio.to_thread(terminal.ends) == 0
