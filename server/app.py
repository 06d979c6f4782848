"""The composition root: the one place where the parts are made and put together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.library import Library
from scenarios.shelf import Shelf
from server.disk import DiskError
from server.folder import OUTBOX, CannotStart, admin_key, open_journal, size_of
from server.game.ids import RoomCode
from server.journal.memory import MemoryStore
from server.journal.store import EventStore
from server.metrics import Metrics
from server.net import checks
from server.net.addresses import base_url
from server.net.admin import AdminDesk, BringPractice
from server.net.gate import Gate
from server.net.handles import fitted
from server.net.health import Check, Health
from server.net.limits import Limits
from server.net.links import Keeper
from server.net.operations import Operations, listen_privately, measure_lag
from server.net.pages import Pages
from server.net.peers import Peers
from server.net.server import Door, listen
from server.net.session import Desk
from server.protocol.keys import KEY_BYTES
from server.relay import topics
from server.relay.bus import BrokerAddress, BusSettingsError
from server.relay.edge import EdgeRelay
from server.relay.home import HomeGateway, RemoteLink
from server.relay.local import LocalGateway
from server.relay.mqtt import MqttBus
from server.relay.node import Node, last_will
from server.relay.node_messages import UpItem
from server.relay.outbox import Outbox
from server.rooms import replies
from server.rooms.clock import Clock, SystemClock
from server.rooms.directory import Directory
from server.rooms.inbox import Ack
from server.rooms.remote import RemoteRoom, RoomPort, Uplink
from server.rooms.reporting import Reports

log = logging.getLogger("twogaps")

WEB = Path(__file__).parent.parent / "client" / "web" / "dist"


GOODBYE_S = 0.1
"""How long a last word to the broker may take."""

CANCEL_AGAIN_S = 1.0

DRAIN_S = 1.5
"""How long what has come in may take to be stored when the server stops."""

CLOSE_S = 2.0
"""How long sockets may take to close before they are cut."""


@dataclass(frozen=True, slots=True)
class Config:
    """How a server is set up. The command line fills it in."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0 lets the system choose."""
    data: Path | None = None
    """Folder of the journal; None keeps everything in memory."""
    cases: tuple[Path, ...] = ()
    """Folders of cases and decks beside the built-in ones."""
    public_url: str | None = None
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies on other machines that are trusted."""
    is_open: bool = False
    """Anybody may open rooms, without the admin key."""
    broker: str | None = None
    """Address of an MQTT broker: this node then plays one game with others."""
    broker_ca: Path | None = None
    """File of the authority that signed the broker's certificate (PEM)."""
    site: str | None = None
    """This node's name among the others."""
    keep_days: int = 90
    """Rooms untouched for so many days are removed; 0 keeps them for ever."""
    limits: Limits = field(default_factory=Limits)
    metrics_port: int | None = None
    """Port of figures and health, for operators; 0 lets the system choose."""
    metrics_host: str = "127.0.0.1"
    metrics_key: str | None = None
    """Opens /metrics on the main port, too."""
    bring_practice: Callable[[str], BringPractice] | None = None
    """Given the server's own address, returns what brings practice players."""
    store: Callable[[], Awaitable[EventStore]] | None = None
    """Opens another store than ``data`` asks for."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    port: int
    url: str
    """The address that players use."""
    local_url: str
    admin_key: str | None
    admin: AdminDesk
    directory: Directory
    library: Library
    """As it was at the start; own folders may have changed since."""
    is_web_built: bool
    gate: Gate
    metrics: Metrics
    metrics_port: int | None


@contextlib.asynccontextmanager
async def running(config: Config) -> AsyncIterator[Running]:
    """Run a server for as long as the block lasts.

    Raises :class:`CannotStart` where the port, the journal or the cases are not to be
    had. On leaving, everybody is told, votes are stored, and the port is closed.
    """
    shelf = Shelf(*config.cases)
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        gate = Gate(fitted(config.limits), metrics)
        store = await _open_store(config, stack)
        clock: Clock = SystemClock()
        parts = await _relay(config, clock, stack)
        directory = Directory(
            store,
            parts.gateway,
            clock,
            draw=secrets.choice,
            most_rooms=config.limits.rooms,
            keep_days=config.keep_days,
            elsewhere=parts.elsewhere,
            is_searching=parts.is_searching,
            metrics=metrics,
        )
        parts.connect(directory)
        keeper = Keeper(metrics)
        reports = Reports(store)
        await _in_background(stack, directory, keeper, reports, metrics, gate)
        await parts.start(stack)
        key = None if config.is_open else admin_key(config.data)
        late = _Late()
        admin = AdminDesk(
            directory,
            shelf.current,
            key,
            new_id=lambda: secrets.token_hex(KEY_BYTES),
            new_seed=lambda: secrets.randbelow(2**31),
            bring_practice=late.bring if config.bring_practice else None,
        )
        desk = Desk(
            directory=directory,
            admin=admin,
            clock=clock,
            keeper=keeper,
            gate=gate,
            peers=Peers(config.proxies),
            reports=reports,
            new_id=lambda: secrets.token_hex(KEY_BYTES),
            site=parts.name,
            metrics=metrics,
        )
        pages = Pages(WEB, lambda code: f"{late.url}/j/{code}")
        health = Health(_checks(config, store, parts), metrics)
        operations = Operations(health, metrics, late.why_closed, config.metrics_key)
        late.door = Door(desk, pages, operations, config.origins)
        _watch(config, parts, metrics)
        metrics_port = await _listen_privately(stack, config, operations)
        port = await _listen(stack, config, late.door)
        stack.push_async_callback(_wind_down, late.door, directory, parts.gateway)
        late.url = base_url(config.host, port, config.public_url, tls=False)
        if parts.node is not None:
            parts.node.reached_at(late.url)
        local_url = base_url(_reachable_here(config.host), port, None, tls=False)
        if config.bring_practice:
            late.practice = config.bring_practice(local_url)
        log.info("serving on port %d with %d rooms", port, len(directory.live))
        yield Running(
            port=port,
            url=late.url,
            local_url=local_url,
            admin_key=key,
            admin=admin,
            directory=directory,
            library=shelf.current(),
            is_web_built=pages.is_built,
            gate=gate,
            metrics=metrics,
            metrics_port=metrics_port,
        )


@dataclass(slots=True)
class _Parts:
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
        if self.edge is not None and self.edge.knows(code):
            return RemoteRoom(code, self.edge)
        return None

    def is_searching(self) -> bool:
        """Whether rooms of other nodes may not be known yet."""
        return self.edge is not None and self.edge.is_searching

    def connect(self, directory: Directory) -> None:
        """Let what comes from other nodes find its rooms."""
        self.uplink = Uplink(directory.running, directory.find_here)

    def deliver(self, item: UpItem, link: RemoteLink, ack: Ack) -> bool:
        """Give a request of somebody elsewhere to its room."""
        assert self.uplink is not None
        return self.uplink.deliver(item, link, ack)

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Connect to the broker, and stay connected."""
        if self.node is None or self.bus is None or self.outbox is None:
            return
        for name, work in (
            ("relay-bus", self.bus.run(self.node)),
            ("relay-node", self.node.run()),
            ("outbox-clean", self.outbox.keep_clean()),
        ):
            task = asyncio.create_task(work, name=name)
            stack.push_async_callback(_end, task)
        stack.push_async_callback(self._leave)

    async def _leave(self) -> None:
        """Tell the other nodes that this one goes."""
        assert self.node is not None
        self.node.say_goodbye()
        await asyncio.sleep(GOODBYE_S)


async def _relay(
    config: Config, clock: Clock, stack: contextlib.AsyncExitStack
) -> _Parts:
    """Make the gateway, and with a broker everything behind it."""
    if config.broker is None:
        return _Parts(LocalGateway())
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
    edge = EdgeRelay(name, boot, bus, outbox)
    parts = _Parts(LocalGateway(), name, bus=bus, edge=edge, outbox=outbox)
    home = HomeGateway(name, bus, parts.deliver)
    parts.gateway = home
    parts.node = Node(name, boot, bus, home, edge, clock.now_ms)
    return parts


@dataclass(slots=True)
class _Late:
    """What is known only once the port is open."""

    url: str = ""
    practice: BringPractice | None = None
    door: Door | None = None

    def why_closed(self) -> str | None:
        """Tell why nobody new should be sent here."""
        return "not open yet" if self.door is None else self.door.why_closed

    async def bring(self, code: RoomCode, n: int) -> None:
        """Bring practice players to a room."""
        assert self.practice is not None
        await self.practice(code, n)


async def _open_store(config: Config, stack: contextlib.AsyncExitStack) -> EventStore:
    if config.store is not None:
        store = await config.store()
    elif config.data is None:
        store = MemoryStore()
    else:
        return await stack.enter_async_context(open_journal(config.data))
    stack.push_async_callback(store.close)
    return store


def _checks(config: Config, store: EventStore, parts: _Parts) -> dict[str, Check]:
    """Return what /healthz tries: the parts that this server has."""
    tried = {"journal": checks.journal(store)}
    if config.data is not None:
        tried["disk"] = checks.space(config.data)
    if parts.bus is not None and parts.outbox is not None:
        bus = parts.bus
        tried["broker"] = checks.broker(lambda: bus.is_up)
        tried["outbox"] = checks.outbox(parts.outbox)
    return tried


def _watch(config: Config, parts: _Parts, metrics: Metrics) -> None:
    """Let the gauges be read that no part reports by itself."""
    if (data := config.data) is not None:
        metrics.watch("journal_bytes", lambda: size_of(data))
        metrics.watch("disk_free_bytes", lambda: shutil.disk_usage(data).free)
    if parts.bus is not None and parts.outbox is not None:
        bus, outbox = parts.bus, parts.outbox
        assert parts.node is not None
        assert parts.edge is not None
        node, sender = parts.node, parts.edge.sender
        home = parts.gateway
        assert isinstance(home, HomeGateway)
        metrics.watch("broker_rejected", lambda: node.rejected)
        metrics.watch("batches_resent", lambda: sender.resent)
        metrics.watch("broker_up", lambda: bus.is_up)
        metrics.watch("broker_dropped", lambda: bus.dropped + home.too_large)
        metrics.watch("outbox_waiting", lambda: outbox.size)


async def _in_background(
    stack: contextlib.AsyncExitStack,
    directory: Directory,
    keeper: Keeper,
    reports: Reports,
    metrics: Metrics,
    gate: Gate,
) -> None:
    """Run what runs by itself until the stack is left."""
    started = asyncio.Event()
    for name, work in (
        ("rooms", directory.run(started)),
        ("links", keeper.run()),
        ("loop-lag", measure_lag(metrics, gate.feel)),
        ("reports", reports.run()),
    ):
        task = asyncio.create_task(work, name=name)
        stack.push_async_callback(_end, task)
    await started.wait()


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended: a library may swallow it the first time."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _wind_down(door: Door, directory: Directory, gateway: LocalGateway) -> None:
    """Take nothing more in, store and answer what has come, and tell everybody."""
    door.stop()
    if not await directory.drain(DRAIN_S):
        log.warning("not all that came in could be stored in time; it is sent again")
    for room in directory.live:
        gateway.dismiss(room.code, None, replies.SHUTTING_DOWN)
    door.part_all(replies.SHUTTING_DOWN)


async def _listen(stack: contextlib.AsyncExitStack, config: Config, door: Door) -> int:
    try:
        opened = await listen(door, config.host, config.port)
    except OSError as exc:
        raise CannotStart(
            f"Port {config.port} on {config.host} cannot be opened: "
            f"{exc.strerror or exc}. Choose another one with --port."
        ) from exc

    stack.push_async_callback(opened.close, CLOSE_S)
    return opened.number


async def _listen_privately(
    stack: contextlib.AsyncExitStack, config: Config, operations: Operations
) -> int | None:
    """Open the operators' port, if one is wanted; return its number."""
    if config.metrics_port is None:
        return None
    host, port = config.metrics_host, config.metrics_port
    try:
        server = await listen_privately(operations, host, port)
    except OSError as exc:
        raise CannotStart(
            f"Port {port} on {host} cannot be opened: {exc.strerror or exc}. "
            "Choose another one with --metrics-port."
        ) from exc
    stack.callback(server.close)
    return int(next(iter(server.sockets)).getsockname()[1])


def _reachable_here(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared
