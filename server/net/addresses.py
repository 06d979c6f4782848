"""Network addresses: those phones can reach, and the one a request is counted by."""

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
"""The path of the live connections."""

HERE = ""
"""The address of what is counted by no address: this machine itself."""

_ELSEWHERE = ("192.0.2.1", 9)
"""A documentation address (RFC 5737): connecting a UDP socket only asks for a route."""

_TUNNEL = re.compile(
    r"^(tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton)|vpn|wireguard|openvpn",
    re.IGNORECASE,
)
_INTERNAL = re.compile(
    r"^(docker|br-|veth|virbr|vboxnet|vmnet|lxc|cni|podman)|vethernet|virtualbox|vmware",
    re.IGNORECASE,
)
_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Addresses between a provider and its customers (RFC 6598); VPNs use them as well."""

_PRIVATE = ("local", "lan", "home", "home.arpa", "internal", "localdomain", "fritz.box")
"""Domains in which a local network, and no one outside it, gives names."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of this machine."""

    name: str
    """The network adapter's name, as the system shows it."""
    address: str


def interfaces() -> tuple[Interface, ...]:
    """Return the addresses of this machine that another device could use."""
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
    """Return the address this machine reaches the internet by; sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


class Addresses:
    """The addresses at which others reach a port, found afresh whenever asked.

    A laptop changes its Wi-Fi, opens a hotspot or starts a VPN while it serves, so
    nothing is remembered but the addresses that clients have really used.
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
        """``host`` is what the server listens on; ``public_urls`` take its place.

        ``find`` lists this machine's addresses, ``route`` returns the one it reaches
        the internet by. At most ``most_used`` used addresses are remembered.
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
        """The address to give to players, without a slash at its end."""
        return self.urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses that others may reach, the likeliest first.

        One that a phone has used comes before one that is only likely. The list is
        never empty: on no network at all it holds this machine's own address.
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
        """Where clients open their sockets, if several public addresses lead here.

        A client that has lost one of them continues at the next.
        """
        if len(self._public) < 2:
            return ()
        return tuple(socket_url(web_origin(url) or url) for url in self._public)

    @property
    def used(self) -> tuple[str, ...]:
        """The addresses that clients on other devices have used, newest first."""
        return tuple(reversed(self._used))

    def was_used(self, host: str, peer: str) -> None:
        """Note the address that a client on another device has come by.

        ``host`` is its Host header. An address that is not this server's is ignored,
        and so is a ``peer`` that is this machine itself.
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
    """Return addresses in the order in which phones are likely to reach them.

    Local networks come first, and among them the one with the default route; then
    VPNs, then networks inside this machine, then what a network has failed to assign.
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
    """Return the address of the sockets of a server."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, SOCKET_PATH, "", ""))


class Names:
    """The host names under which this server may be asked to open a live connection.

    A page of another site can point its own name at this machine (DNS rebinding): the
    browser then takes this server for that site. So a name counts only if it is this
    machine's, or was given. Addresses count, and names without a dot: no one can point
    those elsewhere from outside.
    """

    def __init__(
        self,
        given: Iterable[str],
        machine: Callable[[], str] = socket.gethostname,
        logged: int = 20,
    ) -> None:
        """``given`` are hosts, or addresses of pages whose hosts count; ``machine``
        returns this machine's name. The log has the first ``logged`` other names, once
        each.
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
    """Return the host of an address or a Host header, as a browser asks for it.

    In small letters and Punycode; nothing if there is none.
    """
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        return _ascii((parts.hostname or "").rstrip("."))
    except ValueError:
        return ""


def web_origin(url: str) -> str | None:
    """Return an address as browsers write the origin of its pages.

    None for one that no browser on another device opens, such as 0.0.0.0.
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
    """Return a host's name with Punycode for letters of other scripts (RFC 3492)."""
    labels = unicodedata.normalize("NFKC", host).lower().split(".")
    return ".".join(
        one if one.isascii() else f"xn--{one.encode('punycode').decode()}"
        for one in labels
    )


def _is_reachable(host: str) -> bool:
    """Whether a host is an address, or a name as the domain name system has them."""
    address = _parsed(host)
    if address is not None:
        return not address.is_unspecified and "%" not in host
    labels = host.split(".")
    is_number = labels[-1].isdecimal()  # browsers take it for an address of IPv4
    return not is_number and all(_LABEL.fullmatch(label) for label in labels)


class Peers:
    """Tells the address a request is counted by.

    Behind a proxy the connection's own address says nothing: a trusted one's
    ``X-Forwarded-For`` does, read from its end, since what stands before was the
    client's to write. Proxies on this machine are trusted always; without the header,
    connections from this machine are counted by no address.
    """

    def __init__(
        self,
        proxies: Iterable[str] = (),
        is_node: Callable[[Request | None], bool] = lambda _: False,
    ) -> None:
        """``proxies`` are addresses or networks; raises ValueError for others.

        ``is_node`` tells whether another node of the fleet passes a request on.
        """
        self.is_node = is_node
        self._proxies = [ipaddress.ip_network(each, strict=False) for each in proxies]

    def address(self, ws: ServerConnection, request: Request | None) -> str:
        """Return the address a request is counted by, or :data:`HERE`."""
        peer = ws.remote_address
        nearest = str(peer[0]) if peer else ""
        if self.is_node(request):
            nearest = "127.0.0.1"  # like a proxy here: what it forwards for counts
        hops = request.headers.get_all("X-Forwarded-For") if request else []
        return self.counted(nearest, ", ".join(hops))

    def counted(self, nearest: str, forwarded: str = "") -> str:
        """Return the address that counts, of a peer's and what it forwards for."""
        hops = [_host_of(hop) for hop in forwarded.split(",") if hop.strip()]
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


def _host_of(hop: str) -> str:
    """Return the address of a hop, which some proxies write with a port."""
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
