"""What every journal promises: one suite, run on each adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scenarios.model import PlannedRound
from server.game.commands import CloseVotes, OpenRound, OpenVote, Reveal
from server.game.engine import replay
from server.game.events import (
    CaseAdded,
    Event,
    PlayerJoined,
    PlayerRenamed,
    RoomLocked,
    RoomNamed,
    SettingsChanged,
    VoteCast,
)
from server.game.ids import PlayerId, RoomCode
from server.game.settings import RoomSettings
from server.journal.opening import ADAPTERS, open_store
from server.journal.store import (
    BadAddress,
    Finding,
    Journal,
    NoJournal,
    VersionConflict,
)
from tests.support.cases import make_case, opened
from tests.support.game import Game

ROOM = RoomCode("TESTAA")


@pytest.fixture
def memory() -> str:
    return "memory:"


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'store.sqlite'}"


KINDS = ("memory", "sqlite", "postgresql")
"""The adapters. A fixture of each name returns the address of an empty journal."""


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Journal]:
    async with open_store(request.getfixturevalue(request.param)) as made:
        yield made


def played() -> list[Event]:
    """Return the journal of a small game."""
    game = Game()
    game.join("ann", "bob")
    game.do(OpenRound(), OpenVote())
    game.vote("ann", "outer", 80, reason="the points were paid for it")
    game.vote("bob", "inner")
    game.do(CloseVotes(), Reveal())
    return game.journal


async def test_what_is_appended_comes_back_in_order(store: Journal) -> None:
    journal = played()
    await store.append(ROOM, 0, journal[:3])
    await store.append(ROOM, 3, journal[3:])
    loaded = await store.load(ROOM)
    assert loaded == journal
    assert replay(loaded) == replay(journal)


async def test_an_unknown_room_is_empty(store: Journal) -> None:
    assert await store.load(RoomCode("ABSENT")) == []
    assert await store.rooms() == []
    assert await store.delete(RoomCode("ABSENT")) is False


async def test_two_writers_of_a_room_collide_and_nothing_is_half_stored(
    store: Journal,
) -> None:
    journal = played()
    await store.append(ROOM, 0, journal[:4])
    for version in (0, 3, 5):
        with pytest.raises(VersionConflict):
            await store.append(ROOM, version, journal[4:6])
    assert await store.load(ROOM) == journal[:4]


async def test_rooms_are_listed_with_their_figures(store: Journal) -> None:
    journal = played()
    await store.append(ROOM, 0, journal)
    (record,) = await store.rooms()
    assert (record.code, record.title, record.rounds) == (ROOM, "Test deck", 3)
    assert (record.joined, record.version) == (2, len(journal))
    assert (record.opened_ms, record.updated_ms) == (1_000, 10_000)
    assert record.finished_ms is None


async def test_a_room_is_listed_with_its_time_zone(store: Journal) -> None:
    first = opened(RoomSettings(time_zone="Europe/Berlin"))
    await store.append(ROOM, 0, [first])
    (record,) = await store.rooms()
    assert record.time_zone == "Europe/Berlin"
    changed = SettingsChanged(RoomSettings(time_zone="Pacific/Auckland"))
    await store.append(ROOM, 1, [changed])
    (record,) = await store.rooms()
    assert record.time_zone == "Pacific/Auckland"


async def test_a_room_is_listed_with_its_name_and_all_its_cases(
    store: Journal,
) -> None:
    await store.append(ROOM, 0, [opened(), RoomNamed("9b", 1_000)])
    (record,) = await store.rooms()
    assert (record.name, record.called) == ("9b", "9b: Test deck")
    more = CaseAdded(PlannedRound(case=make_case("more")), 2_000)
    await store.append(ROOM, 2, [more])
    (record,) = await store.rooms()
    assert (record.name, record.rounds) == ("9b", 4)
    await store.append(ROOM, 3, [RoomNamed("", 3_000)])
    (record,) = await store.rooms()
    assert (record.name, record.called) == ("", "Test deck")


async def test_a_forgotten_player_is_in_no_name_of_the_room(store: Journal) -> None:
    named = [RoomNamed("For Ann", 11_000), RoomNamed("9b", 12_000)]
    journal = played()
    await store.append(ROOM, 0, [*journal, *named])
    await store.erase_player(ROOM, PlayerId("p-ann"), "erased")
    assert (await store.load(ROOM))[-2:] == [RoomNamed("", 11_000), named[1]]
    (record,) = await store.rooms()
    assert record.name == "9b", "that one holds no name of a player"
    await store.append(ROOM, record.version, [RoomNamed("Bob's", 13_000)])
    await store.erase_player(ROOM, PlayerId("p-bob"), "erased")
    (record,) = await store.rooms()
    assert not record.name


async def test_concurrent_appends_are_all_stored(store: Journal) -> None:
    rooms = [RoomCode(f"ROOM{i:02d}") for i in range(40)]
    journal = played()
    await asyncio.gather(*(store.append(room, 0, journal[:1]) for room in rooms))
    await asyncio.gather(*(store.append(room, 1, journal[1:]) for room in rooms))
    for room in rooms:
        assert len(await store.load(room)) == len(journal)


async def test_a_deleted_room_is_gone(store: Journal) -> None:
    await store.append(ROOM, 0, played())
    other = RoomCode("OTHERS")
    await store.append(other, 0, played())
    assert await store.delete(ROOM) is True
    assert await store.delete(ROOM) is False
    assert await store.load(ROOM) == []
    assert [record.code for record in await store.rooms()] == [other]
    assert await store.load(other) == played()


async def test_nothing_follows_a_deleted_room_and_its_code_is_free(
    store: Journal,
) -> None:
    journal = played()
    await store.append(ROOM, 0, journal[:4])
    late = asyncio.create_task(store.append(ROOM, 4, journal[4:]))
    await asyncio.sleep(0)
    await store.delete(ROOM)
    await asyncio.gather(late, return_exceptions=True)
    assert await store.load(ROOM) == []
    with pytest.raises(VersionConflict):
        await store.append(ROOM, 4, journal[4:])
    await store.append(ROOM, 0, journal[:1])
    assert await store.load(ROOM) == journal[:1]


async def test_a_forgotten_player_leaves_votes_but_no_words(store: Journal) -> None:
    journal = played()
    await store.append(ROOM, 0, journal)
    changed = await store.erase_player(ROOM, PlayerId("p-ann"), "erased")
    assert changed == 2
    assert await store.erase_player(ROOM, PlayerId("p-ann"), "erased") == 0
    loaded = await store.load(ROOM)
    joined = [event for event in loaded if isinstance(event, PlayerJoined)]
    cast = [event for event in loaded if isinstance(event, VoteCast)]
    assert [event.name for event in joined] == ["erased", "bob"]
    assert [event.reason for event in cast] == ["", ""]
    assert replay(loaded).rounds[0].scores == replay(journal).rounds[0].scores


async def test_an_examination_finds_a_room_that_does_not_replay(
    store: Journal,
) -> None:
    """Every event decodes; the last one renames a player who is not there."""
    good, bad = RoomCode("GGGGGG"), RoomCode("BBBBBB")
    await store.append(good, 0, played())
    await store.append(bad, 0, [opened(), PlayerRenamed(PlayerId("p-none"), "x")])
    found = await store.examine()
    assert (found.fault, found.latest_ms) == ("", 10_000)
    assert set(found.rooms) == {
        Finding(good, len(played()), ""),
        Finding(
            bad,
            1,
            "damaged from event 2 on (it does not replay: player_renamed)",
        ),
    }
    assert [finding.room for finding in found.damaged] == [bad]
    assert len(await store.load(bad)) == 2, "an examination changed something"


async def test_a_copy_is_a_sqlite_journal_with_all_rooms(
    store: Journal, tmp_path: Path
) -> None:
    rooms = [RoomCode("AAAAAA"), RoomCode("BBBBBB")]
    for room in rooms:
        await store.append(room, 0, played())
    await store.append(rooms[0], len(played()), [RoomLocked()])
    await store.copy_to(tmp_path / "copy.sqlite")
    async with open_store(f"sqlite:{tmp_path / 'copy.sqlite'}") as copy:
        assert await copy.rooms() == await store.rooms()
        for room in rooms:
            assert await copy.bodies(room) == await store.bodies(room)
        assert (await copy.examine()).damaged == []


async def test_a_journal_that_has_to_exist_does_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(NoJournal):
        async with open_store(f"sqlite:{path}", must_exist=True):
            pass
    assert not path.exists()
    with pytest.raises(BadAddress, match="begins with"):
        async with open_store("postgres//typo"):
            pass


def test_every_adapter_runs_this_suite() -> None:
    assert set(KINDS) == ADAPTERS.keys()


async def test_check_and_close_may_be_called_again(store: Journal) -> None:
    await store.check()
    await store.check()
    await store.close()
    await store.close()
