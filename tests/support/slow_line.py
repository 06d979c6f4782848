"""A slow and lossy line between this machine and a namespace of its own, as root.

    here ── tgN0 ═ tgN1 ─[ the line: a namespace with a forwarder ]─ tgN2 ═ tgN3 ── far

``far`` is a network namespace in which a broker and a home may run; this machine
reaches it at ``far_address`` only through the forwarder, which holds every frame back
and drops some. ``tc netem`` would do the same if the kernel has it. Run as a program
this file is the forwarder: frames are copied between two interfaces (AF_PACKET).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import heapq
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.missing import SWITCH, need

ROOT = Path(__file__).parent.parent.parent
ETH_P_ALL = 3
LONGEST = 65_600
OUTGOING = 4
SIOCETHTOOL = 0x8946
OFFLOADS = (0x15, 0x17, 0x1F, 0x24, 0x2C)
"""ETHTOOL_SRXCSUM, STXCSUM, STSO, SGSO, SGRO: a copied frame must be whole."""


@dataclass(frozen=True, slots=True)
class SlowLine:
    """A line that is there."""

    namespace: str
    here_address: str
    far_address: str
    process: asyncio.subprocess.Process

    @property
    def inside(self) -> tuple[str, ...]:
        """The programs under which something runs at the far end."""
        return ("ip", "netns", "exec", self.namespace)

    async def say(self, word: str) -> None:
        """Tell the forwarder to ``cut`` or to ``heal``."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        await self.process.stdin.drain()


def need_namespaces() -> None:
    """Skip if there is no root or no namespace.

    Under the switch it fails only for root with ``ip``: then it ought to be possible.
    """
    if os.geteuid() != 0 or shutil.which("ip") is None:
        os.environ.get(SWITCH)  # only root can make a namespace: nothing is missing
        import pytest

        pytest.skip("needs root and iproute2: a network namespace of its own")
    probe = f"tg-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True)
    if made.returncode == 0:
        _ip("netns", "del", probe)
    need(made.returncode == 0, "network namespaces (ip netns add)")


@contextlib.asynccontextmanager
async def slow_line(delay_ms: int, loss: float) -> AsyncIterator[SlowLine]:
    """Lay a line: ``delay_ms`` each way, and a share of frames that is lost."""
    number = os.getpid() % 10_000
    far, middle = f"tg-far-{number}", f"tg-line-{number}"
    names = [f"tg{number}v{end}" for end in range(4)]
    net = f"10.{200 + number % 50}.{number // 50 % 250}"
    here, there = f"{net}.1", f"{net}.2"
    try:
        for space in (far, middle):
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
        _ip("link", "add", names[0], "type", "veth", "peer", names[1], "netns", middle)
        _ip("-n", middle, "link", "add", names[2], "type", "veth", "peer", names[3])
        _ip("-n", middle, "link", "set", names[3], "netns", far)
        for space, name in ((None, names[0]), (middle, names[1]), (middle, names[2])):
            _ip(*_in(space), "link", "set", name, "up")
        _ip("-n", far, "link", "set", names[3], "up")
        _ip("addr", "add", f"{here}/24", "dev", names[0])
        _ip("-n", far, "addr", "add", f"{there}/24", "dev", names[3])
        for space, name in ((None, names[0]), (far, names[3])):
            _without_offloads(space, name)
        process = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", middle, sys.executable, "-m", __name__),
            *(names[1], names[2], str(delay_ms), str(loss)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        try:
            yield SlowLine(far, here, there, process)
        finally:
            process.kill()
            await process.wait()
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", names[0])
        for space in (far, middle):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", space)


def _in(space: str | None) -> tuple[str, ...]:
    return ("-n", space) if space else ()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _without_offloads(space: str | None, name: str) -> None:
    inside = ["ip", "netns", "exec", space] if space else []
    command = [*inside, sys.executable, "-m", __name__, "whole-frames", name]
    subprocess.run(command, check=True, cwd=ROOT)


# --- the programs --------------------------------------------------------------------


def whole_frames(name: str) -> None:
    """Turn off what lets frames leave unfinished or joined together."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        for command in OFFLOADS:
            value = struct.pack("II", command, 0)
            buffer = _Buffer(value)
            request = struct.pack("16sP", name.encode(), buffer.address)
            with contextlib.suppress(OSError):  # not every kernel has every one
                fcntl.ioctl(ask.fileno(), SIOCETHTOOL, request)


class _Buffer:
    """Bytes that stay where they are, for a call of the kernel."""

    def __init__(self, value: bytes) -> None:
        import ctypes

        self._kept = ctypes.create_string_buffer(value)
        self.address = ctypes.addressof(self._kept)


def forward(first: str, second: str, delay_s: float, loss: float) -> None:
    """Copy frames between two interfaces, late and not all, until killed."""
    ends = [_open(first), _open(second)]
    chance = random.Random(7)
    waiting: list[tuple[float, int, int, bytes]] = []
    count, is_whole = 0, True
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        rest_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([*ends, sys.stdin], [], [], rest_s)
        if sys.stdin in readable:
            word = sys.stdin.readline()
            if not word:
                return
            is_whole = word.strip() == "heal"
        for side, end in enumerate(ends):
            if end not in readable:
                continue
            frame, about = end.recvfrom(LONGEST)
            if about[2] != OUTGOING and is_whole and chance.random() >= loss:
                count += 1
                due_s = time.monotonic() + delay_s
                heapq.heappush(waiting, (due_s, count, 1 - side, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, side, frame = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                ends[side].send(frame)


def _open(name: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.bind((name, 0))
    return end


if __name__ == "__main__":
    if sys.argv[1] == "whole-frames":
        whole_frames(sys.argv[2])
    else:
        forward(sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000, float(sys.argv[4]))
