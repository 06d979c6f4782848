"""The composition root: the one place where the parts are made and put together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scenarios.library import Library
from scenarios.shelf import Shelf
from server.config import Config
from server.federation.local import LocalGateway
from server.folder import INCOMING, SITE, admin_key, open_journal, size_of
from server.game.ids import RoomCode
from server.journal.memory import MemoryStore
from server.journal.store import EventStore
from server.metrics import Metrics
from server.net.addresses import Peers, base_url
from server.net.admin import AdminDesk, BringPractice
from server.net.context import Desk
from server.net.gate import Gate
from server.net.health import Check, Health, check_journal, check_space
from server.net.limits import fitted
from server.net.links import Keeper
from server.net.operations import Operations, measure_lag
from server.net.pages import Pages
from server.net.server import Door
from server.ports import (
    Certificate,
    certificate_of,
    open_inner,
    open_main,
    open_private,
    reachable_here,
)
from server.protocol.keys import KEY_BYTES
from server.report.reporting import Reports
from server.rooms import replies
from server.rooms.arrivals import Arrivals
from server.rooms.clock import Clock, SystemClock
from server.rooms.directory import Directory
from server.sites import Sites, end, open_sites

__all__ = ["WEB", "Config", "Running", "running"]

log = logging.getLogger("twogaps")

WEB = Path(__file__).parent.parent / "client" / "web" / "dist"


DRAIN_S = 1.5
"""How long what has come in may take to be stored when the server stops."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    port: int
    url: str
    """The address that players use."""
    local_url: str
    staff_url: str
    """The address that hosts and the admin use: this machine's own, or the public one
    where the server stands elsewhere."""
    certificate: Certificate | None
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
    certificate = certificate_of(config)
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        gate = Gate(fitted(config.limits), metrics)
        store = await _open_store(config, stack)
        clock: Clock = SystemClock()
        sites = await open_sites(config, clock, stack)
        directory = Directory(
            store,
            sites.gateway,
            clock,
            draw=secrets.choice,
            most_rooms=config.limits.rooms,
            keep_days=config.keep_days,
            elsewhere=sites.elsewhere,
            is_searching=sites.is_searching,
            name=sites.name,
            metrics=metrics,
        )
        sites.connect(directory)
        keeper = Keeper(metrics)
        reports = Reports(store)
        await _in_background(stack, directory, keeper, reports, metrics, gate)
        await _await_rooms(stack, config, store, sites, directory)
        await sites.start(stack)
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
            site=sites.name,
            metrics=metrics,
        )
        pages = Pages(WEB, lambda code: f"{late.url}/j/{code}")
        health = Health(_checks(config, store, sites), metrics)
        operations = Operations(health, metrics, late.why_closed, config.metrics_key)
        late.door = Door(desk, pages, operations, _origins(config))
        _watch(config, metrics)
        sites.be_watched(metrics)
        metrics_port = await open_private(stack, config, operations)
        port = await open_main(stack, config, late.door, certificate)
        stack.push_async_callback(_wind_down, late.door, directory, sites.gateway)
        tls = certificate is not None
        late.url = base_url(config.host, port, config.public_url, tls=tls)
        if sites.node is not None:
            sites.node.reached_at(late.url)
        local_url = base_url(reachable_here(config.host), port, None, tls=tls)
        if config.bring_practice:
            inner = await open_inner(stack, late.door) if tls else local_url
            late.practice = config.bring_practice(inner)
        log.info(
            "%s serving on port %d with %d rooms",
            replies.SERVER_NAME,
            port,
            len(directory.live),
        )
        yield Running(
            port=port,
            url=late.url,
            local_url=local_url,
            staff_url=late.url if config.public_url else local_url,
            admin_key=key,
            admin=admin,
            directory=directory,
            library=shelf.current(),
            is_web_built=pages.is_built,
            gate=gate,
            metrics=metrics,
            metrics_port=metrics_port,
            certificate=certificate,
        )


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


def _origins(config: Config) -> tuple[str, ...]:
    """Return the sites whose pages may connect, beside the one a page came from."""
    if config.public_url is None:
        return config.origins
    parts = urlsplit(config.public_url)  # a proxy may not pass the host's name on
    return (*config.origins, f"{parts.scheme}://{parts.netloc}")


async def _open_store(config: Config, stack: contextlib.AsyncExitStack) -> EventStore:
    if config.store is not None:
        store = await config.store()
    elif config.data is None:
        store = MemoryStore()
    else:
        return await stack.enter_async_context(open_journal(config.data))
    stack.push_async_callback(store.close)
    return store


def _checks(config: Config, store: EventStore, sites: Sites) -> dict[str, Check]:
    """Return what /healthz tries: the parts that this server has."""
    tried = {"journal": check_journal(store)}
    if config.data is not None:
        tried["disk"] = check_space(config.data)
    tried.update(sites.checks())
    return tried


def _watch(config: Config, metrics: Metrics) -> None:
    """Let the gauges be read that no part reports by itself."""
    if (data := config.data) is not None:
        metrics.watch("journal_bytes", lambda: size_of(data))
        metrics.watch("disk_free_bytes", lambda: shutil.disk_usage(data).free)


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
        stack.push_async_callback(end, task)
    await started.wait()


async def _await_rooms(
    stack: contextlib.AsyncExitStack,
    config: Config,
    store: EventStore,
    sites: Sites,
    directory: Directory,
) -> None:
    """Take up rooms that come from other nodes, by file."""
    if config.data is None or sites.name is None:
        return
    (config.data / SITE).write_text(sites.name + "\n")

    async def arrived(code: RoomCode) -> None:
        sites.taken_home(code)
        await directory.arrived(code)

    arrivals = Arrivals(config.data / INCOMING, store, sites.name, arrived)
    task = asyncio.create_task(arrivals.run(), name="arrivals")
    stack.push_async_callback(end, task)


async def _wind_down(door: Door, directory: Directory, gateway: LocalGateway) -> None:
    """Take nothing more in, store and answer what has come, and tell everybody."""
    door.stop()
    if not await directory.drain(DRAIN_S):
        log.warning("not all that came in could be stored in time; it is sent again")
    for room in directory.live:
        gateway.dismiss(room.code, None, replies.SHUTTING_DOWN)
    door.part_all(replies.SHUTTING_DOWN)
