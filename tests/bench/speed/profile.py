"""Where the time goes: py-spy on Two Gaps while it fans out, and while it votes.

    pip install -e '.[bench]'
    python -m tests.bench.speed.profile              # writes docs/performance.md

py-spy looks at the running server 400 times a second from outside. Waiting (for
sockets, for the disk) is left out; the rest is sorted by what it is for.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.speed import campaign, machine, measure, room
from tests.bench.speed.campaign import Cores
from tests.bench.speed.page import replace_part
from tests.bench.speed.server_process import subject
from tests.bench.speed.swarm import Swarm

PLAYERS = 5_000
RATE = 400
FANS, VOTES_EACH = 60, 12

WAITING = (
    "_worker (concurrent/futures/thread.py",
    "EpollSelector.select",
    "wait (threading.py",
)
PARTS = (
    ("the kernel: one frame to all sockets", ("SocketCrowd.push",)),
    ("the kernel and asyncio: writing", ("_SelectorSocketTransport.write",)),
    (
        "framing, and whether a socket may be written to",
        ("Framer.", "Connection.write", "net/connection.py"),
    ),
    ("links and gateway: to whom", ("server/net/links.py", "server/federation/")),
    ("websockets: reading frames", ("/websockets/",)),
    ("messages to and from JSON", ("server/protocol/codec.py", "pydantic")),
    ("the session", ("server/net/session.py", "server/net/limits.py")),
    ("figures for Prometheus", ("prometheus_client", "server/metrics.py")),
    ("the journal's thread", ("server/disk.py", "server/journal/")),
    ("views, panels and progress", ("server/rooms/publisher.py", "views.py")),
    ("the rules: decide and evolve", ("server/game/",)),
    ("the receipt", ("server/protocol/codec.py",)),
    ("the room's actor", ("server/rooms/",)),
    ("asyncio: reading and the loop itself", ("asyncio/",)),
)
"""What a stack is booked under: the first that one of its frames, innermost first,
belongs to."""


@contextmanager
def watched(pid: int, into: Path) -> Iterator[None]:
    """Look at a process for as long as the block lasts."""
    program = shutil.which("py-spy") or str(Path(sys.executable).parent / "py-spy")
    if not Path(program).exists():
        raise SystemExit("py-spy is missing: pip install -e '.[bench]'")
    spy = subprocess.Popen(
        [
            program, "record", "-p", str(pid), "-r", str(RATE), "-d", "600",
            "-f", "raw", "--full-filenames", "-o", str(into),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        spy.send_signal(signal.SIGINT)
        spy.wait(60)


def shares(raw: Path) -> list[tuple[str, float]]:
    """Return what the time was spent on, the largest share (0-1) first."""
    counts: Counter[str] = Counter()
    for line in raw.read_text().splitlines():
        stack, _, samples = line.rpartition(" ")
        frames = stack.split(";")
        if any(name in frames[-1] for name in WAITING):
            continue
        counts[_part(frames)] += int(samples)
    total = counts.total()
    return [(part, n / total) for part, n in counts.most_common()]


def _part(frames: list[str]) -> str:
    for frame in reversed(frames):
        for part, signs in PARTS:
            if any(sign in frame for sign in signs):
                return part
    return "the rest"


def _table(found: list[tuple[str, float]]) -> str:
    lines = ["| share | what |", "|---:|---|"]
    lines += [f"| {share:.1%} | {part} |" for part, share in found if share >= 0.005]
    return "\n".join(lines)


def profiles() -> tuple[str, str]:
    """Return the tables of a fan-out and of votes."""
    available = sorted(os.sched_getaffinity(0))
    cores = Cores(server=available[0], driver=available[-1])
    machine.raise_file_limit(PLAYERS)
    machine.pin(cores.driver)
    with tempfile.TemporaryDirectory(prefix="twogaps-profile-") as name:
        folder = Path(name)
        with subject("two-gaps", cores.server, data=folder / "data") as server:
            host, players = room.Host(server), Swarm(server.port)
            hellos = room.hellos(server.ready["room"], PLAYERS)
            players.enter(hellos, room.WELCOME, lambda _: None)
            measure.rest(players, 1.2)
            campaign.shown(host, players, "open_round")
            with watched(server.process.pid, folder / "fan"):
                measure.rest(players, 0.5)
                order = room.toggled(host)
                measure.fan(players, server, order, room.VIEW, FANS)
            host.hear()
            campaign.shown(host, players, "open_vote")
            texts = room.frames_of(room.vote_texts(PLAYERS, VOTES_EACH))
            with watched(server.process.pid, folder / "votes"):
                measure.rest(players, 0.5)
                measure.votes(players, server, texts, room.RECORDED)
            host.close()
            players.close()
        return _table(shares(folder / "fan")), _table(shares(folder / "votes"))


def main() -> None:
    """Profile, print, and write."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    fan, votes = profiles()
    print(f"Fan-out to {PLAYERS:,}\n\n{fan}\n\nVotes of {PLAYERS:,}\n\n{votes}")
    replace_part("profile of a fan-out", fan)
    replace_part("profile of votes", votes)


if __name__ == "__main__":
    main()
