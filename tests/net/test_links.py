"""Slow readers: newest of each slot kept, never waited for, cut loose when stuck."""

from __future__ import annotations

import pytest
from websockets.protocol import State

from server.net.connection import HIGH_BYTES
from server.net.links import CUTS, HELD, STUCK_S, Keeper, WsLink


class FakeTransport:
    """A transport whose buffer is as full as the test says."""

    def __init__(self) -> None:
        self.unsent = 0
        self.is_aborted = False
        self.written: list[bytes] = []

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, frame: bytes) -> None:
        assert frame[:2] == bytes((0x81, len(frame) - 2))
        self.written.append(frame[2:])

    def get_extra_info(self, name: str) -> None:
        """There is no socket behind it."""

    def abort(self) -> None:
        self.is_aborted = True


class FakeProtocol:
    """The library's view of a connection that is open and idle."""

    state = State.OPEN
    expect_continuation_frame = False
    extensions = ()


class FakeSocket:
    """A websocket that keeps what is written to it."""

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.protocol = FakeProtocol()

    @property
    def is_free(self) -> bool:
        return not self.transport.unsent

    @property
    def written(self) -> list[bytes]:
        return self.transport.written


@pytest.fixture
def socket() -> FakeSocket:
    return FakeSocket()


def link_to(socket: FakeSocket) -> WsLink:
    return WsLink(socket, Keeper(), lambda _: None)  # type: ignore[arg-type] # a fake


async def test_a_quick_reader_gets_every_frame_at_once(socket: FakeSocket) -> None:
    link = link_to(socket)
    link.push(b"1", "view")
    link.push(b"2", "view")
    assert socket.written == [b"1", b"2"]


async def test_a_slow_reader_gets_the_newest_of_each_slot(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.transport.unsent = HIGH_BYTES
    for number in range(100):
        link.push(b"view %d" % number, "view")
        link.push(b"progress %d" % number, "progress")
    link.push(b"recorded")
    assert socket.written == []
    assert link.flush(1.0)
    socket.transport.unsent = 0
    assert not link.flush(2.0)
    assert socket.written == [b"recorded", b"view 99", b"progress 99"]


async def test_what_is_held_goes_out_before_what_is_new(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.transport.unsent = HIGH_BYTES
    link.push(b"old")
    socket.transport.unsent = 0
    link.push(b"new")
    link.flush(1.0)
    assert socket.written == [b"old", b"new"]


async def test_a_stuck_reader_is_cut_loose(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.transport.unsent = HIGH_BYTES
    link.push(b"x")
    start = link._since
    assert link.flush(start + STUCK_S)
    assert not link.flush(start + STUCK_S + 1)
    assert socket.transport.is_aborted


async def test_what_is_held_is_bounded(socket: FakeSocket) -> None:
    link = link_to(socket)
    socket.transport.unsent = HIGH_BYTES
    for _ in range(HELD + 1):
        link.push(b"x")
    assert socket.transport.is_aborted


async def test_many_that_are_stuck_go_a_few_at_a_time() -> None:
    keeper = Keeper()
    sockets = [FakeSocket() for _ in range(CUTS + 5)]
    for each in sockets:
        each.transport.unsent = HIGH_BYTES
        link = WsLink(each, keeper, lambda _: None)  # type: ignore[arg-type] # a fake
        link.push(b"x")
        link.flush(link._since + STUCK_S + 1)
    assert sum(each.transport.is_aborted for each in sockets) == CUTS
