"""One damaged room of fifty: it is closed and named, and the other 49 play a round."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from server.folder import JOURNAL
from server.game.events import Event, PlayerJoined, PlayerRenamed, RoomLocked
from server.game.ids import CODE_ALPHABET, PlayerId, RoomCode
from server.journal.codec import encode
from server.journal.integrity import crc_of
from server.journal.opening import open_store
from tests.support.cases import SECRET, opened
from tests.support.server import hall
from tests.support.sites import HOME, town
from tests.support.wire import Wire, wire

ROOMS = 50
JOINED = 4
EVENTS = 1 + JOINED
FINAL = ("room_closed", "unknown_room")
"""What an edge may answer for a room that its home cannot play."""


def code(number: int) -> RoomCode:
    """Return the code of a room by its number."""
    size = len(CODE_ALPHABET)
    digits = (CODE_ALPHABET[number // size**i % size] for i in range(3))
    return RoomCode("RRR" + "".join(digits))


def events(room: RoomCode) -> list[Event]:
    """Return the journal of a room in its lobby, of a moment ago."""
    now_ms = int(time.time() * 1000)
    joined = [
        PlayerJoined(PlayerId(f"p{i}"), f"Player {i}", None, False, now_ms)
        for i in range(JOINED)
    ]
    return [replace(opened(), code=room, at_ms=now_ms), *joined]


async def write(folder: Path, rooms: Iterable[RoomCode]) -> None:
    async with open_store(folder) as store:
        for room in rooms:
            await store.append(room, 0, events(room))


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with fifty rooms in their lobby."""
    folder = tmp_path_factory.mktemp("fifty")
    asyncio.run(write(folder, map(code, range(ROOMS))))
    return folder


def change(statement: str) -> Callable[[Path, RoomCode], None]:
    """Return damage that a statement about the room ``?`` does."""

    def damage(folder: Path, room: RoomCode) -> None:
        with contextlib.closing(sqlite3.connect(folder / JOURNAL)) as db, db:
            db.execute(statement, (room,))

    return damage


def append(body: str) -> Callable[[Path, RoomCode], None]:
    """Return damage that looks as if it had been appended in order, seal and all."""

    def damage(folder: Path, room: RoomCode) -> None:
        row = (room, EVENTS + 1)
        with contextlib.closing(sqlite3.connect(folder / JOURNAL)) as db, db:
            db.execute("INSERT INTO events VALUES (?, ?, ?)", (*row, body))
            db.execute(
                "INSERT INTO seals VALUES (?, ?, ?, ?)",
                (*row, EVENTS + 1, crc_of([body])),
            )
            db.execute(
                "UPDATE rooms SET version = ? WHERE code = ?", (EVENTS + 1, room)
            )

    return damage


WAYS: dict[str, Callable[[Path, RoomCode], None]] = {
    "rubbish in a row": change(
        "UPDATE events SET body = '{!' WHERE room = ? AND version = 3"
    ),
    "bytes that are not text": change(
        "UPDATE events SET body = CAST(x'ff' AS TEXT) WHERE room = ? AND version = 3"
    ),
    "another name": change(
        "UPDATE events SET body = replace(body, 'Player', 'Placer') WHERE room = ?"
    ),
    "a row gone": change("DELETE FROM events WHERE room = ? AND version = 3"),
    "the last row gone": change("DELETE FROM events WHERE room = ? AND version = 5"),
    "all rows gone": change("DELETE FROM events WHERE room = ?"),
    "a row more": change(
        "INSERT INTO events SELECT room, version + 1, body FROM events "
        "WHERE room = ? AND version = 5"
    ),
    "an event of an unknown type": append('{"type":"moon_landed","at_ms":1}'),
    "an event of a newer version": append(
        encode(RoomLocked()).replace("}", ',"v":2,"needs":"9.0.0"}')
    ),
    "an event that does not replay": append(
        encode(PlayerRenamed(PlayerId("stranger"), "x"))
    ),
}


async def play(port: int, room: RoomCode, players_port: int | None = None) -> None:
    """Play a round with one host and one player, who may be at another site."""
    async with contextlib.AsyncExitStack() as stack:
        host: Wire = await stack.enter_async_context(wire(port))
        ann: Wire = await stack.enter_async_context(wire(players_port or port))
        await host.prove("host", room, SECRET)
        await ann.join(room)
        await host.do("open_round", "open_vote")
        assert (await ann.vote("outer"))["type"] == "recorded", room
        await host.do("close_votes", "reveal")
        await ann.phase("reveal")


async def play_all(port: int, rooms: Iterable[RoomCode], **elsewhere: int) -> None:
    """Play rooms, ten at a time."""
    turn = asyncio.Semaphore(10)

    async def one(room: RoomCode) -> None:
        async with turn:
            await play(port, room, **elsewhere)

    async with asyncio.TaskGroup() as group:
        for room in rooms:
            group.create_task(one(room))


async def refused(port: int, room: RoomCode, role: str, name: str | None) -> str:
    """Ask for a room that cannot be played; return the refusal's code."""
    async with wire(port) as one:
        await one.hello(role, room=room, **({"name": name} if name else {}))
        return str((await one.until("refused"))["code"])


async def is_known(port: int, room: RoomCode) -> None:
    """Wait until an edge has heard of a room: on a busy machine that takes a while."""
    async with asyncio.timeout(60):
        while True:
            async with wire(port) as one:
                await one.hello("screen", room=room)
                if (await one.next())["type"] == "challenge":
                    return
            await asyncio.sleep(0.5)


@pytest.mark.fault
@pytest.mark.full
@pytest.mark.parametrize("way", WAYS)
async def test_a_damaged_room_is_closed_and_49_others_play(
    way: str, fifty: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(fifty, folder)
    bad = code(7)
    WAYS[way](folder, bad)
    async with open_store(folder) as store:
        damaged = (await store.examine()).damaged
    assert [finding.room for finding in damaged] == [bad]
    assert f"event {damaged[0].intact + 1} " in damaged[0].damage
    with caplog.at_level(logging.ERROR):
        async with hall(data=folder, keep_days=0) as at:
            for name in ("Ann", "Bob"):
                assert await refused(at.port, bad, "player", name) == "room_closed"
            assert await refused(at.port, bad, "screen", None) == "room_closed"
            others = [room for n in range(ROOMS) if (room := code(n)) != bad]
            await play_all(at.port, others)
            assert await refused(at.port, bad, "player", "Cem") == "room_closed"
    named = [one for one in caplog.records if getattr(one, "room", None) == bad]
    assert named, "the log does not name the room"
    assert any("event" in one.getMessage() for one in named)
    assert {getattr(one, "room", None) for one in caplog.records} <= {bad, None}


@pytest.mark.fault
@pytest.mark.full
async def test_ten_damaged_rooms_of_a_home_leave_49_others_to_play_across_sites(
    tmp_path: Path,
) -> None:
    """The edge knew them all; it asks for the damaged ones first, and again."""
    healthy, damaged = [code(n) for n in range(49)], [code(49 + n) for n in range(10)]
    (tmp_path / HOME).mkdir()
    await write(tmp_path / HOME, [*healthy, *damaged])
    async with town(tmp_path, "mosquitto") as place:
        home, edge = place.home, place.edges[0]
        await is_known(edge.port, healthy[0])
        await play(home.port, healthy[0], edge.port)
        await home.stop()
        for way, room in zip(WAYS.values(), damaged, strict=True):
            way(tmp_path / HOME, room)
        await home.start()
        for room in (*damaged, *damaged):
            assert await refused(edge.port, room, "player", "Ann") in FINAL, room
        await play_all(home.port, healthy[1:], players_port=edge.port)
        for room in damaged:
            assert await refused(home.port, room, "player", "Ann") == "room_closed"
