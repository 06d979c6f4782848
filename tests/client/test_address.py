"""What people type for a server."""

from __future__ import annotations

import pytest

from client.connection import further, socket_url, socket_urls
from client.errors import BadAddress


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("192.168.0.7:8000", "ws://192.168.0.7:8000/ws"),
        ("localhost", "ws://localhost/ws"),
        (" http://class.example:8000/ ", "ws://class.example:8000/ws"),
        ("https://class.example/j/K7MQ2P", "wss://class.example/ws"),
        ("http://10.0.0.1:8000/host#room=K7MQ2P&key=00", "ws://10.0.0.1:8000/ws"),
        ("ws://10.0.0.1:8000", "ws://10.0.0.1:8000/ws"),
        ("wss://class.example/game/ws", "wss://class.example/game/ws"),
        ("http://[::1]:8000", "ws://[::1]:8000/ws"),
    ],
)
def test_addresses(typed: str, url: str) -> None:
    assert socket_url(typed) == url


@pytest.mark.parametrize("typed", ["", "ftp://x", "http://", "host:port", "h:99999"])
def test_bad_addresses_explain_how_to_write_one(typed: str) -> None:
    with pytest.raises(BadAddress, match="write it like"):
        socket_url(typed)


@pytest.mark.parametrize(
    ("typed", "urls"),
    [
        ("a:8000", ("ws://a:8000/ws",)),
        ("a:8000, b:8000", ("ws://a:8000/ws", "ws://b:8000/ws")),
        ("https://a,b:1,http://c", ("wss://a/ws", "wss://b:1/ws", "ws://c/ws")),
        ("http://[::1]:1,[::2]:1", ("ws://[::1]:1/ws", "ws://[::2]:1/ws")),
    ],
)
def test_several_addresses_have_the_scheme_of_the_first(
    typed: str, urls: tuple[str, ...]
) -> None:
    assert socket_urls(typed) == urls


@pytest.mark.parametrize("typed", ["", "a,", ",b", "http://a,ftp://b"])
def test_each_of_several_addresses_has_to_be_one(typed: str) -> None:
    with pytest.raises(BadAddress):
        socket_urls(typed)


PLAIN, OTHER, SAFE = "ws://a/ws", "ws://b/ws", "wss://c/ws"


@pytest.mark.parametrize(
    ("known", "named", "new"),
    [
        ([PLAIN], [PLAIN, OTHER, SAFE], [OTHER, SAFE]),
        ([SAFE], [PLAIN, SAFE, "wss://d/ws"], ["wss://d/ws"]),
        ([SAFE, PLAIN], [OTHER], [OTHER]),
        ([PLAIN], [], []),
    ],
)
def test_a_client_with_tls_continues_at_no_address_without_it(
    known: list[str], named: list[str], new: list[str]
) -> None:
    assert further(known, named) == new
