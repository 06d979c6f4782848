"""Pages: types, caching, compression, policy, and what is not there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from server.net.pages import CSP, Pages
from tests.support.server import hall


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
    return Pages(tmp_path, lambda code: f"http://x/j/{code}")


def get(pages: Pages, path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return pages.answer(Request(path, Headers(named)))


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
def test_entries(pages: Pages, path: str, text: bytes) -> None:
    page = get(pages, path)
    assert page.status_code == 200
    assert text in page.body
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Content-Security-Policy"] == CSP
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_policy_allows_nothing_unsafe() -> None:
    assert "unsafe" not in CSP
    assert "default-src 'none'" in CSP


def test_assets_are_immutable_and_compressed_where_that_is_understood(
    pages: Pages,
) -> None:
    path = "/assets/app-1a2b.js"
    plain = get(pages, path)
    assert plain.body == b"let x = 1"
    assert "immutable" in plain.headers["Cache-Control"]
    assert plain.headers["Content-Type"].startswith("text/javascript")
    zipped = get(pages, path, Accept_Encoding="gzip, deflate")
    assert (zipped.body, zipped.headers["Content-Encoding"]) == (b"gzipped", "gzip")
    best = get(pages, path, Accept_Encoding="gzip, br;q=0.9")
    assert (best.body, best.headers["Content-Encoding"]) == (b"brotlied", "br")


def test_what_is_known_is_not_sent_again(pages: Pages) -> None:
    tag = get(pages, "/host").headers["ETag"]
    again = get(pages, "/host", If_None_Match=f'W/"x", {tag}')
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/no", "/.secret", "/notes.md", "/../pyproject.toml", "/assets/../.secret",
     "/j/", "/j/a/b", "/qr/x.svg", "/assets/app-1a2b.js.gz", "/%2e%2e/x"],
)  # fmt: skip
def test_all_else_is_not_found(pages: Pages, path: str) -> None:
    assert get(pages, path).status_code == 404


def test_a_rooms_qr_code(pages: Pages) -> None:
    qr = get(pages, "/qr/K7MQ2P.svg")
    assert qr.headers["Content-Type"] == "image/svg+xml"
    assert qr.body.startswith(b"<svg")


def test_where_players_reach_this_node(pages: Pages) -> None:
    where = get(pages, "/where.json")
    assert json.loads(where.body) == {"url": "http://x"}
    assert where.headers["Cache-Control"] == "no-store"


def test_without_a_build_the_pages_say_so(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "none", str)
    assert not pages.is_built
    assert b"twogaps join" in get(pages, "/").body


async def test_over_a_real_socket() -> None:
    async with hall() as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
