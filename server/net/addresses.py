"""Which address phones can reach: found without sending anything."""

from __future__ import annotations

import ipaddress
import socket

_ELSEWHERE = ("192.0.2.1", 9)
"""A documentation address (RFC 5737): connecting a UDP socket only asks for a route."""


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
