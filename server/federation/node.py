"""A node, alone or among others: the parts that the server is assembled from."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from server.config import Config
from server.disk import DiskError
from server.federation import topics
from server.federation.edge import SEARCH_S, EdgeRelay
from server.federation.edges import Edges
from server.federation.home import Arrivals, HomeGateway
from server.federation.messages import (
    Announce,
    Answer,
    DownBatch,
    M,
    NodeState,
    Probe,
    UpBatch,
    decode,
    encode,
)
from server.federation.mqtt import Bus, MqttBus, Will
from server.federation.outbox import Outbox
from server.federation.remote import RemoteRoom, Rooms, Uplink
from server.federation.sender import PACE, Pace
from server.federation.settling import Settling
from server.federation.topics import Budget, BusSettingsError, is_room, is_site
from server.folder import INCOMING, OUTBOX, SITE, CannotStart
from server.game.ids import RoomCode
from server.game.state import RoomState
from server.journal.store import RoomStore
from server.metrics import Metrics
from server.net.crowd import SocketCrowd
from server.net.operations import Check, check_broker, check_outbox
from server.protocol.keys import KEY_BYTES
from server.rooms.audience import LocalGateway, NoOtherNodes
from server.rooms.clock import Clock
from server.rooms.ports import Barrier, Crowd, OtherNodes, RoomPort

log = logging.getLogger("twogaps.federation")

Parts = tuple[tuple[str, Callable[[], Awaitable[None]]], ...]
"""Background tasks by name; each runs until cancelled, and raises if it fails."""

GOODBYE_S = 0.1
"""How long the last message to the broker may take, in seconds."""

ITEM_BYTES = 256
"""Approximate size of an item in a batch. The budgets of sites are counted in items."""

FIRST_PROBES = 16
QUICK_PROBE_S, SLOW_PROBE_S = 0.1, 5.0


class LoneNode:
    """A node without others: every room and every client is here."""

    def __init__(self, crowd: Callable[[], Crowd]) -> None:
        """``crowd`` makes the object that sends one frame to all players of a room."""
        self.name: str | None = None
        self.gateway = LocalGateway(crowd)
        self.others: OtherNodes = NoOtherNodes()

    def parts(self, rooms: Rooms, store: RoomStore) -> Parts:
        """Return no background tasks: a lone node needs none."""
        del rooms, store
        return ()

    def checks(self) -> dict[str, Check]:
        """Return no checks: there is no connection that could fail."""
        return {}

    def register_metrics(self, metrics: Metrics) -> None:
        """Register nothing: there are no other nodes to measure."""

    def reached_at(self, url: str) -> None:
        """Do nothing: there are no other nodes to notify."""

    async def leave(self) -> None:
        """Do nothing: there are no other nodes to notify."""


class Status:
    """This node's own state, which is retained at the broker."""

    def __init__(self, name: str, boot: str, bus: Bus) -> None:
        self._name = name
        self._boot = boot
        self._bus = bus
        self._is_leaving = False
        self.url = ""
        """This node's address for clients; empty until it listens."""

    def say(self) -> None:
        """Publish the state."""
        is_up = not self._is_leaving
        state = NodeState(is_up=is_up, boot=self._boot, url=self.url)
        topic = topics.node_state(self._name)
        self._bus.publish(topic, encode(state), qos=1, retain=True)

    def correct(self, heard: NodeState) -> None:
        """Publish the state again if an earlier connection's last will replaced it."""
        if not heard.is_up and not self._is_leaving:
            self.say()

    def leave(self) -> None:
        """Publish that this node is going down."""
        self._is_leaving = True
        self.say()


class Node:
    """A node among others: home to its own rooms, and an edge for rooms of others."""

    def __init__(
        self,
        name: str,
        boot: str,
        bus: Bus,
        outbox: Outbox,
        clock: Clock,
        crowd: Callable[[], Crowd],
        data: Path | None = None,
        pace: Pace = PACE,
        search_s: float = SEARCH_S,
    ) -> None:
        """``crowd`` makes the object that sends one frame to all players of a room.
        Rooms of other nodes arrive in the folder ``data``. ``pace`` is when the edge
        resends. The broker sends its retained messages within ``search_s`` seconds.
        """
        self.name = name
        self._bus = bus
        self._outbox = outbox
        self._clock = clock
        self._data = data
        self.status = Status(name, boot, bus)
        people = LocalGateway(crowd)
        self.edge = EdgeRelay(name, boot, bus, outbox, people, pace, search_s=search_s)
        self.edges = Edges(name, bus, lambda: self.status.url)
        self.gateway = HomeGateway(name, bus, LocalGateway(crowd), self.edges.forget)

    @property
    def others(self) -> OtherNodes:
        """The directory's port to other nodes: this object."""
        return self

    # --- asked by the directory ------------------------------------------------------

    @property
    def is_searching(self) -> bool:
        """Whether other nodes may have rooms that are not known yet."""
        return self.edge.is_searching

    def elsewhere(self, room: RoomCode) -> RoomPort | None:
        """Return a proxy for a room at another node, or None."""
        if not self.edge.knows(room) or self.gateway.has(room):
            return None
        return RemoteRoom(room, self.edge)

    def claim(self, state: RoomState, confirm: Callable[[], None]) -> None:
        """Become home to a room; the sites of its players may have votes for it."""
        self.gateway.claim(state.code, state.epoch, state.secret, confirm)
        self.edges.expect(state.code, state.sites)

    def disown(self, room: RoomCode) -> None:
        """Clear the retained messages of a room that another node is home to now."""
        self.gateway.disown(room)

    def barrier(self, clock: Clock, is_idle: Callable[[], bool]) -> Barrier:
        """Return a barrier that delays reveals until a room's sites have sent votes."""
        return Settling(self.edges, self.gateway, clock, is_idle)

    # --- asked by the composition root -----------------------------------------------

    def parts(self, rooms: Rooms, store: RoomStore) -> Parts:
        """Return this node's background tasks; ``rooms`` are its own rooms."""
        count = self.edge.rejections
        uplink = Uplink(self.gateway, self.edges, rooms, self._clock, count)
        listener = Dispatcher(self, self._bus, uplink, rooms, self._clock)
        parts: Parts = (
            ("uplink", uplink.run),
            ("edge-sender", self.edge.sender.run),
            ("edge-resender", self.edge.sender.resend),
            ("edge-forgetter", self.edge.sender.forget_done),
            ("home-sender", self.edges.run),
            ("outbox-clean", self._outbox.keep_clean),
            ("clock-probes", listener.probe),
            ("bus", lambda: self._bus.run(listener)),
        )
        if self._data is None:
            return parts

        async def arrived(code: RoomCode) -> None:
            self.edge.taken_home(code)
            await rooms.arrived(code)

        arrivals = Arrivals(self._data / INCOMING, store, self.name, arrived)
        return (("arrivals", arrivals.run), *parts)

    def checks(self) -> dict[str, Check]:
        """Return the /healthz checks of the connection to other nodes."""
        return {
            "broker": check_broker(lambda: self._bus.is_up),
            "outbox": check_outbox(self._outbox),
        }

    def register_metrics(self, metrics: Metrics) -> None:
        """Register the gauges of the connection to other nodes."""
        bus, outbox, edge, edges = self._bus, self._outbox, self.edge, self.edges
        metrics.watch("broker_rejected", lambda: edge.rejections.count)
        metrics.watch("batches_resent", lambda: edge.sender.resent)
        metrics.watch("broker_up", lambda: bus.is_up)
        metrics.watch("broker_dropped", lambda: bus.dropped + edges.too_large)
        metrics.watch("outbox_waiting", lambda: outbox.size)

    def reached_at(self, url: str) -> None:
        """Tell other nodes this node's address for clients."""
        self.status.url = url
        self.status.say()

    async def leave(self) -> None:
        """Tell other nodes that this one is going down."""
        self.status.leave()
        await asyncio.sleep(GOODBYE_S)


class Dispatcher:
    """Passes messages from the bus to the home side or the edge side of a node."""

    def __init__(
        self, node: Node, bus: Bus, uplink: Uplink, rooms: Rooms, clock: Clock
    ) -> None:
        self._node = node
        self._name = node.name
        self._home = node.gateway
        self._edges = node.edges
        self._edge = node.edge
        self._bus = bus
        self._uplink = uplink
        self._rooms = rooms
        self._clock = clock
        self._reject = node.edge.rejections.add
        self._batches = Budget(per_s=5_000, burst=20_000)
        self._probes = Budget(per_s=20, burst=200)

    # --- called by the bus -----------------------------------------------------------

    def bus_up(self) -> None:
        """Publish this node's state and all its retained messages."""
        status, home = self._node.status, self._home
        for say in (status.say, home.republish, self._edge.bus_changed):
            try:
                say()
            except Exception:  # an error in one part does not end the connection
                log.exception("the state was not fully sent after connecting")

    def bus_down(self) -> None:
        """Tell this site's clients that the connection is lost."""
        self._edge.bus_changed()

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Pass a message to the side it is for; count forged and foreign messages."""
        parts = topics.parts(topic)
        try:
            self._hand(parts, payload)
        except Exception:  # no message from another site may stop this one
            self._reject(topics.sender(parts), "one of its messages could not be used")
            log.exception("a message at %s could not be used", topic)

    def _hand(self, parts: tuple[str, ...], payload: bytes) -> None:
        name = topics.sender(parts)
        if not is_site(name):
            self._reject(name, "this is not a site's name")
            return
        if not self._may_send(parts[0], name, payload):
            self._reject(name, "it sends too many messages")
            return
        match parts:
            case ("node", _, "state"):
                if payload and (state := self._good(name, NodeState, payload)):
                    self._node_state(name, state)
            case ("home", home, "room", code, kind) if home != self._name:
                if is_room(code):
                    self._shared(home, RoomCode(code), kind, payload)
                else:
                    self._reject(home, "this is not a room's code")
            case ("up", _, edge):
                if batch := self._good(edge, UpBatch, payload):
                    self._uplink.receive(edge, batch)
            case ("down", _, home):
                if down := self._good(home, DownBatch, payload):
                    self._edge.receive(home, down)
            case ("clk", "up", _, edge):
                if probe := self._good(edge, Probe, payload):
                    self._edges.heard(edge)
                    now_ms = self._clock.now_ms()
                    answer = Answer(sent_ms=probe.sent_ms, home_ms=now_ms)
                    topic = topics.clock_down(edge, self._name)
                    self._bus.publish(topic, encode(answer))
            case ("clk", "down", _, home):
                if heard := self._good(home, Answer, payload):
                    offset = self._edge.sender.home(home).offset
                    offset.add(heard.sent_ms, heard.home_ms, self._clock.now_ms())

    def _good(self, site: str, kind: type[M], payload: bytes) -> M | None:
        """Decode a message; if it cannot be read, count it and return None."""
        message = decode(kind, payload)
        if message is None:
            self._reject(site, f"a {kind.__name__} of it cannot be read")
        return message

    def _may_send(self, kind: str, site: str, payload: bytes) -> bool:
        """Whether a site's budget covers a message; honest sites send it again."""
        if kind == "clk":
            return self._probes.allows(site)
        cost = 1 + len(payload) / ITEM_BYTES
        return kind not in ("up", "down") or self._batches.allows(site, cost)

    def _node_state(self, name: str, state: NodeState) -> None:
        if name == self._name:
            self._node.status.correct(state)
            return
        self._edge.home_state(name, state.is_up, state.boot)
        self._uplink.node_is(name, state)

    def _shared(self, home: str, room: RoomCode, kind: str, payload: bytes) -> None:
        if kind == "announce":
            news = self._good(home, Announce, payload) if payload else None
            if payload and news is None:
                return
            if news is not None and self._home.is_succeeded_by(room, news):
                self._rooms.succeeded(room, home, news.epoch)
            elif news is not None and (epoch := self._home.epoch_of(room)):
                if news.epoch > epoch:
                    self._reject(home, "it claims a room of this site")
                return
            self._edge.announced(home, room, news)
        elif kind == "player":
            self._edge.shown(home, room, "player", payload)
        elif kind == "screen":
            self._edge.shown(home, room, "screen", payload)
        elif kind == "progress":
            self._edge.progressed(home, room, payload)

    async def probe(self) -> None:
        """Send clock probes to every home, until cancelled."""
        sent = 0
        while True:
            for home in (homes := self._edge.sender.live()):
                probe = Probe(sent_ms=self._clock.now_ms())
                self._bus.publish(topics.clock_up(home, self._name), encode(probe))
                sent += 1
            is_new = sent < FIRST_PROBES or not homes
            await asyncio.sleep(QUICK_PROBE_S if is_new else SLOW_PROBE_S)


async def open_node(
    config: Config, clock: Clock, stack: contextlib.AsyncExitStack
) -> LoneNode | Node:
    """Create a node: alone, or with a broker, among others. Raises CannotStart."""
    if config.broker is None:
        return LoneNode(SocketCrowd)
    try:
        address = topics.BrokerAddress.parse(config.broker, config.broker_ca)
    except BusSettingsError as exc:
        raise CannotStart(str(exc)) from exc
    name = config.site or address.user or ""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise CannotStart(
            f"'{name}' is not a valid site name. Give --site in lowercase letters, "
            "digits and hyphens, the same as the site's user at the broker."
        )
    boot, about = secrets.token_hex(KEY_BYTES), topics.subscriptions(name)
    will = last_will(name, boot)
    try:
        bus = MqttBus(address, address.client_id(name), about, will)
    except BusSettingsError as exc:
        raise CannotStart(str(exc)) from exc
    outbox = Outbox(config.data / OUTBOX if config.data else None)
    stack.push_async_callback(outbox.close)
    try:
        await outbox.restore()
    except DiskError as exc:
        raise CannotStart(f"The outbox cannot be opened: {exc}.") from exc
    if config.data is not None:
        (config.data / SITE).write_text(name + "\n", encoding="utf-8")
    return Node(name, boot, bus, outbox, clock, SocketCrowd, config.data)


def last_will(name: str, boot: str) -> Will:
    """Return the message that the broker publishes if it loses this node."""
    return Will(topics.node_state(name), encode(NodeState(is_up=False, boot=boot)))
