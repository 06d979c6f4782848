"""Journals of every release replay as they ended, and go on under this version."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from server.game.engine import replay
from server.game.ids import RoomCode
from server.journal.sqlite import SqliteStore
from tests.journal.released import FIXTURES, SECRET, table
from tests.journal.snapshots import digests, journals
from tests.support.http import get
from tests.support.server import hall
from tests.support.wire import wire

RELEASES = sorted(path.name for path in FIXTURES.iterdir())


def unpack(release: str, folder: Path) -> dict[str, Any]:
    """Write a release's journal into a data folder; return what it should hold."""
    packed = (FIXTURES / release / "journal.sqlite.xz").read_bytes()
    (folder / "journal.sqlite").write_bytes(lzma.decompress(packed))
    text = (FIXTURES / release / "expected.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return] # JSON


def test_the_first_release_is_here_forever() -> None:
    assert "0.1.0" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
async def test_a_released_journal_replays_to_its_table(
    release: str, tmp_path: Path
) -> None:
    expected = unpack(release, tmp_path)
    store = await SqliteStore.open(tmp_path / "journal.sqlite")
    records = {record.code for record in await store.rooms()}
    found = {code: table(replay(await store.load(RoomCode(code)))) for code in expected}
    await store.close()
    assert records == set(expected)
    assert json.loads(json.dumps(found)) == expected


@pytest.mark.parametrize("release", RELEASES)
async def test_a_released_journal_gives_the_same_table_after_every_event(
    release: str, tmp_path: Path
) -> None:
    known = json.loads((FIXTURES / release / "replay.json").read_text())
    found = await journals(release, tmp_path)
    assert found.keys() == known.keys()
    for code, events in found.items():
        pairs = zip(digests(events), known[code], strict=True)
        changed = [n for n, (now, then) in enumerate(pairs, start=1) if now != then]
        where = [f"{n} {events[n - 1].type}" for n in changed[:1]]
        assert not changed, f"{code}: tables differ from event {where} on"


@pytest.mark.parametrize("release", RELEASES)
async def test_an_unfinished_game_of_a_release_continues(
    release: str, tmp_path: Path
) -> None:
    expected = unpack(release, tmp_path)
    room = next(c for c, known in expected.items() if known["phase"] == "vote")
    async with hall(data=tmp_path, keep_days=0) as at:
        async with wire(at.port) as host, wire(at.port) as zoe:
            await host.prove("host", room, SECRET)
            seen = await host.phase("vote")
            assert seen["stage"]["room"]["code"] == room
            assert (await zoe.join(room, "Zoë"))["name"] == "Zoë"
            view = await zoe.phase("vote")
            at_round = view["room"]["round"]
            sure = {"kind": "gap", "label": "inner", "confidence": 75}
            answer = await zoe.vote(round=at_round, answer=sure)
            assert answer["type"] == "recorded", answer
        assert (await get(at.port, "/healthz")).status == 200
