"""The address for phones on real networks: namespaces of the test's own, as root.

``laptop`` is a namespace in which the server runs; this machine plays the phone at the
other end of the link.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.slow_line import need_namespaces

PORT = 8000
NET = "192.168.77"
SIX = "fd77::"

pytestmark = pytest.mark.xdist_group("networks")  # one subnet of this machine for all


@dataclass(frozen=True, slots=True)
class Laptop:
    """A namespace with one link to this machine."""

    space: str
    link: str

    def ip(self, *arguments: str) -> None:
        """Change its network."""
        _ip("-n", self.space, *arguments)

    @property
    def inside(self) -> tuple[str, ...]:
        """The programs under which something runs on it."""
        return ("ip", "netns", "exec", self.space)


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    need_namespaces()
    number = os.getpid() % 100_000
    made = Laptop(f"tg-laptop-{number}", f"tgl{number}b")
    here = f"tgl{number}a"
    try:
        _ip("netns", "add", made.space)
        made.ip("link", "set", "lo", "up")
        _ip("link", "add", here, "type", "veth", "peer", made.link, "netns", made.space)
        _ip("addr", "add", f"{NET}.1/24", "dev", here)
        _ip("addr", "add", f"{SIX}1/64", "dev", here, "nodad")
        _ip("link", "set", here, "up")
        made.ip("link", "set", made.link, "up")
        yield made
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", here)
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "del", made.space)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.asynccontextmanager
async def serving(laptop: Laptop, folder: Path, host: str) -> AsyncIterator[Program]:
    """Run ``twogaps serve`` on the laptop."""
    program = Program(folder, "--memory", "--host", host)
    program.port = PORT
    try:
        await program.start(before=laptop.inside)
        yield program
    finally:
        await program.kill()


def asked(url: str) -> str:
    """Return the address the server names when a phone asks at ``url``."""
    with urllib.request.urlopen(f"{url}/where.json", timeout=5) as answer:
        return str(json.load(answer)["url"])


async def test_a_hotspot_without_uplink(laptop: Laptop, tmp_path: Path) -> None:
    laptop.ip("addr", "add", f"{NET}.5/24", "dev", laptop.link)
    async with serving(laptop, tmp_path, "0.0.0.0") as program:
        url = f"http://{NET}.5:{PORT}"
        assert asked(url) == url
        assert f"{url}/" in program.said


async def test_another_network_under_a_running_server(
    laptop: Laptop, tmp_path: Path
) -> None:
    laptop.ip("addr", "add", "10.42.0.1/24", "dev", laptop.link)
    async with serving(laptop, tmp_path, "0.0.0.0") as program:
        assert f"http://10.42.0.1:{PORT}/" in program.said
        laptop.ip("addr", "flush", "dev", laptop.link)
        laptop.ip("addr", "add", f"{NET}.5/24", "dev", laptop.link)
        url = f"http://{NET}.5:{PORT}"
        assert asked(url) == url


async def test_a_vpn_with_the_default_route(laptop: Laptop, tmp_path: Path) -> None:
    laptop.ip("addr", "add", f"{NET}.5/24", "dev", laptop.link)
    laptop.ip("link", "add", "tun0", "type", "veth", "peer", "tun1")
    laptop.ip("link", "set", "tun1", "up")
    laptop.ip("addr", "add", "10.8.0.6/24", "dev", "tun0")
    laptop.ip("link", "set", "tun0", "up")
    laptop.ip("route", "add", "default", "via", "10.8.0.1", "dev", "tun0")
    async with serving(laptop, tmp_path, "0.0.0.0") as program:
        url = f"http://{NET}.5:{PORT}"
        assert asked(url) == url
        assert f"{url}/" in program.said


async def test_dual_stack(laptop: Laptop, tmp_path: Path) -> None:
    laptop.ip("addr", "add", f"{NET}.5/24", "dev", laptop.link)
    laptop.ip("addr", "add", f"{SIX}5/64", "dev", laptop.link, "nodad")
    async with serving(laptop, tmp_path, "::") as program:
        four, six = f"http://{NET}.5:{PORT}", f"http://[{SIX}5]:{PORT}"
        assert asked(four) == four
        assert asked(six) == four
        printed = re.findall(r"http://\S+?(?=/)", program.said)
        assert four in printed
