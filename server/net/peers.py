"""Where a connection comes from, for the limits per address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

HERE = ""
"""The address of what is counted by no address: this machine itself."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
