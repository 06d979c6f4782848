"""The web pages, served on the same port from a table that is read once at startup.

The browser client in client/web/dist is served as it was built: hashed assets may be
cached forever, while pages must be revalidated (ETag, 304). Files with a compressed
sibling are served with gzip or brotli. Two things are generated: the QR code of a room,
and the address at which players reach this node. Everything else is a 404.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import segno
from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request, Response

from server.game.ids import CODE_ALPHABET, CODE_LENGTH, read_code
from server.net.addresses import SOCKET_PATH, Addresses
from server.net.relay import NODE_HEADER, WAITED_HEADER

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
_UNSTORED = {"Cache-Control": "no-store"}

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
ENTRIES = {
    "/": "index.html",
    "/host": "host.html",
    "/screen": "screen.html",
    "/report": "report.html",
    "/preview": "preview.html",
}
FRAMED = ("/preview",)
"""Pages that show this server's own pages in frames (a phone beside a projector)."""
ENCODINGS = {"br": ".br", "gzip": ".gz"}
_ROOM_PATH = re.compile(r"/(?:j|join)/([^/.][^/]{0,60})/?", re.IGNORECASE)
_CODE_PATH = re.compile(r"/([^/.][^/]{0,30})/?")
_CODE = re.compile(rf"[{CODE_ALPHABET}]{{{CODE_LENGTH}}}")
_QR_PATH = re.compile(rf"^/qr/([{CODE_ALPHABET}]{{{CODE_LENGTH}}})\.svg$")

WHERE_PATH = "/where.json"

QR_PRICE = 50.0
"""The cost of drawing a QR code, in pages; drawing takes milliseconds."""

_ON_ITS_WAY = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Two Gaps</title>
<h1>Two Gaps is running</h1>
<p>The browser client is not built in this copy.</p>
<p>Play in a terminal: <code>twogaps join CODE</code>. To build the pages, install with
Node.js 20 or later and without TWOGAPS_SKIP_WEB.</p>
</html>
"""


_NOWHERE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Two Gaps</title>
<h1>There is no such page</h1>
<p><a href="/">Join a room</a> with its code.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is served; ``bodies`` maps content encodings ("" for none)."""

    kind: str
    bodies: dict[str, bytes]
    etag: str
    is_immutable: bool

    @classmethod
    def of(cls, body: bytes, kind: str, *, is_immutable: bool = False) -> Page:
        """Return a page with one uncompressed body."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        return cls(kind, {"": body}, etag, is_immutable)


class Pages:
    """Answers plain GET requests."""

    def __init__(
        self,
        folder: Path,
        addresses: Addresses,
        draw: Callable[[str], bytes] | None = None,
    ) -> None:
        """``folder`` contains the built client; ``addresses`` are those that players
        can use, and ``draw`` draws the QR code of an address (as :func:`qr_svg` does).
        """
        self._table = _read(folder)
        self._addresses = addresses
        self._drawings = Drawings(draw or qr_svg)

    @property
    def is_built(self) -> bool:
        """Whether the browser client has been built."""
        return "/index.html" in self._table

    def price(self, request: Request) -> float:
        """Return the cost of a request in pages: more if a QR code must be drawn."""
        url = self._join_url(request)
        is_undrawn = url is not None and url not in self._drawings
        return QR_PRICE if is_undrawn else 1

    async def answer(self, request: Request) -> Response:
        """Return the response to a plain request."""
        path = urlsplit(request.path).path
        if path == WHERE_PATH:
            return json_response(HTTPStatus.OK, self._where())
        if (url := self._join_url(request)) is not None:
            return _respond(await self._drawings.of(url), request.headers, {})
        found = self._find(path)
        if found is None:
            return response(HTTPStatus.NOT_FOUND, _NOWHERE, TYPES[".html"])
        policy = {"Content-Security-Policy": policy_of(path, self._addresses.sockets)}
        return _respond(found, request.headers, policy)

    def _where(self) -> Mapping[str, object]:
        """Return the addresses at which players reach this server, for its pages."""
        urls, used = self._addresses.urls, self._addresses.used
        return {"url": urls[0], "urls": urls, "used": used}

    def _join_url(self, request: Request) -> str | None:
        """Return the address to encode, if the request is for a QR code.

        ``/qr/CODE.svg`` leads to a room, ``/qr.svg`` to the page where a code is typed.
        ``?at=`` selects another address of this server by its host and port.
        """
        parts = urlsplit(request.path)
        match = _QR_PATH.match(parts.path)
        if match is None and parts.path != "/qr.svg":
            return None
        wanted = parse_qs(parts.query).get("at", [""])[0]
        urls = self._addresses.urls
        chosen = next((url for url in urls if urlsplit(url).netloc == wanted), urls[0])
        return f"{chosen}/j/{match[1]}" if match else f"{chosen}/"

    def _find(self, path: str) -> Page | None:
        if path not in self._table and (path.rstrip("/") or "/") in ENTRIES:
            path = path.rstrip("/") or "/"
        elif path not in self._table and _is_of_room(path):
            path = "/"
        if path in ENTRIES:
            if not self.is_built:
                return Page.of(_ON_ITS_WAY.encode(), TYPES[".html"])
            path = f"/{ENTRIES[path]}"
        return self._table.get(path)


def policy_of(path: str, sockets: Iterable[str] = ()) -> str:
    """Return the content security policy of a page.

    It allows the page to connect to ``sockets`` as well as to its own address.
    """
    hosts = " ".join(["'self'", *(url.removesuffix(SOCKET_PATH) for url in sockets)])
    policy = CSP.replace("connect-src 'self'", f"connect-src {hosts}")
    if path not in FRAMED:
        return policy
    framed = "frame-ancestors 'self'; frame-src 'self'"
    return policy.replace("frame-ancestors 'none'", framed)


def _is_of_room(path: str) -> bool:
    """Return whether a path names a room, including ``/CODE`` as people type it."""
    path = unquote(path)
    if _ROOM_PATH.fullmatch(path):
        return True
    match = _CODE_PATH.fullmatch(path)
    return match is not None and _CODE.fullmatch(read_code(match[1])) is not None


def qr_svg(url: str) -> bytes:
    """Return the QR code of an address as SVG. This takes milliseconds."""
    out = io.BytesIO()
    segno.make(url, error="m").save(
        out, kind="svg", border=2, scale=8, xmldecl=False, svgns=True, light="#fff"
    )
    return out.getvalue()


class Drawings:
    """A cache of QR codes by address, drawn in a thread, one at a time.

    The ``most`` most recently used codes are kept.
    """

    def __init__(self, draw: Callable[[str], bytes] = qr_svg, most: int = 256) -> None:
        self._draw = draw
        self._most = most
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._one = asyncio.Lock()

    def __contains__(self, url: str) -> bool:
        return url in self._pages

    def __len__(self) -> int:
        return len(self._pages)

    async def of(self, url: str) -> Page:
        """Return the QR code of an address as a page."""
        if url not in self._pages:
            async with self._one:
                if url not in self._pages:  # it may have been drawn meanwhile
                    svg = await asyncio.to_thread(self._draw, url)
                    self._pages[url] = Page.of(svg, TYPES[".svg"])
        page = self._pages[url]
        self._pages.move_to_end(url)
        if len(self._pages) > self._most:
            self._pages.popitem(last=False)
        return page


def _read(folder: Path) -> dict[str, Page]:
    """Read a folder of built files into a table by URL path."""
    table: dict[str, Page] = {}
    if not folder.is_dir():
        return table
    for path in sorted(folder.rglob("*")):
        kind = TYPES.get(path.suffix)
        if kind is None or not path.is_file() or path.name.startswith("."):
            continue
        body = path.read_bytes()
        bodies = {"": body}
        for encoding, suffix in ENCODINGS.items():
            packed = path.with_name(path.name + suffix)
            if packed.is_file():
                bodies[encoding] = packed.read_bytes()
        name = "/" + path.relative_to(folder).as_posix()
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        table[name] = Page(kind, bodies, etag, name.startswith("/assets/"))
    return table


def _respond(page: Page, asked: Headers, more: Mapping[str, str]) -> Response:
    headers = {
        **more,
        "ETag": page.etag,
        "Cache-Control": "public, max-age=31536000, immutable"
        if page.is_immutable
        else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if page.etag in ", ".join(asked.get_all("If-None-Match")):
        return response(HTTPStatus.NOT_MODIFIED, b"", page.kind, headers)
    accepted = ",".join(asked.get_all("Accept-Encoding"))
    offered = {part.split(";")[0].strip() for part in accepted.split(",")}
    for encoding in ENCODINGS:
        if encoding in offered and encoding in page.bodies:
            headers["Content-Encoding"] = encoding
            return response(HTTPStatus.OK, page.bodies[encoding], page.kind, headers)
    return response(HTTPStatus.OK, page.bodies[""], page.kind, headers)


def response(
    status: HTTPStatus, body: bytes, kind: str, extra: Mapping[str, str] = _UNSTORED
) -> Response:
    """Return a response; by default it may not be cached."""
    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": CSP,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Connection": "close",
            **extra,
        }
    )
    return Response(status.value, status.phrase, headers, body)


def json_response(status: HTTPStatus, value: Mapping[str, object]) -> Response:
    """Return a value as JSON."""
    return response(status, json.dumps(value).encode() + b"\n", JSON)


def is_well_formed(request: Request) -> bool:
    """Return whether the path and the headers that we use can be parsed."""
    try:
        urlsplit(request.path)
        urlsplit(request.headers.get("Origin", ""))
        for name in ("Host", "Authorization", NODE_HEADER, WAITED_HEADER):
            request.headers.get(name)
    except (ValueError, MultipleValuesError):
        return False
    return True


def without_body(_ws: object, request: Request, answer: Response) -> None:
    """Remove the body from the response to a HEAD request (RFC 9110, 9.3.2)."""
    if getattr(request, "method", "GET") == "HEAD":  # websockets 16 accepts only GET
        answer.body = b""


def bad_request() -> Response:
    """Return a 400 response."""
    return _plain(HTTPStatus.BAD_REQUEST, "This request is not valid.\n")


def misdirected(host: str) -> Response:
    """Return a 421 response for a host name that is not known to be this server's."""
    text = (
        f"'{host[:200]}' is not a known name of this server. Open it at its address, "
        "or start it with --public-url and the address that people use.\n"
    )
    return _plain(HTTPStatus.MISDIRECTED_REQUEST, text)


def not_found() -> Response:
    """Return a 404 response."""
    return _plain(HTTPStatus.NOT_FOUND, "There is no such page.\n")


def forbidden(text: str) -> Response:
    """Return a 403 response with the reason."""
    return _plain(HTTPStatus.FORBIDDEN, text)


def later(status: HTTPStatus, text: str, wait_s: float) -> Response:
    """Return a refusal that says when to try again (``Retry-After``, whole seconds)."""
    refusal = _plain(status, text)
    refusal.headers["Retry-After"] = str(max(1, round(wait_s)))
    return refusal


def _plain(status: HTTPStatus, text: str) -> Response:
    return response(status, text.encode(), PLAIN)
