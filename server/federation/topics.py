"""The way to the broker: its address, topics, what each site may send, and sockets.

``tg/v1`` is the version of this layout. Sites are distinguished by the name under
which the broker lets each publish.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from server.game.errors import Broken
from server.rooms.ports import SHARED, Audience

ROOT = "tg/v1"

log = logging.getLogger("twogaps.federation")

MOST_SITES = 1_000
"""Sites that are distinguished; beyond that the one seen longest ago is forgotten."""

_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ROOM = re.compile(r"[0-9A-Za-z]{1,16}")


# --- where the broker is -------------------------------------------------------------


class BusSettingsError(Exception):
    """The broker's address cannot be understood."""


_NOT_VALID = (
    "--broker is not a valid broker address. Write mqtt://user:password@host[:1883] "
    "or mqtts://user:password@host[:8883], with # / ? @ in the password written as "
    "%23 %2F %3F %40. For a cluster, list its brokers as host,host,host."
)
"""Does not repeat what was given: it may hold a password."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    places: tuple[tuple[str, int], ...]
    """Host and port of each broker of a cluster, the one to try first in front."""
    user: str | None
    password: str | None
    is_secure: bool
    authority: Path | None = None
    """File of the authority that signed the broker's certificate (PEM)."""

    @classmethod
    def parse(cls, url: str, authority: Path | None = None) -> BrokerAddress:
        """Read ``mqtt[s]://user:password@host:port,host:port``.

        Raises BusSettingsError.
        """
        try:
            parts = urlsplit(url)
            who, _, where = parts.netloc.rpartition("@")
            found = [urlsplit(f"//{place}") for place in where.split(",")]
            places = [(place.hostname or "", place.port) for place in found]
            user, password = (given := urlsplit(f"//{who}@")).username, given.password
        except ValueError as exc:
            raise BusSettingsError(_NOT_VALID) from exc
        is_known = parts.scheme in ("mqtt", "mqtts") and all(host for host, _ in places)
        if not is_known or parts.fragment:
            raise BusSettingsError(_NOT_VALID)
        is_secure = parts.scheme == "mqtts"
        if authority is not None and not is_secure:
            raise BusSettingsError("--broker-ca works only with mqtts://.")
        usual = 8883 if is_secure else 1883
        return cls(
            places=tuple((host, port or usual) for host, port in places),
            user=unquote(user) if user else None,
            password=unquote(password) if password else None,
            is_secure=is_secure,
            authority=authority,
        )

    @property
    def hosts(self) -> str:
        """The names of the hosts, as text for people."""
        return ", ".join(dict.fromkeys(host for host, _ in self.places))

    def client_id(self, name: str) -> str:
        """Return the id of a node at the broker: unique and hard to guess.

        A client throws out another of the same id. Where the broker does not take the
        user's name instead, only who knows the password may do so.
        """
        if self.password is None:
            return name
        return f"{name}-{hashlib.sha256(self.password.encode()).hexdigest()[:16]}"


# --- topics --------------------------------------------------------------------------


def node_state(node: str) -> str:
    """Whether a node is up, retained and its last will."""
    return f"{ROOT}/node/{node}/state"


def announce(node: str, room: str) -> str:
    """That a node is home to a room, retained."""
    return f"{ROOT}/home/{node}/room/{room}/announce"


def view(node: str, room: str, audience: Audience) -> str:
    """The view of players or screens, retained. Never a host's or a co-host's."""
    if audience not in SHARED:
        raise Broken(f"a {audience}'s view never leaves by a shared topic")
    return f"{ROOT}/home/{node}/room/{room}/{audience}"


def progress(node: str, room: str) -> str:
    """How many have answered; not retained."""
    return f"{ROOT}/home/{node}/room/{room}/progress"


def up(home: str, edge: str) -> str:
    """Batches from an edge to a home."""
    return f"{ROOT}/up/{home}/{edge}"


def down(edge: str, home: str) -> str:
    """Acknowledgements and private frames from a home to an edge."""
    return f"{ROOT}/down/{edge}/{home}"


def clock_up(home: str, edge: str) -> str:
    """Clock probes to a home."""
    return f"{ROOT}/clk/up/{home}/{edge}"


def clock_down(edge: str, home: str) -> str:
    """Answers to clock probes."""
    return f"{ROOT}/clk/down/{edge}/{home}"


def subscriptions(node: str) -> tuple[tuple[str, int], ...]:
    """What a node listens to, each with its quality of service; none overlap."""
    return (
        (f"{ROOT}/node/+/state", 1),
        (f"{ROOT}/home/+/room/+/announce", 1),
        (f"{ROOT}/home/+/room/+/player", 1),
        (f"{ROOT}/home/+/room/+/screen", 1),
        (f"{ROOT}/home/+/room/+/progress", 0),
        (f"{ROOT}/up/{node}/+", 0),
        (f"{ROOT}/down/{node}/+", 0),
        (f"{ROOT}/clk/up/{node}/+", 0),
        (f"{ROOT}/clk/down/{node}/+", 0),
    )


def parts(topic: str) -> tuple[str, ...]:
    """Return a topic's levels behind the root; empty for a foreign topic."""
    if not topic.startswith(f"{ROOT}/"):
        return ()
    return tuple(topic.removeprefix(f"{ROOT}/").split("/"))


def sender(parts: tuple[str, ...]) -> str:
    """Return the site that a topic is published by; empty for a foreign topic."""
    match parts:
        case ("node" | "home", name, *_):
            return name
        case ("up" | "down", _, name) | ("clk", _, _, name):
            return name
    return ""


def is_site(name: str) -> bool:
    """Whether a level of a topic is a site's name."""
    return _SITE.fullmatch(name) is not None


def is_room(code: str) -> bool:
    """Whether a level of a topic has the shape of a room's code."""
    return _ROOM.fullmatch(code) is not None


class Rejections:
    """Counts messages that were forged, foreign or too large; logs one a site."""

    def __init__(self, quiet_s: float = 600.0) -> None:
        """After a line about a site, ``quiet_s`` seconds pass before the next."""
        self._quiet_s = quiet_s
        self._logged_s: dict[str, float] = {}
        self.count = 0

    def add(self, site: str, why: str, number: int = 1) -> None:
        """Count what a site has sent that cannot be used."""
        self.count += number
        now_s = asyncio.get_running_loop().time()
        if now_s - self._logged_s.get(site, -self._quiet_s) < self._quiet_s:
            return
        self._logged_s.pop(site, None)
        self._logged_s[site] = now_s
        if len(self._logged_s) > MOST_SITES:
            del self._logged_s[next(iter(self._logged_s))]
        log.warning("messages from site %s are ignored: %s", site[:40], why)


class Budget:
    """How much each site may use of something: a token bucket a site."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}
        """What each site has left, and when that was counted (s)."""

    def allows(self, site: str, cost: float = 1.0) -> bool:
        """Take a cost from a site's budget; False if too little is left."""
        now_s = asyncio.get_running_loop().time()
        left, then_s = self._left.pop(site, (self._burst, now_s))
        left = min(self._burst, left + (now_s - then_s) * self._per_s)
        is_allowed = left >= cost
        self._left[site] = (left - cost if is_allowed else left, now_s)
        if len(self._left) > MOST_SITES:
            del self._left[next(iter(self._left))]
        return is_allowed


# --- sockets to the broker, on every system ------------------------------------------

WATCHING = ("add_reader", "remove_reader", "add_writer", "remove_writer")
"""What a loop needs for aiomqtt, which leaves sockets to the MQTT library."""


def watch_sockets(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop watch sockets by a thread if it cannot itself. Idempotent.

    The proactor loop is the default on Windows, and the only one there that starts
    programs and waits for more than 512 sockets. It watches no socket for its user, so
    Tornado's thread does, and calls back on the loop.
    """
    if type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader:
        return
    if "add_reader" in vars(loop):
        return
    from tornado.platform.asyncio import SelectorThread

    thread = SelectorThread(loop)  # ends with the loop's asynchronous generators
    for name in WATCHING:
        setattr(loop, name, getattr(thread, name))


def options(unanswered_s: int) -> list[tuple[int, int, int]]:
    """Return socket options: send without delay, and notice unanswered packets.

    Sending without delay saves 40 ms. ``unanswered_s`` is how long, in seconds, a
    packet may stay unanswered.
    """
    found = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        found.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unanswered_s * 1000))
    return found


def tls_to(address: BrokerAddress) -> ssl.SSLContext | None:
    """Return TLS that trusts the address's authority, or those of the system.

    None for an address without TLS. Raises BusSettingsError if the file of the
    authority cannot be used.
    """
    if not address.is_secure:
        return None
    authority = address.authority
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as exc:
        raise BusSettingsError(f"'{authority}' is not a CA certificate: {exc}") from exc
