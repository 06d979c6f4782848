"""What a fleet needs is in its database: a node may be lost together with its disk."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from client import Label, admin, connect, host
from server.app import Config, Running, running
from server.folder import ADMIN_KEY, RETENTION
from server.game.commands import CloseVotes, OpenRound, OpenVote, Reveal
from server.game.ids import RoomCode
from server.journal.postgres import PostgresStore
from server.protocol.client_messages import OpenRoom
from server.rooms.retention import DAY_MS, Ledger
from tests.scenarios.conftest import CASE, DECK
from tests.support.broker import open_broker
from tests.support.cli import twogaps
from tests.support.program import Program
from tests.support.server import UNHURRIED
from tests.support.until import until
from tests.support.voters import BY_HAND
from tests.support.wire import wire

GUARD_S = 60


def own_cases(folder: Path) -> Path:
    """Return a folder with one own case, and a deck of it."""
    for kind, text in (("cases", CASE), ("decks", DECK)):
        (folder / kind).mkdir(parents=True)
        text = text.replace('"good"', '"own"').format(id="own")
        (folder / kind / "own.toml").write_text(text)
    return folder


async def share(folder: Path, journal: str) -> None:
    done = await asyncio.to_thread(
        twogaps, "fleet", "cases", folder, "--journal", journal
    )
    assert done.exit_code == 0, done.output
    assert "2 files" in done.output


def node(postgresql: str, name: str, data: Path | None = None) -> Config:
    return Config(
        port=0, journal=postgresql, site=name, data=data, limits=UNHURRIED, lease_s=3.0
    )


async def decks(server: Running) -> set[str]:
    async with admin(server.local_url, server.admin_key) as desk:
        return {deck.id for deck in (await desk.list_decks()).decks}


async def changes(server: Running, *, has_own: bool) -> None:
    """Wait until a node has the own deck, or has it no longer."""
    async with asyncio.timeout(GUARD_S):
        while True:
            if ("own" in await decks(server)) is has_own:
                return
            await asyncio.sleep(0.05)


async def test_own_cases_are_at_every_node_and_go_when_they_are_removed(
    postgresql: str, tmp_path: Path
) -> None:
    own = own_cases(tmp_path / "own")
    async with running(node(postgresql, "ada", tmp_path / "ada")) as ada:
        await share(own, postgresql)
        await changes(ada, has_own=True)
        async with running(node(postgresql, "bob")) as bob:
            assert "own" in await decks(bob), "from its start"
            (tmp_path / "none").mkdir()
            where = ("--journal", postgresql)
            listed = await asyncio.to_thread(twogaps, "fleet", "cases", *where)
            assert listed.output == "cases/own.toml\ndecks/own.toml\n"
            gone = await asyncio.to_thread(
                twogaps, "fleet", "cases", tmp_path / "none", *where
            )
            assert gone.exit_code == 0
            assert "no cases of your own" in gone.output
            for each in (ada, bob):
                await changes(each, has_own=False)


async def test_a_file_with_an_error_changes_nothing(
    postgresql: str, tmp_path: Path
) -> None:
    own = own_cases(tmp_path / "own")
    async with running(node(postgresql, "ada")):
        await share(own, postgresql)
        (own / "decks" / "bad.toml").write_text("id = 'bad'\n")
        where = ("--journal", postgresql)
        done = await asyncio.to_thread(twogaps, "fleet", "cases", own, *where)
        assert done.exit_code == 1
        assert "bad.toml" in done.output
        assert "Nothing was changed" in done.output
        listed = await asyncio.to_thread(twogaps, "fleet", "cases", *where)
        assert "bad.toml" not in listed.output
        missing = await asyncio.to_thread(
            twogaps, "fleet", "cases", tmp_path / "no", *where
        )
        assert "There is no folder" in missing.output


async def test_how_long_rooms_are_kept_outlives_a_disk(
    postgresql: str, tmp_path: Path
) -> None:
    """A node whose disk is new each time would keep rooms forever."""
    async with running(node(postgresql, "ada", tmp_path / "one")) as ada:
        room, _ = await ada.admin.open_room(OpenRoom(deck="first-class"))
    assert not (tmp_path / "one" / RETENTION).exists()
    async with running(node(postgresql, "ada", tmp_path / "two")):
        pass
    store = PostgresStore(postgresql)
    try:
        first = await _ledger(store)
        first.observed_ms += 50 * DAY_MS
        first.last_ms -= DAY_MS
        async with store.connection() as db:
            query = "UPDATE nodes SET ledger = %s WHERE name = 'ada'"
            await db.execute(query, [first.model_dump_json()])
        async with running(node(postgresql, "ada", tmp_path / "three")):
            pass
        later = await _ledger(store)
    finally:
        await store.close()
    assert later.observed_ms >= 51 * DAY_MS
    assert later.rooms[room] == first.rooms[room], "since it was first seen"


async def _ledger(store: PostgresStore) -> Ledger:
    async with store.connection() as db:
        rows = await db.execute("SELECT ledger FROM nodes WHERE name = 'ada'")
        found = await rows.fetchone()
    assert found is not None
    return Ledger.model_validate_json(found[0])


@pytest.mark.full
async def test_a_room_with_its_own_deck_survives_loss_of_node_and_disk(
    postgresql: str, tmp_path: Path
) -> None:
    ada = Program(
        tmp_path,
        *("--site", "ada", "--data", str(tmp_path / "ada"), "--lease", "3"),
        TWOGAPS_JOURNAL=postgresql,
    )
    async with contextlib.AsyncExitStack() as stack:
        bob = await stack.enter_async_context(
            running(node(postgresql, "bob", tmp_path / "bob"))
        )
        await share(own_cases(tmp_path / "own"), postgresql)
        stack.push_async_callback(ada.kill)
        await ada.start()
        url, key = f"http://127.0.0.1:{ada.port}", ada.admin_key
        async with admin(url, key) as desk:
            opened = await desk.open_room("own")
        room, host_key = opened.room, opened.host_key
        teacher = await stack.enter_async_context(host(bob.local_url, room, host_key))
        ann = await stack.enter_async_context(connect(bob.local_url, room, "Ann"))
        for command in (BY_HAND, OpenRound(), OpenVote()):
            await teacher.send(command)
        await ann.vote(Label.OUTER, 80, to=ann.view)
        await ada.kill()
        shutil.rmtree(tmp_path / "ada")
        async with asyncio.timeout(GUARD_S):
            changed = await ann.vote(Label.INNER, 60, to=ann.view)
            assert changed.answer.label is Label.INNER
            for command in (CloseVotes(), Reveal()):
                await teacher.send(command)
        assert [each.code for each in bob.directory.live] == [room]
        assert bob.admin_key == key
        assert (tmp_path / "bob" / ADMIN_KEY).read_text().strip() == key
        async with admin(bob.local_url, key) as desk:
            assert (await desk.open_room("own")).room != room
        async with wire(bob.port) as asking:
            await asking.prove("host", room, host_key)
            await asking.send("get_report", ref=1, form="json")
            answer = await asking.until("file", ref=1)
        report = json.loads(base64.b64decode(answer["content"]))
        assert "own" in json.dumps(report)


async def test_a_vote_in_a_fleet_is_recorded_and_never_only_received(
    postgresql: str, tmp_path: Path
) -> None:
    """Its nodes also have a broker, which rooms of the fleet do not use."""
    broker = open_broker("mosquitto", tmp_path)
    await broker.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(broker.kill)
        ada, bob = [
            await stack.enter_async_context(
                running(replace(node(postgresql, name), broker=broker.url()))
            )
            for name in ("ada", "bob")
        ]
        room, key = await ada.admin.open_room(OpenRoom(deck="first-class"))
        others = bob.directory._nodes
        await until(lambda: others.elsewhere(RoomCode(room)) is not None, GUARD_S)
        teacher = await stack.enter_async_context(host(bob.local_url, room, key))
        ann = await stack.enter_async_context(wire(bob.port))
        await ann.join(RoomCode(room), "Ann")
        for command in (BY_HAND, OpenRound(), OpenVote()):
            await teacher.send(command)
        await ann.phase("vote")
        assert (await ann.vote("outer"))["type"] == "recorded"
        assert "received" not in {message["type"] for message in ann.seen}
        assert room not in [each.code for each in bob.directory.live]
