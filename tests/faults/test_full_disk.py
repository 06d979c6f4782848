"""A disk that is really full: a small tmpfs, which only root may mount."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.folder import JOURNAL
from server.game.events import VoteCast
from server.game.ids import RoomCode
from server.journal.sqlite import SqliteStore
from tests.support.figures import Figure
from tests.support.http import get
from tests.support.missing import need
from tests.support.server import hall
from tests.support.wire import Wire, wire

SIZE = "2m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    need(os.geteuid() == 0, "root, to mount a small tmpfs")
    options = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(tmp_path)]
    done = subprocess.run(options, check=False, capture_output=True, text=True)
    need(done.returncode == 0, f"the right to mount a tmpfs ({done.stderr.strip()})")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def fill(folder: Path) -> Path:
    """Write a file until nothing more fits."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as handle:
        while True:
            handle.write(b"x" * 4_096)
    return filler


async def vote_until_refused(player: Wire, start: int) -> tuple[int, int]:
    """Vote until the disk is full; return the first and the last counter recorded."""
    for counter in range(start, start + 5_000):
        answer = await player.vote("outer", counter, reason="why " * 70)
        if answer["type"] == "refused":
            assert answer["code"] == "storage_unavailable"
            return start, counter - 1
    raise AssertionError("the disk never filled up")


@pytest.mark.fault
async def test_a_full_disk_refuses_what_it_cannot_keep_and_recovers_with_space(
    small_disk: Path, figure: Figure
) -> None:
    data, recorded = small_disk / "data", set[int]()
    async with hall(data=data) as at, wire(at.port) as host, wire(at.port) as ann:
        await host.prove("host", at.room, at.key)
        await ann.join(at.room)
        await host.do("open_round", "open_vote")
        start = 1
        for _ in range(3):
            filler = fill(small_disk)
            os.truncate(filler, filler.stat().st_size - 120_000)  # some still fit
            first, last = await vote_until_refused(ann, start)
            recorded |= set(range(first, last + 1))
            async with wire(at.port) as bob:
                await bob.hello("player", room=at.room, name="Bob")
                assert (await bob.until("refused"))["code"] == "storage_unavailable"
            filler.unlink()
            await ann.until("notice", code="storage_back")
            answer = await ann.vote("inner", last + 100)
            assert answer["type"] == "recorded"
            recorded.add(last + 100)
            start = last + 101
    store = await SqliteStore.open(data / JOURNAL)
    journal = await store.load(RoomCode(at.room))
    await store.close()
    stored = {event.counter for event in journal if isinstance(event, VoteCast)}
    assert stored == recorded
    figure(f"disk full three times: {len(recorded)} votes recorded, all kept")


@pytest.mark.fault
async def test_a_full_disk_makes_it_unwell_until_there_is_space(
    small_disk: Path,
) -> None:
    low = 256 * 1024  # of the disk's 2 MB
    data = small_disk / "data"
    async with hall(data=data, health_fresh_s=0.0, low_disk_bytes=low) as at:
        assert (await get(at.port, "/healthz")).status == 200
        for _ in range(3):
            filler = fill(small_disk)
            sick = await get(at.port, "/healthz")
            assert sick.status == 503
            assert json.loads(sick.body)["parts"]["disk"] == "is nearly full"
            assert (await get(at.port, "/readyz")).status == 503
            assert (await get(at.port, "/livez")).status == 200
            filler.unlink()
            assert (await get(at.port, "/healthz")).status == 200
            assert (await get(at.port, "/readyz")).status == 200
