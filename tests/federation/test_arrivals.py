"""Rooms that come by file, and rooms that have left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.federation.home import Arrivals, HomeGateway
from server.federation.messages import Announce, epoch_key
from server.game.errors import Refused
from server.game.events import Event, PlayerJoined, RoomMoved
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import encode
from server.journal.memory import MemoryStore
from server.journal.parcel import ParcelError, pack, unpack
from server.rooms.audience import LocalGateway, NoOtherNodes
from server.rooms.ports import PASSING, RoomPort
from tests.rooms.test_directory import directory
from tests.support.cases import SECRET, opened
from tests.support.fake_bus import FakeBroker
from tests.support.gateways import StandIn

ROOM = RoomCode("TESTAA")
STORY: list[Event] = [
    opened(),
    PlayerJoined(PlayerId("p1"), "Ann", None, False, 2_000, "berlin"),
]
MOVED: list[Event] = [*STORY, RoomMoved("lisbon", 2, 3_000)]


def parcel(events: list[Event], to: str = "lisbon", epoch: int = 2) -> bytes:
    return pack(ROOM, to, epoch, [encode(event) for event in events])


class Landing:
    """A node's folder, and what has arrived there."""

    def __init__(self, folder: Path, store: MemoryStore, name: str = "lisbon") -> None:
        self.folder = folder
        self.taken: list[RoomCode] = []
        self.arrivals = Arrivals(folder, store, name, self._arrived)

    async def _arrived(self, code: RoomCode) -> None:
        self.taken.append(code)

    async def put(self, data: bytes) -> list[str]:
        """Let a file come; return the names of what lies there afterwards."""
        (self.folder / "TESTAA.room").write_bytes(data)
        await self.arrivals.look()
        return sorted(path.name for path in self.folder.iterdir())


async def test_a_room_is_stored_and_taken_up_once(tmp_path: Path) -> None:
    store = MemoryStore()
    landing = Landing(tmp_path, store)
    assert await landing.put(parcel(MOVED)) == []
    assert await store.load(ROOM) == MOVED
    assert await landing.put(parcel(MOVED)) == []  # carried here twice
    assert await store.load(ROOM) == MOVED
    assert landing.taken == [ROOM, ROOM]


async def test_a_room_that_comes_back_brings_only_what_is_new(tmp_path: Path) -> None:
    store = MemoryStore()
    await store.append(ROOM, 0, MOVED)  # what berlin kept when it left
    there: list[Event] = [
        *MOVED,
        PlayerJoined(PlayerId("p2"), "Bob", None, False, 4_000, "lisbon"),
        RoomMoved("berlin", 3, 5_000),
    ]
    landing = Landing(tmp_path, store, "berlin")
    assert await landing.put(parcel(there, "berlin", 3)) == []
    assert await store.load(ROOM) == there


@pytest.mark.parametrize(
    "data",
    [
        b"rubbish",
        parcel(MOVED)[:-20],
        parcel(MOVED, "oslo"),
        parcel(STORY),
        parcel(MOVED, epoch=7),
        parcel(MOVED[1:]),
        pack(ROOM, "lisbon", 2, ['{"type":"from the future"}']),
    ],
)
async def test_a_file_with_no_room_for_this_node_changes_nothing(
    tmp_path: Path, data: bytes
) -> None:
    store = MemoryStore()
    landing = Landing(tmp_path, store)
    assert await landing.put(data) == ["TESTAA.room.refused"]
    assert await store.load(ROOM) == []
    assert landing.taken == []


async def test_a_room_that_has_gone_on_here_is_not_overwritten(tmp_path: Path) -> None:
    store = MemoryStore()
    other = PlayerJoined(PlayerId("p9"), "Eve", None, False, 2_500, None)
    await store.append(ROOM, 0, [*STORY, other])
    landing = Landing(tmp_path, store)
    assert await landing.put(parcel(MOVED)) == ["TESTAA.room.refused"]
    assert (await store.load(ROOM))[-1] == other


def test_a_parcel_holds_what_was_packed() -> None:
    found = unpack(parcel(MOVED))
    assert (found.code, found.to, found.epoch) == (ROOM, "lisbon", 2)
    assert found.events() == MOVED


def test_a_parcel_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(ParcelError, match="cut off"):
        unpack(pack(ROOM, "lisbon", 2, ["x" * 100_000]), most_bytes=1_000)


async def test_a_room_that_has_moved_is_not_opened_again() -> None:
    store = MemoryStore()
    await store.append(ROOM, 0, MOVED)
    async with directory(store) as rooms:
        assert rooms.live == []
        with pytest.raises(Refused, match="lisbon") as refused:
            await rooms.find(ROOM)
        assert refused.value.code == "room_moved"


class Site(NoOtherNodes):
    """Other nodes, of which one announces the room late."""

    name = "berlin"  # type: ignore[assignment] # None there

    def __init__(self) -> None:
        self.known: RoomPort | None = None

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        """Return the room as soon as it is announced."""
        return self.known


async def test_people_wait_at_the_old_home_until_the_new_one_announces_the_room() -> (
    None
):
    """The broker may take longer than a site searches, as on a busy machine."""
    store, site = MemoryStore(), Site()
    await store.append(ROOM, 0, MOVED)
    async with directory(store, nodes=site) as rooms:
        assert not site.is_searching
        with pytest.raises(Refused, match="moved to lisbon") as refused:
            await rooms.find(ROOM)
        assert refused.value.code in PASSING
        site.known = StandIn(ROOM, LocalGateway())
        assert await rooms.find(ROOM) is site.known
        assert await rooms.find(ROOM) is site.known
        assert rooms.live == []


class Watched(MemoryStore):
    """A store that tells when a room's move was written down."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = asyncio.Event()

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        await super().append(room, version, events)
        if isinstance(events[-1], RoomMoved):
            self.moved.set()


async def test_only_holders_of_a_rooms_journal_can_prove_that_it_has_moved() -> None:
    home = HomeGateway("berlin", FakeBroker().bus("berlin"), LocalGateway())
    right = Announce(epoch=2, key=epoch_key(SECRET, 2))
    assert not home.is_succeeded_by(ROOM, right), "not its home"
    home.claim(ROOM, 1, SECRET)
    for news in (
        Announce(epoch=2, key=epoch_key("ff" * 16, 2)),
        Announce(epoch=2),
        Announce(epoch=1, key=epoch_key(SECRET, 1)),
    ):
        assert not home.is_succeeded_by(ROOM, news)
    assert home.is_succeeded_by(ROOM, right)


async def test_a_room_that_has_moved_is_given_up_and_the_move_is_stored() -> None:
    store = Watched()
    await store.append(ROOM, 0, STORY)
    async with directory(store) as rooms:
        room = await rooms.find_here(ROOM)
        rooms.succeeded(ROOM, "eve", room.state.epoch)
        assert rooms.live == [room]
        rooms.succeeded(ROOM, "lisbon", 2)
        await store.moved.wait()
        assert rooms.live == []
        last = (await store.load(ROOM))[-1]
        assert isinstance(last, RoomMoved)
        assert (last.to, last.epoch) == ("lisbon", 2)
