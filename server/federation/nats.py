"""What NATS reads: one configuration with its MQTT listener, users and rights.

NATS keeps retained messages and wills in JetStream, so it has to be on; we depend on
none of it surviving, and the store is emptied at every start. An MQTT topic is a NATS
subject with ``.`` for ``/``, ``*`` for ``+`` and ``>`` for ``#``. JSON is a NATS
configuration, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from server.federation.mosquitto import LARGEST_PACKET, Listener
from server.federation.rights import Site, rights_of

STORE_BYTES = 256 * 2**20
"""Room for what is retained; a site's views take some kilobytes."""

INTERNAL = "$MQTT.sub.>"
"""Where NATS delivers QoS 1 to a client. Allowed by itself since 2.12.3; a client
cannot subscribe to it, since its subjects are random."""


def configuration(folder: Path, listener: Listener, sites: Iterable[Site]) -> str:
    """Return ``nats.conf`` for a folder of ours. Sites without a hash are left out."""
    folder = folder.resolve()
    mqtt: dict[str, Any] = {
        "listen": f"{listener.address}:{listener.port}",
        "reject_qos2_publish": True,
        "max_ack_pending": 1000,
    }
    if listener.certificate and listener.key:
        mqtt["tls"] = {
            "cert_file": str(listener.certificate.resolve()),
            "key_file": str(listener.key.resolve()),
        }
    whole = {
        "server_name": "two-gaps",
        "listen": "127.0.0.1:-1",  # its own protocol: nobody may log in there
        "pid_file": str(folder / "nats.pid"),
        "max_payload": LARGEST_PACKET,
        "jetstream": {
            "store_dir": str(folder / "nats-store"),
            "max_memory_store": STORE_BYTES,
            "max_file_store": STORE_BYTES,
        },
        "mqtt": mqtt,
        "authorization": {
            "users": [_user(site) for site in sites if site.nats is not None]
        },
    }
    return "# Written by twogaps broker; changed at every start.\n" + json.dumps(
        whole, indent=2
    )


def _user(site: Site) -> dict[str, Any]:
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
    """Return the NATS subject of an MQTT topic or filter of ours."""
    return topic.replace("/", ".").replace("+", "*").replace("#", ">")
