"""Damaged journals: cut, torn, garbled, and with rubbish in them.

What is damaged is named, by room and event; what was recorded before it is intact;
other rooms play on; and `twogaps journal salvage` takes out what there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from server.folder import JOURNAL, CannotStart
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.codec import decode
from server.journal.examine import examine_file
from server.journal.integrity import marks_of
from server.journal.sqlite import SqliteStore
from server.journal.store import StoreUnavailable, UnreadableEvent
from server.protocol.client_messages import OpenRoom
from tests.support.cli import twogaps
from tests.support.server import hall
from tests.support.wire import wire

VOTERS = 12
VOTES = 12
COPIES = 12


@dataclass(frozen=True, slots=True)
class Two:
    """A folder with two rooms, and every event of each as it was recorded."""

    folder: Path
    first: RoomCode
    second: RoomCode
    recorded: dict[RoomCode, list[str]]

    @property
    def journal(self) -> Path:
        return self.folder / JOURNAL


async def _play(port: int, room: str, key: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        host = await stack.enter_async_context(wire(port))
        await host.prove("host", room, key)
        players = [await stack.enter_async_context(wire(port)) for _ in range(VOTERS)]
        for number, player in enumerate(players):
            await player.join(room, f"Player {number}")
        await host.do("open_round", "open_vote")
        for counter in range(VOTES):
            label = ("outer", "inner")[counter % 2]
            for player in players:
                answer = await player.vote(label, counter, reason="why " * 20)
                assert answer["type"] == "recorded"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Two, Two]:
    """Play two rooms once; return the journal as a crash leaves it, and as an end does.

    After a crash the newest events are in the write-ahead log.
    """
    return asyncio.run(_two_rooms(tmp_path_factory.mktemp("played")))


async def _two_rooms(folder: Path) -> tuple[Two, Two]:
    live, dead = folder / "live", folder / "dead"
    settings = RoomSettings(time_factor=10)
    async with hall(settings, data=live, keep_days=0) as at:
        order = OpenRoom(deck="first-class", length=2, settings=settings)
        other, other_key = await at.server.admin.open_room(order)
        await _play(at.port, at.room, at.key)
        await _play(at.port, other, other_key)
        shutil.copytree(live, dead)
    store = await SqliteStore.open(live / JOURNAL)
    rooms = (RoomCode(at.room), other)
    recorded = {room: await store.bodies(room) for room in rooms}
    await store.close()
    return Two(dead, *rooms, recorded), Two(live, *rooms, recorded)


@pytest.fixture
def ended(played: tuple[Two, Two], tmp_path: Path) -> Two:
    """A copy of the journal of a server that was stopped."""
    return copy_of(played[1], tmp_path / "ended")


@pytest.fixture
def crashed(played: tuple[Two, Two], tmp_path: Path) -> Two:
    """A copy of the journal of a server that was killed."""
    return copy_of(played[0], tmp_path / "crashed")


def copy_of(two: Two, folder: Path) -> Two:
    shutil.copytree(two.folder, folder)
    return Two(folder, two.first, two.second, two.recorded)


async def what_is_left(two: Two) -> dict[RoomCode, list[str]]:
    """Return what a store gives of each room that it calls whole."""
    left = {}
    store = await SqliteStore.open(two.journal)
    for room in (two.first, two.second):
        with contextlib.suppress(UnreadableEvent, StoreUnavailable):
            left[room] = [*map(str, await store.bodies(room))]
    await store.close()
    return left


async def holds(two: Two) -> list[str]:
    """Hold what must hold of any damage; return what is named as damaged.

    A room is either all that was recorded, or is named with the event from which on it
    is not; what is before that is what was recorded.
    """
    named = []
    for finding in examine_file(two.journal).rooms:
        recorded = two.recorded[finding.room]
        if finding.damage:
            named.append(finding.damage)
            assert f"event {finding.intact + 1} " in finding.damage
        else:
            assert finding.intact == len(recorded), "votes are gone without a report"
    for room, bodies in (await what_is_left(two)).items():
        assert bodies == two.recorded[room], f"{room} passes for whole and is not"
    return named


def salvaged(two: Two) -> dict[RoomCode, int]:
    """Salvage a journal; hold that what came out is the beginning of what was in."""
    result = twogaps("journal", "salvage", "--data", two.folder)
    assert result.exit_code == 0, result.output
    kept = {}
    with contextlib.closing(sqlite3.connect(two.journal)) as db:
        for room, recorded in two.recorded.items():
            query = "SELECT body FROM events WHERE room = ? ORDER BY version"
            bodies = [body for (body,) in db.execute(query, (room,))]
            assert bodies[: len(recorded)] == recorded[: len(bodies)]
            for body in bodies:
                decode(body)
            kept[room] = len(bodies)
    assert all(not finding.damage for finding in examine_file(two.journal).rooms)
    return kept


async def plays_on(two: Two, *rooms: RoomCode) -> None:
    """Check that rooms can be joined, and that their players are still known."""
    async with hall(data=two.folder, keep_days=0) as at:
        for room in rooms:
            async with wire(at.port) as ann:
                assert (await ann.join(room, "Newcomer"))["name"] == "Newcomer"


def edit(two: Two, *statements: str) -> None:
    """Change a journal by another hand."""
    with contextlib.closing(sqlite3.connect(two.journal)) as db, db:
        for statement in statements:
            db.execute(statement)


EDITS: dict[str, tuple[Callable[[str], str], int]] = {
    "rubbish in a row": (
        lambda r: f"UPDATE events SET body = '{{!' WHERE room = '{r}' AND version = 40",
        40,
    ),
    "another answer": (
        lambda r: (
            "UPDATE events SET body = replace(replace(body, 'outer', 'x'), "
            f"'inner', 'outer') WHERE room = '{r}' AND version = 60"
        ),
        60,
    ),
    "a row gone": (
        lambda r: f"DELETE FROM events WHERE room = '{r}' AND version = 50",
        50,
    ),
    "the last rows gone": (
        lambda r: f"DELETE FROM events WHERE room = '{r}' AND version > 100",
        101,
    ),
    "a row more": (
        lambda r: (
            f"INSERT INTO events SELECT room, (SELECT max(version) + 1 FROM events "
            f"WHERE room = '{r}'), body FROM events WHERE room = '{r}' AND version = 60"
        ),
        0,
    ),
}


@pytest.mark.fault
@pytest.mark.parametrize("kind", EDITS)
async def test_a_changed_row_is_named_and_the_other_room_plays(
    kind: str, ended: Two, caplog: pytest.LogCaptureFixture
) -> None:
    two = ended
    statement, version = EDITS[kind]
    edit(two, statement(two.first))
    version = version or len(two.recorded[two.first]) + 1
    named = await holds(two)
    assert len(named) == 1
    with caplog.at_level(logging.ERROR):
        await _is_refused_and_named(two)
    assert any(
        getattr(record, "room", "") == two.first
        and "damaged from event" in record.message
        for record in caplog.records
    )
    kept = salvaged(two)
    assert version - VOTERS <= kept[two.first] + 1 <= version
    assert kept[two.second] >= len(two.recorded[two.second])
    await plays_on(two, two.first, two.second)


async def _is_refused_and_named(two: Two) -> None:
    async with hall(data=two.folder, keep_days=0) as at, wire(at.port) as ann:
        await ann.hello("player", room=two.first, name="Ann")
        refused = await ann.until("refused")
        assert refused["code"] == "room_closed"
        assert "twogaps journal salvage" in refused["detail"]
        await ann.join(two.second, "Bob")


@pytest.mark.fault
async def test_a_cut_write_ahead_log_loses_nothing_in_silence(
    crashed: Two, tmp_path: Path
) -> None:
    """Wherever it is cut: what is gone is named, what is left is what was recorded."""
    two = crashed
    wal = two.journal.with_name(JOURNAL + "-wal")
    size, cuts, named = wal.stat().st_size, 12, 0
    assert await holds(copy_of(two, tmp_path / "whole")) == []
    for number in range(cuts):
        copy = copy_of(two, tmp_path / str(number))
        with (copy.folder / wal.name).open("r+b") as handle:
            handle.truncate(size * number // cuts)
        named += await _is_named(copy)
    print(f"{named} of {cuts} cuts named, at the others nothing was lost")
    assert named >= 2


@pytest.mark.fault
async def test_a_garbled_file_is_named_or_whole(ended: Two, tmp_path: Path) -> None:
    """Pages overwritten by chance, and the file cut: named, or nothing was hit."""
    two = ended
    size, chance, named, refused = two.journal.stat().st_size, Random(4), 0, 0
    for number in range(COPIES):
        copy = copy_of(two, tmp_path / str(number))
        with copy.journal.open("r+b") as handle:
            if number % 4 == 3:
                handle.truncate(chance.randrange(4_096, size))
            else:
                handle.seek(chance.randrange(100, size))
                handle.write(chance.randbytes(chance.choice((1, 16, 4_096))))
        await _starts_or_says_why(copy_of(copy, tmp_path / f"start-{number}"))
        if await _is_named(copy):
            named += 1
            if twogaps("journal", "salvage", *_at(copy)).exit_code:
                refused += 1
            else:
                salvaged(copy)
                async with hall(data=copy.folder, keep_days=0):
                    pass
    print(f"{named} of {COPIES} named; of these {refused} with nothing left to salvage")
    assert named >= COPIES // 3
    assert refused < named


async def _is_named(two: Two) -> bool:
    """Hold what must hold; return whether damage was named."""
    try:
        return bool(await holds(two))
    except StoreUnavailable as exc:
        assert "cannot be read" in str(exc) or "journal" in str(exc)  # noqa: PT017
        return True


async def _starts_or_says_why(two: Two) -> None:
    try:
        async with hall(data=two.folder, keep_days=0):
            pass
    except CannotStart as exc:
        assert "twogaps journal salvage" in str(exc)  # noqa: PT017 - either is right
    except Refused as refusal:  # of the room that the test's server opens
        assert refusal.code == "storage_unavailable"  # noqa: PT017 - as above


def _at(two: Two) -> list[str]:
    return ["--data", str(two.folder)]


@pytest.mark.fault
async def test_a_log_that_was_thrown_away_is_noticed(crashed: Two) -> None:
    older = crashed
    older.journal.with_name(JOURNAL + "-wal").unlink()
    assert await _is_named(older)
    marks_of(older.journal).unlink()
    assert not await _is_named_without_marks(older)


@pytest.mark.fault
async def test_a_file_of_another_kind_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes(b"rubbish " * 1_000)
    with pytest.raises(CannotStart, match="twogaps journal salvage"):
        async with hall(data=tmp_path):
            pass
    result = twogaps("journal", "salvage", "--data", tmp_path)
    assert result.exit_code == 1
    assert (tmp_path / JOURNAL).read_bytes().startswith(b"rubbish")


@pytest.mark.fault
def test_check_tells_what_is_damaged_and_changes_nothing(ended: Two) -> None:
    two = ended
    fine = twogaps("journal", "check", "--data", two.folder)
    assert (fine.exit_code, "2 rooms, no damage" in fine.output) == (0, True)
    edit(two, EDITS["a row gone"][0](two.first))
    before = two.journal.read_bytes()
    bad = twogaps("journal", "check", "--data", two.folder)
    assert bad.exit_code == 1
    assert two.first in bad.output
    assert two.journal.read_bytes() == before
    intact = twogaps("journal", "salvage", "--data", two.folder)
    assert "The old one is" in " ".join(intact.output.split())


async def _is_named_without_marks(two: Two) -> bool:
    """What the marks are for: without them, an older state passes for the newest."""
    return any(finding.damage for finding in examine_file(two.journal).rooms)
