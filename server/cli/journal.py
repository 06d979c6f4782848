"""Commands for the journal: list rooms, remove them, forget a player."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from scenarios.prose import plural
from server.backup import BACKING_UP, RESTORING, clear_leftovers
from server.cli.console import (
    DataOption,
    JournalOption,
    date_of,
    default_data,
    fail,
    out,
)
from server.disk import DiskError
from server.federation.home import REFUSED
from server.federation.messages import UpSay
from server.federation.outbox import Outbox
from server.folder import INCOMING, OUTBOX
from server.game.events import PlayerJoined, PlayerRenamed
from server.game.ids import PlayerId, RoomCode
from server.journal.opening import Address, open_journal, open_store
from server.journal.parcel import ParcelError, unpack
from server.journal.store import (
    BadAddress,
    Journal,
    NoJournal,
    RoomRecord,
    StoreUnavailable,
    UnreadableEvent,
)
from server.rooms import retention

DAY_MS = 24 * 3600 * 1000


@contextlib.asynccontextmanager
async def reading(data: Path | None, journal: str | None) -> AsyncIterator[Journal]:
    """Open a journal for reading, even while a server uses it; report errors."""
    where = journal or data or default_data()
    try:
        async with open_store(where, must_exist=True) as store:
            yield store
    except (NoJournal, BadAddress) as exc:
        raise fail(f"{exc}. Choose another with --data.") from exc
    except (StoreUnavailable, UnreadableEvent) as exc:
        raise fail(f"The journal cannot be read: {exc}.") from exc


def rooms(data: DataOption = None, journal: JournalOption = None) -> None:
    """List the rooms in the journal, newest first (even while a server is running)."""
    table = Table("room", "name", "deck", "opened", "last change", "players", "state")
    for record in asyncio.run(_records(data, journal)):
        state = "finished" if record.finished_ms else "open"
        zone = record.time_zone
        dates = (date_of(record.opened_ms, zone), date_of(record.updated_ms, zone))
        table.add_row(
            record.code,
            escape(record.name or ""),
            record.title,
            *dates,
            str(record.joined),
            state,
        )
    out.print(table)


async def _records(data: Path | None, journal: str | None) -> list[RoomRecord]:
    async with reading(data, journal) as store:
        return await store.rooms()


SureOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")
]


def purge(
    older_than: Annotated[
        int,
        typer.Option(
            min=0, help="Remove rooms that have been idle for this many days."
        ),
    ] = 90,
    yes: SureOption = False,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Remove old rooms from the journal for good.

    Afterwards, no file in the folder contains their names and reasons; earlier backups
    and exports still do. No server may be using the folder at the time. To remove
    one room or one player, use twogaps room forget.
    """
    before_ms = int(time.time() * 1000) - older_than * DAY_MS
    _carry_out(_Order(None, None, before_ms), data, journal, is_sure=yes)


def forget(
    room: Annotated[str, typer.Argument(metavar="CODE", help="The room.")],
    player: Annotated[
        str | None,
        typer.Option(help="Forget only this player's name and reasons."),
    ] = None,
    yes: SureOption = False,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Remove one room from the journal for good, or forget one of its players.

    This erases the player's name and reasons. Their votes are kept without a name, so
    tallies do not change. Afterwards, no file in the folder contains the erased words;
    earlier backups and exports still do. No server may be using the folder at the time.
    """
    order = _Order(RoomCode(room.upper()), player, before_ms=0)
    _carry_out(order, data, journal, is_sure=yes)


def _carry_out(
    order: _Order, data: Path | None, journal: str | None, *, is_sure: bool
) -> None:
    folder = data or default_data()
    asyncio.run(_purge(journal or folder, folder, order, is_sure=is_sure))


@dataclass(frozen=True, slots=True)
class _Order:
    """What should be removed: a player in a room, one room, or all old rooms."""

    room: RoomCode | None
    player: str | None
    before_ms: int

    def has(self, record: RoomRecord) -> bool:
        """Whether the whole room should be removed."""
        if self.room is not None:
            return record.code == self.room
        return record.updated_ms < self.before_ms


async def _purge(where: Address, folder: Path, order: _Order, *, is_sure: bool) -> None:
    async with open_journal(where, folder) as store:
        try:
            await store.sweep()  # an earlier purge may have been interrupted
            if order.room is not None and order.player is not None:
                players = await _forget(store, order.room, order.player)
            else:
                await _remove(store, folder, order, is_sure=is_sure)
                players = ()
            with out.status(
                "Rewriting the files so that no removed data is left in them"
            ):
                await store.sweep()
                await _clear_outbox(folder, order, players)
                _clear_leftovers(folder, order)
        except (StoreUnavailable, DiskError) as exc:
            raise fail(
                f"Not everything could be removed: {exc}. Run the command again."
            ) from exc


async def _remove(
    store: Journal, folder: Path, order: _Order, *, is_sure: bool
) -> None:
    doomed = [record for record in await store.rooms() if order.has(record)]
    is_elsewhere = (folder / OUTBOX).exists() or _refused_parcels(folder, order)
    if not doomed and not is_elsewhere:
        raise fail("Nothing to remove. To see the rooms, run twogaps room list.")
    names = ", ".join(record.code for record in doomed) or "none"
    rooms = plural(len(doomed), "room")
    if not is_sure:
        typer.confirm(f"Permanently remove {rooms} ({names})?", abort=True)
    for record in track(doomed, "Removing", console=out, transient=True):
        await store.delete(record.code)
    retention.forget(folder, [record.code for record in doomed])
    out.print(f"Removed {rooms}: {names}.", highlight=False)


async def _forget(store: Journal, room: RoomCode, name: str) -> tuple[str, ...]:
    """Forget players with this name, else those who once had it; return their IDs."""
    named: dict[PlayerId, list[str]] = {}
    for event in await store.load(room):
        if isinstance(event, PlayerJoined | PlayerRenamed):
            named.setdefault(event.player, []).append(event.name)
    found = tuple(player for player, names in named.items() if names[-1] == name)
    found = found or tuple(p for p, names in named.items() if name in names)
    if not found:
        known = ", ".join(sorted(names[-1] for names in named.values())[:20])
        raise fail(
            f"Room {room} has no player '{name}'. Its players: {known or 'none'}."
        )
    for player in found:
        changed = await store.erase_player(room, player, "erased")
        entries = plural(changed, "entry", "entries")
        out.print(f"Forgot {name}: {entries} changed.", highlight=False)
    return found


def _refused_parcels(folder: Path, order: _Order) -> list[Path]:
    """Return the files of rooms, matching an order, that could not be imported."""
    found = (folder / INCOMING).glob(f"*{REFUSED}")
    if order.room is not None:
        return [path for path in found if _room_in(path) == order.room]
    return [path for path in found if path.stat().st_mtime * 1000 < order.before_ms]


def _room_in(path: Path) -> str:
    try:
        return unpack(path.read_bytes()).code
    except ParcelError:
        return path.name.partition(".")[0].upper()


def _clear_leftovers(folder: Path, order: _Order) -> None:
    """Remove matching refused parcels and the leftovers of killed runs."""
    parcels = _refused_parcels(folder, order)
    for path in parcels:
        path.unlink()
        out.print(f"Removed {path.name}, which could not be taken in.")
    clear_leftovers(folder, BACKING_UP, RESTORING)


async def _clear_outbox(folder: Path, order: _Order, players: tuple[str, ...]) -> None:
    """Remove matching votes that have yet to be delivered to other nodes."""
    path = folder / OUTBOX
    if not path.exists():
        return

    def is_doomed(room: RoomCode, said: UpSay) -> bool:
        if players:
            return (said.token or "").partition(".")[0] in players
        if order.room is not None:
            return room == order.room
        return said.stamped_ms < order.before_ms

    box = Outbox(path)
    try:
        await box.restore()
        if n := await box.remove(is_doomed):
            out.print(f"Removed {plural(n, 'vote')} not yet passed on.")
    finally:
        await box.close()
