"""``twogaps play`` starts everything that a class needs with one command.

``twogaps demo`` plays a whole game with practice players in one terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import urllib.request
import webbrowser
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from client.errors import ClientError
from client.practice import PracticeSettings, knowledge_of, run_practice
from client.staff import host
from client.terminal.demo import run_demo
from scenarios.library import ScenarioError
from scenarios.prose import plural
from server.app import Config, Running, running
from server.cli.console import (
    DataOption,
    can_draw_qr,
    date_of,
    default_data,
    fail,
    out,
    with_options,
)
from server.cli.greeting import (
    OpenedRoom,
    Place,
    Places,
    admin_link,
    greet,
    links_to,
    open_room,
    show_trouble,
    start_page,
)
from server.cli.logs import set_up_logging
from server.cli.serve import Stop, practice_bringer, run_server
from server.folder import CannotStart, in_use, is_served
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.phases import Phase
from server.game.settings import RoomSettings
from server.game.views.stage_types import Standing
from server.journal.opening import open_store
from server.journal.store import (
    NoJournal,
    RoomRecord,
    StoreUnavailable,
    UnreadableEvent,
)
from server.listening import is_free
from server.protocol.client_messages import OpenRoom

FIRST_PORT, PORTS = 8000, 10
"""The first free port of these is used, so that a restart usually gets the same one."""

DECK = "first-class"
ANSWER_S = 3.0
"""Seconds that a running server has to respond to a request for its start page."""

STARTED = "started"
"""The file in the data folder with the start page's URL while the server runs."""


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """The options of ``twogaps play``."""

    deck: Annotated[
        str | None,
        typer.Option(help="Open a new room with this deck.  [default: first-class]"),
    ] = None
    name: Annotated[
        str | None,
        typer.Option(help="Open a new room with this name, such as '9b, Tuesday'."),
    ] = None
    is_new: Annotated[
        bool,
        typer.Option("--new", help="Open a new room, even if one is unfinished."),
    ] = False
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "0.0.0.0"  # noqa: S104 - a class is on the LAN
    port: Annotated[
        int | None,
        typer.Option(help="Port.  [default: 8000, or the next one that is free]"),
    ] = None
    data: DataOption = None
    has_browser: Annotated[
        bool | None,
        typer.Option(
            "--browser/--no-browser",
            help="Open the console in the browser.  [default: if there is a desktop]",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whether there is a terminal and a browser for showing things to the user."""

    has_terminal: bool
    has_browser: bool


@with_options(PlayOptions)
def play(options: PlayOptions) -> None:
    """Play with a class: start the server, open the console, show the QR code.

    If a room is unfinished, the command offers to continue it. Stop the server with
    Ctrl-C or on its start page. Recorded votes are already saved.
    """
    set_up_logging("warning")
    around = surroundings(options.has_browser)
    folder = options.data or default_data()
    try:
        if is_served(folder):
            return _show_again(folder, around)
        room = None
        if not options.is_new and options.deck is None and options.name is None:
            room = _chosen(_unfinished(folder), around)
        _play(options, folder, around, room)
    except CannotStart as exc:
        if around.has_browser and not around.has_terminal:
            show_trouble(str(exc))
        raise


def surroundings(has_browser: bool | None) -> Surroundings:
    """Detect the surroundings; ``has_browser`` is the user's choice, or None."""
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if has_browser is None:
        has_browser = _has_desktop()
    return Surroundings(has_terminal, has_browser)


def _has_desktop() -> bool:
    if "BROWSER" in os.environ:
        return True
    if "SSH_CONNECTION" in os.environ:
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _show_again(folder: Path, around: Surroundings) -> None:
    """Show the start page of the server that is using this folder.

    Raises :class:`CannotStart` if that server has none, like ``twogaps serve``.
    """
    try:
        page = (folder / STARTED).read_text(encoding="ascii").strip()
        urllib.request.urlopen(page, timeout=ANSWER_S).close()  # noqa: S310 - our own
    except (OSError, ValueError) as exc:
        raise in_use(folder) from exc
    out.print("Two Gaps is already running. Its page:", highlight=False)
    out.print(f"  [cyan]{page}[/]", highlight=False, soft_wrap=True)
    if around.has_browser:
        webbrowser.open(page)


# --- which room ----------------------------------------------------------------------


def _unfinished(folder: Path) -> list[RoomRecord]:
    """Return the unfinished rooms in a folder, most recently played first."""
    try:
        found = asyncio.run(_records(folder))
    except (NoJournal, StoreUnavailable, UnreadableEvent):
        return []  # a new folder; otherwise, the server reports what is wrong
    left = [record for record in found if record.finished_ms is None]
    return sorted(left, key=lambda record: record.updated_ms, reverse=True)


async def _records(folder: Path) -> list[RoomRecord]:
    async with open_store(folder, must_exist=True) as store:
        return await store.rooms()


def _chosen(left: Sequence[RoomRecord], around: Surroundings) -> RoomCode | None:
    """Return the unfinished room to continue; None for a new one.

    A room that no one has joined is reused without asking.
    """
    if not left:
        return None
    last = left[0]
    if not around.has_terminal or not last.joined:
        return last.code
    players = plural(last.joined, "player")
    text = (
        f"Room {last.code} ({last.called}) is unfinished: {players}, last "
        f"played {date_of(last.updated_ms, last.time_zone)}. Continue it?"
    )
    return last.code if typer.confirm(text, default=True) else None


# --- the server ----------------------------------------------------------------------


def _play(
    options: PlayOptions, folder: Path, around: Surroundings, code: RoomCode | None
) -> None:
    config = Config(
        host=options.host,
        port=free_port(options.host) if options.port is None else options.port,
        data=folder,
        bring_practice=practice_bringer,
    )

    @contextlib.asynccontextmanager
    async def greeting(server: Running, stop: Stop) -> AsyncIterator[None]:
        room = _continued(server, code) if code else None
        room = room or await open_room(server, options.deck or DECK, options.name or "")
        async with start_page(lambda: _places(server, room), stop) as page:
            with _noted(folder / STARTED, page):
                greet(server, config, room, None if around.has_browser else page)
                await _show(page, room, around)
                yield

    run_server(config, greeting)


def free_port(host: str, first: int = FIRST_PORT) -> int:
    """Return the first free port from ``first`` on, or 0 (any) if all are taken."""
    ports = range(first, first + PORTS)
    found = next((port for port in ports if is_free(host, port)), 0)
    if found != first:
        out.print(f"Port {first} is in use; using another one.", highlight=False)
    return found


def _continued(server: Running, code: RoomCode) -> OpenedRoom | None:
    """Return the links to an unfinished room; None if it could not be loaded."""
    room = server.directory.running(code)
    return links_to(server, code, room.key_of("host")) if room else None


async def _show(page: str, room: OpenedRoom | None, around: Surroundings) -> None:
    """Open the browser; at the host console if the terminal has shown the QR code."""
    if not around.has_browser:
        return
    is_shown = around.has_terminal and can_draw_qr()
    link = room.host if room and is_shown else page
    if not await asyncio.to_thread(webbrowser.open, link):
        out.print(
            f"  No browser opened. Open this page yourself: {page}\n", soft_wrap=True
        )


async def _places(server: Running, today: OpenedRoom | None) -> Places:
    found = []
    for room in await server.directory.summaries():
        running = server.directory.running(room.room)
        if running is not None and room.phase is not Phase.FINISHED:
            links = links_to(server, room.room, running.key_of("host"))
            when = date_of(room.updated_ms, room.time_zone)
            found.append(Place(links, room.joined, when, room.name))
    code = today.code if today else None
    return Places(
        today=next((place for place in found if place.links.code == code), None),
        others=tuple(place for place in found if place.links.code != code),
        new=admin_link(server),
    )


@contextlib.contextmanager
def _noted(file: Path, page: str) -> Iterator[None]:
    """Store the URL of the start page for the next ``twogaps play``."""
    with contextlib.suppress(OSError):
        file.touch(mode=0o600)
        file.write_text(page + "\n", encoding="ascii")
    yield
    with contextlib.suppress(OSError):
        file.unlink()


# --- a game to watch -----------------------------------------------------------------


NO_PAUSE = (0.0, 0.0)
CLASS_PACE = (1.0, 8.0)
"""The shortest and longest time before a practice player answers, in seconds."""


def demo(
    players: Annotated[
        int, typer.Option("--players", "-n", min=1, max=2000, help="Practice players.")
    ] = 30,
    seed: Annotated[int, typer.Option(help="Same seed, same game.")] = 7,
    fast: Annotated[bool, typer.Option("--fast", help="No pauses.")] = False,
    deck: Annotated[str, typer.Option(help="Which deck to play.")] = "first-class",
    length: Annotated[
        int | None,
        typer.Option(min=1, help="Number of rounds (default: all)."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder to keep the journal in.  [default: nothing is kept]"),
    ] = None,
) -> None:
    """Watch a whole game in this terminal: a server, a room and practice players.

    Everything but the people is real: sockets, votes, tallies, the breakdown with the
    two-gaps diagram, and the final table.
    """
    set_up_logging("warning")
    try:
        game = play_demo(players, seed, fast=fast, deck=deck, length=length, data=data)
        room, _ = asyncio.run(game)
    except* (Refused, ClientError, ScenarioError) as group:
        first = group.exceptions[0]
        raise fail(getattr(first, "detail", str(first))) from first
    if data is not None:
        out.print(f"The journal of room {room} is in {data}.", highlight=False)


async def play_demo(
    players: int,
    seed: int,
    *,
    fast: bool,
    deck: str,
    length: int | None = None,
    data: Path | None = None,
) -> tuple[str, tuple[Standing, ...]]:
    """Play a game over real sockets; return the room's code and the final table."""
    pause = NO_PAUSE if fast else CLASS_PACE
    practice = PracticeSettings(n=players, seed=seed, delay_s=pause)
    async with running(Config(port=0, data=data)) as server:
        settings = RoomSettings(
            simulated=True,
            podium=True,
            time_factor=None,
            max_players=players,
            two_link=server.library.deck(deck).two_link,
        )
        order = OpenRoom(deck=deck, length=length, seed=seed, settings=settings)
        room, key = await server.admin.open_room(order)
        knowledge = knowledge_of(server.library.cases.values())
        async with asyncio.TaskGroup() as group:
            crowd = run_practice(server.local_url, room, practice, knowledge)
            group.create_task(crowd, name="practice")
            async with host(server.local_url, room, key) as teacher:
                table = await run_demo(teacher, players=players, fast=fast, console=out)
    return room, table
