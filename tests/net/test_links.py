"""Slow readers: newest of each slot kept, never waited for, reset when stuck."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from server.metrics import Metrics
from server.net.crowd import Framer
from server.net.links import Keeper, WsLink
from tests.support.until import until


class FakeSocket:
    """A connection that takes what is written, or does not, as the test says."""

    def __init__(self) -> None:
        self.is_full = False
        self.is_broken = False
        self.is_reset = False
        self.is_closed = asyncio.Event()
        self.written: list[bytes] = []

    def write(self, payload: bytes, framer: Framer) -> bool:
        if self.is_broken:
            raise RuntimeError("broken")
        if not self.is_full:
            self.written.append(payload)
        return not self.is_full

    def reset(self) -> None:
        self.is_reset = True

    async def close(self, code: int) -> None:
        self.is_closed.set()


@pytest.fixture
def socket() -> FakeSocket:
    return FakeSocket()


def link_to(socket: FakeSocket, keeper: Keeper | None = None) -> WsLink:
    keeper = keeper or Keeper(Metrics(), held=3, stuck_s=20)
    return WsLink(socket, keeper, lambda _: None)  # type: ignore[arg-type] # a fake


async def test_a_quick_reader_gets_every_frame_without_delay(
    socket: FakeSocket,
) -> None:
    link = link_to(socket)
    link.push(b"1", "view")
    link.push(b"2", "view")
    assert socket.written == [b"1", b"2"]


async def test_a_slow_reader_gets_the_newest_of_each_slot(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.is_full = True
    for number in range(100):
        link.push(b"view %d" % number, "view")
        link.push(b"progress %d" % number, "progress")
    link.push(b"recorded")
    assert socket.written == []
    assert link.flush(1.0)
    socket.is_full = False
    assert not link.flush(2.0)
    assert socket.written == [b"recorded", b"view 99", b"progress 99"]


async def test_what_is_held_goes_out_before_what_is_new(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.is_full = True
    link.push(b"old")
    socket.is_full = False
    link.push(b"new")
    link.flush(1.0)
    assert socket.written == [b"old", b"new"]


async def test_a_stuck_reader_is_reset(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.is_full = True
    link.push(b"x")
    start = link._since
    assert link.flush(start + 19.5)
    assert not link.flush(start + 20.5)
    assert socket.is_reset


async def test_what_is_held_is_bounded(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.is_full = True
    for _ in range(4):
        link.push(b"x")
    assert socket.is_reset


async def test_many_that_are_stuck_are_reset_a_few_at_a_time() -> None:
    keeper = Keeper(Metrics(), stuck_s=20, resets=2)
    sockets = [FakeSocket() for _ in range(5)]
    for each in sockets:
        each.is_full = True
        link = link_to(each, keeper)
        link.push(b"x")
        link.flush(link._since + 21)
    assert sum(each.is_reset for each in sockets) == 2


async def test_a_link_that_cannot_be_flushed_is_reset_and_others_are_flushed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keeper = Keeper(Metrics(), look_s=0)
    broken, slow = FakeSocket(), FakeSocket()
    for each in (broken, slow):
        each.is_full = True
        link_to(each, keeper).push(b"x")
    broken.is_broken, slow.is_full = True, False
    async with kept(keeper):
        await until(lambda: broken.is_reset and slow.written)
    assert "could not be flushed" in caplog.text


async def test_links_that_part_while_the_keeper_is_down_are_closed_once_it_is_up() -> (
    None
):
    keeper, socket = Keeper(Metrics()), FakeSocket()
    for _ in range(2):  # it fails, and is started again
        async with kept(keeper):
            pass
    link_to(socket, keeper).part(b'{"type":"bye","code":"idle"}')
    async with kept(keeper):
        await socket.is_closed.wait()


@contextlib.asynccontextmanager
async def kept(keeper: Keeper) -> AsyncIterator[None]:
    """Run a keeper for as long as the block lasts."""
    running = asyncio.create_task(keeper.run(), name="keeper")
    try:
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
            yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
