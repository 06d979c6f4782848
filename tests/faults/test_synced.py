"""No ``recorded`` leaves before the commit that holds its vote is on disk.

kill -9 alone would pass without any fsync, since the kernel keeps what was written. So
the system calls are watched: for every vote, the write of its event to the write-ahead
log, then a completed sync of that file, and only then the send of its acknowledgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.missing import need
from tests.support.node import Node
from tests.support.wire import Wire, wire

PLAYERS = 40
ROUNDS = 5


@pytest.mark.fault
async def test_every_acknowledgement_follows_its_sync(tmp_path: Path) -> None:
    need(shutil.which("strace") and _may_trace(), "strace (apt-get install strace)")
    trace = tmp_path / "trace.txt"
    node = Node(tmp_path / "data")
    calls = "trace=openat,close,pwrite64,fsync,fdatasync,sendto,sendmsg,write,writev"
    options = ("-f", "-q", "-s", "1000000", "-e", calls, "-e", "signal=none")
    ready = await node.start("strace", *options, "-o", str(trace))
    async with contextlib.AsyncExitStack() as stack:
        host = await stack.enter_async_context(wire(ready.port))
        await host.prove("host", ready.room, ready.key)
        players = []
        for number in range(PLAYERS):
            player = await stack.enter_async_context(wire(ready.port))
            await player.join(ready.room, f"P {number}")
            players.append(player)
        await host.do("open_round", "open_vote")
        await asyncio.gather(*(_vote(p, i) for i, p in enumerate(players)))
    await node.stop()
    stamps = [_stamp(i, k) for i in range(PLAYERS) for k in range(ROUNDS)]
    held = _check(trace.read_text(errors="replace"), stamps)
    assert held >= 0.9 * len(stamps), "too few votes could be followed"


def _may_trace() -> bool:
    done = subprocess.run(["strace", "-q", "-e", "trace=none", "true"], check=False)
    return done.returncode == 0


def _stamp(player: int, counter: int) -> str:
    return f"probe-{player:03d}-{counter:03d}-end"


async def _vote(player: Wire, number: int) -> None:
    for counter in range(ROUNDS):
        label = ("outer", "inner")[counter % 2]
        answer = await player.vote(label, 1, client=_stamp(number, counter))
        assert answer["type"] == "recorded"


_SYNCED = re.compile(
    r"(?:f(?:data)?sync\(\d+\)|<\.\.\. f(?:data)?sync resumed>.*)\s+= 0"
)


def _check(trace: str, stamps: list[str]) -> int:
    """Assert write, sync, send for every stamp; return how many could be followed.

    A stamp that lies across two pages of the log is not found in one write: it is left
    out of the count, and must not be acknowledged out of turn either.
    """
    written: dict[str, int] = {}
    sent: dict[str, int] = {}
    syncs: list[int] = []
    for number, line in enumerate(trace.splitlines()):
        if _SYNCED.search(line):
            syncs.append(number)
        elif "pwrite64(" in line:
            for stamp in _found(line):
                written.setdefault(stamp, number)
        elif "recorded" in line:
            for stamp in _found(line):
                sent.setdefault(stamp, number)
    assert syncs, "nothing was synced at all"
    followed = 0
    for stamp in stamps:
        assert stamp in sent, f"{stamp} was never acknowledged"
        if stamp not in written:
            continue
        synced = any(written[stamp] < at < sent[stamp] for at in syncs)
        assert synced, f"{stamp} was acknowledged before it was synced"
        followed += 1
    return followed


def _found(line: str) -> list[str]:
    return re.findall(r"probe-\d{3}-\d{3}-end", line)
