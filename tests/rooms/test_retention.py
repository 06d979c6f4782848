"""How long rooms are kept, whatever the clock says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.folder import RETENTION
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.journal.store import HeldElsewhere, RoomRecord, StoreUnavailable
from server.rooms.audience import LocalGateway
from server.rooms.directory import Directory
from server.rooms.loading import NewRoom, OwnRooms
from server.rooms.ports import Tenure
from server.rooms.retention import DAY_MS, Retention, forget
from tests.support.cases import SECRET, make_plan, opened
from tests.support.room import ManualClock

HOUR_MS = DAY_MS // 24
TODAY_MS = 20_000 * DAY_MS


def record(code: str, at_ms: int, version: int = 5) -> RoomRecord:
    return RoomRecord(RoomCode(code), "", 3, at_ms, at_ms, at_ms, 4, version)


def days(
    folder: Path, rooms: list[RoomRecord], start_ms: int, n: int, keep: float = 90
) -> list[RoomCode]:
    """Serve for n days from a date on, in one process; return what is removed."""
    kept = Retention(keep, folder)
    gone: list[RoomCode] = []
    for hour in range(24 * n + 1):
        doomed = kept.look(rooms, start_ms + hour * HOUR_MS)
        gone += doomed
        rooms[:] = [room for room in rooms if room.code not in doomed]
    kept.save()
    return gone


def test_a_room_is_named_a_week_ahead_and_removed_after_its_term(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rooms = [record("AAAAAA", TODAY_MS)]
    assert days(tmp_path, rooms, TODAY_MS, 82) == []
    assert "will be removed" not in caplog.text
    assert days(tmp_path, rooms, TODAY_MS + 82 * DAY_MS, 7) == []
    assert "1 room will be removed in 7.0 days" in caplog.text
    assert "AAAAAA" in caplog.text
    assert days(tmp_path, rooms, TODAY_MS + 89 * DAY_MS, 3) == ["AAAAAA"]
    forget(tmp_path, [RoomCode("AAAAAA")])
    assert "AAAAAA" not in (tmp_path / RETENTION).read_text()


@pytest.mark.parametrize("keep", [1, 7, 30, 90])
@pytest.mark.parametrize("wrong_days", [120, 4000, -120, -4000])
def test_one_start_with_a_wrong_clock_removes_nothing(
    tmp_path: Path, wrong_days: int, keep: float
) -> None:
    """A room of today, a start with another date, and the right date again."""
    rooms = [record("AAAAAA", TODAY_MS)]
    minutes = 0
    for off in (0, wrong_days, 0, wrong_days, 0):
        kept = Retention(keep, tmp_path)
        for _ in range(3):
            minutes += 1
            now_ms = TODAY_MS + minutes * 60_000 + off * DAY_MS
            assert kept.look(rooms, now_ms) == []
        kept.save()


@pytest.mark.parametrize("keep", [1, 90])
@pytest.mark.parametrize("had_ledger", [True, False])
def test_a_lesson_played_with_a_clock_that_is_behind_is_kept(
    tmp_path: Path, keep: float, *, had_ledger: bool
) -> None:
    if had_ledger:
        days(tmp_path, [], TODAY_MS - DAY_MS, 1, keep)
    behind_ms = TODAY_MS - 200 * DAY_MS
    rooms = [record("AAAAAA", behind_ms)]
    for start_ms in (behind_ms, TODAY_MS, TODAY_MS + HOUR_MS):
        kept = Retention(keep, tmp_path)
        if start_ms <= TODAY_MS:
            assert kept.recent(rooms, start_ms) == rooms
        for minute in range(3):
            assert kept.look(rooms, start_ms + minute * 60_000) == []
        kept.save()


@given(
    st.lists(st.integers(-5000, 5000), min_size=1, max_size=8),
    st.sampled_from([0.5, 1, 30, 90]),
)
def test_a_clock_that_is_right_again_has_made_no_room_older(
    wrong: list[int], keep: float
) -> None:
    """Each excursion of the clock, by any number of days, adds up to nothing."""
    kept = Retention(keep)
    rooms = [record("AAAAAA", TODAY_MS)]
    for off in wrong:
        assert kept.look(rooms, TODAY_MS) == []
        assert kept.look(rooms, TODAY_MS + off * DAY_MS) == []
    assert kept.look(rooms, TODAY_MS) == []
    assert kept.recent(rooms, TODAY_MS) == rooms


@pytest.mark.parametrize("content", ["", "{", "[]", '{"last_ms": "x"}', "\x00" * 50])
def test_a_ledger_that_cannot_be_read_keeps_all_rooms(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / RETENTION).write_text(content)
    kept = Retention(1, tmp_path)
    assert "all rooms are kept for longer" in caplog.text
    assert kept.look([record("AAAAAA", 0)], TODAY_MS) == []
    kept.save()
    assert "AAAAAA" in (tmp_path / RETENTION).read_text()


def test_a_clock_behind_the_newest_room_is_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Retention(90)
    for _ in range(3):
        kept.look([record("AAAAAA", TODAY_MS)], TODAY_MS - 200 * DAY_MS)
    assert caplog.text.count("the clock is 200 days behind the newest room") == 1


class _Read(MemoryStore):
    """A journal that another program reads all the time."""

    swept = 0

    async def sweep(self) -> bool:
        self.swept += 1
        raise StoreUnavailable("another process is reading the file")


async def test_a_sweep_that_fails_is_tried_less_and_less_often() -> None:
    store, kept = _Read(), Retention(90)
    for _ in range(600):
        await kept.sweep(store)
    assert 10 <= store.swept <= 17


@pytest.mark.parametrize("off_days", [200, -200])
async def test_an_unfinished_room_continues_whatever_the_clock_says(
    tmp_path: Path, off_days: int
) -> None:
    store = MemoryStore()
    clock = ManualClock(TODAY_MS)
    async with _directory(store, clock, tmp_path) as rooms:
        new = NewRoom(make_plan(), RoomSettings(), seed=1)
        room = await rooms.open(new, lambda _: SECRET)
    clock.ms += off_days * DAY_MS
    async with _directory(store, clock, tmp_path) as rooms:
        assert [live.code for live in rooms.live] == [room.code]


async def test_a_room_past_its_time_is_removed_while_the_server_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    store = MemoryStore()
    clock = ManualClock(TODAY_MS)
    async with _directory(store, clock) as rooms:
        new = NewRoom(make_plan(), RoomSettings(), seed=1)
        room = await rooms.open(new, lambda _: SECRET)
        for _ in range(8):
            clock.ms += DAY_MS
            rooms._tidy()
            await rooms._keep_house()
        assert await store.rooms() == []
    assert "removed after its retention time" in caplog.text
    assert room.code in caplog.text


class _Shared(OwnRooms):
    """The Homes of a node beside another one, which has one of the rooms."""

    async def take(self, room: RoomCode) -> Tenure | None:
        if room == "HELDBY":
            raise HeldElsewhere("lisbon", "")
        return await super().take(room)


async def test_a_room_of_another_node_stays_and_the_others_are_removed() -> None:
    store, kept, removed = MemoryStore(), Retention(3), []
    for code in ("HELDBY", "TESTAA"):
        await store.append(RoomCode(code), 0, [replace(opened(), code=RoomCode(code))])
    for day in range(8):
        now_ms = TODAY_MS + day * DAY_MS
        removed += await kept.remove(store, _Shared(store), (), now_ms)
    assert removed == ["TESTAA"]
    assert [record.code for record in await store.rooms()] == ["HELDBY"]


@contextlib.asynccontextmanager
async def _directory(
    store: MemoryStore, clock: ManualClock, folder: Path | None = None
):
    letters = iter("ABCDEFGHJKMNPQRSTUVWXYZ23456789" * 9)
    made = Directory(
        store,
        LocalGateway(),
        clock,
        lambda _: next(letters),
        most_rooms=5,
        retention=Retention(3, folder),
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
