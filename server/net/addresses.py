"""Network addresses: the one phones can reach, and the one a request is counted by."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

_ELSEWHERE = ("192.0.2.1", 9)
"""A documentation address (RFC 5737): connecting a UDP socket only asks for a route."""


HERE = ""
"""The address of what is counted by no address: this machine itself."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def lan_address() -> str | None:
    """Return this machine's address on the network it reaches others by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if ipaddress.ip_address(address).is_loopback else address


def base_url(host: str, port: int, public_url: str | None, *, tls: bool) -> str:
    """Return the address that players use, without a slash at its end.

    ``host`` is what the server listens on; every interface means the one that others
    reach.
    """
    if public_url:
        return public_url.rstrip("/")
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        host = lan_address() or "127.0.0.1"
    if ":" in host:
        host = f"[{host}]"
    return f"{'https' if tls else 'http'}://{host}:{port}"


class Peers:
    """Tells the address a request is counted by.

    Behind a proxy the connection's own address says nothing: a trusted one's
    ``X-Forwarded-For`` does, read from its end, since what stands before was the
    client's to write. Proxies on this machine are trusted always; without the header,
    connections from this machine are counted by no address.
    """

    def __init__(self, proxies: Iterable[str] = ()) -> None:
        """``proxies`` are addresses or networks; raises ValueError for others."""
        self._proxies = [ipaddress.ip_network(each, strict=False) for each in proxies]

    def address(self, ws: ServerConnection, request: Request | None) -> str:
        """Return the address a request is counted by, or :data:`HERE`."""
        peer = ws.remote_address
        nearest = str(peer[0]) if peer else ""
        hops = request.headers.get_all("X-Forwarded-For") if request else []
        return self.counted(nearest, ", ".join(hops))

    def counted(self, nearest: str, forwarded: str = "") -> str:
        """Return the address that counts, of a peer's and what it forwards for."""
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        address = nearest
        while hops and self._is_proxy(address):
            address = hops.pop()
        parsed = _parsed(address)
        if parsed is None:
            return address[:64]
        if parsed.is_loopback:
            return HERE
        if parsed.version == 6:  # one household has a whole /64
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed)

    def _is_proxy(self, address: str) -> bool:
        parsed = _parsed(address)
        if parsed is None:
            return False
        return parsed.is_loopback or any(parsed in network for network in self._proxies)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed
