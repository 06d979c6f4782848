"""A PostgreSQL for tests: in a temporary folder, on a free port of the loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_S = 60
DURABLE = "-c fsync=on -c synchronous_commit=on"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None if it is not installed."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    port: int
    folder: Path
    _programs: Path

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database and return its address."""
        self._sql(f"CREATE DATABASE {database}")
        return self.url(database)

    def _sql(self, statement: str) -> None:
        command = ("psql", "-X", "-q", "-d", self.url(), "-c", statement)
        subprocess.run((self._programs / command[0], *command[1:]), check=True)

    def stop(self, how: str = "fast") -> None:
        """Stop the server: "fast", or "immediate", which is like a crash."""
        _as_postgres(
            self._programs / "pg_ctl", "-D", self.folder, "-m", how, "-w", "stop"
        )

    def start(self) -> None:
        """Start it, again or for the first time."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        log = self.folder / "log"
        _as_postgres(
            self._programs / "pg_ctl",
            *("-D", self.folder, "-l", log, "-w", "-t", START_S),
            *("-o", f"{options} {DURABLE}", "start"),
        )


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server for as long as the block lasts.

    Raises FileNotFoundError if PostgreSQL is not installed.
    """
    found = programs()
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="two-gaps-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        folder.chmod(0o700)
        data = folder / "data"
        _as_postgres(found / "initdb", "-D", data, "-U", "postgres", "-A", "trust")
        server = Postgres(_free_port(), data, found)
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                server.stop("immediate")


def _as_postgres(program: Path, *arguments: object) -> None:
    """Run a program as another user if this one is root, as PostgreSQL requires."""
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(
        (program, *map(str, arguments)),
        check=True,
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
