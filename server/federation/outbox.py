"""The outbox of an edge: its unacknowledged requests, with votes on disk.

A vote is "received at your site" once it has been synced to the outbox; it is sent
again until its home confirms that it is stored. All other requests are kept in memory
only: their senders are connected, and would repeat them.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from server.disk import DiskError, DiskThread, be_durable, rewrite
from server.federation.messages import (
    Announce,
    UpBody,
    UpItem,
    UpSay,
    decode,
    follows,
)
from server.game.ids import RoomCode
from server.protocol.client_messages import Vote

CAPACITY = 50_000
"""Maximum number of waiting requests; beyond that, new ones are refused."""

SWEEP_S = 600
"""Interval, in seconds, at which votes that were passed on are purged from the file."""

log = logging.getLogger("twogaps.federation")

T = TypeVar("T")

_BODY: TypeAdapter[UpBody] = TypeAdapter(UpBody)
INTO = "INSERT OR REPLACE INTO outbox VALUES (?,?,?,?)"
_DELETE = "DELETE FROM outbox WHERE seq = ?"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY,
    home TEXT NOT NULL,
    room TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS homes (
    room TEXT PRIMARY KEY,
    home TEXT NOT NULL,
    claim TEXT NOT NULL
) STRICT;
"""


class Disk(Protocol):
    """Runs jobs on the file; see :class:`server.disk.DiskThread`."""

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job; its writes are durable on return. Raises DiskError."""
        ...

    async def ask_alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job outside of any transaction. Raises DiskError."""
        ...

    async def close(self) -> None:
        """Finish the pending jobs and close the file."""
        ...


OpenDisk = Callable[[Path, Callable[[sqlite3.Connection], None], str], Disk]
"""Opens a file, given its path, the setup of a connection, and a thread name."""


class KeptHomes:
    """Remembers which site each remote room was at, even after a restart.

    A claim by another site is accepted only if its key follows (see messages.py).
    """

    def __init__(self, most: int = 5_000) -> None:
        """At most ``most`` rooms are kept per site; then its oldest is forgotten."""
        self._most = most
        self._at: dict[RoomCode, tuple[str, Announce]] = {}
        self._of: dict[str, dict[RoomCode, None]] = {}
        self._changed: dict[RoomCode, None] = {}

    def is_kept(self, room: RoomCode) -> bool:
        """Whether the site of a room is known."""
        return room in self._at

    def allows(self, room: RoomCode, home: str, news: Announce) -> bool:
        """Whether a site may claim a room whose earlier site is known."""
        old, known = self._at[room]
        is_next = follows(news.key, news.epoch, known.key, known.epoch)
        return home == old or not known.key or is_next

    def keep(self, room: RoomCode, home: str, news: Announce) -> None:
        """Remember the site of a room."""
        if self._at.get(room) == (home, news):
            return
        self.forget(room)
        self._at[room], self._changed[room] = (home, news), None
        of = self._of.setdefault(home, {})
        of[room] = None
        if len(of) > self._most:
            self.forget(next(iter(of)))

    def forget(self, room: RoomCode) -> None:
        """Forget a room that was closed. Idempotent."""
        if (old := self._at.pop(room, None)) is not None:
            self._of[old[0]].pop(room, None)
            self._changed[room] = None

    def changes(self) -> list[tuple[str, str | None, str]]:
        """Return the changes since the last call: room, site (or None) and claim."""
        changed, self._changed = self._changed, {}
        found = [(room, self._at.get(room)) for room in changed]
        return [
            (room, at[0], at[1].model_dump_json()) if at else (room, None, "")
            for room, at in found
        ]


class Outbox:
    """Unacknowledged requests by home, in the order in which they were added."""

    def __init__(self, path: Path | None, open_disk: OpenDisk = DiskThread) -> None:
        """``path`` is the file for votes; None keeps them in memory only.

        ``open_disk`` opens the file (see :data:`OpenDisk`).
        """
        self._disk = open_disk(path, _prepare, "outbox-writer") if path else None
        self._waiting: dict[str, dict[int, UpItem]] = {}
        self.kept = KeptHomes()
        self._next = 1
        self._is_unswept = True
        self._size = 0
        self._unreadable: list[int] = []
        """Numbers of stored votes that this version cannot read; they stay on disk."""

    async def restore(self) -> None:
        """Load the votes that an earlier run could not pass on. Raises DiskError.

        A vote that cannot be read (written by another version) is logged and kept.
        """
        if self._disk is None:
            return
        for seq, home, room, body in await self._disk.ask(_stored):
            self._next = max(self._next, seq + 1)
            try:
                said = _BODY.validate_json(body)
                item = UpItem(seq=seq, room=room, link="", body=said)
            except ValidationError:
                self._unreadable.append(seq)
                log.error(
                    "outbox: vote %d for %s cannot be read; it is kept for the version "
                    "that wrote it",
                    seq,
                    home,
                    extra={"room": room},
                )
            else:
                self._keep(home, item)
        for room, home, claim in await self._disk.ask(_kept):
            if (news := decode(Announce, claim.encode())) is not None:
                self.kept.keep(RoomCode(room), home, news)
        self.kept.changes()

    async def save_kept(self) -> None:
        """Write the sites of rooms whose site has changed. Raises DiskError."""
        changes = self.kept.changes()
        if changes and self._disk is not None:
            self._is_unswept = True
            await self._disk.ask(lambda db: _write_kept(db, changes))

    @property
    def is_full(self) -> bool:
        """Whether no more requests can be accepted."""
        return self._size >= CAPACITY

    @property
    def size(self) -> int:
        """Number of requests that are waiting."""
        return self._size

    def put(self, home: str, room: RoomCode, link: str, body: UpBody) -> UpItem:
        """Add a request under the next number, and return it as an item."""
        item = UpItem.model_construct(seq=self._next, room=room, link=link, body=body)
        self._next += 1
        self._keep(home, item)
        return item

    def move(self, room: RoomCode, old: str, new: str) -> list[UpItem]:
        """Redirect a room's requests to another home; return them, to be secured."""
        waiting = self._waiting.get(old, {})
        items = [item for item in waiting.values() if item.room == room]
        for item in items:
            del waiting[item.seq]
            self._waiting.setdefault(new, {})[item.seq] = item
        return items

    async def secure(self, home: str, items: list[UpItem]) -> None:
        """Write the votes among these items to disk. Raises DiskError."""
        votes = [
            (item.seq, home, item.room, _BODY.dump_json(item.body).decode())
            for item in items
            if is_vote(item.body)
        ]
        if votes and self._disk is not None:
            await self._disk.ask(lambda db: db.executemany(INTO, votes))

    def waiting(self, home: str) -> list[UpItem]:
        """Return the requests that wait for a home, oldest first."""
        return list(self._waiting.get(home, {}).values())

    def homes(self) -> list[str]:
        """Return the homes that have waiting requests."""
        return [home for home, items in self._waiting.items() if items]

    def is_waiting(self, home: str, seq: int) -> bool:
        """Whether a home has not acknowledged a request yet."""
        return seq in self._waiting.get(home, {})

    def acknowledged(self, home: str, seqs: Iterable[int]) -> list[UpItem]:
        """Remove and return the requests that a home has acknowledged."""
        waiting = self._waiting.get(home, {})
        found = [item for seq in seqs if (item := waiting.pop(seq, None)) is not None]
        self._size -= len(found)
        return found

    async def forget(self, items: list[UpItem]) -> None:
        """Remove acknowledged votes from disk. Raises DiskError."""
        seqs = [(item.seq,) for item in items if is_vote(item.body)]
        if seqs and self._disk is not None:
            self._is_unswept = True
            await self._disk.ask(lambda db: db.executemany(_DELETE, seqs))

    async def keep_clean(self) -> None:
        """Regularly purge votes that were passed on from the file, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep()
            except DiskError as exc:
                log.warning(
                    "votes that were passed on may still be in the outbox: %s", exc
                )

    async def sweep(self) -> None:
        """Purge removed votes from the file, unless requests are waiting.

        Raises DiskError.
        """
        if self._disk is not None and self._is_unswept and not self._size:
            self._is_unswept = False
            await self._disk.ask_alone(rewrite)

    async def remove(self, is_doomed: Callable[[RoomCode, UpSay], bool]) -> int:
        """Remove votes that must no longer be sent; return how many.

        Used by an operator's purge, while no server is running. Votes that cannot be
        read are removed as well: they may contain the words to be purged. Raises
        DiskError.
        """
        unreadable = [(seq,) for seq in self._unreadable]
        if self._disk is not None and unreadable:
            await self._disk.ask(lambda db: db.executemany(_DELETE, unreadable))
        doomed = [
            item
            for items in self._waiting.values()
            for item in items.values()
            if isinstance(item.body, UpSay) and is_doomed(item.room, item.body)
        ]
        await self.forget(doomed)
        if self._disk is not None:
            await self._disk.ask_alone(rewrite)
        return len(doomed) + len(unreadable)

    async def check(self) -> None:
        """Write and commit something that leaves no trace. Raises DiskError."""
        if self._disk is not None:
            await self._disk.ask(_beat)

    async def close(self) -> None:
        """Close the file."""
        if self._disk is not None:
            await self._disk.close()

    def _keep(self, home: str, item: UpItem) -> None:
        self._waiting.setdefault(home, {})[item.seq] = item
        self._size += 1


def is_vote(body: UpBody) -> bool:
    """Whether a request is a vote, which must never be lost."""
    return isinstance(body, UpSay) and isinstance(body.message, Vote)


def _stored(db: sqlite3.Connection) -> list[tuple[int, str, str, str]]:
    return db.execute(
        "SELECT seq, home, room, body FROM outbox ORDER BY seq"
    ).fetchall()


def _kept(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return db.execute("SELECT room, home, claim FROM homes ORDER BY rowid").fetchall()


def _write_kept(
    db: sqlite3.Connection, changes: list[tuple[str, str | None, str]]
) -> None:
    gone = [(room,) for room, _, _ in changes]
    db.executemany("DELETE FROM homes WHERE room = ?", gone)
    kept = [change for change in changes if change[1] is not None]
    db.executemany("INSERT INTO homes VALUES (?,?,?)", kept)


def _beat(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO outbox VALUES (0, '', '', '')")
    db.execute("DELETE FROM outbox WHERE seq = 0")


def _prepare(db: sqlite3.Connection) -> None:
    be_durable(db, busy_ms=2_000)
    db.executescript(_SCHEMA)
