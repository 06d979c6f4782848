"""Fan-out of a home with a broker beside a lone node: what many nodes cost the one.

Both keep their players connected and send to them in turn; the ratio is within each
turn, as in ``beside.py``.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.speed import measure, room
from tests.bench.speed.campaign import Cores, Tell, shown
from tests.bench.speed.measure import Fan
from tests.bench.speed.server_process import subject
from tests.bench.speed.swarm import Swarm
from tests.support.broker import open_broker

TURNS = 31
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Home:
    """Fan-outs to ``n`` players of a home with a broker and of a lone node."""

    n: int
    home: Fan
    alone: Fan
    home_by_alone: float
    """CPU of the home by that of the lone node: the median over the turns."""


def home(n: int, cores: Cores, tell: Tell) -> Home:
    """Measure both; the driver needs two times ``n`` sockets."""
    with (
        tempfile.TemporaryDirectory(prefix="twogaps-bench-") as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        url = stack.enter_context(_broker(folder))
        at_broker = {"broker": url, "site": "berlin"}
        asked = []
        for kind, options in (("home", at_broker), ("alone", {})):
            tell(f"{kind}: {n:,} players join")
            data = folder / kind
            server = stack.enter_context(
                subject("two-gaps", cores.server, data=data, **options)
            )
            host, players = room.Host(server), Swarm(server.port)
            stack.callback(host.close)
            hellos = room.hellos(server.ready["room"], n)
            players.enter(hellos, room.WELCOME, lambda _: None)
            measure.rest(players, 1.2)
            shown(host, players, "open_round")
            asked.append((players, server, room.toggled(host)))
        turns = []
        for turn in range(TURNS):
            tell(f"home beside alone: turn {turn + 1} of {TURNS}")
            turns.append([measure.fan(*each, room.VIEW, 1) for each in asked])
        for players, _, _ in asked:
            players.close()
    fans = [measure.middle(fans) for fans in zip(*turns, strict=True)]
    ratio = statistics.median(turn[0].cpu_us / turn[1].cpu_us for turn in turns)
    return Home(n, fans[0], fans[1], ratio)


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    """Run the broker that comes with the package; yield its address."""
    broker = open_broker("nats", folder)
    process = subprocess.Popen(
        broker.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_port(broker.port)
        yield broker.url()
    finally:
        process.kill()
        process.wait()


def _await_port(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
