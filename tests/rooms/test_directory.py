"""All rooms of a node: found, taken up again, and kept from each other's faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.protocol.client_messages import Hello, Ping
from server.rooms.audience import LocalGateway, NoOtherNodes
from server.rooms.directory import Directory
from server.rooms.loading import NewRoom
from server.rooms.ports import Enter, Leave, RoomPort, Say
from server.rooms.retention import DAY_MS
from server.rooms.room import Room
from tests.support.cases import SECRET, make_plan
from tests.support.room import ManualClock, RecordingLink

NEW = NewRoom(make_plan(), RoomSettings(), seed=1)


@contextlib.asynccontextmanager
async def directory(
    store: MemoryStore,
    most: int = 5,
    clock: ManualClock | None = None,
    nodes: NoOtherNodes | None = None,
) -> AsyncIterator[Directory]:
    letters = iter("ABCDEFGHJKMNPQRSTUVWXYZ23456789" * 9)
    made = Directory(
        store,
        LocalGateway(),
        clock or ManualClock(),
        lambda _: next(letters),
        most_rooms=most,
        nodes=nodes,
    )
    started = asyncio.Event()
    task = asyncio.create_task(made.run(started), name="rooms")
    await started.wait()
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def hello(room: Room, name: str) -> Hello:
    return Hello(
        version=1, role="player", room=room.code, name=name, join_key="ab" * 16
    )


async def test_rooms_are_found_in_either_case_and_unknown_ones_refused() -> None:
    async with directory(MemoryStore()) as rooms:
        room = await rooms.open(NEW, lambda _: SECRET)
        assert await rooms.find(f" {room.code.lower()} ") is room
        with pytest.raises(Refused, match="unknown_room"):
            await rooms.find("NOSUCH")


async def test_there_is_a_limit_of_rooms() -> None:
    async with directory(MemoryStore(), most=1) as rooms:
        room = await rooms.open(NEW, lambda _: SECRET)
        link = RecordingLink()
        room.put(Enter(link=link, hello=hello(room, "Ann")))
        await link.get("you")
        with pytest.raises(Refused, match="rooms_full"):
            await rooms.open(NEW, lambda _: SECRET)


async def test_an_empty_room_is_evicted_and_found_again() -> None:
    async with directory(MemoryStore(), most=1) as rooms:
        empty = await rooms.open(NEW, lambda _: SECRET)
        fresh = await rooms.open(NEW, lambda _: SECRET)
        assert rooms.live == [fresh]
        assert (await rooms.find_here(empty.code)).state == empty.state


async def test_unfinished_rooms_go_on_when_the_server_starts_again() -> None:
    store = MemoryStore()
    async with directory(store) as rooms:
        code = (await rooms.open(NEW, lambda _: SECRET)).code
    async with directory(store) as rooms:
        assert [room.code for room in rooms.live] == [code]


async def test_a_room_that_cannot_go_on_is_closed_and_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with directory(MemoryStore()) as rooms:
        broken = await rooms.open(NEW, lambda _: SECRET)
        sound = await rooms.open(NEW, lambda _: SECRET)
        ann, bob = RecordingLink(), RecordingLink()
        broken.put(Enter(link=ann, hello=hello(broken, "Ann")))
        await ann.get("you")

        def fail() -> None:
            raise RuntimeError("a fault outside of every step")

        monkeypatch.setattr(broken, "_set_alarm", fail)
        broken.put(Enter(link=ann, hello=hello(broken, "Ann")))
        assert (await ann.get("bye"))["code"] == "room_closed"
        sound.put(Enter(link=bob, hello=hello(sound, "Bob")))
        await bob.get("you")
        again = await rooms.find(broken.code)  # its journal is kept
        assert isinstance(again, Room)
        assert again is not broken
        assert [player.name for player in again.state.players.values()] == ["Ann"]
        assert RoomCode(broken.code) == again.code


async def test_a_room_that_was_left_is_put_away_and_taken_up_again() -> None:
    clock = ManualClock()
    async with directory(MemoryStore(), clock=clock) as rooms:
        room = await rooms.open(NEW, lambda _: SECRET)
        ann = RecordingLink()
        room.put(Enter(link=ann, hello=hello(room, "Ann")))
        await ann.get("you")
        clock.ms += 3 * DAY_MS
        rooms._tidy()
        assert rooms.live == [room]  # a player is there
        room.put(Leave(link=ann))
        room.put(Say(link=ann, message=Ping(ref=1), stamped_ms=clock.ms))
        await ann.get("pong")
        rooms._tidy()
        assert rooms.live == []
        again = await rooms.find(room.code)
        assert isinstance(again, Room)
        assert [player.name for player in again.state.players.values()] == ["Ann"]


class Captors(NoOtherNodes):
    """Other nodes of which one announces every room as its own."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        return self._room


async def test_a_room_of_the_own_journal_is_never_elsewhere() -> None:
    """Not even while it does not run: finished, or paused for days."""
    store, clock = MemoryStore(), ManualClock()
    async with directory(store, clock=clock) as rooms:
        own = await rooms.open(NEW, lambda _: SECRET)
    captors = Captors(own)
    async with directory(store, clock=clock, nodes=captors) as rooms:
        rooms._live.put_away(own.code)  # as after an hour without anyone
        assert rooms.live == []
        found = await rooms.find(own.code)
        assert found is not own
        assert rooms.live == [found]
        loads = []
        load = store.load
        store.load = lambda code: (loads.append(code), load(code))[1]  # type: ignore[method-assign, func-returns-value]
        for _ in range(3):
            assert await rooms.find("NOTOWN") is own
        assert loads == ["NOTOWN"], "and a room elsewhere is not looked up each time"
