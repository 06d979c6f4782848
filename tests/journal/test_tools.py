"""Every tool works on a database that it has never heard of."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from server.app import Config, running
from server.cli.doctor import machine
from server.folder import JOURNAL, SITE
from server.journal.memory import MemoryStore
from server.journal.opening import ADAPTERS, open_store, shown
from server.protocol.client_messages import OpenRoom
from tests.support.cli import twogaps

ADDRESS = "elsewhere:here"


class Kept(MemoryStore):
    """A journal that outlives its closing, as one on another machine does."""


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a journal that is in no folder."""
    kept: dict[str, Kept] = {}
    monkeypatch.setitem(
        ADAPTERS, "elsewhere", lambda name: kept.setdefault(name, Kept())
    )
    return ADDRESS


async def _serve(data: Path, address: str) -> str:
    config = Config(port=0, data=data, journal=address)
    async with running(config) as server:
        code, _ = await server.admin.open_room(OpenRoom(deck="first-class", length=2))
    return code


async def _rooms(address: str) -> list[str]:
    async with open_store(address) as store:
        return [record.code for record in await store.rooms()]


@pytest.mark.parametrize("kind", ["elsewhere", "postgresql"])
def test_a_server_and_every_tool_work_on_another_database(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    elsewhere = request.getfixturevalue(kind)
    code = asyncio.run(_serve(tmp_path, elsewhere))
    (tmp_path / SITE).write_text("lisbon\n")
    where = ("--journal", elsewhere, "--data", str(tmp_path))

    def run(*words: str) -> str:
        done = twogaps(*words, *where)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return " ".join(done.output.split())

    assert code in run("room", "list")
    run("room", "report", code, "-f", "csv", "-o", str(tmp_path / "r.csv"))
    assert "Nothing changes" in run("room", "rescore", code)
    assert "1 room, no damage" in run("journal", "check")
    run("journal", "backup", str(tmp_path / "b.tar"))
    found = machine.journal(elsewhere, time.time_ns() // 10**6)
    assert found is not None
    assert found.says == "intact, 1 room"
    parcel = tmp_path / "moved.room"
    run("room", "move", code, "--to", "berlin", "--file", str(parcel))
    assert asyncio.run(_rooms(elsewhere)) == [code]
    run("room", "forget", code, "--yes")
    assert asyncio.run(_rooms(elsewhere)) == []
    assert not (tmp_path / JOURNAL).exists(), "a tool wrote a SQLite journal"

    again = tmp_path / "again"  # the backup is a data folder with a SQLite journal
    restored = ("journal", "restore", str(tmp_path / "b.tar"), "--data", str(again))
    assert twogaps(*restored).exit_code == 0
    assert code in twogaps("room", "list", "--data", str(again)).output


def test_the_environment_may_name_the_journal(elsewhere: str, tmp_path: Path) -> None:
    code = asyncio.run(_serve(tmp_path, elsewhere))
    env = {"TWOGAPS_JOURNAL": elsewhere, "TWOGAPS_DATA": str(tmp_path)}
    assert code in twogaps("room", "list", env=env).output
    assert "TWOGAPS_JOURNAL" not in os.environ


def test_an_address_of_no_database_is_refused_in_plain_words(tmp_path: Path) -> None:
    done = twogaps("room", "list", "--journal", "postgrs://db", "--data", str(tmp_path))
    assert done.exit_code == 1
    assert "'postgrs://db' is not a journal" in done.output


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://ann:s3cret@db/x", "postgresql://ann:***@db/x"),
        ("postgresql://ann:s3c@ret@a,b/x?y=z@w", "postgresql://ann:***@a,b/x?y=z@w"),
        ("postgresql://db/x?password=s3cret&a=b", "postgresql://db/x?password=***&a=b"),
        ("postgresql://ann@db:5432/x", "postgresql://ann@db:5432/x"),
        ("sqlite:/srv/a:b@c", "sqlite:/srv/a:b@c"),
    ],
)
def test_no_one_is_shown_a_password(address: str, told: str) -> None:
    assert shown(address) == told
