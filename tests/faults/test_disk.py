"""A locked file and a full disk, under a real server with players voting."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.folder import JOURNAL
from server.journal.sqlite import SqliteStore
from server.protocol.client_messages import OpenRoom
from tests.support.http import get
from tests.support.server import hall
from tests.support.wire import wire

VOTE = {
    "round": 0,
    "ballot": "vote",
    "client": "tab-1",
    "counter": 1,
    "answer": {"kind": "gap", "label": "outer", "confidence": 80},
}


def impatient(folder: Path) -> Callable[[], Awaitable[SqliteStore]]:
    """Return what opens a journal that waits 20 ms for another's lock."""

    async def opening() -> SqliteStore:
        return SqliteStore(folder / JOURNAL, busy_ms=20)

    return opening


@pytest.mark.fault
async def test_a_locked_journal_refuses_votes_says_why_and_recovers(
    tmp_path: Path,
) -> None:
    store = impatient(tmp_path)
    async with (
        hall(data=tmp_path, store=store) as at,
        wire(at.port) as host,
        wire(at.port) as ann,
    ):
        await host.prove("host", at.room, at.key)
        await ann.join(at.room)
        await host.do("open_round", "open_vote")
        other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = await ann.vote("outer", 1)
        assert refused["code"] == "storage_unavailable"
        notices = [m for m in ann.seen if m["type"] == "notice"]
        if not notices:
            notices = [await ann.until("notice")]
        assert notices[0]["code"] == "storage_unavailable"
        await host.send("close_votes", ref=5)
        assert (await host.until("refused", ref=5))["code"] == "storage_unavailable"
        other.execute("ROLLBACK")
        other.close()
        await ann.until("notice", code="storage_back")
        assert (await ann.vote("outer", 1))["type"] == "recorded"
        async with wire(at.port) as bob:
            assert (await bob.join(at.room, "Bob"))["name"] == "Bob"


@pytest.mark.fault
async def test_a_full_disk_refuses_votes_says_why_and_recovers(tmp_path: Path) -> None:
    """SQLite's own limit of pages replaces the disk: the same error, no root."""
    store = await SqliteStore.open(tmp_path / JOURNAL)

    async def opened() -> SqliteStore:
        return store

    async with (
        hall(data=tmp_path, store=opened) as at,
        wire(at.port) as host,
        wire(at.port) as ann,
    ):
        await host.prove("host", at.room, at.key)
        await ann.join(at.room)
        await host.do("open_round", "open_vote")
        await store._disk.ask(_fill)  # holds for this connection, until it is closed
        reasons = []
        for counter in range(2, 400):
            answer = await ann.vote("outer", counter, reason="x" * 280)
            reasons.append(answer["type"])
            if answer["type"] == "refused":
                break
        assert reasons[-1] == "refused", "the disk never filled up"
        assert answer["code"] == "storage_unavailable"
        await ann.until("notice", code="storage_back")
        assert (await ann.vote("inner", 1000))["type"] == "recorded"


def _fill(db: sqlite3.Connection) -> None:
    (used,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={used}")


@pytest.mark.fault
async def test_a_journal_that_vanishes_is_unwell_and_records_nothing(
    tmp_path: Path,
) -> None:
    """Removed by hand or by a program that syncs: put back, the class continues."""
    async with (
        hall(data=tmp_path, health_fresh_s=0.0) as at,
        wire(at.port) as host,
        wire(at.port) as ann,
    ):
        await host.prove("host", at.room, at.key)
        await ann.join(at.room)
        await host.do("open_round", "open_vote")
        path, aside = tmp_path / "journal.sqlite", tmp_path / "aside"
        path.rename(aside)
        sick = await get(at.port, "/healthz")
        assert sick.status == 503
        assert json.loads(sick.body)["parts"]["journal"] == "cannot be written"
        assert (await ann.vote("outer", 1))["code"] == "storage_unavailable"
        aside.rename(path)
        assert (await get(at.port, "/healthz")).status == 200
        await ann.until("notice", code="storage_back")
        assert (await ann.vote("outer", 2))["type"] == "recorded"


@pytest.mark.fault
async def test_a_room_whose_journal_another_hand_changed_refuses_no_other_room(
    tmp_path: Path,
) -> None:
    """Its own votes break a constraint, in the commit that it shares with others."""
    async with contextlib.AsyncExitStack() as stack:
        at = await stack.enter_async_context(hall(data=tmp_path))
        order = OpenRoom(deck="first-class", length=2)
        other, other_key = await at.server.admin.open_room(order)
        players = []
        for room, key in ((at.room, at.key), (other, other_key)):
            host = await stack.enter_async_context(wire(at.port))
            player = await stack.enter_async_context(wire(at.port))
            await host.prove("host", room, key)
            await player.join(room)
            await host.do("open_round", "open_vote")
            players.append(player)
        with contextlib.closing(sqlite3.connect(tmp_path / JOURNAL)) as db, db:
            db.execute(
                "INSERT INTO events SELECT room, version + 1, body FROM events "
                "WHERE room = ? ORDER BY version DESC LIMIT 1",
                (at.room,),
            )
        bad, good = players
        await bad.send("vote", **VOTE)
        for counter in range(1, 20):
            assert (await good.vote("outer", counter))["type"] == "recorded"
        await bad.closed()
        async with wire(at.port) as again:
            await again.hello("player", room=at.room, name="Bob")
            assert (await again.until("refused"))["code"] == "room_closed"
