"""Removes rooms after a retention time, measured by observed time and not by the date.

A computer with a wrong date, or without a battery for its clock, must not remove a room
too early. So a room's age is not the difference between two dates. It is accumulated
while servers run on the folder, and the time between two checks counts for at most a
third of the retention time, in either direction. A clock that is wrong for a while and
then corrected adds nothing, and no single jump makes a new room old.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Collection, Container, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenarios.prose import plural
from server.folder import RETENTION
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.journal.store import (
    RoomRecord,
    RoomStore,
    StoreUnavailable,
    TenureLost,
)
from server.rooms.ports import Homes

log = logging.getLogger("twogaps.rooms")

DAY_MS = 24 * 3600 * 1000
NOTICE_MS = 7 * DAY_MS
"""The longest time before its removal at which a room is named in the log."""

RECENT_MS = 2 * DAY_MS
"""Unfinished rooms touched within two days continue when the server starts."""

MOST_RESTS = 60
"""The most checks in a row that skip the sweep after it has failed repeatedly."""

SAVE_MS = 10 * 60 * 1000
"""Age after which a ledger is written again even if its rooms have not changed."""

LARGEST_GAP = 3
"""The time between two checks counts for at most the retention time over this."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Kept(_Strict):
    """The ledger's entry for one room. Times are milliseconds of observed time."""

    version: int
    since_ms: int
    """When the room was first seen at this version."""
    noticed_ms: int | None = None
    """When the log announced that the room will be removed."""


class Ledger(_Strict):
    """The data kept from one run to the next. It contains no names."""

    last_ms: int
    """The time of the last check (UTC)."""
    observed_ms: int = 0
    """The total observed time so far."""
    rooms: dict[str, Kept] = Field(default_factory=dict)


class SharedLedger(Protocol):
    """Keeps the ledger where no local disk is permanent. Raises as a store does."""

    async def ledger(self) -> str | None:
        """Return the ledger that was kept last, or None."""
        ...

    async def keep_ledger(self, text: str) -> None:
        """Keep a ledger."""
        ...


class Retention:
    """Determines which rooms are past their retention time, in checks minutes apart.

    No room is removed before the log has named it, or at a process's first check.
    """

    def __init__(
        self,
        keep_days: float,
        folder: Path | None = None,
        notice_ms: int = NOTICE_MS,
        shared: SharedLedger | None = None,
    ) -> None:
        """``keep_days`` is the retention time; 0 keeps all rooms.

        The ledger is kept in ``folder`` or by ``shared``; without either, it starts
        empty. ``notice_ms`` is limited to a third of the retention time.
        """
        self._shared = shared
        self._keep_ms = round(keep_days * DAY_MS)
        self._largest_ms = (self._keep_ms or 90 * DAY_MS) // LARGEST_GAP
        self._notice_ms = min(notice_ms, self._largest_ms)
        self._path = None if folder is None else folder / RETENTION
        self._ledger = None if self._path is None else read(self._path)
        self._has_looked = False
        self._saved = 0, ""
        """When the ledger was last written, and the rooms in it."""
        self._pause = self._rests = 0
        """How many calls skip the sweep after a failure, and how many are left."""

    def recent(self, records: Sequence[RoomRecord], now_ms: int) -> list[RoomRecord]:
        """Return the rooms that were touched within the last two days.

        Only days on which a server ran here count, so the current date matters little.
        Without a ledger, the newest room's date is taken as the current one.
        """
        if self._ledger is None:
            newest_ms = max((record.updated_ms for record in records), default=0)
            now_ms = min(now_ms, newest_ms)
        since_ms = now_ms - RECENT_MS
        return [
            record
            for record in records
            if record.updated_ms >= since_ms or self._was_recent(record)
        ]

    def _was_recent(self, record: RoomRecord) -> bool:
        if self._ledger is None:
            return False
        kept = self._ledger.rooms.get(record.code)
        if kept is None or kept.version != record.version:
            return True  # something was stored since the last look
        return self._ledger.observed_ms - kept.since_ms <= RECENT_MS

    def look(self, records: Iterable[RoomRecord], now_ms: int) -> list[RoomCode]:
        """Update the ledger from the journal; return the rooms to remove.

        Rooms that will be removed soon are named in a warning.
        """
        records = list(records)
        newest_ms = max((record.updated_ms for record in records), default=0)
        if newest_ms > now_ms + DAY_MS and not self._has_looked:
            log.warning(
                "the clock is %s behind the newest room: set it, and restart the "
                "server. No room is removed because of it",
                plural((newest_ms - now_ms) // DAY_MS, "day"),
            )
        ledger = self._ledger or Ledger(last_ms=now_ms)
        gap_ms = now_ms - ledger.last_ms
        counted_ms = max(-self._largest_ms, min(gap_ms, self._largest_ms))
        ledger.observed_ms += counted_ms
        ledger.last_ms = now_ms
        if counted_ms != gap_ms and not self._has_looked:
            log.info(
                "the clock has moved by %s since the rooms were last checked; %d of "
                "that counts",
                plural(gap_ms // DAY_MS, "day"),
                counted_ms // DAY_MS,
            )
        ledger.rooms = {record.code: self._kept(ledger, record) for record in records}
        self._ledger = ledger
        doomed = self._past(ledger) if self._keep_ms else []
        self._has_looked = True
        return doomed

    def _kept(self, ledger: Ledger, record: RoomRecord) -> Kept:
        kept = ledger.rooms.get(record.code)
        if kept is not None and kept.version == record.version:
            return kept
        return Kept(version=record.version, since_ms=ledger.observed_ms)

    def _past(self, ledger: Ledger) -> list[RoomCode]:
        """Return the rooms past their retention time; warn about those due soon."""
        doomed, named = [], []
        for code, kept in ledger.rooms.items():
            left_ms = kept.since_ms + self._keep_ms - ledger.observed_ms
            if left_ms > self._notice_ms:
                kept.noticed_ms = None
            elif kept.noticed_ms is None:
                kept.noticed_ms = ledger.observed_ms
                named.append(code)
            elif (
                left_ms < 0
                and ledger.observed_ms - kept.noticed_ms >= self._notice_ms
                and self._has_looked
            ):
                doomed.append(RoomCode(code))
        if named:
            log.warning(
                "%s will be removed in %.1f days, unused for nearly %g days "
                "(--keep-days): %s",
                plural(len(named), "room"),
                self._notice_ms / DAY_MS,
                self._keep_ms / DAY_MS,
                ", ".join(sorted(named)),
            )
        return doomed

    async def unfinished(
        self, store: RoomStore, homes: Homes, now_ms: int
    ) -> Collection[RoomCode]:
        """Return the rooms to load at startup: those assigned to this node, or all
        unfinished rooms that were touched recently.
        """
        assigned = await homes.assigned()
        if assigned is not None:
            return assigned
        recent = self.recent(await store.rooms(), now_ms)
        return [record.code for record in recent if record.finished_ms is None]

    async def remove(
        self,
        store: RoomStore,
        homes: Homes,
        running: Container[RoomCode],
        now_ms: int,
    ) -> list[RoomCode]:
        """Remove rooms past their retention time, except those that are running.

        Returns the rooms that were removed.
        """
        removed: list[RoomCode] = []
        try:
            await self._recall()
            for code in self.look(await store.rooms(), now_ms):
                if code in running:
                    continue
                with contextlib.suppress(Refused, TenureLost):  # another node has it
                    if await erase(code, store, homes):
                        self.forget(code)
                        removed.append(code)
                        about = {"room": code}
                        log.warning("removed after its retention time", extra=about)
        except StoreUnavailable as exc:
            log.warning("old rooms stay for now: %s", exc)
        if self._shared is None:
            await asyncio.to_thread(self.save)
        else:
            await self._share(self._shared)
        return removed

    async def _recall(self) -> None:
        """Read the shared ledger before the first check."""
        if self._shared is None or self._ledger is not None:
            return
        if (text := await self._shared.ledger()) is not None:
            self._ledger = _parsed(text.encode(), "the ledger of this node")

    async def _share(self, shared: SharedLedger) -> None:
        if self._ledger is None or (news := self._news(self._ledger)) is None:
            return
        try:
            await shared.keep_ledger(self._ledger.model_dump_json())
            self._saved = news
        except StoreUnavailable as exc:
            log.warning("how long rooms are kept is not noted: %s", exc)

    def forget(self, code: RoomCode) -> None:
        """Forget for how long a room has been kept, because it is gone."""
        if self._ledger is not None:
            self._ledger.rooms.pop(code, None)

    async def sweep(self, store: RoomStore) -> None:
        """Erase removed data from the journal; this takes a while for a large one.

        After a failure, the next call does nothing. With each further failure, the
        number of skipped calls doubles and grows by one, up to ``MOST_RESTS``.
        """
        if self._rests > 0:
            self._rests -= 1
            return
        try:
            if await store.sweep():
                log.info("the journal was rewritten: no removed data is left in it")
            self._pause = 0
        except StoreUnavailable as exc:
            log.warning("removed data may still be in the journal: %s", exc)
            self._pause = min(2 * self._pause + 1, MOST_RESTS)
            self._rests = self._pause

    def save(self) -> None:
        """Write the ledger if rooms have changed or it was last written a while ago.

        A failure is only logged; it means that rooms are kept for longer.
        """
        ledger = self._ledger
        if self._path is None or ledger is None or (news := self._news(ledger)) is None:
            return
        try:
            write(self._path, ledger)
            self._saved = news
        except OSError as exc:
            log.warning("%s cannot be written: %s", self._path.name, exc.strerror)

    def _news(self, ledger: Ledger) -> tuple[int, str] | None:
        """Return the ledger's time and its rooms if it has to be written, or None."""
        rooms = ledger.model_dump_json(include={"rooms"})
        saved_ms, saved = self._saved
        is_recent = 0 <= ledger.last_ms - saved_ms < SAVE_MS
        return None if rooms == saved and is_recent else (ledger.last_ms, rooms)


async def erase(code: RoomCode, store: RoomStore, homes: Homes) -> bool:
    """Delete a room from the journal, as its home; return whether there was one.

    Raises :class:`HeldElsewhere` or :class:`TenureLost` if another node is its home,
    and :class:`StoreUnavailable`.
    """
    tenure = await homes.take(code)  # ends this node's earlier tenure, if it has one
    if tenure is None:
        return False
    try:
        tenure.confirm()
        return await store.delete(code, epoch=tenure.epoch)
    finally:
        await homes.let_go(code)


def read(path: Path) -> Ledger | None:
    """Return the ledger in a file; None if it is missing or cannot be used."""
    try:
        return _parsed(path.read_bytes(), path.name)
    except FileNotFoundError:
        return None
    except OSError:
        log.warning("%s cannot be read: all rooms are kept for longer", path.name)
        return None


def _parsed(text: bytes, name: str) -> Ledger | None:
    try:
        return Ledger.model_validate_json(text)
    except ValidationError:
        log.warning("%s cannot be read: all rooms are kept for longer", name)
        return None


def write(path: Path, ledger: Ledger) -> None:
    """Replace the ledger file atomically; only its owner may read it."""
    fresh = path.with_name(f".{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(ledger.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def forget(folder: Path, codes: Iterable[RoomCode]) -> None:
    """Remove rooms from the ledger of a folder that no server uses."""
    path = folder / RETENTION
    ledger = read(path)
    if ledger is not None:
        for code in codes:
            ledger.rooms.pop(code, None)
        write(path, ledger)
