"""Pages: types, caching, compression, policy, and what is not there."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from server.game.ids import read_code
from server.net.addresses import Addresses, Interface
from server.net.pages import CSP, Drawings, Pages
from tests.support.server import hall

CODES = Path(__file__).parent / "codes.json"
"""What people type and the code they mean; the pages' own tests also read it."""

HERE = Addresses(
    "0.0.0.0",
    8000,
    find=lambda: (Interface("wlan0", "192.168.1.20"), Interface("tun0", "10.8.0.6")),
    route=lambda: None,
)


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "assets").mkdir()
    for name in ("index", "host", "screen", "report"):
        (tmp_path / f"{name}.html").write_text(f"<!doctype html>{name}")
    (tmp_path / "assets" / "app-1a2b.js").write_text("let x = 1")
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(b"gzipped")
    (tmp_path / "assets" / "app-1a2b.js.br").write_bytes(b"brotlied")
    (tmp_path / ".secret").write_text("no")
    (tmp_path / "notes.md").write_text("no")
    return Pages(tmp_path, HERE)


async def get(pages: Pages, path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await pages.answer(Request(path, Headers(named)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", b"index"),
        ("/?x=1", b"index"),
        ("/j/K7MQ2P", b"index"),
        ("/host", b"host"),
        ("/screen", b"screen"),
        ("/report", b"report"),
    ],
)
async def test_entries(pages: Pages, path: str, text: bytes) -> None:
    page = await get(pages, path)
    assert page.status_code == 200
    assert text in page.body
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Content-Security-Policy"] == CSP
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_a_page_may_also_connect_to_the_other_public_addresses(
    tmp_path: Path,
) -> None:
    for name in ("index", "preview"):
        (tmp_path / f"{name}.html").write_text(f"<!doctype html>{name}")
    public = ("https://a.example", "https://b.example:444")
    pages = Pages(tmp_path, Addresses("0.0.0.0", 8000, public))
    for path in ("/", "/preview"):
        policy = (await get(pages, path)).headers["Content-Security-Policy"]
        allowed = "connect-src 'self' wss://a.example wss://b.example:444;"
        assert allowed in policy
        assert ("frame-src 'self'" in policy) == (path == "/preview")


def test_the_policy_allows_nothing_unsafe() -> None:
    assert "unsafe" not in CSP
    assert "default-src 'none'" in CSP


async def test_assets_are_immutable_and_compressed_where_that_is_understood(
    pages: Pages,
) -> None:
    path = "/assets/app-1a2b.js"
    plain = await get(pages, path)
    assert plain.body == b"let x = 1"
    assert "immutable" in plain.headers["Cache-Control"]
    assert plain.headers["Content-Type"].startswith("text/javascript")
    zipped = await get(pages, path, Accept_Encoding="gzip, deflate")
    assert (zipped.body, zipped.headers["Content-Encoding"]) == (b"gzipped", "gzip")
    best = await get(pages, path, Accept_Encoding="gzip, br;q=0.9")
    assert (best.body, best.headers["Content-Encoding"]) == (b"brotlied", "br")


async def test_what_is_known_is_not_sent_again(pages: Pages) -> None:
    tag = (await get(pages, "/host")).headers["ETag"]
    again = await get(pages, "/host", If_None_Match=f'W/"x", {tag}')
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/no", "/.secret", "/notes.md", "/../pyproject.toml", "/assets/../.secret",
     "/j/", "/j/a/b", "/assets/app-1a2b.js.gz", "/%2e%2e/x",
     "/qr/x.svg", "/qr/K7MQ2.svg", "/qr/K7MQ2P9.svg", "/qr/K7MQ0P.svg"],
)  # fmt: skip
async def test_all_else_is_not_found(pages: Pages, path: str) -> None:
    assert (await get(pages, path)).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/K7MQ2P", "/k7mq2p/", "/J/k7mq2p", "/j/K7MQ2P/", "/j/K7MQ2P.", "/join/K7MQ2P",
     "/j/k7m-q2p", "/K7M%20Q2P", "/j/%EF%BC%AB7MQ2P", "/j/K7MQ2P%E2%80%8B", "/j/WRONG"],
)  # fmt: skip
async def test_the_address_of_a_room_as_people_type_it(pages: Pages, path: str) -> None:
    page = await get(pages, path)
    assert (page.status_code, page.body) == (200, b"<!doctype html>index")


@pytest.mark.parametrize("path", ["/host/", "/screen/", "/report/"])
async def test_a_slash_at_the_end_of_a_page_does_no_harm(
    pages: Pages, path: str
) -> None:
    assert path.strip("/").encode() in (await get(pages, path)).body


@pytest.mark.parametrize(("typed", "code"), json.loads(CODES.read_text("utf-8")))
def test_a_code_is_read_as_people_type_and_paste_it(typed: str, code: str) -> None:
    assert read_code(typed) == code


async def test_a_page_that_is_not_there_leads_to_the_join_page(pages: Pages) -> None:
    page = await get(pages, "/no")
    assert b'href="/"' in page.body


async def test_a_rooms_qr_code(pages: Pages) -> None:
    qr = await get(pages, "/qr/K7MQ2P.svg")
    assert qr.headers["Content-Type"] == "image/svg+xml"
    assert qr.body.startswith(b"<svg")


async def test_a_qr_code_of_another_address_of_this_server(tmp_path: Path) -> None:
    drawn: list[str] = []

    def draw(url: str) -> bytes:
        drawn.append(url)
        return b"<svg"

    pages = Pages(tmp_path, HERE, draw)
    for query in ("", "?at=10.8.0.6:8000", "?at=evil.example"):
        await get(pages, f"/qr/K7MQ2P.svg{query}")
    await get(pages, "/qr.svg")
    assert drawn == [
        "http://192.168.1.20:8000/j/K7MQ2P",
        "http://10.8.0.6:8000/j/K7MQ2P",
        "http://192.168.1.20:8000/",
    ]


async def test_a_qr_code_is_drawn_once_and_not_on_the_loop(tmp_path: Path) -> None:
    drawn: list[tuple[str, int]] = []

    def draw(url: str) -> bytes:
        drawn.append((url, threading.get_ident()))
        return b"<svg>"

    pages = Pages(tmp_path, HERE, draw)
    together = [get(pages, "/qr/K7MQ2P.svg") for _ in range(5)]
    for answer in await asyncio.gather(*together):
        assert answer.body == b"<svg>"
    await get(pages, "/qr/K7MQ2P.svg")
    assert [url for url, _ in drawn] == ["http://192.168.1.20:8000/j/K7MQ2P"]
    assert drawn[0][1] != threading.get_ident()


async def test_cached_qr_codes_are_bounded(tmp_path: Path) -> None:
    drawn: list[str] = []

    def draw(url: str) -> bytes:
        drawn.append(url)
        return b"<svg>"

    drawings = Drawings(draw, most=3)
    for url in ("1", "2", "3", "1", "4", "1", "2"):
        await drawings.of(url)
    assert drawn == ["1", "2", "3", "4", "2"], "the oldest that was asked for goes"
    assert len(drawings) == 3


async def test_a_qr_code_that_must_be_drawn_costs_an_address_many_pages(
    pages: Pages,
) -> None:
    new, page = (Request(path, Headers()) for path in ("/qr/K7MQ2P.svg", "/host"))
    assert (pages.price(new), pages.price(page)) == (50, 1)
    await get(pages, "/qr/K7MQ2P.svg")
    assert pages.price(new) == 1


async def test_where_players_reach_this_node(pages: Pages) -> None:
    where = await get(pages, "/where.json")
    assert json.loads(where.body) == {
        "url": "http://192.168.1.20:8000",
        "urls": ["http://192.168.1.20:8000", "http://10.8.0.6:8000"],
        "used": [],
    }
    assert where.headers["Cache-Control"] == "no-store"


async def test_without_a_build_the_pages_say_so(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "none", HERE)
    assert not pages.is_built
    assert b"twogaps join" in (await get(pages, "/")).body


async def test_over_a_real_socket() -> None:
    async with hall() as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
