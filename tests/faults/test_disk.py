"""A locked file and a full disk, under a real server with players voting."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from server.journal import sqlite as adapter
from server.net import health
from tests.support.http import get
from tests.support.server import hall
from tests.support.wire import wire


@pytest.mark.fault
async def test_a_locked_journal_refuses_votes_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "BUSY_MS", 20)
    async with hall(data=tmp_path) as at, wire(at.port) as host, wire(at.port) as ann:
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
async def test_a_full_disk_refuses_votes_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit of pages stands in for the disk: the same error, no root."""
    prepare = adapter._prepare
    limit = {"pages": 0}

    def limited(db: sqlite3.Connection) -> None:
        prepare(db)
        if limit["pages"]:
            db.execute(f"PRAGMA max_page_count={limit['pages']}")

    monkeypatch.setattr(adapter, "_prepare", limited)
    async with hall(data=tmp_path) as at, wire(at.port) as host, wire(at.port) as ann:
        await host.prove("host", at.room, at.key)
        await ann.join(at.room)
        await host.do("open_round", "open_vote")
        path = tmp_path / "journal.sqlite"
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(adapter, "BUSY_MS", 20)
        limit["pages"] = 1  # the next connection finds the disk full
        assert (await ann.vote("outer", 1))["code"] == "storage_unavailable"
        other.execute("ROLLBACK")
        other.close()
        reasons = []
        for counter in range(2, 400):
            answer = await ann.vote("outer", counter, reason="x" * 280)
            reasons.append(answer["type"])
            if answer["type"] == "refused":
                break
        assert reasons[-1] == "refused", "the disk never filled up"
        limit["pages"] = 0
        await ann.until("notice", code="storage_back")
        assert (await ann.vote("inner", 1000))["type"] == "recorded"


@pytest.mark.fault
async def test_a_journal_that_vanishes_is_unwell_and_records_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed by hand or by a program that syncs: put back, the class goes on."""
    monkeypatch.setattr(health, "FRESH_S", 0.0)
    async with hall(data=tmp_path) as at, wire(at.port) as host, wire(at.port) as ann:
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
