"""Renders a broker's files from the templates in ``deploy/brokers``."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

INSTALLED = Path(__file__).parent / "templates"
"""The folder of the templates in an installed wheel."""

CHECKOUT = Path(__file__).resolve().parents[3] / "deploy" / "brokers"

ITERATIONS = 101
"""Mosquitto's own number of rounds for its ``$7$`` format; our passwords are random."""

INTERNAL = "$MQTT.sub.>"
"""The NATS subjects on which clients get QoS 1 messages. They are allowed implicitly
since 2.12.3. Other clients cannot subscribe to them, because they are random."""


REPLICAS = """\
  # Every broker has a copy of what is retained, once all three have met. Requests to a
  # broker that has just died fail after this time, and clients try again.
  stream_replicas: 3
  js_api_timeout: "2s"
"""
"""MQTT settings for a cluster. By default, a single broker may have the only copy."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A broker in a cluster of three, and the addresses of the others."""

    name: str
    """This broker's name, which must be unique and must not change."""
    port: int
    """The port at which the other brokers reach this one."""
    peers: tuple[str, ...]
    """The host and port of each of the others."""
    key: str
    """The password that the brokers share."""


@dataclass(frozen=True, slots=True)
class Listener:
    """The address at which a broker listens; with a certificate, only over TLS."""

    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    cluster: Cluster | None = None
    """The cluster, or None for a single broker."""


@dataclass(frozen=True, slots=True)
class Site:
    """One user of the broker. Each broker keeps its own hash of the password."""

    name: str
    is_home: bool
    mosquitto: str
    nats: str | None
    """The hash for NATS; None if the bcrypt library was missing at the time."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The topic filters to which a site may publish and subscribe."""

    write: tuple[str, ...]
    read: tuple[str, ...]


def rights_of(site: str, *, is_home: bool) -> Rights:
    """Return a site's rights.

    Every site may relay for rooms at other sites; only sites with home rights may have
    rooms that others join.
    """
    lines = _rendered("rights", site=site).splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    granted = [(verb, topic) for who, verb, topic in rows if is_home or who == "site"]
    return Rights(
        write=tuple(topic for verb, topic in granted if verb == "write"),
        read=tuple(topic for verb, topic in granted if verb == "read"),
    )


# --- Mosquitto -----------------------------------------------------------------------


def mosquitto_conf(folder: Path, listener: Listener) -> str:
    """Return ``mosquitto.conf`` for a broker whose files are in ``folder``."""
    tls = ""
    if listener.certificate and listener.key:
        tls = _rendered(
            "mosquitto-tls.conf",
            certificate=str(listener.certificate.resolve()),
            key=str(listener.key.resolve()),
        )
    return _rendered(
        "mosquitto.conf",
        folder=str(folder.resolve()),
        port=str(listener.port),
        address=listener.address,
        tls=tls,
    )


def password_hash(password: str, salt: bytes) -> str:
    """Return a password's hash for Mosquitto: PBKDF2-HMAC-SHA512, 12-byte salt."""
    mac = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    parts = (base64.b64encode(part).decode() for part in (salt, mac))
    return f"$7${ITERATIONS}${'$'.join(parts)}"


def password_file(sites: Iterable[Site]) -> str:
    """Return Mosquitto's password file."""
    return "".join(f"{site.name}:{site.mosquitto}\n" for site in sites)


def rights_file(sites: Iterable[Site]) -> str:
    """Return Mosquitto's access control list (``acl_file``)."""
    return "\n".join(_section(site) for site in sites)


def _section(site: Site) -> str:
    may = rights_of(site.name, is_home=site.is_home)
    lines = [
        f"user {site.name}",
        *(f"topic write {topic}" for topic in may.write),
        *(f"topic read {topic}" for topic in may.read),
    ]
    return "\n".join(lines) + "\n"


# --- NATS ----------------------------------------------------------------------------


def nats_conf(folder: Path, listener: Listener, sites: Iterable[Site]) -> str:
    """Return ``nats.conf``. Sites without a NATS hash are left out.

    JSON is valid in a NATS configuration, so values are quoted as JSON.
    """
    folder = folder.resolve()
    mqtt = "" if listener.cluster is None else REPLICAS
    if listener.certificate and listener.key:
        mqtt += _rendered(
            "nats-tls.conf",
            certificate=json.dumps(str(listener.certificate.resolve())),
            key=json.dumps(str(listener.key.resolve())),
        )
    users = [_user(site) for site in sites if site.nats is not None]
    return _rendered(
        "nats.conf",
        server=json.dumps(listener.cluster.name if listener.cluster else "two-gaps"),
        cluster=_cluster(listener),
        pid_file=json.dumps(str(folder / "nats.pid")),
        store_dir=json.dumps(str(folder / "nats-store")),
        listen=json.dumps(f"{listener.address}:{listener.port}"),
        mqtt=mqtt,
        users=json.dumps(users, indent=2),
    )


def _cluster(listener: Listener) -> str:
    if (cluster := listener.cluster) is None:
        return ""
    routes = [f"nats://broker:{cluster.key}@{peer}" for peer in cluster.peers]
    return _rendered(
        "nats-cluster.conf",
        listen=json.dumps(f"{listener.address}:{cluster.port}"),
        key=json.dumps(cluster.key),
        routes=json.dumps(routes),
    )


def _user(site: Site) -> dict[str, object]:
    may = rights_of(site.name, is_home=site.is_home)
    return {
        "user": site.name,
        "password": site.nats,
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            "publish": {"allow": [subject(topic) for topic in may.write]},
            "subscribe": {"allow": [*(subject(topic) for topic in may.read), INTERNAL]},
        },
    }


def subject(topic: str) -> str:
    """Return the NATS subject of an MQTT topic or filter of ours.

    NATS writes ``.`` for ``/``, ``*`` for ``+`` and ``>`` for ``#``.
    """
    return topic.replace("/", ".").replace("+", "*").replace("#", ">")


# --- templates -----------------------------------------------------------------------


def templates() -> Path:
    """Return the folder of the templates: of the wheel, or of the checkout."""
    return INSTALLED if INSTALLED.is_dir() else CHECKOUT


def _rendered(name: str, **values: str) -> str:
    text = (templates() / name).read_text(encoding="utf-8")
    return Template(text).substitute(values)
