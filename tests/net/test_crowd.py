"""One frame to a crowd: each member gets it once, in order, whole; no one else does."""

from __future__ import annotations

import os
import random

import pytest
from websockets.asyncio.client import ClientConnection

from server.metrics import Metrics
from server.net.connection import Connection
from server.net.crowd import SocketCrowd
from server.net.links import Keeper, WsLink
from tests.support.room import RecordingLink
from tests.support.until import until
from tests.support.wires import Exchange, exchange

END = "end"


def link_to(ws: Connection, keeper: Keeper | None = None) -> WsLink:
    return WsLink(ws, keeper or Keeper(Metrics()), lambda _: None)


async def heard_by(link: WsLink, client: ClientConnection) -> list[str]:
    """Return what a client has been sent so far."""
    await until(lambda: not link.flush(0.0))
    link.push(END.encode())
    heard = []
    while (message := str(await client.recv())) != END:
        heard.append(message)
    return heard


async def seat(
    wires: Exchange, crowd: SocketCrowd
) -> tuple[Connection, WsLink, ClientConnection]:
    ws, client = await wires.dial()
    link = link_to(ws)
    crowd.add(link)
    return ws, link, client


@pytest.mark.posix
async def test_free_sockets_are_written_to_directly() -> None:
    written: list[int] = []

    def write(file: int, frame: bytes) -> int:
        written.append(file)
        return os.write(file, frame)

    crowd = SocketCrowd(write)
    async with exchange() as wires:
        one, two = await seat(wires, crowd), await seat(wires, crowd)
        crowd.push(b"view")
        assert written == [one[0].file, two[0].file]
        assert await heard_by(*one[1:]) == ["view"]
        assert await heard_by(*two[1:]) == ["view"]


async def test_links_of_any_kind_are_in_it() -> None:
    crowd, other = SocketCrowd(), RecordingLink()
    crowd.add(other)
    crowd.push(b'{"type":"view"}')
    crowd.discard(other)
    crowd.discard(other)
    crowd.push(b'{"type":"view"}')
    assert other.messages == [{"type": "view"}]


async def test_who_has_left_hears_nothing_more_of_it() -> None:
    crowd = SocketCrowd()
    async with exchange() as wires:
        _, link, client = await seat(wires, crowd)
        crowd.push(b"one")
        crowd.discard(link)
        crowd.push(b"two")
        assert await heard_by(link, client) == ["one"]


async def test_who_moves_to_another_crowd_is_sent_to_by_both_until_it_has_left() -> (
    None
):
    old, new = SocketCrowd(), SocketCrowd()
    async with exchange() as wires:
        _, link, client = await seat(wires, old)
        new.add(link)
        old.push(b"one")
        new.push(b"two")
        old.discard(link)
        old.push(b"three")
        new.push(b"four")
        assert await heard_by(link, client) == ["one", "two", "four"]


async def test_a_frame_of_which_the_kernel_takes_a_part_arrives_whole() -> None:
    crowd = SocketCrowd()
    async with exchange() as wires:
        ws, link, client = await seat(wires, crowd)
        client.transport.pause_reading()
        sent = 0
        while ws.is_free and sent < 1_000:
            crowd.push(b"%7d" % sent + b"x" * 50_000)
            sent += 1
        crowd.push(b"and more")  # behind what waits
        client.transport.resume_reading()
        heard = await heard_by(link, client)
        assert [len(text) for text in heard] == [50_007] * sent + [8]
        assert [int(text[:7]) for text in heard[:-1]] == list(range(sent))


async def test_a_broken_socket_delays_no_other() -> None:
    broken_files: set[int] = set()

    def write(file: int, frame: bytes) -> int:
        if file in broken_files:
            raise BrokenPipeError
        return os.write(file, frame)

    crowd = SocketCrowd(write)
    async with exchange() as wires:
        broken, _, _ = await seat(wires, crowd)
        _, link, client = await seat(wires, crowd)
        broken_files.add(broken.file)
        crowd.push(b"view")
        assert await heard_by(link, client) == ["view"]


async def test_a_reused_descriptor_does_not_get_frames_of_the_old_socket() -> None:
    crowd = SocketCrowd()
    async with exchange() as wires:
        for _ in range(20):
            ws, _, client = await seat(wires, crowd)  # which is never discarded
            file = ws.file
            client.transport.abort()
            await ws.wait_closed()
            stranger, far = await wires.dial()
            if stranger.file == file:
                break
        assert stranger.file == file, "the system has not reused it"
        crowd.push(b"for the room alone")
        assert await heard_by(link_to(stranger), far) == []


async def test_who_has_parted_is_sent_nothing_after_the_last_word() -> None:
    crowd = SocketCrowd()
    async with exchange() as wires:
        _, link, client = await seat(wires, crowd)
        link.part(b'{"type":"bye","code":"kicked"}')
        crowd.push(b"too late")
        await client.close()
        assert [m async for m in client] == ['{"type":"bye","code":"kicked"}']


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_all_sockets_get_all_frames_in_order(seed: int) -> None:
    """Readers pause and go on, come and go, and hear from others in between."""
    rng = random.Random(seed)
    crowd, keeper = SocketCrowd(), Keeper(Metrics())
    async with exchange() as wires:
        seats: list[tuple[WsLink, ClientConnection, list[str]]] = []
        inside: set[int] = set()
        for turn in range(120):
            text = f"{turn} " + "x" * rng.choice((0, 10, 60_000))
            who = rng.randrange(len(seats)) if seats else -1
            match rng.choice(("all", "all", "all", "one", "pause", "go", "out", "in")):
                case "all":
                    crowd.push(text.encode())
                    for each in inside:
                        seats[each][2].append(text)
                case "one" if seats:
                    seats[who][0].push(text.encode())
                    seats[who][2].append(text)
                case "pause" if seats:
                    seats[who][1].transport.pause_reading()
                case "go" if seats:
                    seats[who][1].transport.resume_reading()
                    seats[who][0].flush(0.0)
                case "out" if inside:
                    gone = rng.choice(sorted(inside))
                    crowd.discard(seats[gone][0])
                    inside.discard(gone)
                case "in" if len(seats) < 6:
                    ws, client = await wires.dial()
                    seats.append((link_to(ws, keeper), client, []))
                    crowd.add(seats[-1][0])
                    inside.add(len(seats) - 1)
        for link, client, expected in seats:
            client.transport.resume_reading()
            assert await heard_by(link, client) == expected
