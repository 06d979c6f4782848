"""A broker with the rights that ``twogaps broker`` ships, and who tries them out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from server.app import Config, Running, running
from tests.support.broker import Broker, Kind, shipped_broker

HOME, EDGE, EVE = "berlin", "lisbon", "oslo"
SHARED = ("announce", "player", "screen", "progress")
WAYS = ("up", "down", "clk/up", "clk/down")
FILTERS = (
    "#",
    "tg/v1/#",
    "+/+/+/+/+",
    "$SYS/#",
    "$MQTT/#",
    "$MQTT/msgs/#",
    "$MQTT/rmsgs/#",
    "$MQTT/sub/#",
    "$JS/#",
    "tg/v1/>",
    "tg/v1/node/+/state",
    *(f"tg/v1/home/+/room/+/{kind}" for kind in ("host", "panel", "+", *SHARED)),
    "tg/v1/home/+/#",
    *(f"tg/v1/{way}/{site}/+" for way in WAYS for site in (HOME, EDGE, EVE)),
    *(f"tg/v1/{way}/+/{site}" for way in WAYS for site in (HOME, EDGE, EVE)),
)
"""All topics that a curious client would subscribe to, one by one."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker with the shipped rights, and the addresses of its sites."""

    broker: Broker
    urls: dict[str, str]

    def client(self, site: str) -> aiomqtt.Client:
        """Return a bare MQTT client that logs in as a site."""
        password = re.search(r":([^:@]+)@", self.urls[site])
        assert password is not None
        return aiomqtt.Client(
            "127.0.0.1",
            self.broker.port,
            username=site,
            password=password[1],
            identifier=f"{site}-probe",
            max_inflight_messages=1_000,
        )

    @contextlib.asynccontextmanager
    async def node(self, site: str, folder: Path) -> AsyncIterator[Running]:
        """Run a node of a site."""
        config = Config(
            host="127.0.0.1",
            port=0,
            data=folder / site,
            broker=self.urls[site],
            site=site,
        )
        async with running(config) as node:
            yield node


@contextlib.asynccontextmanager
async def guarded_broker(
    kind: Kind, folder: Path, *, is_eve_home: bool = False
) -> AsyncIterator[Guarded]:
    """Run a broker with a home, an edge, and one site more."""
    rights = {HOME: True, EDGE: False, EVE: is_eve_home}
    broker, urls = shipped_broker(kind, folder, rights)
    path = folder / "broker" / "mosquitto.conf"
    if path.exists():  # so that a probe may connect beside a node
        path.write_text(path.read_text().replace("use_username_as_clientid true", ""))
    await broker.start()
    try:
        yield Guarded(broker, urls)
    finally:
        await broker.kill()


async def hear_all(client: aiomqtt.Client) -> None:
    """Subscribe to everything; what is refused is refused."""
    for topic in FILTERS:
        await client.subscribe(topic, qos=1)
