"""The connection to the broker: its address, topics, limits per site, and sockets.

``tg/v1`` is the version of the topic layout. A site is identified by the name in a
topic, since the broker lets each site publish only under its own name.
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
"""Maximum number of known sites; beyond that, the one seen longest ago is forgotten."""

_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ROOM = re.compile(r"[0-9A-Za-z]{1,16}")


# --- the broker's address ------------------------------------------------------------


class BusSettingsError(Exception):
    """The broker's address or CA file cannot be used."""


_NOT_VALID = (
    "--broker is not a valid broker address. Write mqtt://user:password@host[:1883] "
    "or mqtts://user:password@host[:8883], with # / ? @ in the password written as "
    "%23 %2F %3F %40. For a cluster, list its brokers as host,host,host."
)
"""Does not repeat the given address, which may contain a password."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The broker's address, and this node's credentials there."""

    places: tuple[tuple[str, int], ...]
    """Host and port of each broker of a cluster, in the order in which to try them."""
    user: str | None
    password: str | None
    is_secure: bool
    authority: Path | None = None
    """File of the CA that signed the broker's certificate (PEM)."""

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
        """The host names, as text for messages."""
        return ", ".join(dict.fromkeys(host for host, _ in self.places))

    def client_id(self, name: str) -> str:
        """Return a node's client ID at the broker: unique and hard to guess.

        A client disconnects an earlier one with the same ID. Unless the broker uses the
        user's name instead, only clients that know the password can do so.
        """
        if self.password is None:
            return name
        return f"{name}-{hashlib.sha256(self.password.encode()).hexdigest()[:16]}"


# --- topics --------------------------------------------------------------------------


def node_state(node: str) -> str:
    """Return the topic of a node's state: retained, and used by its last will."""
    return f"{ROOT}/node/{node}/state"


def announce(node: str, room: str) -> str:
    """Return the topic for announcing that a node is home to a room: retained."""
    return f"{ROOT}/home/{node}/room/{room}/announce"


def view(node: str, room: str, audience: Audience) -> str:
    """Return the topic of the view of players or screens: retained.

    Raises :class:`Broken` for the views of hosts and co-hosts, which are private.
    """
    if audience not in SHARED:
        raise Broken(f"a {audience}'s view never leaves by a shared topic")
    return f"{ROOT}/home/{node}/room/{room}/{audience}"


def progress(node: str, room: str) -> str:
    """Return the topic of how many players have answered: not retained."""
    return f"{ROOT}/home/{node}/room/{room}/progress"


def up(home: str, edge: str) -> str:
    """Return the topic of batches from an edge to a home."""
    return f"{ROOT}/up/{home}/{edge}"


def down(edge: str, home: str) -> str:
    """Return the topic of acknowledgements and private frames to an edge."""
    return f"{ROOT}/down/{edge}/{home}"


def clock_up(home: str, edge: str) -> str:
    """Return the topic of clock probes to a home."""
    return f"{ROOT}/clk/up/{home}/{edge}"


def clock_down(edge: str, home: str) -> str:
    """Return the topic of answers to an edge's clock probes."""
    return f"{ROOT}/clk/down/{edge}/{home}"


def subscriptions(node: str) -> tuple[tuple[str, int], ...]:
    """Return the topics that a node subscribes to, with their QoS; none overlap."""
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
    """Return a topic's levels after the root; empty for a foreign topic."""
    if not topic.startswith(f"{ROOT}/"):
        return ()
    return tuple(topic.removeprefix(f"{ROOT}/").split("/"))


def sender(parts: tuple[str, ...]) -> str:
    """Return the site that publishes on a topic; empty for a foreign topic."""
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
    """Whether a level of a topic looks like a room's code."""
    return _ROOM.fullmatch(code) is not None


class Rejections:
    """Counts messages that were forged, foreign or too large, and logs some of them."""

    def __init__(self, quiet_s: float = 600.0) -> None:
        """A site is logged at most once every ``quiet_s`` seconds."""
        self._quiet_s = quiet_s
        self._logged_s: dict[str, float] = {}
        self.count = 0

    def add(self, site: str, why: str, number: int = 1) -> None:
        """Count ``number`` unusable messages from a site; log ``why`` if it is time."""
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
    """Limits how much of something each site may use, with a token bucket per site."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}
        """Each site's remaining tokens, and when they were counted (s)."""

    def allows(self, site: str, cost: float = 1.0) -> bool:
        """Deduct a cost from a site's budget; return False if too little is left."""
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
"""The methods of a loop that aiomqtt needs to watch the MQTT library's sockets."""


def watch_sockets(loop: asyncio.AbstractEventLoop) -> None:
    """Have a thread watch a loop's sockets if the loop cannot. Idempotent.

    The proactor loop is the default on Windows, and the only one there that can start
    programs and wait for more than 512 sockets. It cannot watch sockets for its user,
    so Tornado's selector thread does, and calls back on the loop.
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
    """Return a TLS context that trusts the address's CA, or else the system's CAs.

    Returns None for an address without TLS. Raises BusSettingsError if the CA file
    cannot be used.
    """
    if not address.is_secure:
        return None
    authority = address.authority
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as exc:
        raise BusSettingsError(f"'{authority}' is not a CA certificate: {exc}") from exc
