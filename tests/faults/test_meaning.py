"""A room that decodes and does not replay: found, named, salvaged."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from server.cli.doctor import machine
from server.game.events import PlayerJoined, PlayerRenamed
from server.game.ids import PlayerId, RoomCode
from server.journal.opening import open_store
from tests.journal.test_contract import played
from tests.support.cases import opened
from tests.support.cli import twogaps

GOOD, BAD = RoomCode("GGGGGG"), RoomCode("BBBBBB")


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    """A data folder with a healthy room, and one whose third event does not fold."""

    async def write() -> None:
        async with open_store(tmp_path) as store:
            await store.append(GOOD, 0, [replace(opened(), code=GOOD), *played()[1:]])
            joined = PlayerJoined(PlayerId("p"), "Ann", None, False, 2_000)
            nameless = PlayerRenamed(PlayerId("q"), "x")
            events = [replace(opened(), code=BAD), joined, nameless, joined]
            await store.append(BAD, 0, events)

    asyncio.run(write())
    return tmp_path


def run(*words: str) -> Result:
    return twogaps(*words)


def test_doctor_names_the_room_and_the_event(poisoned: Path) -> None:
    found = machine.journal(poisoned, 10**15)
    assert found is not None
    assert found.verdict == "bad"
    assert f"1 of 2 rooms damaged: {BAD} damaged from event 3 on" in found.says
    assert "player_renamed" in found.says


@pytest.mark.parametrize("where", ["--data", "--journal"])
def test_check_names_the_room_and_the_event(poisoned: Path, where: str) -> None:
    at = str(poisoned)
    address = at if where == "--data" else f"sqlite:{at}/journal.sqlite"
    done = run("journal", "check", where, address)
    assert done.exit_code == 1
    text = " ".join(done.output.split())
    assert BAD in text
    assert "event 3" in text
    assert "1 other room without damage" in text


def test_salvage_takes_the_room_up_to_the_event_before(poisoned: Path) -> None:
    assert run("journal", "salvage", "--data", str(poisoned)).exit_code == 0
    assert run("journal", "check", "--data", str(poisoned)).exit_code == 0

    async def sizes() -> dict[str, int]:
        async with open_store(poisoned, must_exist=True) as store:
            return {one.code: one.version for one in await store.rooms()}

    assert asyncio.run(sizes()) == {GOOD: len(played()), BAD: 2}


def test_a_report_of_the_healthy_room_is_made_and_the_other_is_named(
    poisoned: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "r.json")
    at = ("--data", str(poisoned), "--format", "json")
    assert run("room", "report", GOOD, *at, "--out", out).exit_code == 0
    refused = run("room", "report", BAD, *at, "--out", out)
    assert refused.exit_code == 1
    assert "event 3 (player_renamed)" in " ".join(refused.output.split())
