"""What Mosquitto reads: its configuration, its password file, its rights."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from server.federation.rights import Site, rights_of

ITERATIONS = 101
"""Mosquitto's own number of rounds for its ``$7$`` format; our passwords are random."""

LARGEST_PACKET = 128 * 1024
"""Twice our own largest message: topic and header always fit."""

CONFIGURATION = """\
# Mosquitto for Two Gaps: one user a site, rights by topic. Start it with
#   mosquitto -c {folder}/mosquitto.conf
per_listener_settings false
pid_file {folder}/mosquitto.pid
listener {port} {address}
{tls}allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/rights
# Two clients of one name would throw each other out: only the user's own may.
use_username_as_clientid true
# Without it every answer waits 40 ms for nothing.
set_tcp_nodelay true
max_packet_size {packet}
# Messages that wait for a site whose line is slow; what does not fit is sent again.
max_queued_messages 10000
max_inflight_messages 200
# Nothing depends on the broker's memory: the sites say everything again.
persistence false
"""

TLS = """\
certfile {certificate}
keyfile {key}
tls_version tlsv1.2
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a broker listens; with a certificate it speaks TLS only."""

    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


def configuration(folder: Path, listener: Listener) -> str:
    """Return ``mosquitto.conf`` for a folder of ours."""
    tls = ""
    if listener.certificate and listener.key:
        tls = TLS.format(
            certificate=listener.certificate.resolve(), key=listener.key.resolve()
        )
    return CONFIGURATION.format(
        folder=folder.resolve(),
        port=listener.port,
        address=listener.address,
        tls=tls,
        packet=LARGEST_PACKET,
    )


def password_hash(password: str, salt: bytes) -> str:
    """Return a password as Mosquitto keeps it: PBKDF2-HMAC-SHA512, 12-byte salt."""
    mac = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    parts = (base64.b64encode(part).decode() for part in (salt, mac))
    return f"$7${ITERATIONS}${'$'.join(parts)}"


def password_file(sites: Iterable[Site]) -> str:
    """Return the password file."""
    return "".join(f"{site.name}:{site.mosquitto}\n" for site in sites)


def rights_file(sites: Iterable[Site]) -> str:
    """Return the file of rights by topic (``acl_file``)."""
    return "\n".join(_section(site) for site in sites)


def _section(site: Site) -> str:
    may = rights_of(site.name, is_home=site.is_home)
    lines = [
        f"user {site.name}",
        *(f"topic write {topic}" for topic in may.write),
        *(f"topic read {topic}" for topic in may.read),
    ]
    return "\n".join(lines) + "\n"
