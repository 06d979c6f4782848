"""Who may say and hear what at the broker: one user a site, rights by topic.

Written for Mosquitto's password and ACL files; docs/cohorts.md gives the same rights
for other brokers.
"""

from __future__ import annotations

import base64
import hashlib

from server.relay.topics import ROOT

ITERATIONS = 101
"""Mosquitto's own number of rounds for its ``$7$`` format; our passwords are random."""

CONFIGURATION = """\
# Mosquitto for Two Gaps: one user a site, rights by topic. Start it with
#   mosquitto -c mosquitto.conf
# and put `certfile`, `keyfile` and a listener on 8883 here for TLS.
per_listener_settings false
listener {port} {address}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/rights
use_username_as_clientid true
set_tcp_nodelay true
max_packet_size 131072
max_queued_messages 10000
persistence false
"""


def password_line(site: str, password: str, salt: bytes) -> str:
    """Return a line of Mosquitto's password file: PBKDF2-HMAC-SHA512, 12-byte salt."""
    mac = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    parts = (base64.b64encode(part).decode() for part in (salt, mac))
    return f"{site}:$7${ITERATIONS}${'$'.join(parts)}"


def rights(site: str, *, is_home: bool) -> str:
    """Return a site's section of Mosquitto's ACL file.

    Every site may relay for rooms of others; only one with home rights may have rooms
    that others join.
    """
    lines = [
        f"user {site}",
        f"topic read {ROOT}/node/+/state",
        f"topic write {ROOT}/node/{site}/state",
        *(
            f"topic read {ROOT}/home/+/room/+/{kind}"
            for kind in ("announce", "player", "screen", "progress")
        ),
        f"topic write {ROOT}/up/+/{site}",
        f"topic read {ROOT}/down/{site}/+",
        f"topic write {ROOT}/clk/up/+/{site}",
        f"topic read {ROOT}/clk/down/{site}/+",
    ]
    if is_home:
        lines += [
            f"topic write {ROOT}/home/{site}/#",
            f"topic write {ROOT}/down/+/{site}",
            f"topic read {ROOT}/up/{site}/+",
            f"topic write {ROOT}/clk/down/+/{site}",
            f"topic read {ROOT}/clk/up/{site}/+",
        ]
    return "\n".join(lines) + "\n"
