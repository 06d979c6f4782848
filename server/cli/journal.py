"""Commands on the journal: list rooms, remove them, forget a player."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from server.cli.console import DataOption, default_data, fail, out
from server.folder import open_journal
from server.game.events import PlayerJoined, PlayerRenamed
from server.game.ids import PlayerId, RoomCode
from server.journal.sqlite import SqliteStore
from server.journal.store import RoomRecord, StoreUnavailable

DAY_MS = 24 * 3600 * 1000


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(rich_help_panel="Journal")(rooms)
    app.command(rich_help_panel="Journal")(purge)


def rooms(data: DataOption = None) -> None:
    """List the rooms of the journal, newest first (also while a server runs)."""
    folder = data or default_data()
    if not (folder / "journal.sqlite").exists():
        raise fail(f"There is no journal in {folder}. Choose another with --data.")
    table = Table("room", "deck", "opened", "last change", "players", "state")
    for record in asyncio.run(_records(folder)):
        state = "finished" if record.finished_ms else "open"
        dates = (_date(record.opened_ms), _date(record.updated_ms))
        table.add_row(record.code, record.title, *dates, str(record.joined), state)
    out.print(table)


async def _records(folder: Path) -> list[RoomRecord]:
    try:
        store = await SqliteStore.open(folder / "journal.sqlite")
    except StoreUnavailable as exc:
        raise fail(f"The journal cannot be read: {exc}.") from exc
    try:
        return await store.rooms()
    finally:
        await store.close()


def _date(ms: int) -> str:
    return (
        datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    )


def purge(
    room: Annotated[str | None, typer.Option(help="Only this room.")] = None,
    player: Annotated[
        str | None, typer.Option(help="With --room: forget this player's words.")
    ] = None,
    older_than: Annotated[
        int, typer.Option(min=0, help="Remove rooms untouched for so many days.")
    ] = 90,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Remove rooms from the journal for good, or forget one player.

    A forgotten player's name and reasons are erased; the votes stay, nameless, so that
    tallies do. The server must not be running on the same folder.
    """
    if player is not None and room is None:
        raise typer.BadParameter("--player goes with --room CODE")
    asyncio.run(_purge(data or default_data(), room, player, older_than, yes))


async def _purge(
    folder: Path, room: str | None, player: str | None, days: int, yes: bool
) -> None:
    async with open_journal(folder) as store:
        if room is not None and player is not None:
            await _forget(store, RoomCode(room.upper()), player)
            return
        cutoff_ms = int(time.time() * 1000) - days * DAY_MS
        doomed = [
            record
            for record in await store.rooms()
            if (record.code == room.upper() if room else record.updated_ms < cutoff_ms)
        ]
        if not doomed:
            raise fail("Nothing to remove: see twogaps rooms for what there is.")
        names = ", ".join(record.code for record in doomed)
        if not yes:
            typer.confirm(f"Remove {len(doomed)} rooms for good ({names})?", abort=True)
        for record in track(doomed, "Removing", console=out, transient=True):
            await store.delete(record.code)
        out.print(f"Removed {len(doomed)} rooms: {names}.", highlight=False)


async def _forget(store: SqliteStore, room: RoomCode, name: str) -> None:
    named: dict[PlayerId, str] = {}
    for event in await store.load(room):
        if isinstance(event, PlayerJoined | PlayerRenamed):
            named[event.player] = event.name
    found = [player for player, called in named.items() if called == name]
    if not found:
        known = ", ".join(sorted(named.values())[:20]) or "nobody"
        raise fail(f"No player '{name}' in room {room}. There are: {known}.")
    for player in found:
        changed = await store.erase_player(room, player, "erased")
        out.print(f"Forgot {name}: {changed} entries changed.", highlight=False)
