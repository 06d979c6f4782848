"""Moves rooms to other nodes: ``room move``, ``room take`` and ``fleet`` commands."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, LiteralString

import typer

from scenarios.load import load_library
from scenarios.prose import plural
from server.cli.console import (
    DataOption,
    JournalOption,
    complain,
    default_data,
    fail,
    out,
)
from server.federation.messages import EPOCHS
from server.folder import INCOMING, SITE
from server.game.engine import ReplayError, replay
from server.game.events import RoomMoved
from server.game.ids import RoomCode
from server.game.state import RoomState
from server.journal.opening import Address, is_shared, open_journal, open_store
from server.journal.parcel import SUFFIX, Parcel, ParcelError, pack, unpack
from server.journal.store import EventStore, Journal, StoreUnavailable, UnreadableEvent
from server.rooms.requests import key_of

if TYPE_CHECKING:
    from server.journal.postgres import PostgresStore

NODES: LiteralString = """
SELECT name, url, load, is_draining, until > clock_timestamp(),
    extract(epoch FROM clock_timestamp() - until)::float,
    (SELECT count(*) FROM rooms WHERE node = nodes.name AND is_held)
FROM nodes ORDER BY name
"""

DRAIN: LiteralString = """
WITH asked AS (
    UPDATE nodes SET is_draining = true
    WHERE name = %s AND until > clock_timestamp() RETURNING name
)
SELECT pg_notify('twogaps', %s) FROM asked
"""

DRAIN_LOOK_S = 0.2
"""Seconds between two checks of the progress of a drain."""


def move_room(
    code: Annotated[str, typer.Argument(help="Code of the room.", metavar="CODE")],
    to: Annotated[
        str,
        typer.Option("--to", help="Site name of the node that will continue the room."),
    ],
    data: DataOption = None,
    journal: JournalOption = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="Where to write the room.  [default: CODE-to-NODE.room]"
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            help="The other node's data folder, if it can be reached from here.",
        ),
    ] = None,
) -> None:
    """Move a room to another node, from its journal here.

    Use this for a home that is down or about to be; its server must not be running. The
    room is marked as moved in the journal, so that it is not opened here again. Copy
    the file to the other node and run [b]twogaps room take FILE[/] there. The room
    continues within seconds; players and votes from all sites follow automatically.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", to):
        raise fail(
            f"'{to}' is not a valid site name. Use lowercase letters, digits and "
            "hyphens."
        )
    folder = data or default_data()
    room = RoomCode(code.strip().upper())
    packed = asyncio.run(_leave(journal or folder, folder, room, to))
    if into is not None:
        target = into / INCOMING / f"{room}{SUFFIX}"
        _must_be_data(into)
        target.parent.mkdir(exist_ok=True)
    else:
        target = file or Path(f"{room}-to-{to}{SUFFIX}")
    _write(target, packed)
    out.print(f"Room {room} has left {folder} for {to}: {target}", highlight=False)
    if into is None:
        out.print(f"At {to}, run:  twogaps room take {target.name}", highlight=False)


async def _leave(where: Address, folder: Path, room: RoomCode, to: str) -> bytes:
    """Mark the room as moved, and return its file; repeating it gives the same file."""
    async with open_journal(where, folder, must_exist=True) as store:
        state = await _state(store, room)
        own = _site(folder)
        if state.home not in (None, own, to):
            raise fail(
                f"Room {room} has already moved from here to {state.home}. Move it "
                "from there: only the current journal can be moved."
            )
        if to == own and state.home in (None, own):
            raise fail(f"Room {room} is already at {to}.")
        if state.home != to:
            await _mark(store, state, to)
            state = await _state(store, room)
        return pack(room, to, state.epoch, await store.bodies(room))


async def _state(store: EventStore, room: RoomCode) -> RoomState:
    try:
        events = await store.load(room)
    except (StoreUnavailable, UnreadableEvent) as exc:
        raise fail(f"Room {room} cannot be read: {exc}.") from exc
    if not events:
        raise fail(f"No room {room} in this journal: see twogaps room list.")
    try:
        return replay(events)
    except ReplayError as exc:
        told = f"Room {room} cannot be replayed: {exc}. Run twogaps journal check."
        raise fail(told) from exc


async def _mark(store: EventStore, state: RoomState, to: str) -> None:
    if state.epoch >= EPOCHS:
        raise fail(f"Room {state.code} has moved {EPOCHS} times, which is the limit.")
    now_ms = int(time.time() * 1000)
    moved = RoomMoved(to=to, epoch=state.epoch + 1, at_ms=now_ms)
    try:
        await store.append(state.code, state.version, [moved])
    except StoreUnavailable as exc:
        raise fail(f"The journal cannot be written: {exc}. Nothing was moved.") from exc


def take_room(
    file: Annotated[
        Path,
        typer.Argument(help="The file that twogaps room move wrote.", exists=True),
    ],
    data: DataOption = None,
) -> None:
    """Take over a room from another node, even while the server here is running.

    The data folder must belong to a node that plays with other sites (twogaps serve
    --broker) and has home rights.
    """
    folder = data or default_data()
    _must_be_data(folder)
    packed = file.read_bytes()
    try:
        parcel = unpack(packed)
        state = _checked(parcel)
    except ParcelError as exc:
        raise fail(f"{file} cannot be used: {exc}.") from exc
    if (own := _site(folder)) != parcel.to:
        raise fail(f"{file} is for '{parcel.to}', and {folder} belongs to '{own}'.")
    target = folder / INCOMING / f"{parcel.code}{SUFFIX}"
    target.parent.mkdir(exist_ok=True)
    _write(target, packed)
    out.print(
        f"Room {parcel.code} continues here within seconds, or when the server starts. "
        "Its host's link, behind the address of this server:",
        highlight=False,
    )
    out.print(
        f"  /host#room={parcel.code}&key={key_of(state, 'host')}",
        highlight=False,
        soft_wrap=True,
    )


def _checked(parcel: Parcel) -> RoomState:
    try:
        return replay(parcel.events())
    except ReplayError as exc:
        raise ParcelError("its events do not make a room") from exc


def _site(folder: Path) -> str | None:
    path = folder / SITE
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def _must_be_data(folder: Path) -> None:
    if _site(folder) is None:
        raise fail(
            f"{folder} is not the data folder of a node that plays with others. Start "
            "it once with twogaps serve --broker, or choose another folder with "
            "--data."
        )


def _write(target: Path, packed: bytes) -> None:
    """Write a file atomically, readable only by this user."""
    part = target.with_name(target.name + ".part")
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
        ) as f:
            f.write(packed)
            f.flush()
            os.fsync(f.fileno())
        part.replace(target)
    except OSError as exc:
        raise fail(
            f"{target} cannot be written: {exc.strerror}. Run it again."
        ) from exc


# --- a fleet -------------------------------------------------------------------------


def list_nodes(journal: JournalOption = None) -> None:
    """List the nodes of a fleet: their rooms, load and lease.

    Use the same --journal as the nodes.
    """
    rows = asyncio.run(_nodes(_fleet(journal)))
    if not rows:
        out.print("No node has used this database yet.")
    for node in rows:
        state = "draining" if node.is_draining else "up"
        lease = state if node.is_live else f"gone for {max(0, node.over_s):.0f} s"
        rooms = plural(node.rooms, "room")
        out.print(
            f"{node.name}: {lease}, {rooms}, load {node.load}, {node.url}",
            highlight=False,
            soft_wrap=True,
        )


def drain(
    name: Annotated[str, typer.Argument(help="Name of the node.", metavar="NODE")],
    journal: JournalOption = None,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="How long to wait, in seconds.")
    ] = 60.0,
) -> None:
    """Hand the rooms of a node over to the other nodes, while classes play.

    Each room moves between two votes, and its people reconnect once. The node takes no
    rooms until it is restarted, and /readyz reports that it is draining. A node that is
    stopped with SIGTERM does the same before it exits.
    """
    left = asyncio.run(_drain(_fleet(journal), name, wait_s))
    if left:
        raise fail(
            f"{name} still has {plural(left, 'room')}. Another node that can read "
            f"{'it' if left == 1 else 'them'} must be up: see twogaps fleet list."
        )
    out.print(f"{name} has no rooms left and can be stopped.", highlight=False)


def share_cases(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Your folder, with cases/*.toml and decks/*.toml."),
    ] = None,
    journal: JournalOption = None,
) -> None:
    """Give all nodes of a fleet your own cases and decks; without FOLDER, list them.

    They replace those that are in the database, and new rooms have them within
    seconds. An empty folder removes them.
    """
    where = _fleet(journal)
    if folder is None:
        names = asyncio.run(_shared_cases(where))
        out.print(
            "\n".join(names) or "No cases of your own yet. Name a folder to add some.",
            markup=False,
        )
        return
    files = _case_files(folder)
    asyncio.run(_share(where, files))
    what = (
        f"will have {plural(len(files), 'file')} of your own"
        if files
        else "will have no cases of your own"
    )
    out.print(f"All nodes {what} within seconds.")


def _case_files(folder: Path) -> dict[str, str]:
    """Return the case and deck files in a folder; exit if any has a problem."""
    if not folder.is_dir():
        raise fail(f"There is no folder {folder}.")
    files = [*folder.glob("cases/*.toml"), *folder.glob("decks/*.toml")]
    problems = load_library(folder).problems if files else ()
    for problem in problems:
        complain(str(problem))
    if problems:
        raise fail(
            "Nothing was changed. Correct these files, and run the command again."
        )
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8-sig")
        for file in files
    }


async def _shared_cases(where: str) -> list[str]:
    from server.federation.fleet import shelved_files

    try:
        async with open_store(where, must_exist=True) as store:
            return await shelved_files(_database(store))
    except StoreUnavailable as exc:
        raise fail(f"{exc}.") from exc


async def _share(where: str, files: dict[str, str]) -> None:
    from server.federation.fleet import put_on_shelf

    try:
        async with open_store(where, must_exist=True) as store:
            await put_on_shelf(_database(store), files)
    except StoreUnavailable as exc:
        raise fail(f"{exc}. Nothing was changed.") from exc


@dataclass(frozen=True, slots=True)
class _Node:
    """A row in the list of nodes."""

    name: str
    url: str
    load: int
    is_draining: bool
    is_live: bool
    over_s: float
    rooms: int


def _fleet(journal: str | None) -> str:
    """Return the URL of a fleet's database."""
    if journal is None or not is_shared(journal):
        raise fail("Name the fleet's database: --journal postgresql://…")
    return journal


async def _nodes(journal: str) -> list[_Node]:
    try:
        async with open_store(journal, must_exist=True) as store:
            return await _read_nodes(store)
    except StoreUnavailable as exc:
        raise fail(f"{exc}.") from exc


async def _read_nodes(store: Journal) -> list[_Node]:
    async with _database(store).connection() as db:
        return [_Node(*row) for row in await (await db.execute(NODES)).fetchall()]


def _database(store: Journal) -> PostgresStore:
    from server.journal.postgres import PostgresStore

    if not isinstance(store, PostgresStore):
        raise fail("A fleet keeps its journal in PostgreSQL: --journal postgresql://…")
    return store


async def _drain(journal: str, name: str, wait_s: float) -> int:
    """Drain a node; return how many rooms it still has after ``wait_s`` seconds."""
    try:
        async with open_store(journal, must_exist=True) as store:
            async with _database(store).connection() as db:
                asked = await (await db.execute(DRAIN, (name, name))).fetchall()
            if not asked:
                raise fail(f"No live node is named '{name}'. See twogaps fleet list.")
            until_s = time.monotonic() + wait_s
            while True:
                nodes = await _read_nodes(store)
                left = next((node.rooms for node in nodes if node.name == name), 0)
                if not left or time.monotonic() >= until_s:
                    return left
                await asyncio.sleep(DRAIN_LOOK_S)
    except StoreUnavailable as exc:
        raise fail(f"{exc}.") from exc
