"""Where the server listens: from what people type to the address of its socket."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from client.errors import BadAddress

PATH = "/ws"
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def socket_url(address: str) -> str:
    """Return the WebSocket address of a server.

    Takes ``host:port``, ``http://host:port`` or ``ws://host:port``; a link to one of
    its pages will do as well: path, query and fragment are dropped, but a path of a
    ``ws`` address is kept. Raises :class:`BadAddress`.
    """
    text = address.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not parts.hostname or not _has_port_or_none(parts.netloc):
        raise BadAddress(
            f"{address!r} is no server address; "
            "write it like 192.168.0.7:8000 or http://192.168.0.7:8000"
        )
    is_socket = parts.scheme.lower() in ("ws", "wss")
    path = parts.path if is_socket and parts.path not in ("", "/") else PATH
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def _has_port_or_none(netloc: str) -> bool:
    try:
        return urlsplit(f"//{netloc}").port != 0
    except ValueError:
        return False
