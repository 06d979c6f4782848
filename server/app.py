"""The composition root: the only place where the parts are created and connected."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from websockets.http11 import Request

from scenarios.library import Library
from scenarios.load import Shelf
from scenarios.prose import plural
from server.config import Config
from server.federation.node import LoneNode, Node, open_node
from server.folder import admin_key, size_of
from server.game.errors import required
from server.game.ids import RoomCode
from server.journal.opening import is_shared, open_journal
from server.journal.store import Journal
from server.listening import (
    Bound,
    Certificate,
    bind_all,
    certificate_of,
    open_main,
    open_private,
)
from server.metrics import Metrics
from server.net.addresses import Names, Peers
from server.net.admin import AdminDesk, BringPractice
from server.net.context import Desk
from server.net.gate import Gate
from server.net.limits import fitted
from server.net.links import Keeper
from server.net.operations import (
    Check,
    Health,
    LagMeter,
    Operations,
    check_journal,
    check_space,
)
from server.net.pages import Pages
from server.net.relay import Relays, comes_from_node
from server.net.server import Door
from server.protocol.keys import KEY_BYTES
from server.report.reporting import Reports
from server.rooms import replies
from server.rooms.clock import Clock, SystemClock
from server.rooms.directory import Directory
from server.rooms.requests import Bounds
from server.rooms.retention import Retention
from server.supervision import (
    Part,
    TaskTree,
    owned_by,
    task_tree,
    tune_garbage_collection,
)

if TYPE_CHECKING:
    from server.federation.leases import Leases

__all__ = ["WEB", "Config", "Running", "running", "tune_garbage_collection"]

log = logging.getLogger("twogaps")

WEB = Path(__file__).parent.parent / "client" / "web" / "dist"


@dataclass(frozen=True, slots=True)
class Running:
    """A running server."""

    bound: Bound
    """Its port and addresses."""
    certificate: Certificate | None
    admin_key: str | None
    admin: AdminDesk
    directory: Directory
    library: Library
    """The library at startup; additional folders may have changed since."""
    is_web_built: bool
    gate: Gate
    metrics: Metrics
    metrics_port: int | None
    tree: TaskTree
    """Every background task of this server."""
    leases: Leases | None
    """Of this node in a fleet."""

    @property
    def port(self) -> int:
        """The number of the main port."""
        return self.bound.port

    @property
    def url(self) -> str:
        """The URL for players, based on this machine's current networks."""
        return self.bound.addresses.url

    @property
    def local_url(self) -> str:
        """The URL at which this machine reaches the server."""
        return self.bound.local_url

    @property
    def staff_url(self) -> str:
        """The URL for hosts and the admin: this machine's own or the public one."""
        return self.bound.staff_url


@dataclass(frozen=True, slots=True)
class _Core:
    """The parts that run games, before any port is opened."""

    store: Journal
    clock: Clock
    node: LoneNode | Node
    directory: Directory
    keeper: Keeper
    reports: Reports
    gate: Gate
    metrics: Metrics
    leases: Leases | None
    """This node's leases in a fleet; None if its journal is not shared."""
    relays: Relays | None


@contextlib.asynccontextmanager
async def running(config: Config) -> AsyncIterator[Running]:
    """Run a server for as long as the block lasts.

    Raises :class:`CannotStart` if the port, the journal or the cases are unavailable,
    and :class:`PartFailed` if a part fails for good while the server is running. At the
    end, clients are notified, votes are stored, and the port is closed.
    """
    config.check()
    certificate = certificate_of(config)
    async with task_tree(config.restarts) as tree, contextlib.AsyncExitStack() as stack:
        core = await _core(config, stack)
        folders = _case_folders(config, core.leases)
        shelf = Shelf(*folders)
        await _start(core, tree, stack)
        bound = bind_all(stack, config)
        admin = _admin(config, core, shelf, _practice(config, bound, tree, folders))
        desk = _desk(config, core, admin, bound)
        pages = Pages(WEB, bound.addresses)
        operations = _operations(config, core, desk, tree)
        arrived = bound.addresses.was_used
        origins = (*config.origins, *config.public_urls)  # proxies may hide the name
        names = Names((config.host, config.node_url or "", *origins))
        door = Door(desk, pages, operations, origins, names, arrived)
        with owned_by("door"):
            metrics_port = await open_private(stack, config, operations)
            await open_main(stack, bound, door, certificate)
        stack.push_async_callback(_wind_down, door, core, config.drain_s)
        core.node.reached_at(bound.addresses.url)
        if core.leases is not None:
            core.leases.node.url = config.node_url or bound.node_url
        rooms = plural(len(core.directory.live), "room")
        log.info("%s on port %d, %s", replies.SERVER_NAME, bound.port, rooms)
        yield Running(
            bound=bound,
            admin_key=admin.key,
            admin=admin,
            directory=core.directory,
            library=shelf.current(),
            is_web_built=pages.is_built,
            gate=core.gate,
            metrics=core.metrics,
            metrics_port=metrics_port,
            certificate=certificate,
            tree=tree,
            leases=core.leases,
        )


async def _core(config: Config, stack: contextlib.AsyncExitStack) -> _Core:
    """Create the parts that run games, without starting any of them."""
    metrics = Metrics()
    gate = Gate(fitted(config.limits), metrics)
    store = await _open_store(config, stack)
    clock, reports = SystemClock(), Reports(store)
    node = await open_node(config, clock, stack)
    leases = await _open_leases(config, store, metrics, stack)
    directory = Directory(
        store,
        node.gateway,
        clock,
        draw=secrets.choice,
        most_rooms=config.limits.rooms,
        retention=_retention(config, leases),
        idle_s=config.idle_s,
        nodes=node.others,
        metrics=metrics,
        bounds=_bounds(config, gate),
        homes=leases,
        drain_s=config.drain_s,
        gone=reports.forget,
    )
    node.register_metrics(metrics)
    if (data := config.data) is not None:
        metrics.watch("journal_bytes", lambda: size_of(data))
        metrics.watch("disk_free_bytes", lambda: shutil.disk_usage(data).free)
    return _Core(
        store=store,
        clock=clock,
        node=node,
        directory=directory,
        keeper=Keeper(metrics),
        reports=reports,
        gate=gate,
        metrics=metrics,
        leases=leases,
        relays=_relays(leases, metrics),
    )


def _relays(leases: Leases | None, metrics: Metrics) -> Relays | None:
    if leases is None:
        return None
    return Relays(leases.node.key, leases.is_live, metrics)


def _retention(config: Config, leases: Leases | None) -> Retention:
    if leases is None:
        return Retention(config.keep_days, config.data)
    return Retention(config.keep_days, shared=leases.node)


def _case_folders(config: Config, leases: Leases | None) -> tuple[Path, ...]:
    """Return the folders of additional cases: those configured, and the fleet's."""
    shelf = leases.node.shelf if leases is not None else None
    return config.cases if shelf is None else (*config.cases, shelf.folder)


def _bounds(config: Config, gate: Gate) -> Bounds:
    limits, words = config.limits, config.word_list()
    return Bounds(limits.changes, limits.newcomers_address, gate.hit, words)


async def _start(core: _Core, tree: TaskTree, stack: contextlib.AsyncExitStack) -> None:
    """Start the background parts and wait until unfinished rooms are loaded.

    The parts end in reverse order when the stack is closed.
    """
    started, leases, relays = asyncio.Event(), core.leases, core.relays
    shelf = leases.node.shelf if leases is not None else None

    async def renew() -> None:
        await required(leases, "the lease").run(core.directory)

    def start(*parts: Part) -> None:
        for part in parts:
            tree.start(part)
            stack.push_async_callback(tree.end, part.name)

    start(
        Part("rooms", lambda: core.directory.run(started), is_vital=True),
        *([] if leases is None else [Part("lease", renew, is_vital=True)]),
        *([] if shelf is None else [Part("shelf", shelf.run)]),
        *([] if relays is None else [Part("relays", relays.run)]),
        Part("links", core.keeper.run),
        Part("loop-lag", LagMeter(core.metrics, core.gate.feel).run),
        Part("reports", core.reports.run),
    )
    await started.wait()
    start(
        *(Part(name, run) for name, run in core.node.parts(core.directory, core.store))
    )
    stack.push_async_callback(core.node.leave)


def _practice(
    config: Config, bound: Bound, tree: TaskTree, folders: tuple[Path, ...]
) -> BringPractice | None:
    """Return the function that adds practice players to a room, if configured."""
    if config.bring_practice is None:
        return None
    play = config.bring_practice(bound.inner_url, folders)

    async def bring(code: RoomCode, n: int) -> None:
        tree.errand(f"practice-{code}", lambda: play(code, n))

    return bring


def _admin(
    config: Config, core: _Core, shelf: Shelf, practice: BringPractice | None
) -> AdminDesk:
    shared = None if core.leases is None else core.leases.node.admin_key
    return AdminDesk(
        core.directory,
        shelf.current,
        None if config.is_open else admin_key(config.data, shared),
        new_id=lambda: secrets.token_hex(KEY_BYTES),
        new_seed=lambda: secrets.randbelow(2**31),
        bring_practice=practice,
        known=core.reports.first_votes,
    )


def _desk(config: Config, core: _Core, admin: AdminDesk, bound: Bound) -> Desk:
    key = core.leases.node.key if core.leases is not None else ""

    def is_node(request: Request | None) -> bool:
        return comes_from_node(request, key)

    return Desk(
        directory=core.directory,
        admin=admin,
        clock=core.clock,
        keeper=core.keeper,
        gate=core.gate,
        peers=Peers(config.proxies, is_node),
        reports=core.reports,
        new_id=lambda: secrets.token_hex(KEY_BYTES),
        site=core.node.name,
        sockets=bound.addresses.sockets,
        metrics=core.metrics,
        relays=core.relays,
    )


def _operations(config: Config, core: _Core, desk: Desk, tree: TaskTree) -> Operations:
    health = Health(
        _checks(config, core, tree),
        core.metrics,
        fresh_s=config.health_fresh_s,
        shared=() if core.leases is None else ("journal", "lease"),
    )

    def why_closed() -> str | None:
        draining = core.leases.why_closed() if core.leases is not None else None
        return tree.complaint or desk.why_closed or draining

    return Operations(health, core.metrics, why_closed, config.metrics_key)


def _checks(config: Config, core: _Core, tree: TaskTree) -> dict[str, Check]:
    """Return the checks that /healthz runs, for the parts that this server has."""
    tried = {"journal": check_journal(core.store.check), "tasks": tree.check}
    if config.data is not None:
        tried["disk"] = check_space(config.data, config.low_disk_bytes)
    if core.leases is not None:
        tried["lease"] = core.leases.check
    return tried | core.node.checks()


async def _open_store(config: Config, stack: contextlib.AsyncExitStack) -> Journal:
    if config.store is not None:
        store = await config.store()
        stack.push_async_callback(store.close)
        return store
    where = config.journal or config.data or "memory:"
    return await stack.enter_async_context(open_journal(where, config.data))


async def _open_leases(
    config: Config,
    store: Journal,
    metrics: Metrics,
    stack: contextlib.AsyncExitStack,
) -> Leases | None:
    """Join a fleet if the journal is one that several nodes may use."""
    if config.store is not None or not is_shared(config.journal):
        return None
    from server.federation.leases import open_leases
    from server.journal.postgres import PostgresStore

    if not isinstance(store, PostgresStore):
        return None
    leases = await open_leases(config, store, metrics)
    stack.push_async_callback(leases.node.leave)
    return leases


async def _wind_down(door: Door, core: _Core, drain_s: float) -> None:
    """Stop accepting requests, store and answer those queued, and notify clients."""
    door.stop()
    if core.leases is not None:
        await core.directory.hand_over()
    if not await core.directory.drain(drain_s):
        log.warning(
            "some requests could not be stored in time; clients will resend them"
        )
    for room in core.directory.live:
        core.node.gateway.dismiss(room.code, replies.SHUTTING_DOWN)
    door.part_all(replies.SHUTTING_DOWN)
