"""What is removed is gone: no byte of it is left in any file of the data folder."""

from __future__ import annotations

import asyncio
import json
import lzma
import time
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from scenarios.model import Label
from server.federation.messages import UpSay
from server.federation.outbox import Outbox
from server.folder import RETENTION
from server.game.answers import GapAnswer
from server.game.commands import Join, OpenRound, OpenVote, Rename
from server.game.engine import replay
from server.game.events import Event, erased
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot
from server.journal.sqlite import SqliteStore
from server.protocol.client_messages import Vote
from server.rooms import retention
from server.rooms.retention import DAY_MS, Kept, Ledger
from tests.cli.test_cli import run
from tests.journal.released import FIXTURES
from tests.support.cases import opened
from tests.support.game import Game
from tests.support.server import hall
from tests.support.traces import left, traces
from tests.support.until import until

ROOMS = tuple(RoomCode(f"ROOM{letter}A") for letter in "ABCD")
PEOPLE = 60


def words_of(room: str) -> tuple[str, ...]:
    """Return every name and reason of a room."""
    return tuple(f"{kind}-{room}-{i:03d}-ß" for i in range(PEOPLE) for kind in KINDS)


KINDS = ("Nam", "Why", "Nü")


async def fill(folder: Path) -> None:
    """Store four games as a server does: by turns, so that pages are shared."""
    games = [_game(room) for room in ROOMS]
    store = await SqliteStore.open(folder / "journal.sqlite")
    for at in range(0, max(len(game.journal) for game in games), 5):
        for room, game in zip(ROOMS, games, strict=True):
            if some := game.journal[at : at + 5]:
                await store.append(room, at, some)
    await store.close()
    box = Outbox(folder / "outbox.sqlite")
    await box.restore()
    items = [box.put("home", room, "", _owed(room)) for room in ROOMS]
    await box.secure("home", items)
    await box.close()


def _game(room: RoomCode) -> Game:
    game = Game()
    game.journal[0] = opened()
    for i in range(PEOPLE):
        player = PlayerId(f"p-{i}")
        game.do(Join(player, f"Nam-{room}-{i:03d}-ß"))
        game.present.add(player)
    game.do(OpenRound(), OpenVote())
    for i in range(PEOPLE):
        for turn in range(4):
            label = ("outer", "inner")[(i + turn) % 2]
            reason = f"Why-{room}-{i:03d}-ß " + "x" * turn * 70
            game.vote(f"{i}", label, 80, reason=reason)
        game.do(Rename(player=PlayerId(f"p-{i}"), name=f"Nü-{room}-{i:03d}-ß"))
    return game


def _owed(room: RoomCode) -> UpSay:
    vote = Vote(
        round=0, ballot=Ballot.VOTE, client=ClientId("c"), counter=1,
        answer=GapAnswer(Label.OUTER, 80), reason=f"Owed-{room}",
    )  # fmt: skip
    return UpSay(token=f"p-{room}.mac", message=vote, stamped_ms=5_000)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with four games and an outbox; every word of them is in it."""
    asyncio.run(fill(tmp_path))
    for room in ROOMS:
        assert all(traces(tmp_path, *words_of(room), f"Owed-{room}").values())
    return tmp_path


def rooms_but(*gone: str) -> list[RoomCode]:
    return [room for room in ROOMS if room not in gone]


def test_a_forgotten_player_leaves_no_byte_and_every_tally_stays(data: Path) -> None:
    room, number = ROOMS[1], 7
    words = tuple(f"{kind}-{room}-{number:03d}-ß" for kind in KINDS)
    before = asyncio.run(_tally(data, room))
    where = (room.lower(), "--player", words[2], "--data", str(data))
    assert run("room", "forget", *where)[0] == 0
    assert left(data, *words) == {}
    assert asyncio.run(_tally(data, room)) == before
    others = [w for w in words_of(room) if w not in words and not w.startswith("Why")]
    assert all(traces(data, *others).values())


def test_a_removed_room_leaves_no_byte_and_all_others_stay(data: Path) -> None:
    room = ROOMS[2]
    assert run("room", "forget", room, "--yes", "--data", str(data))[0] == 0
    assert left(data, *words_of(room), f"Owed-{room}", room) == {}
    for other in rooms_but(room):
        assert all(traces(data, *words_of(other), f"Owed-{other}").values())


def test_what_is_old_leaves_no_byte(data: Path) -> None:
    assert (
        run("journal", "purge", "--older-than", "1", "--yes", "--data", str(data))[0]
        == 0
    )
    for room in ROOMS:
        assert left(data, *words_of(room), f"Owed-{room}", room) == {}


def test_a_purge_that_was_cut_short_is_finished_by_the_next(data: Path) -> None:
    async def cut_short() -> None:
        store = await SqliteStore.open(data / "journal.sqlite")
        await store.delete(ROOMS[0])
        await store.close()

    asyncio.run(cut_short())
    other = (ROOMS[1], "--yes", "--data", str(data))
    assert run("room", "forget", *other)[0] == 0
    assert left(data, *words_of(ROOMS[0]), *words_of(ROOMS[1])) == {}


async def test_a_running_server_forgets_what_is_past_its_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    packed = (FIXTURES / "0.1.0" / "journal.sqlite.xz").read_bytes()
    (tmp_path / "journal.sqlite").write_bytes(lzma.decompress(packed))
    known = json.loads((FIXTURES / "0.1.0" / "expected.json").read_text())
    names = [line[1] for room in known.values() for line in room["standings"]]
    words = [name for name in names if len(name) > 3], [*known]
    flat = [word for some in words for word in some]
    assert all(traces(tmp_path, *flat).values())
    old = Ledger(last_ms=int(time.time() * 1000), observed_ms=9 * DAY_MS)
    store = await SqliteStore.open(tmp_path / "journal.sqlite")
    for record in await store.rooms():
        kept = Kept(version=record.version, since_ms=0, noticed_ms=8 * DAY_MS)
        old.rooms[record.code] = kept
    await store.close()
    retention.write(tmp_path / RETENTION, old)
    async with hall(data=tmp_path, keep_days=1, idle_s=0.02):
        await until(lambda: "the journal was rewritten" in caplog.text)
        assert left(tmp_path, *flat) == {}  # while it runs, the log included


async def test_an_outbox_keeps_nothing_of_what_was_passed_on(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "outbox.sqlite")
    await box.restore()
    items = [box.put("home", room, "", _owed(room)) for room in ROOMS]
    await box.secure("home", items)
    await box.forget(box.acknowledged("home", [item.seq for item in items]))
    await box.sweep()
    assert left(tmp_path, *(f"Owed-{room}" for room in ROOMS)) == {}
    await box.close()


async def _tally(data: Path, room: RoomCode) -> object:
    store = await SqliteStore.open(data / "journal.sqlite")
    state = replay(await store.load(room))
    await store.close()
    poll = state.rounds[0].polls[Ballot.VOTE]
    return poll.tally, len(state.players)


BOUNDED = frozenset({"type", "player", "client", "team", "site"})
"""Fields that hold no words of a player's own: ids, and what the host has named."""


def test_every_word_of_a_player_in_any_event_is_erased() -> None:
    """An event type of the future with words of a player's must also be erased."""
    found = 0
    for kind in get_args(get_args(Event)[0]):
        named = {field.name: field.type for field in fields(kind)}
        words = {name for name, of in named.items() if of == "str"} - BOUNDED
        if "player" not in named or not words:
            continue
        values = dict.fromkeys(named, None) | dict.fromkeys(words, "Ada said so")
        del values["type"]
        event = kind(**values | {"player": PlayerId("p")})
        assert erased(event, PlayerId("q"), "erased") == event
        forgotten = erased(event, PlayerId("p"), "erased")
        for word in words:
            assert getattr(forgotten, word) in ("", "erased"), (kind, word)
        found += 1
    assert found >= 4
