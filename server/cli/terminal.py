"""Commands that use a running server: a host, a player and practice players."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer
from rich.progress import Progress

from client.admin import admin
from client.errors import ClientError
from client.practice import PracticeSettings, knowledge_of, run_practice
from client.staff import host as connect_host
from client.terminal.host import run_host
from client.terminal.player import play
from scenarios.load import load_library
from scenarios.prose import plural
from server.cli.console import (
    DataOption,
    JournalOption,
    UrlOption,
    default_data,
    fail,
    out,
)
from server.cli.journal import reading
from server.folder import stored_key
from server.game.engine import replay
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.rooms.requests import key_of

LOCAL = "http://127.0.0.1:8000"


def host(
    link: Annotated[
        str | None,
        typer.Argument(help="The host link; without it a new room is opened."),
    ] = None,
    deck: Annotated[str, typer.Option(help="Deck for a new room.")] = "first-class",
    length: Annotated[
        int | None,
        typer.Option(min=1, help="Number of rounds (default: all)."),
    ] = None,
    suggested_names: Annotated[
        bool,
        typer.Option(
            "--suggested-names", help="Accept only suggested names in a new room."
        ),
    ] = False,
    url: UrlOption = LOCAL,
    data: DataOption = None,
) -> None:
    """Run a room from this terminal."""
    order = NewRoom(deck, length, suggested_names)
    try:
        code = asyncio.run(_host(link, order, url, data or default_data()))
    except ClientError as exc:
        raise fail(str(exc)) from exc
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class NewRoom:
    """The options for a new room."""

    deck: str
    length: int | None
    suggested_names: bool


async def _host(link: str | None, order: NewRoom, url: str, data: Path) -> int:
    if link is not None:
        room, key, url = _read_link(link, url)
        return await run_host(url, room, key, out)
    async with admin(url, stored_key(data)) as desk:
        decks = (await desk.list_decks()).decks
        settings = RoomSettings(
            suggested_names=order.suggested_names,
            two_link=any(deck.two_link for deck in decks if deck.id == order.deck),
            auto_close=None,
        )
        opened = await desk.open_room(
            order.deck, length=order.length, settings=settings
        )
    out.print(f"Room [b]{opened.room}[/]: players join at {url}/j/{opened.room}")
    return await run_host(url, opened.room, opened.host_key, out)


def _read_link(link: str, url: str) -> tuple[str, str, str]:
    """Return the room, the key and the server URL from a host link."""
    parts = urlsplit(link)
    fields = parse_qs(parts.fragment)
    room, key = fields.get("room"), fields.get("key")
    if not room or not key:
        raise fail("This is not a host link: it should end in #room=CODE&key=KEY.")
    return room[0], key[0], f"{parts.scheme}://{parts.netloc}" if parts.netloc else url


def new_link(
    code: Annotated[str, typer.Argument(help="Code of the room.", metavar="CODE")],
    cohosts: Annotated[
        bool, typer.Option("--cohosts", help="Also revoke the co-hosts' links.")
    ] = False,
    url: UrlOption = LOCAL,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Revoke a room's host link, and print the new one.

    The server must be running, with its journal on this machine. Hosts who used an
    earlier link are disconnected; players, projector pages and co-hosts notice nothing.
    """
    try:
        room, key = asyncio.run(_new_link(code, cohosts, url, data, journal))
    except ClientError as exc:
        raise fail(str(exc)) from exc
    out.print("The old host link is revoked. The new one:", highlight=False)
    out.print(f"  {url}/host#room={room}&key={key}", highlight=False, soft_wrap=True)


async def _new_link(
    code: str, cohosts: bool, url: str, data: Path | None, journal: str | None
) -> tuple[RoomCode, str]:
    room = RoomCode(code.strip().upper())
    async with reading(data, journal) as store:
        events = await store.load(room)
    if not events:
        raise fail(f"No room {room} in this journal: see twogaps room list.")
    async with connect_host(url, room, key_of(replay(events), "host")) as leader:
        return room, await leader.call_back_link(cohosts=cohosts)


def join(
    code: Annotated[str, typer.Argument(help="The room's code, or its link.")],
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Your name; asked for if omitted."),
    ] = None,
    url: UrlOption = LOCAL,
) -> None:
    """Play in this terminal."""
    parts = urlsplit(code)
    if parts.netloc:
        url = f"{parts.scheme}://{parts.netloc}"
        code = parts.path.rsplit("/", 1)[-1]
    called = name or typer.prompt("Your name")
    try:
        ended = asyncio.run(play(url, code, called, out))
    except ClientError as exc:
        raise fail(str(exc)) from exc
    raise typer.Exit(ended)


def players(
    code: Annotated[str, typer.Argument(help="The room's code.")],
    n: Annotated[int, typer.Option("-n", min=1, max=2000, help="How many.")] = 30,
    seed: Annotated[int, typer.Option(help="Same seed, same answers.")] = 1,
    skill: Annotated[
        float, typer.Option(min=0, max=1, help="Chance of being right.")
    ] = 0.65,
    spread: Annotated[
        float, typer.Option(min=0, max=0.5, help="How much their skills differ.")
    ] = 0.1,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=1, help="Mean confidence.")
    ] = 0.75,
    lean: Annotated[
        float, typer.Option(min=-1, max=1, help="Bias toward outer (1) or inner (-1).")
    ] = 0.0,
    delay: Annotated[
        tuple[float, float], typer.Option(help="Shortest and longest pause (s).")
    ] = (2.0, 15.0),
    url: UrlOption = LOCAL,
) -> None:
    """Add practice players to a room, to rehearse a lesson.

    They are marked as practice and left out of every tally, unless the room was opened
    as a rehearsal.
    """
    settings = PracticeSettings(
        n=n,
        seed=seed,
        skill=skill,
        skill_spread=spread,
        confidence=confidence,
        lean=lean,
        delay_s=delay,
    )
    title = f"{plural(n, 'practice player')} in {code.upper()}"
    with Progress(console=out, transient=True) as progress:
        task = progress.add_task(title, total=None)
        try:
            asyncio.run(
                run_practice(
                    url,
                    code,
                    settings,
                    knowledge_of(load_library().cases.values()),
                    on_event=lambda text: progress.update(task, description=text),
                )
            )
        except ClientError as exc:
            raise fail(str(exc)) from exc
