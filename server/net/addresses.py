"""Network addresses: those that phones can reach, and the one a request counts for."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import ifaddr
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

log = logging.getLogger("twogaps.net")

ANY = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
"""Hosts that stand for every interface."""

SOCKET_PATH = "/ws"
"""The URL path of the websockets."""

HERE = ""
"""The address of requests from this machine itself, which no limit counts."""

_ELSEWHERE = ("192.0.2.1", 9)
"""A documentation address (RFC 5737). Connecting a UDP socket only looks up a route."""

_TUNNEL = re.compile(
    r"^(tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton)|vpn|wireguard|openvpn",
    re.IGNORECASE,
)
_INTERNAL = re.compile(
    r"^(docker|br-|veth|virbr|vboxnet|vmnet|lxc|cni|podman)|vethernet|virtualbox|vmware",
    re.IGNORECASE,
)
_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Carrier-grade NAT addresses (RFC 6598); VPNs use them as well."""

_PRIVATE = ("local", "lan", "home", "home.arpa", "internal", "localdomain", "fritz.box")
"""Domains whose names are assigned only within a local network."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of this machine."""

    name: str
    """The network adapter's name, as the system shows it."""
    address: str


def interfaces() -> tuple[Interface, ...]:
    """Return this machine's addresses that another device could use."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            parsed = _parsed(address)
            if parsed is None or parsed.is_loopback or parsed.is_unspecified:
                continue
            if parsed.version == 6 and parsed.is_link_local:  # useless in a link
                continue
            found.append(Interface(adapter.nice_name, str(parsed)))
    return tuple(found)


def routed() -> str | None:
    """Return the address used to reach the internet. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


class Addresses:
    """The addresses at which others can reach a port, determined on each access.

    A laptop may switch Wi-Fi networks, open a hotspot or start a VPN while it serves,
    so only the addresses that clients have actually used are remembered.
    """

    def __init__(
        self,
        host: str,
        port: int,
        public_urls: Iterable[str] = (),
        *,
        is_tls: bool = False,
        find: Callable[[], Iterable[Interface]] = interfaces,
        route: Callable[[], str | None] = routed,
        most_used: int = 8,
    ) -> None:
        """``host`` is the host that the server listens on; ``public_urls`` override it.
        ``find`` lists this machine's addresses, and ``route`` returns the one used to
        reach the internet. At most ``most_used`` used addresses are remembered.
        """
        self._host = host
        self._port = port
        self._public = tuple(url.strip().rstrip("/") for url in public_urls)
        self._scheme = "https" if is_tls else "http"
        self._find = find
        self._route = route
        self._most_used = most_used
        self._used: OrderedDict[str, None] = OrderedDict()

    @property
    def url(self) -> str:
        """The address to give to players, without a trailing slash."""
        return self.urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses that others may be able to reach, most likely first.

        Addresses that a phone has used come before the rest. Never empty: without a
        network, it contains this machine's own address.
        """
        if self._public:
            return self._public
        if self._host not in ANY:
            return (self._url_of(self._host),)
        has_six = self._host == "::"
        ranked = rank(self._find(), self._route())
        hosts = [one for one in ranked if has_six or ":" not in one] or ["127.0.0.1"]
        urls = [self._url_of(host) for host in hosts]
        return tuple(sorted(urls, key=lambda url: url not in self._used))

    @property
    def sockets(self) -> tuple[str, ...]:
        """The websocket URLs, if this server has several public addresses.

        A client that loses its connection to one of them reconnects to the next.
        """
        if len(self._public) < 2:
            return ()
        return tuple(socket_url(web_origin(url) or url) for url in self._public)

    @property
    def used(self) -> tuple[str, ...]:
        """The addresses that clients on other devices have used, newest first."""
        return tuple(reversed(self._used))

    def was_used(self, host: str, peer: str) -> None:
        """Record the address that a client on another device has used.

        ``host`` is its Host header. Ignored if the address is not this server's, or if
        ``peer`` is this machine itself.
        """
        url = f"{self._scheme}://{host.strip().lower()}"
        if url in self._used:
            self._used.move_to_end(url)
        elif url in self.urls and all(one.address != peer for one in self._find()):
            self._used[url] = None
            if len(self._used) > self._most_used:
                self._used.popitem(last=False)

    def _url_of(self, host: str) -> str:
        return url_of(self._scheme, host, self._port)


def rank(found: Iterable[Interface], route: str | None) -> list[str]:
    """Return addresses ordered by how likely phones are to reach them.

    Local networks come first, starting with the default route; then VPNs, networks
    inside this machine, and self-assigned link-local addresses.
    """
    listed = list(found)
    if route is not None and all(one.address != route for one in listed):
        listed.append(Interface("", route))

    def key(one: Interface) -> tuple[int, bool, bool]:
        return _kind(one), ":" in one.address, one.address != route

    return list(dict.fromkeys(one.address for one in sorted(listed, key=key)))


def _kind(one: Interface) -> int:
    address = ipaddress.ip_address(one.address)
    if address.is_link_local:
        return 3
    if _INTERNAL.search(one.name):
        return 2
    is_shared = address.version == 4 and address in _SHARED
    return 1 if is_shared or _TUNNEL.search(one.name) else 0


def url_of(scheme: str, host: str, port: int) -> str:
    """Return the address of a port, with brackets around an IPv6 host."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def socket_url(url: str) -> str:
    """Return the websocket URL of the server at a URL."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, SOCKET_PATH, "", ""))


class Names:
    """The host names under which this server accepts websockets.

    Another website can point its own name at this machine (DNS rebinding), so that the
    browser mistakes this server for that site. A name is therefore accepted only if it
    is this machine's or was configured. Addresses and names without a dot are always
    accepted, because an outsider cannot point one of them at this machine.
    """

    def __init__(
        self,
        given: Iterable[str],
        machine: Callable[[], str] = socket.gethostname,
        logged: int = 20,
    ) -> None:
        """``given`` are hosts, or URLs whose hosts are accepted; ``machine`` returns
        this machine's name. The first ``logged`` refused names are logged, once each.
        """
        self._given = {host for one in given if (host := _name_in(one))}
        self._machine = machine
        self._refused: set[str] = set()
        self._logged = logged

    def admits(self, header: str) -> bool:
        """Return whether a request's Host header names this server."""
        host = _name_in(header)
        if host and (_parsed(host) is not None or self._is_own(host)):
            return True
        self._log(header[:200])
        return False

    def _is_own(self, host: str) -> bool:
        if "." not in host or host in self._given or host.endswith(".localhost"):
            return True
        machine = self._machine().lower()
        name, _, domain = host.partition(".")
        is_private = domain in _PRIVATE and name == machine.partition(".")[0]
        return host == machine or is_private

    def _log(self, header: str) -> None:
        if header not in self._refused and len(self._refused) < self._logged:
            self._refused.add(header)
            log.warning(
                "Refused a live connection for the host name %r, which is not known to "
                "be this server's. If people open this server under it, start the "
                "server with --public-url and that address.",
                header,
            )


def _name_in(text: str) -> str:
    """Return the host in a URL or a Host header, as a browser would send it.

    It is in lowercase and Punycode; the result is empty if there is no host.
    """
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        return _ascii((parts.hostname or "").rstrip("."))
    except ValueError:
        return ""


def web_origin(url: str) -> str | None:
    """Return the origin of a URL as browsers write it.

    None if no browser on another device could open the URL (as with 0.0.0.0).
    """
    try:
        parts = urlsplit(url.strip())
        host, port = _name_in(url.strip()), parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in _DEFAULT_PORT
        or port == 0
        or re.search(r"[\s\\]", url.strip())
    ):
        return None
    if not _is_reachable(host):
        return None
    tail = "" if port in (None, _DEFAULT_PORT[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{tail}"


_DEFAULT_PORT = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def _ascii(host: str) -> str:
    """Return a host name with non-ASCII labels in Punycode (RFC 3492)."""
    labels = unicodedata.normalize("NFKC", host).lower().split(".")
    return ".".join(
        one if one.isascii() else f"xn--{one.encode('punycode').decode()}"
        for one in labels
    )


def _is_reachable(host: str) -> bool:
    """Whether a host is a usable address or a valid domain name."""
    address = _parsed(host)
    if address is not None:
        return not address.is_unspecified and "%" not in host
    labels = host.split(".")
    is_number = labels[-1].isdecimal()  # browsers parse it as an IPv4 address
    return not is_number and all(_LABEL.fullmatch(label) for label in labels)


class Peers:
    """Determines the address for which a request is counted.

    Behind a proxy, the connection's own address is the proxy's. For trusted proxies,
    ``X-Forwarded-For`` is used instead. It is read from the end, because the client may
    have forged the entries at the beginning. Proxies on this machine are always
    trusted. Connections from this machine without that header are not counted.
    """

    def __init__(
        self,
        proxies: Iterable[str] = (),
        is_node: Callable[[Request | None], bool] = lambda _: False,
    ) -> None:
        """``proxies`` are addresses or networks; raises ValueError if one is invalid.
        ``is_node`` returns whether a request was relayed by another node in the fleet.
        """
        self.is_node = is_node
        self._proxies = [ipaddress.ip_network(each, strict=False) for each in proxies]

    def address(self, ws: ServerConnection, request: Request | None) -> str:
        """Return the address for which a request is counted, or :data:`HERE`."""
        peer = ws.remote_address
        nearest = str(peer[0]) if peer else ""
        if self.is_node(request):
            nearest = "127.0.0.1"  # like a local proxy: count the forwarded address
        hops = request.headers.get_all("X-Forwarded-For") if request else []
        return self.counted(nearest, ", ".join(hops))

    def counted(self, nearest: str, forwarded: str = "") -> str:
        """Return the address to count, from the peer's and its ``X-Forwarded-For``."""
        hops = [_host_of(hop) for hop in forwarded.split(",") if hop.strip()]
        address = nearest
        while hops and self._is_proxy(address):
            address = hops.pop()
        parsed = _parsed(address)
        if parsed is None:
            return address[:64]
        if parsed.is_loopback:
            return HERE
        if parsed.version == 6:  # one household usually has a whole /64
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed)

    def _is_proxy(self, address: str) -> bool:
        parsed = _parsed(address)
        if parsed is None:
            return False
        return parsed.is_loopback or any(parsed in network for network in self._proxies)


def _host_of(hop: str) -> str:
    """Return the address of a hop without the port that some proxies append."""
    hop = hop.strip().strip('"')
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parsed(address: str) -> _Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed
