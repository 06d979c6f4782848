"""The links and the QR code that a teacher sees at startup, printed or as a page."""

from __future__ import annotations

import contextlib
import logging
import secrets
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from server.app import Config, Running
from server.cli.console import err, out, print_qr
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.settings import RoomSettings
from server.journal.opening import shown
from server.net.pages import (
    TYPES,
    bad_request,
    is_well_formed,
    not_found,
    qr_svg,
    response,
)
from server.protocol.client_messages import OpenRoom
from server.protocol.keys import screen_key

LOOPBACK = "127.0.0.1"
TOKEN_BYTES = 16
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;"
    "padding:0 1rem;color:#111;background:#fff}svg{width:min(20rem,80vw);height:auto}"
    "a.button,button{display:inline-block;font:inherit;padding:.6rem 1.2rem;margin:"
    ".3rem .6rem .3rem 0;border:2px solid #111;border-radius:.4rem;background:#fff;"
    "color:#111;text-decoration:none;cursor:pointer}a.first{background:#111;"
    "color:#fff}code{font-size:1.6rem;letter-spacing:.1em}p.note{color:#444}"
)

Words = dict[str, str]
ENGLISH: Words = {
    "language": "en",
    "running": "Two Gaps is running",
    "console": "Open the console",
    "projector": "Open the projector page",
    "scan": "Players scan this code, or open {address} and type the code:",
    "others": "Unfinished rooms",
    "player": "1 player",
    "players": "{n} players",
    "played": "{players}, last played {when}",
    "new": "Open another room",
    "stop": "Stop the server",
    "saved": "Recorded votes are on disk. Unfinished rooms continue next time.",
    "stopped": "Two Gaps has stopped",
    "close": "You can close this page.",
    "trouble": "Two Gaps cannot start",
}
GERMAN: Words = {
    "language": "de",
    "running": "Two Gaps läuft",
    "console": "Steuerung öffnen",
    "projector": "Seite für den Beamer öffnen",
    "scan": "Alle scannen diesen Code oder öffnen {address} und tippen den Code ein:",
    "others": "Angefangene Räume",
    "player": "1 Person",
    "players": "{n} Personen",
    "played": "{players}, zuletzt gespielt {when}",
    "new": "Einen anderen Raum öffnen",
    "stop": "Server beenden",
    "saved": "Alle Stimmen sind gespeichert. Angefangene Räume gehen beim nächsten Mal "
    "weiter.",
    "stopped": "Two Gaps ist beendet",
    "close": "Du kannst diese Seite schließen.",
    "trouble": "Two Gaps kann nicht starten",
}


@dataclass(frozen=True, slots=True)
class OpenedRoom:
    """A room and the links that lead to it."""

    code: RoomCode
    host: str
    projector: str
    players: str


def links_to(server: Running, code: RoomCode, key: str) -> OpenedRoom:
    """Return the links to a room; ``key`` is the host key."""
    staff = f"room={code}&key="
    return OpenedRoom(
        code=code,
        host=f"{server.staff_url}/host#{staff}{key}",
        projector=f"{server.staff_url}/screen#{staff}{screen_key(key)}",
        players=f"{server.url}/j/{code}",
    )


def admin_link(server: Running) -> str:
    """Return the link that opens rooms."""
    key = f"#admin={server.admin_key}" if server.admin_key else "#admin="
    return f"{server.staff_url}/host{key}"


async def open_room(server: Running, deck: str, name: str = "") -> OpenedRoom | None:
    """Open a room with a deck; if that is not possible, print the reason.

    Votes close as defined by the room's flow.
    """
    found = server.library.decks.get(deck)
    two_link = found is not None and found.two_link
    settings = RoomSettings(two_link=two_link, auto_close=None)
    try:
        order = OpenRoom(deck=deck, settings=settings, name=name[:200])
        code, key = await server.admin.open_room(order)
    except Refused as refusal:
        err.print(f"[bold red]No room:[/] {refusal.detail}")
        return None
    return links_to(server, code, key)


def greet(
    server: Running, config: Config, room: OpenedRoom | None, page: str | None = None
) -> None:
    """Print the links, and a QR code for players.

    The QR code leads to the room or, without one, to the page where players enter a
    code. ``page`` is the URL of the start page, if it should be printed.
    """
    lines = out.print
    lines()
    lines("[bold]Two Gaps[/] is running.", highlight=False)
    _link("Open rooms ", admin_link(server), "only for you")
    if room is not None:
        _link("Host       ", room.host)
        _link("Projector  ", room.projector)
        _link("Players    ", room.players, f"code {room.code}")
    else:
        _link("Players    ", f"{server.url}/", "with a room's code")
    if not print_qr(room.players if room else f"{server.url}/"):
        name = f"/qr/{room.code}.svg" if room else "/qr.svg"
        _link("QR code    ", f"{server.staff_url}{name}", "open it in a browser")
    if page is not None:
        _link("Start page ", page, "only for you")
    where = config.journal or config.data
    kept = shown(where) if where else "memory only: nothing is kept"
    lines(f"  Journal      {kept}", highlight=False, soft_wrap=True)
    live = [running.code for running in server.directory.live]
    if live:
        lines(f"  Rooms        {', '.join(live)}", highlight=False)
    if not server.is_web_built:
        lines("  The browser pages are not built; play with [b]twogaps join[/].")
    lines("  Stop with Ctrl-C.\n")


def _link(name: str, url: str, note: str = "") -> None:
    tail = f"  [dim]({note})[/]" if note else ""
    out.print(f"  {name}  [cyan]{url}[/]{tail}", highlight=False, soft_wrap=True)


# --- the start page, without a terminal -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A room on the start page."""

    links: OpenedRoom
    joined: int
    when: str
    """When it was last played, as text."""
    name: str = ""
    """The host's name for the room; empty if it has none."""


@dataclass(frozen=True, slots=True)
class Places:
    """The contents of the start page: today's room, unfinished rooms and a new one."""

    today: Place | None
    others: tuple[Place, ...]
    new: str
    """The link to the page that opens rooms."""


@contextlib.asynccontextmanager
async def start_page(
    places: Callable[[], Awaitable[Places]], stop: Callable[[], None]
) -> AsyncIterator[str]:
    """Serve the start page for as long as the block lasts; yield its URL.

    The page is served only to this machine, at a URL that cannot be guessed, because it
    contains the host keys and a button that stops the server.

    ``places`` is called each time the page is requested, and ``stop`` is called when
    the button is pressed. Raises OSError if no port is free.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)

    async def answer(_: ServerConnection, request: Request) -> Response:
        if not is_well_formed(request):
            return bad_request()
        words = _words(request.headers.get("Accept-Language", ""))
        path = request.path.partition("?")[0]
        if path == f"/{token}":
            return _html(_page(await places(), words, f"/{token}/stop"))
        if path == f"/{token}/stop":
            stop()
            return _html(_told(words, "stopped", words["saved"], words["close"]))
        return not_found()

    async def refuse(ws: ServerConnection) -> None:
        await ws.close()  # never reached: every request is answered as a page

    quiet = logging.getLogger("twogaps.websockets")
    async with serve(
        refuse, LOOPBACK, 0, process_request=answer, server_header=None, logger=quiet
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://{LOOPBACK}:{port}/{token}"


def show_trouble(text: str) -> None:
    """Explain in the browser why the server cannot start."""
    page = _told(ENGLISH, "trouble", text)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="two-gaps-", suffix=".html", delete=False
    ) as file:
        file.write(page)
    webbrowser.open(Path(file.name).as_uri())


def _words(accepted: str) -> Words:
    """Return the texts in the browser's preferred language."""
    return GERMAN if accepted.strip().lower().startswith("de") else ENGLISH


def _html(page: str) -> Response:
    return response(HTTPStatus.OK, page.encode(), TYPES[".html"], HEADERS)


def _page(places: Places, words: Words, stop: str) -> str:
    parts: list[str] = []
    if places.today is not None:
        parts += _today(places.today, words)
    if places.others:
        parts.append(f"<h2>{words['others']}</h2>")
        parts += [_other(place, words) for place in places.others]
    parts.append(f"<p>{_button(places.new, words['new'])}</p>")
    parts.append(
        f'<form action="{escape(stop)}"><button>{words["stop"]}</button></form>'
        f'<p class="note">{words["saved"]}</p>'
    )
    return _framed(words, "running", "".join(parts))


def _today(place: Place, words: Words) -> list[str]:
    links = place.links
    address = links.players.partition("/j/")[0]
    named = [f"<p><b>{escape(place.name)}</b></p>"] if place.name else []
    return [
        *named,
        f"<p>{_button(links.host, words['console'], 'first')}",
        f"{_button(links.projector, words['projector'])}</p>",
        f"<p>{words['scan'].format(address=escape(address))}</p>",
        f"<p><code>{escape(links.code)}</code></p>",
        qr_svg(links.players).decode(),
    ]


def _other(place: Place, words: Words) -> str:
    people = words["player" if place.joined == 1 else "players"].format(n=place.joined)
    played = words["played"].format(players=people, when=escape(place.when))
    named = f"<b>{escape(place.name)}</b>, " if place.name else ""
    return f"<p>{_button(place.links.host, place.links.code)} {named}{played}</p>"


def _button(link: str, text: str, kind: str = "") -> str:
    name = f"button {kind}".strip()
    return f'<a class="{name}" href="{escape(link)}">{escape(text)}</a> '


def _told(words: Words, heading: str, *lines: str) -> str:
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return _framed(words, heading, told)


def _framed(words: Words, heading: str, body: str) -> str:
    title = words[heading]
    return (
        f'<!doctype html><html lang="{words["language"]}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>\n"
    )
