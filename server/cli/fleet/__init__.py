"""``twogaps fleet up``: a whole fleet on this machine, to try out or to break."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from scenarios.prose import plural
from server.cli.console import fail, on_signal, out
from server.cli.fleet.parts import (
    HERE,
    Brokers,
    Database,
    NodeSettings,
    Program,
    bound,
    node,
)
from server.cli.fleet.proxies import Door, installed_proxy, proxy
from server.config import MAX_PORT
from server.folder import CannotStart

MOST_NODES = 9
BROKERS = 3

START_S = 60.0
"""How long a program may take to answer, in seconds."""

STOP_S = 10.0
"""How long a program may take to stop, in seconds."""

LOOK_S = 0.05
TAIL = 12
"""Number of lines to show from the log of a failed program."""

RESTARTS = 5
"""Maximum number of restarts within :data:`RESTARTS_S` seconds."""

RESTARTS_S = 30.0


def up(
    nodes: Annotated[
        int, typer.Option(min=1, max=MOST_NODES, help="How many nodes to start.")
    ] = 3,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_PORT, help="Port of the proxy; 0 picks a free one."
        ),
    ] = 8000,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="haproxy, caddy or nginx.  [default: the first that is installed]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run a whole fleet on this machine until Ctrl-C, to try it out or to break it.

    PostgreSQL with a synchronous standby, three brokers, the nodes, and a proxy in
    front, all on loopback. A program that ends is started again, and if it is the
    primary database, the standby takes over. On Ctrl-C everything ends and is removed.
    """
    if sys.platform == "win32":
        raise fail("A fleet runs on Linux or macOS: its database needs one of them.")
    with tempfile.TemporaryDirectory(prefix="two-gaps-fleet-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # the database may be another user's
        crew = Crew(folder)
        fleet = Fleet(folder, crew, nodes, port, installed_proxy(proxy))
        asyncio.run(_up(fleet, crew))
    out.print("Everything has stopped, and its files are removed.")


async def _up(fleet: Fleet, crew: Crew) -> None:
    """Run a fleet until it is asked to stop; then stop all of its programs."""
    stop = asyncio.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        numbers.append(signal.SIGHUP)
    for number in numbers:
        on_signal(asyncio.get_running_loop(), number, stop.set)
    try:
        await _until(stop, fleet.run())
    finally:
        out.print("Stopping the fleet ...")
        await crew.stop()


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run a coroutine until it ends or fails, or until ``stop`` is set."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _all(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Run coroutines concurrently; raise the first error."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except* CannotStart as failed:
        raise failed.exceptions[0] from None


class Fleet:
    """A database with a standby, brokers, nodes, and a proxy."""

    def __init__(
        self, folder: Path, crew: Crew, nodes: int, port: int, kind: str
    ) -> None:
        """``kind`` is the proxy program, which listens on ``port``.

        Raises :class:`CannotStart` if a program is not installed or ``port`` is taken.
        """
        self._crew = crew
        self._folder = folder
        self._kind = kind
        with contextlib.ExitStack() as held:
            self._port = bound(held, port)
            mine = [bound(held) for _ in range(2 + 2 * BROKERS + nodes)]
        self._database = Database(folder / "postgres", mine[:2], _password())
        brokers, routes = mine[2 : 2 + BROKERS], mine[2 + BROKERS : 2 + 2 * BROKERS]
        self._brokers = Brokers(folder, brokers, routes, _password())
        self._nodes = dict(enumerate(mine[2 + 2 * BROKERS :], 1))
        self._ready: dict[str, Callable[[], Awaitable[bool]]] = {}
        self._primary = 0
        self._ended_s: deque[float] = deque(maxlen=RESTARTS)

    @property
    def url(self) -> str:
        """The fleet's URL: the address of its proxy."""
        return f"http://{HERE}:{self._port}"

    async def run(self) -> None:
        """Start all programs, print the addresses, and restart programs that end.

        Raises :class:`CannotStart` if a program does not start, or keeps ending.
        """
        out.print("A fleet on this machine:")
        with _step("PostgreSQL"):
            await self._database.make()
            await self._start_database(0)
            await self._database.create()
        with _step("its synchronous standby"):
            await self._add_standby()
        with _step(f"{BROKERS} brokers"):
            await _all(
                self._start(program, partial(_listens, port))
                for program, port in self._brokers.programs()
            )
        with _step(plural(len(self._nodes), "node")):
            await _all(self._start_node(*each) for each in self._nodes.items())
        with _step(self._kind):
            addresses = [f"{HERE}:{port}" for port in self._nodes.values()]
            door = Door(self._port, addresses)
            front = proxy(self._kind, self._folder / "proxy", door)
            await self._start(front, lambda: _is_well(self._port))
        await self._greet()
        while True:
            await self._replace(await self._crew.first_to_end())

    async def _start(
        self, program: Program, is_ready: Callable[[], Awaitable[bool]]
    ) -> None:
        self._ready[program.name] = is_ready
        await self._crew.start(program, is_ready)

    async def _start_database(self, one: int) -> None:
        database = self._database
        await self._start(database.program(one), lambda: database.answers(one))

    async def _add_standby(self) -> None:
        """Create a standby of the primary, and make commits wait for it."""
        other = 1 - self._primary
        await self._database.copy(self._primary, other)
        await self._start_database(other)
        await self._database.wait_for_standby(self._primary)

    async def _start_node(self, number: int, port: int) -> None:
        name = f"node-{number}"
        broker = self._brokers.let_in(name, number)
        data = self._folder / name
        own = NodeSettings(name, port, data, self._database.url, broker, self.url)
        await self._start(node(own), lambda: _is_well(port))

    async def _greet(self) -> None:
        key = await self._database.admin_key()
        say(f"\nOpen rooms:  {self.url}/host#admin={key}")
        say(f"Play:        {self.url}/")
        say("Look at it:  in another terminal, run")
        say(f"  export TWOGAPS_JOURNAL='{self._database.url}'")
        say("  twogaps fleet list")
        say("Break it:    kill -9 one of these; it is restarted")
        for name in self._ready:
            say(f"  {self._crew.pid(name)}  {name}")
        say(f"Logs:        {self._folder}")
        say("Stop with Ctrl-C: everything is stopped and removed.")
        sys.stdout.flush()

    async def _replace(self, name: str) -> None:
        """Restart a program that has ended; the standby replaces an ended primary.

        Raises :class:`CannotStart` if programs keep ending.
        """
        now_s = time.monotonic()
        is_often = len(self._ended_s) == RESTARTS
        if is_often and now_s - self._ended_s[0] < RESTARTS_S:
            raise CannotStart(self._crew.why(name))
        self._ended_s.append(now_s)
        program = self._crew.program(name)
        if program == self._database.program(self._primary):
            say(f"{name} has stopped. The standby takes over.")
            self._primary = 1 - self._primary
            await self._database.promote(self._primary)
            say("Votes are recorded again. A new standby is being built.")
            await self._add_standby()
        else:
            say(f"{name} has stopped and is being restarted.")
            await self._crew.start(program, self._ready[name])
        say(f"{name} is running again, as process {self._crew.pid(name)}.")


def say(text: str) -> None:
    """Print a line without any formatting."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    """Show what is being started, and then how long that took."""
    began_s = time.monotonic()
    with out.status(f"Starting {what} ..."):
        yield
    say(f"  {what}: {time.monotonic() - began_s:.1f} s")


def _password() -> str:
    return secrets.token_urlsafe(18)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HERE, port)
    except OSError:
        return False
    writer.close()
    return True


async def _is_well(port: int) -> bool:
    """Whether a server or a proxy at this port is ready for clients."""
    try:
        reader, writer = await asyncio.open_connection(HERE, port)
        try:
            name = f"Host: {HERE}:{port}\r\nConnection: close"
            writer.write(f"GET /readyz HTTP/1.1\r\n{name}\r\n\r\n".encode())
            return b" 200 " in await reader.readline()
        finally:
            writer.close()
    except OSError:
        return False


# --- running programs ----------------------------------------------------------------


class Crew:
    """Running programs, each with its own log file.

    On systems with ``setpriv`` (Linux), they also end if this process is killed.
    """

    def __init__(self, folder: Path) -> None:
        """Logs are written to ``folder``."""
        self._folder = folder
        self._running: dict[str, tuple[Program, asyncio.subprocess.Process]] = {}
        self._guard = shutil.which("setpriv")

    def pid(self, name: str) -> int:
        """Return a program's process id."""
        return self._running[name][1].pid

    async def start(
        self, program: Program, is_ready: Callable[[], Awaitable[bool]]
    ) -> None:
        """Start a program, and wait until it is ready. Raises :class:`CannotStart`."""
        before: tuple[str, ...] = ()
        if self._guard is not None:
            before = (self._guard, "--pdeathsig", program.stop.name[3:])
        with self._log(program.name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *before,
                *program.command,
                cwd="/",
                env=program.environment,
                user=program.user,
                start_new_session=True,  # Ctrl-C only reaches this process
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._running[program.name] = program, process
        try:
            async with asyncio.timeout(START_S):
                while not await is_ready():
                    if process.returncode is not None:
                        raise CannotStart(self.why(program.name))
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise CannotStart(
                f"{program.name} did not answer within {START_S:g} s.\n"
                f"{self._tail(program.name)}"
            ) from None

    async def first_to_end(self) -> str:
        """Wait until a program ends unexpectedly; return its name."""
        waits = {
            asyncio.create_task(process.wait(), name=name): name
            for name, (_, process) in self._running.items()
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return waits[done.pop()]

    def why(self, name: str) -> str:
        """Return a message on how a program ended, with the last lines of its log."""
        code = self._running[name][1].returncode or 0
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return f"{name} ended with {how}.\n{self._tail(name)}"

    def program(self, name: str) -> Program:
        """Return the program with this name."""
        return self._running[name][0]

    async def stop(self) -> None:
        """Stop all programs; those that were started last are stopped first."""
        while self._running:
            last = self._running[next(reversed(self._running))][0]
            ending = [
                (program, process)
                for program, process in self._running.values()
                if program.rank == last.rank
            ]
            await asyncio.gather(*(self._end(*each) for each in ending))
            for program, _ in ending:
                del self._running[program.name]

    async def _end(self, program: Program, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(program.stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await process.wait()
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also its child processes
        await process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        text = self._log(name).read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-TAIL:])
