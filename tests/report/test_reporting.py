"""Making a report in a process of its own: what it reads, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.game.events import PlayerRenamed, RoomNamed, RoomOpened
from server.game.ids import PlayerId, RoomCode
from server.journal.codec import encode
from server.journal.memory import MemoryStore
from server.journal.store import DamagedRoom, RoomRecord
from server.protocol.client_messages import GetAcross, GetReport
from server.report.reporting import Asker, Reports, exchange, made_elsewhere
from server.report.worker import Job, make
from tests.game.test_last_words import SAID, lesson
from tests.support.cases import opened
from tests.support.until import until


class _FullPipe:
    """The standard input of a worker that reads nothing: draining never ends."""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    async def drain(self) -> None:
        await asyncio.Event().wait()


async def test_feeding_ends_when_reading_fails() -> None:
    broken, silent = asyncio.StreamReader(), asyncio.StreamReader()
    broken.set_exception(OSError("the pipe is broken"))
    worker = SimpleNamespace(stdin=_FullPipe(), stdout=broken, stderr=silent)
    before = asyncio.all_tasks()
    with pytest.raises(ExceptionGroup) as failure:
        await exchange(worker, Job("page", (1,)), [["{}"]])
    assert failure.group_contains(OSError, match="the pipe is broken")
    assert asyncio.all_tasks() == before


class _Answers:
    """What was answered to each question."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.refusals: list[str] = []
        self.asker = Asker(self.frames.append, lambda r: self.refusals.append(r.code))

    @property
    def n(self) -> int:
        return len(self.frames) + len(self.refusals)


class _Slow(MemoryStore):
    """A store that reads when a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_read = asyncio.Event(), asyncio.Event()

    async def bodies(self, room: RoomCode) -> list[str]:
        self.asked.set()
        await self.may_read.wait()
        return await super().bodies(room)


@contextlib.asynccontextmanager
async def _running(reports: Reports) -> AsyncIterator[None]:
    task = asyncio.create_task(reports.run())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.wait([task])


async def test_a_report_on_a_room_that_is_deleted_meanwhile_is_refused() -> None:
    store, answers, other = _Slow(), _Answers(), _Answers()
    await store.append(RoomCode("TESTAA"), 0, [opened()])
    await store.append(
        RoomCode("OTHERS"), 0, [dataclasses.replace(opened(), code=RoomCode("OTHERS"))]
    )
    reports = Reports(store, most_waiting=3)
    async with _running(reports):
        reports.ask([RoomCode("TESTAA")], GetReport(), answers.asker)
        reports.ask(
            [RoomCode("OTHERS"), RoomCode("TESTAA")],
            GetAcross(rooms=(RoomCode("OTHERS"), RoomCode("TESTAA"))),
            answers.asker,
        )
        reports.ask([RoomCode("OTHERS")], GetReport(), other.asker)
        await store.asked.wait()
        reports.forget(RoomCode("TESTAA"))
        assert answers.refusals == ["unknown_room"] * 2
        store.may_read.set()
        await until(lambda: other.n == 1)
        assert (len(other.frames), answers.n) == (1, 2)
        for _ in range(3):  # their places are free again
            reports.ask([RoomCode("OTHERS")], GetReport(), other.asker)
        await until(lambda: other.n == 4)


async def test_no_report_of_a_deleted_room_is_kept_for_the_next_with_its_code() -> None:
    store, answers, code = MemoryStore(), _Answers(), RoomCode("TESTAA")
    named = [opened(), RoomNamed("9b", 1_000)]
    await store.append(code, 0, named)
    reports = Reports(store)
    async with _running(reports):
        reports.ask([code], GetReport(), answers.asker)
        await until(lambda: answers.n == 1)
        await store.delete(code)
        reports.forget(code)
        await store.append(code, 0, [opened(), RoomNamed("10c", 1_000)])
        reports.ask([code], GetReport(), answers.asker)
        await until(lambda: answers.n == 2)
    assert b"9b" in answers.frames[0]
    assert b"9b" not in answers.frames[1]
    assert b"10c" in answers.frames[1]


def test_another_room_that_does_not_replay_spoils_no_report() -> None:
    healthy = opened()
    damaged = dataclasses.replace(healthy, code=RoomCode("BADBAD"))
    stray = PlayerRenamed(PlayerId("unknown"), "x")
    lines = [f"{encode(event)}\n".encode() for event in (healthy, damaged, stray)]
    page = make(Job("page", (1,), others=(2,)), iter(lines))
    assert b'"code":"TESTAA"' in page


async def test_the_report_process_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("server.py", "random.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong file')\n")
    monkeypatch.chdir(tmp_path)
    page = await made_elsewhere(Job("page", (1,)), [[encode(opened())]])
    assert b'"code":"TESTAA"' in page


# --- the first votes of finished rooms -----------------------------------------------


class Stored(MemoryStore):
    """A store that counts how often a room is read, and of which a room is damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.looked = 0

    async def rooms(self) -> list[RoomRecord]:
        """Return all rooms."""
        self.looked += 1
        return await super().rooms()

    async def bodies(self, room: RoomCode) -> list[str]:
        """Return what is stored of a room."""
        self.read.append(room)
        if room == "BADBAD":
            raise DamagedRoom(room, 0, "its seal does not match")
        return await super().bodies(room)

    async def keep(self, code: str, *, is_simulated: bool = False) -> None:
        """Store a finished lesson: 204 of 300 first votes are right."""
        opening, *events = lesson(SAID).journal
        assert isinstance(opening, RoomOpened)
        changed = opening.settings.model_copy(update={"simulated": is_simulated})
        first = dataclasses.replace(opening, code=RoomCode(code), settings=changed)
        await self.append(RoomCode(code), 0, [first, *events])


async def test_the_first_votes_of_finished_rooms_are_known_and_read_once() -> None:
    store = Stored()
    await store.keep("FIRSTT")
    await store.keep("PRCTCE", is_simulated=True)
    await store.keep("BADBAD")
    await store.append(RoomCode("TESTAA"), 0, [opened()])
    reports = Reports(store, look_every_s=0, first_look_s=60)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        run = group.create_task(reports.run())
        votes = await reports.first_votes()
        assert sum(right for right, _ in votes.values()) == 204
        assert sum(n for _, n in votes.values()) == 300
        await store.keep("SECOND")
        await until(lambda: "SECOND" in store.read)
        while sum(n for _, n in votes.values()) != 600:
            votes = await reports.first_votes()
            await asyncio.sleep(0.01)
        await store.delete(RoomCode("FIRSTT"))
        while sum(n for _, n in votes.values()) != 300:
            votes = await reports.first_votes()
            await asyncio.sleep(0.01)
        run.cancel()
    assert sorted(store.read) == ["BADBAD", "FIRSTT", "PRCTCE", "SECOND"]


async def test_a_new_room_does_not_wait_for_long_for_what_others_show() -> None:
    reports = Reports(Stored(), first_look_s=0.01)  # which isn't running
    assert await reports.first_votes() == {}


@pytest.mark.parametrize("is_being_read", [False, True])
async def test_a_deleted_room_is_in_no_first_votes_from_then_on(
    *, is_being_read: bool
) -> None:
    store = Stored()
    await store.keep("FIRSTT")
    reports = Reports(store, look_every_s=10**6, first_look_s=60)
    async with _running(reports):
        if is_being_read:
            await until(lambda: "FIRSTT" in store.read)
        else:
            assert await reports.first_votes() != {}
        reports.forget(RoomCode("FIRSTT"))
        assert await reports.first_votes() == {}
