"""A room that an admin deletes: ended, gone from the journal, and its code unknown."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.game.errors import Refused
from server.game.events import RoomMoved
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.journal.opening import open_journal
from server.journal.store import HeldElsewhere, RoomStore, StoreUnavailable
from server.protocol.client_messages import Hello, Ping
from server.rooms.audience import LocalGateway, NoOtherNodes
from server.rooms.directory import Directory
from server.rooms.loading import NewRoom, OwnRooms
from server.rooms.ports import Attend, Enter, Homes, RoomPort, Say, Tenure
from server.rooms.retention import Retention
from server.rooms.room import Room
from tests.support.cases import SECRET, make_plan
from tests.support.room import FailingStore, ManualClock, RecordingLink
from tests.support.until import until

NEW = NewRoom(make_plan(), RoomSettings(), seed=1)
CODE = RoomCode("ABCDEF")


class Served:
    """A running directory, which gives its codes from a list, and what it noted."""

    def __init__(
        self, store: RoomStore, homes: Homes | None, nodes: NoOtherNodes | None
    ) -> None:
        self.gone: list[RoomCode] = []
        self.gateway = LocalGateway()
        self.letters = itertools.cycle(CODE)
        self.retention = Retention(90)
        self.rooms = Directory(
            store,
            self.gateway,
            ManualClock(),
            lambda _: next(self.letters),
            most_rooms=5,
            retention=self.retention,
            homes=homes,
            nodes=nodes,
            gone=self.gone.append,
        )

    async def new(self) -> Room:
        return await self.rooms.open(NEW, lambda _: SECRET)

    async def join(self, room: Room, name: str) -> RecordingLink:
        link = self.enter(room, name)
        await link.get("you")
        return link

    def enter(self, room: Room, name: str) -> RecordingLink:
        """Send a player's hello, and wait for nothing."""
        link, key = RecordingLink(), name.encode().hex().rjust(32, "0")
        hello = Hello(version=1, role="player", room=room.code, name=name, join_key=key)
        room.put(Enter(link=link, hello=hello))
        return link

    async def refusal(self) -> str:
        """Return how the room's code is refused."""
        with pytest.raises(Refused) as refused:
            await self.rooms.find(CODE)
        return refused.value.code


@contextlib.asynccontextmanager
async def served(
    store: RoomStore,
    homes: Homes | None = None,
    nodes: NoOtherNodes | None = None,
) -> AsyncIterator[Served]:
    at, started = Served(store, homes, nodes), asyncio.Event()
    task = asyncio.create_task(at.rooms.run(started), name="rooms")
    await started.wait()
    try:
        yield at
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def holds(folder: Path, word: bytes) -> bool:
    """Whether any file in a folder contains a word."""
    return any(word in file.read_bytes() for file in folder.iterdir())


async def test_a_running_room_ends_with_a_goodbye_and_its_code_is_free(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    async with served(store) as at:
        room = await at.new()
        ann, wall = await at.join(room, "Ann"), RecordingLink()
        wall.audience = "screen"
        at.gateway.attach(CODE, wall, None)
        await at.rooms.delete(CODE)
        for link in (ann, wall):
            bye = link.messages[-1]
            assert (bye["type"], bye["code"]) == ("bye", "room_deleted")
            assert not bye["come_back"]
            assert link.is_parted
        assert not at.gateway.links(CODE, "player")
        assert await store.rooms() == []
        assert at.rooms.live == []
        assert at.gone == [CODE]
        with pytest.raises(Refused, match="unknown_room"):
            room.put(Say(link=ann, message=Ping(ref=1), stamped_ms=1))
        assert await at.refusal() == "unknown_room"
        again = await at.new()
        assert (again.code, again.state.players) == (CODE, {})
    assert ("deleted by an admin", CODE) in [
        (record.getMessage(), getattr(record, "room", "")) for record in caplog.records
    ]
    assert "Ann" not in caplog.text


async def test_what_is_being_stored_is_not_in_the_journal_afterwards() -> None:
    store = FailingStore()
    async with served(store) as at:
        room = await at.new()
        ann = await at.join(room, "Ann")
        store.gate.clear()
        store.appended.clear()
        bob = at.enter(room, "Bob")
        await store.appended.wait()
        cem = at.enter(room, "Cem")  # queued behind the append
        await at.rooms.delete(CODE)
        store.gate.set()
        assert (await bob.get("refused"))["code"] == "busy"
        assert (await cem.get("refused"))["code"] == "unknown_room"
        await ann.get("bye", code="room_deleted")
        assert await store.load(CODE) == []


@pytest.mark.parametrize("n", [0, 1, 3])
async def test_a_file_has_no_event_of_the_room_however_late_they_were_sent(
    tmp_path: Path, n: int
) -> None:
    async with open_journal(tmp_path) as store, served(store) as at:
        room = await at.new()
        await at.join(room, "Ann")
        for number in range(9):
            at.enter(room, f"Late {number}")
        for _ in range(n):
            await asyncio.sleep(0)
        await at.rooms.delete(CODE)
        await store.check()
        assert await store.load(CODE) == []
        assert await store.rooms() == []


async def test_a_deleted_room_leaves_no_byte_once_no_one_plays(
    tmp_path: Path,
) -> None:
    async with open_journal(tmp_path) as store, served(store) as at:
        await at.join(await at.new(), "Zebedee")
        assert holds(tmp_path, b"Zebedee")
        await at.rooms.delete(CODE)
        await at.rooms._keep_house()
        assert not holds(tmp_path, b"Zebedee")


async def test_a_room_that_is_not_running_is_deleted_as_well() -> None:
    store = MemoryStore()
    async with served(store) as at:
        await at.new()
        at.rooms._live.put_away(CODE)
        await at.rooms.delete(CODE)
        assert await store.rooms() == []
        assert at.rooms.live == []
        assert at.gone == [CODE]


async def test_a_damaged_room_can_be_deleted() -> None:
    store = MemoryStore()
    async with served(store) as at:
        await at.new()
        at.rooms._live.put_away(CODE)
        store._bodies[CODE] *= 2  # it is opened twice
        assert await at.refusal() == "room_closed"
        await at.rooms.delete(CODE)
        assert await at.refusal() == "unknown_room"
        assert await store.rooms() == []


async def test_a_room_is_deleted_once() -> None:
    async with served(MemoryStore()) as at:
        await at.new()
        both = await asyncio.gather(
            at.rooms.delete(CODE), at.rooms.delete(CODE), return_exceptions=True
        )
        assert [getattr(each, "code", None) for each in both] == [None, "busy"]
        for code in (CODE, RoomCode("NOSUCH")):
            with pytest.raises(Refused, match="unknown_room"):
                await at.rooms.delete(code)
        assert at.gone == [CODE]


async def test_an_admin_who_is_gone_deletes_it_all_the_same() -> None:
    store = MemoryStore()
    async with served(store) as at:
        await at.new()
        asked = asyncio.create_task(at.rooms.delete(CODE))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        await until(lambda: bool(at.gone))
        assert await store.rooms() == []


class Noting(NoOtherNodes):
    """Nodes that note which rooms they are to forget."""

    def __init__(self) -> None:
        self.disowned: list[RoomCode] = []

    def disown(self, room: RoomCode) -> None:
        self.disowned.append(room)


async def test_nothing_is_kept_about_a_deleted_room_beside_the_journal() -> None:
    nodes = Noting()
    async with served(MemoryStore(), nodes=nodes) as at:
        await at.new()
        await at.rooms._keep_house()
        ledger = at.retention._ledger
        assert ledger is not None
        assert list(ledger.rooms) == [CODE]
        await at.rooms.delete(CODE)
        assert not ledger.rooms
        assert nodes.disowned == [CODE]  # what other nodes were told is withdrawn


class StuckStore(FailingStore):
    """A store that waits before it deletes, and may fail to."""

    def __init__(self) -> None:
        super().__init__()
        self.deleting, self.may_delete = asyncio.Event(), asyncio.Event()

    async def delete(self, room: RoomCode, *, epoch: int | None = None) -> bool:
        self.deleting.set()
        await self.may_delete.wait()
        if self.is_away:
            raise StoreUnavailable("the disk is full")
        return await super().delete(room, epoch=epoch)


async def test_no_one_gets_into_a_room_while_it_is_being_deleted() -> None:
    store = StuckStore()
    async with served(store) as at:
        await at.new()
        deleting = asyncio.create_task(at.rooms.delete(CODE))
        await store.deleting.wait()
        assert await at.refusal() == "busy"
        store.may_delete.set()
        await deleting
        assert await at.refusal() == "unknown_room"


async def test_a_room_that_cannot_be_deleted_continues_with_all_its_people(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = StuckStore()
    async with served(store) as at:
        ann = await at.join(await at.new(), "Ann")
        store.is_away = True
        store.may_delete.set()
        with pytest.raises(Refused, match="storage_unavailable"):
            await at.rooms.delete(CODE)
        assert (await ann.get("bye"))["come_back"] is True
        store.is_away = False
        again = await at.rooms.find(CODE)
        assert isinstance(again, Room)
        assert [player.name for player in again.state.players.values()] == ["Ann"]
        assert at.gone == []
    assert "deleted by an admin" not in caplog.text


class Held(OwnRooms):
    """The Homes of a node beside another one, which has every room."""

    is_shared = True

    async def take(self, room: RoomCode) -> Tenure | None:
        raise HeldElsewhere("lisbon", "http://lisbon")


async def test_a_room_of_another_node_is_refused_with_where_to_delete_it() -> None:
    store = MemoryStore()
    async with served(store) as at:
        await at.new()
    async with served(store, Held(store)) as at:
        with pytest.raises(Refused) as refused:
            await at.rooms.delete(CODE)
        assert refused.value.code == "room_moved"
        assert "running at lisbon" in refused.value.detail
        assert [record.code for record in await store.rooms()] == [CODE]


async def test_a_room_that_has_moved_to_another_site_is_deleted_there() -> None:
    store = MemoryStore()
    async with served(store) as at:
        room = await at.new()
    await store.append(CODE, room.state.version, [RoomMoved("oslo", 2, 20_000)])
    async with served(store) as at:
        with pytest.raises(Refused) as refused:
            await at.rooms.delete(CODE)
        assert refused.value.code == "room_moved"
        assert refused.value.detail == "This room has moved to oslo. Delete it there."
        assert [record.code for record in await store.rooms()] == [CODE]


class Captors(NoOtherNodes):
    """Nodes of which one has every room."""

    def __init__(self, room: RoomPort) -> None:
        self.room = room

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        return self.room


async def test_a_room_that_is_played_at_another_site_is_deleted_there() -> None:
    async with served(MemoryStore()) as there:
        away = await there.new()
        async with served(MemoryStore(), nodes=Captors(away)) as at:
            with pytest.raises(Refused) as refused:
                await at.rooms.delete(CODE)
    assert refused.value.code == "room_moved"
    assert "at another site" in refused.value.detail


async def test_an_error_while_deleting_ends_no_other_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    store = MemoryStore()
    async with served(store) as at:
        await at.new()
        at.letters = itertools.cycle("HJKMNP")
        other = await at.new()

        async def fail(*_: object, **__: object) -> bool:
            raise RuntimeError("a fault")

        monkeypatch.setattr(store, "delete", fail)
        with pytest.raises(Refused, match="internal"):
            await at.rooms.delete(CODE)
        bob = await at.join(other, "Bob")
        assert not bob.is_parted


async def test_a_link_that_is_proving_its_key_is_refused() -> None:
    store = StuckStore()
    async with served(store) as at:
        room = await at.new()
        host = RecordingLink()
        host.audience = "host"
        deleting = asyncio.create_task(at.rooms.delete(CODE))
        await store.deleting.wait()
        room.put(Attend(link=host, nonce="00", proof="00"))
        store.may_delete.set()
        await deleting
        assert (await host.get("refused"))["code"] == "unknown_room"
