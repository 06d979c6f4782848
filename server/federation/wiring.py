"""The way to people: on this node alone, or over a broker to other nodes, too."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from dataclasses import dataclass

from server.config import Config
from server.disk import DiskError
from server.federation import topics
from server.federation.edge import EdgeRelay
from server.federation.home import HomeGateway, RemoteLink
from server.federation.messages import UpItem
from server.federation.mqtt import BrokerAddress, BusSettingsError, MqttBus
from server.federation.node import Node, last_will
from server.federation.outbox import Outbox
from server.federation.remote import RemoteRoom, Uplink
from server.folder import OUTBOX, CannotStart
from server.game.ids import RoomCode
from server.metrics import Metrics
from server.net.crowd import SocketCrowd
from server.net.health import Check, check_broker, check_outbox
from server.protocol.keys import KEY_BYTES
from server.rooms.audience import LocalGateway
from server.rooms.clock import Clock
from server.rooms.directory import Directory
from server.rooms.ports import Ack, RoomPort
from server.supervision import Run

GOODBYE_S = 0.1
"""How long a last word to the broker may take."""


@dataclass(slots=True)
class Sites:
    """How frames find their people: on this node alone, or over a broker, too."""

    gateway: LocalGateway
    name: str | None = None
    node: Node | None = None
    bus: MqttBus | None = None
    edge: EdgeRelay | None = None
    outbox: Outbox | None = None
    uplink: Uplink | None = None

    def elsewhere(self, code: RoomCode) -> RoomPort | None:
        """Return the way to a room of another node."""
        if self.edge is None or not self.edge.knows(code):
            return None
        home = self.gateway
        assert isinstance(home, HomeGateway)
        if home.has(code):
            return None
        return RemoteRoom(code, self.edge, home.url_of)

    def is_searching(self) -> bool:
        """Whether rooms of other nodes may not be known yet."""
        return self.edge is not None and self.edge.is_searching

    def connect(self, directory: Directory) -> None:
        """Let what comes from other nodes find its rooms."""
        self.uplink = Uplink(directory.running, directory.find_here)
        if self.node is not None:
            self.node.succeeded = directory.succeeded

    def deliver(self, item: UpItem, link: RemoteLink, ack: Ack) -> bool:
        """Give a request of somebody elsewhere to its room."""
        assert self.uplink is not None
        return self.uplink.deliver(item, link, ack)

    def taken_home(self, code: RoomCode) -> None:
        """A room has come to live here: let this site's people come to it."""
        if self.edge is not None:
            self.edge.taken_home(code)

    def parts(self) -> tuple[tuple[str, Run], ...]:
        """Return the background parts of the way to other nodes, by name."""
        if self.node is None or self.bus is None or self.outbox is None:
            return ()
        bus, node = self.bus, self.node
        return (
            ("relay-bus", lambda: bus.run(node)),
            ("relay-node", node.run),
            ("outbox-clean", self.outbox.keep_clean),
        )

    def reached_at(self, url: str) -> None:
        """Tell other nodes the address that players use."""
        if self.node is not None:
            self.node.reached_at(url)

    def checks(self) -> dict[str, Check]:
        """Return what /healthz tries of the way to other nodes."""
        if self.bus is None or self.outbox is None:
            return {}
        bus = self.bus
        return {
            "broker": check_broker(lambda: bus.is_up),
            "outbox": check_outbox(self.outbox),
        }

    def be_watched(self, metrics: Metrics) -> None:
        """Let the gauges of the way to other nodes be read."""
        if self.bus is not None and self.outbox is not None:
            bus, outbox = self.bus, self.outbox
            assert self.node is not None
            assert self.edge is not None
            node, sender = self.node, self.edge.sender
            home = self.gateway
            assert isinstance(home, HomeGateway)
            metrics.watch("broker_rejected", lambda: node.rejected)
            metrics.watch("batches_resent", lambda: sender.resent)
            metrics.watch("broker_up", lambda: bus.is_up)
            metrics.watch("broker_dropped", lambda: bus.dropped + home.too_large)
            metrics.watch("outbox_waiting", lambda: outbox.size)

    async def leave(self) -> None:
        """Tell the other nodes that this one goes."""
        if self.node is not None:
            self.node.say_goodbye()
            await asyncio.sleep(GOODBYE_S)


async def open_sites(
    config: Config, clock: Clock, stack: contextlib.AsyncExitStack
) -> Sites:
    """Make the gateway, and with a broker everything behind it."""
    if config.broker is None:
        return Sites(LocalGateway(SocketCrowd))
    try:
        address = BrokerAddress.parse(config.broker, config.broker_ca)
    except BusSettingsError as exc:
        raise CannotStart(str(exc)) from exc
    name = config.site or address.user or ""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise CannotStart(
            f"'{name}' is no name for a site: give --site, in small letters, digits "
            "and hyphens, the same as the site's user at the broker."
        )
    boot = secrets.token_hex(KEY_BYTES)
    try:
        bus = MqttBus(
            address,
            address.client_id(name),
            topics.subscriptions(name),
            last_will(name, boot),
        )
    except BusSettingsError as exc:
        raise CannotStart(str(exc)) from exc
    outbox = Outbox(config.data / OUTBOX if config.data else None)
    stack.push_async_callback(outbox.close)
    try:
        await outbox.restore()
    except DiskError as exc:
        raise CannotStart(f"The outbox cannot be opened: {exc}.") from exc
    edge = EdgeRelay(name, boot, bus, outbox, LocalGateway(SocketCrowd))
    sites = Sites(LocalGateway(SocketCrowd), name, bus=bus, edge=edge, outbox=outbox)
    home = HomeGateway(name, bus, sites.deliver)
    sites.gateway = home
    sites.node = Node(name, boot, bus, home, edge, clock.now_ms)
    return sites
