"""A room is a failure domain: whatever happens to one closes that room alone."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from server.game.errors import Refused
from server.game.events import Event, PlayerRenamed
from server.game.ids import PlayerId, RoomCode
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.journal.opening import open_journal
from server.journal.store import DamagedRoom, RoomStore
from server.metrics import Metrics
from server.protocol.client_messages import Hello, Ping
from server.rooms.audience import LocalGateway
from server.rooms.directory import Directory
from server.rooms.loading import NewRoom
from server.rooms.ports import Attend, Enter, Leave, Return, Say
from server.rooms.retention import DAY_MS
from server.rooms.room import Room
from tests.support.cases import SECRET, make_plan, opened
from tests.support.room import ManualClock, RecordingLink, table

NEW = NewRoom(make_plan(), RoomSettings(), seed=1)
GOOD, BAD = RoomCode("GUUD22"), RoomCode("BADB22")
GHOST = PlayerRenamed(PlayerId("ghost"), "x")
"""Decodes, and does not fold: no such player has joined."""


def story(code: RoomCode, *more: Event) -> list[Event]:
    """Return the events of a room."""
    return [replace(opened(), code=code, at_ms=10_000), *more]


class Served:
    """A running directory and what it works with."""

    def __init__(self, store: RoomStore, most: int = 50, closed_s: float = 10) -> None:
        letters = itertools.cycle("ABCDEFGHJKMNPQRSTUVWXYZ23456789")
        self.gateway = LocalGateway()
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.rooms = Directory(
            store,
            self.gateway,
            self.clock,
            lambda _: next(letters),
            most_rooms=most,
            metrics=self.metrics,
            closed_s=closed_s,
        )
        self.task: asyncio.Task[None] | None = None

    async def new(self) -> Room:
        return await self.rooms.open(NEW, lambda _: SECRET)

    async def join(self, room: Room, name: str) -> RecordingLink:
        link = RecordingLink()
        room.put(Enter(link=link, hello=hello(room, name)))
        await link.get("you")
        return link


def hello(room: Room, name: str) -> Hello:
    key = f"{abs(hash(name)):032x}"[:32]
    return Hello(version=1, role="player", room=room.code, name=name, join_key=key)


@contextlib.asynccontextmanager
async def served(
    store: RoomStore, most: int = 50, closed_s: float = 10
) -> AsyncIterator[Served]:
    at, started = Served(store, most, closed_s), asyncio.Event()
    at.task = asyncio.create_task(at.rooms.run(started), name="rooms")
    async with asyncio.timeout(10):
        await started.wait()
    try:
        yield at
    finally:
        at.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await at.task


async def refusal_of(rooms: Directory, code: str) -> str:
    """Return the code of the refusal that a room answers with."""
    async with asyncio.timeout(5):
        with pytest.raises(Refused) as refused:
            await rooms.find(code)
    return refused.value.code


async def plays(at: Served, room: Room) -> None:
    """Hold that a room answers."""
    async with asyncio.timeout(5):
        ann = await at.join(room, "Ann")
        room.put(Say(link=ann, message=Ping(ref=9), stamped_ms=1))
        await ann.get("pong", ref=9)
        room.put(Leave(link=ann))


# --- taken up from the journal -------------------------------------------------------


async def test_a_room_that_does_not_replay_stays_closed_and_the_start_continues(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_journal(tmp_path) as store:
        await store.append(GOOD, 0, story(GOOD))
        await store.append(BAD, 0, story(BAD, GHOST))
        async with served(store) as at:
            assert [room.code for room in at.rooms.live] == [GOOD]
            for _ in range(3):
                assert await refusal_of(at.rooms, BAD) == "room_closed"
            await plays(at, at.rooms.live[0])
            assert "rooms_failed_total 1" in at.metrics.text().decode()
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert any(BAD in line and "event 2 (player_renamed)" in line for line in told)


class Slow(MemoryStore):
    """A store that takes a while to read, and counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    async def load(self, room: RoomCode) -> list[Event]:
        self.read += 1
        await asyncio.sleep(0)
        return await super().load(room)


async def test_all_who_ask_for_a_room_that_cannot_be_loaded_are_refused() -> None:
    store = Slow()
    async with served(store) as at:
        await store.append(BAD, 0, story(BAD, GHOST))
        store.read = 0
        answers = await asyncio.gather(*(refusal_of(at.rooms, BAD) for _ in range(5)))
        assert answers == ["room_closed"] * 5
        assert await refusal_of(at.rooms, BAD) == "room_closed"
        assert store.read == 1, "a class that comes back is not a reading each"


async def test_a_waiter_that_gives_up_takes_the_room_from_no_other() -> None:
    store = Slow()
    async with served(store) as at:
        await store.append(GOOD, 0, story(GOOD))
        first = asyncio.create_task(at.rooms.find_here(GOOD))
        await asyncio.sleep(0)
        second = asyncio.create_task(at.rooms.find_here(GOOD))
        await asyncio.sleep(0)
        first.cancel()
        async with asyncio.timeout(5):
            assert (await second).code == GOOD


async def test_a_repaired_room_is_taken_up_again_after_a_while() -> None:
    store = MemoryStore()
    async with served(store, closed_s=0) as at:
        await store.append(BAD, 0, story(BAD, GHOST))
        assert await refusal_of(at.rooms, BAD) == "room_closed"
        await store.delete(BAD)
        await store.append(BAD, 0, story(BAD))
        await plays(at, await at.rooms.find_here(BAD))


async def test_a_journal_of_another_room_takes_no_rooms_place() -> None:
    store = MemoryStore()
    async with served(store) as at:
        await store.append(GOOD, 0, story(GOOD))
        good = await at.rooms.find_here(GOOD)
        await store.append(BAD, 0, story(GOOD))  # lines that were mixed up
        assert await refusal_of(at.rooms, BAD) == "room_closed"
        assert at.rooms.live == [good]


# --- while it runs -------------------------------------------------------------------


class Damaging(MemoryStore):
    """A store in which a room can be damaged while it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: RoomCode | None = None

    async def load(self, room: RoomCode) -> list[Event]:
        if room == self.bad:
            raise DamagedRoom(room, 1, "its checksum does not match")
        return await super().load(room)

    async def bodies(self, room: RoomCode) -> list[str]:
        if room == self.bad:
            raise DamagedRoom(room, 1, "its checksum does not match")
        return await super().bodies(room)

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        if room == self.bad:
            raise DamagedRoom(room, 1, "its checksum does not match")
        await super().append(room, version, events)


async def test_a_damaged_room_that_is_given_up_leaves_the_others_alone() -> None:
    store = Damaging()
    async with served(store) as at:
        bad, good = await at.new(), await at.new()
        store.bad = bad.code
        at.rooms.succeeded(bad.code, "oslo", 2)
        await plays(at, good)
        assert at.task is not None
        assert not at.task.done()
        assert at.rooms.live == [good]


async def test_a_room_that_has_failed_frees_its_place_its_links_and_its_figures() -> (
    None
):
    store = Damaging()
    async with served(store) as at:
        bad, good = await at.new(), await at.new()
        ann, bob = await at.join(bad, "Ann"), await at.join(bad, "Bob")
        store.bad = bad.code
        late = RecordingLink()
        bad.put(Enter(link=late, hello=hello(bad, "Late")))
        for link in (ann, bob):
            await link.get("bye", code="room_closed")
        await late.get("refused", code="room_closed")
        assert at.gateway.links(bad.code, "player") == ()
        assert [room.code for room in at.rooms.live] == [good.code]
        figures = at.metrics.text().decode()
        assert 'people{role="player"} 0' in figures
        assert "rooms_failed_total 1" in figures
        bad.put(Leave(link=ann))  # what the socket's end says, later
        with pytest.raises(Refused, match="room_closed"):
            bad.put(Say(link=ann, message=Ping(ref=1), stamped_ms=1))
        store.bad = None
        again = await at.rooms.find_here(bad.code)
        assert not again.is_attended
        at.clock.ms += 3 * DAY_MS
        at.rooms._tidy()
        assert at.rooms.live == []
        await plays(at, await at.rooms.find_here(good.code))


async def test_whatever_waits_in_a_room_that_fails_is_answered() -> None:
    store, acks = Damaging(), []
    async with served(store) as at:
        bad = await at.new()
        ann = await at.join(bad, "Ann")
        store.bad = bad.code
        links = [RecordingLink() for _ in range(3)]
        bob = hello(bad, "Bob")
        bad.put(Enter(link=links[0], hello=bob, ack=lambda: acks.append(0)))
        bad.put(Return(link=links[1], token="x.y", ack=lambda: acks.append(1)))
        links[2].audience = "screen"
        bad.put(Attend(link=links[2], nonce="n", proof="p", ack=lambda: acks.append(2)))
        for link in links:
            await link.get("refused")
        await ann.get("bye", code="room_closed")
        assert acks == [0, 1, 2]


async def test_a_room_whose_task_is_cancelled_is_closed_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served(MemoryStore()) as at:
        one, other = await at.new(), await at.new()
        ann = await at.join(one, "Ann")
        at.rooms._live.task_of(one.code).cancel()
        await ann.get("bye", code="room_closed")
        assert at.rooms.live == [other]
        assert one.code in caplog.text
        await plays(at, other)
        await plays(at, await at.rooms.find_here(one.code))


class Broken(RecordingLink):
    """A link that cannot be sent anything any more."""

    def push(self, frame: bytes, slot: object = None) -> None:
        raise RuntimeError("a fault in a link")


async def test_one_answer_that_fails_takes_no_other_answer_along() -> None:
    async with table() as at:
        links = [RecordingLink(), Broken(), RecordingLink(), RecordingLink()]
        for number, link in enumerate(links):
            at.room.put(Enter(link=link, hello=at.hello(f"P{number}")))
        for number in (0, 2, 3):
            async with asyncio.timeout(5):
                await links[number].get("you")
        assert len(at.room.state.players) == 4


async def test_a_view_that_cannot_be_shown_leaves_every_request_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from server.game.commands import OpenRound

    async with table() as at:
        host = await at.attend("host")
        _, ann = await at.join("Ann")

        def fail(*_: object) -> None:
            raise RuntimeError("a view that cannot be made")

        monkeypatch.setattr(at.room._publisher, "stage", fail)
        at.room.put(Say(link=host, message=OpenRound(ref=5), stamped_ms=1))
        at.room.put(Say(link=ann, message=Ping(ref=6), stamped_ms=1))
        async with asyncio.timeout(5):
            await host.get("done", ref=5)
            await ann.get("pong", ref=6)


# --- places --------------------------------------------------------------------------


async def test_the_limit_holds_however_many_rooms_are_opened_together(
    tmp_path: Path,
) -> None:
    async with open_journal(tmp_path) as store, served(store, most=3) as at:
        found = await asyncio.gather(
            *(at.new() for _ in range(30)), return_exceptions=True
        )
        refused = [one for one in found if isinstance(one, Refused)]
        assert len(at.rooms.live) == 3
        assert {one.code for one in refused} == {"rooms_full"}
        assert len(refused) == 27


async def test_a_code_that_is_taken_is_drawn_again_and_nothing_is_listed() -> None:
    class Unlisted(MemoryStore):
        async def rooms(self) -> list[object]:  # type: ignore[override]
            raise AssertionError("the whole journal was read for one code")

    store = Unlisted()
    await store.append(RoomCode("AAAAAA"), 0, story(RoomCode("AAAAAA")))
    letters = iter("A" * 12 + "B" * 6)
    rooms = Directory(
        store, LocalGateway(), ManualClock(), lambda _: next(letters), most_rooms=9
    )
    store.rooms = MemoryStore().rooms  # type: ignore[method-assign] # at the start
    started = asyncio.Event()
    task = asyncio.create_task(rooms.run(started))
    await started.wait()
    del store.rooms
    room = await rooms.open(NEW, lambda _: SECRET)
    assert room.code == "BBBBBB"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_room_that_is_put_away_says_so_to_latecomers() -> None:
    async with served(MemoryStore(), most=1) as at:
        first = await at.new()
        await at.new()  # takes the place of the first, which is empty
        with pytest.raises(Refused, match="busy"):
            first.put(Enter(link=RecordingLink(), hello=hello(first, "Late")))


async def test_a_room_that_owes_an_answer_is_not_put_away() -> None:
    async with served(MemoryStore(), most=1) as at:
        first = await at.new()
        late = RecordingLink()
        first.put(Enter(link=late, hello=hello(first, "Late")))
        with pytest.raises(Refused, match="rooms_full"):
            await at.new()
        await late.get("you")
