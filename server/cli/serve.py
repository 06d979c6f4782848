"""``twogaps serve``: run the server until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from client.errors import ClientError
from client.practice import PracticeSettings, knowledge_of, run_practice
from scenarios.load import Shelf
from server.app import Config, Running, running, tune_garbage_collection
from server.cli.console import (
    CasesOption,
    DataOption,
    JournalOption,
    default_data,
    err,
    on_signal,
    with_options,
)
from server.cli.greeting import greet, open_room
from server.cli.logs import LogFormat, log_task_faults, set_up_logging
from server.game.ids import RoomCode
from server.net.addresses import Peers
from server.net.admin import BringPractice
from server.net.limits import BadLimit, Limits
from server.supervision import PartFailed

log = logging.getLogger("twogaps")

PRACTICE_PAUSE_S = (2.0, 12.0)
"""The shortest and longest time before a practice player answers, in seconds."""

LAST_S = 4.8
"""Seconds after which a stopping server exits even if a part of it hangs."""

LAST_WORD_S = 0.1
"""Seconds that writing the last line may take."""

EXIT_LATE = 1
EXIT_FAULT = 3
"""The exit code after a part failed for good; a service manager should restart it."""

EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of ``twogaps serve``; docs/settings.md lists them."""

    host: Annotated[
        str,
        typer.Option(envvar="TWOGAPS_HOST", help="Interface to listen on."),
    ] = "0.0.0.0"  # noqa: S104 - a class is on the LAN; rooms need the admin key
    port: Annotated[
        int, typer.Option(envvar="TWOGAPS_PORT", help="Port; 0 picks a free one.")
    ] = 8000
    data: DataOption = None
    journal: JournalOption = None
    memory: Annotated[bool, typer.Option("--memory", help="Store nothing on disk.")] = (
        False
    )
    cases: CasesOption = None
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="TWOGAPS_PUBLIC_URL",
            help="Address for players, if it is not this machine's own; several "
            "are separated by commas.",
        ),
    ] = None
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Another web origin whose pages may connect; repeatable."),
    ] = None
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            envvar="TWOGAPS_TLS_CERT",
            help="TLS certificate chain: leaf first, then intermediates (PEM). "
            "Read again on SIGHUP.",
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        typer.Option(
            envvar="TWOGAPS_TLS_KEY", help="Private key of the certificate (PEM)."
        ),
    ] = None
    is_open: Annotated[
        bool,
        typer.Option("--open", help="Anyone may open rooms, without the admin key."),
    ] = False
    room: Annotated[
        str | None,
        typer.Option(
            help="Open a room with this deck immediately, for example first-class."
        ),
    ] = None
    broker: Annotated[
        str | None,
        typer.Option(
            envvar="TWOGAPS_BROKER",
            help="Connect to other sites through this MQTT broker: "
            "mqtt[s]://user:password@host, or host,host,host of a cluster.",
        ),
    ] = None
    broker_ca: Annotated[
        Path | None,
        typer.Option(
            envvar="TWOGAPS_BROKER_CA",
            help="Certificate authority of the broker, if the system does not trust it "
            "(PEM).",
        ),
    ] = None
    site: Annotated[
        str | None,
        typer.Option(
            envvar="TWOGAPS_SITE",
            help="Name of this site, which is also its user name at the broker.",
        ),
    ] = None
    node_url: Annotated[
        str | None,
        typer.Option(
            envvar="TWOGAPS_NODE_URL",
            help="In a fleet: address at which other nodes reach this one, if it is "
            "not the node's own.",
        ),
    ] = None
    lease: Annotated[
        float,
        typer.Option(
            envvar="TWOGAPS_LEASE",
            help="In a fleet: seconds after which other nodes take over the rooms of "
            "a dead node.",
        ),
    ] = 3.0
    keep_days: Annotated[
        int,
        typer.Option(
            envvar="TWOGAPS_KEEP_DAYS",
            min=0,
            help="Remove rooms that have been idle for N days; 0 keeps them forever.",
        ),
    ] = 90
    words: Annotated[
        Path | None,
        typer.Option(
            envvar="TWOGAPS_WORDS",
            help="File of words that names, reasons and sentences may not contain: "
            "UTF-8, one per line; *word* also matches inside longer words.",
        ),
    ] = None
    limit: Annotated[
        list[str] | None,
        typer.Option(
            envvar="TWOGAPS_LIMITS",
            help="Set a limit, as NAME=NUMBER; repeatable. docs/limits.md lists them.",
        ),
    ] = None
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            envvar="TWOGAPS_PROXIES",
            help="Address or network of a trusted proxy on another machine, whose "
            "X-Forwarded-For is used; repeatable.",
        ),
    ] = None
    metrics_port: Annotated[
        int | None,
        typer.Option(
            envvar="TWOGAPS_METRICS_PORT",
            help="Also serve /metrics and the health checks on this port.",
        ),
    ] = None
    metrics_host: Annotated[
        str,
        typer.Option(
            envvar="TWOGAPS_METRICS_HOST", help="Interface of the metrics port."
        ),
    ] = "127.0.0.1"
    metrics_key: Annotated[
        str | None,
        typer.Option(
            envvar="TWOGAPS_METRICS_KEY",
            help="Also serve /metrics on the main port, to requests with this bearer "
            "token.",
        ),
    ] = None
    log_level: Annotated[
        str, typer.Option(envvar="TWOGAPS_LOG", help="debug, info, warning or error.")
    ] = "info"
    log_format: Annotated[
        LogFormat,
        typer.Option(
            envvar="TWOGAPS_LOG_FORMAT", help="Lines for people, or JSON for programs."
        ),
    ] = LogFormat.TEXT

    def config(self) -> Config:
        """Return the server's configuration."""
        return Config(
            host=self.host,
            port=self.port,
            data=None if self.memory else (self.data or default_data()),
            journal=None if self.memory else self.journal,
            cases=tuple(self.cases or ()),
            public_url=self.public_url,
            origins=tuple(self.origin or ()),
            tls_cert=self.tls_cert,
            tls_key=self.tls_key,
            is_open=self.is_open,
            broker=self.broker,
            broker_ca=self.broker_ca,
            site=self.site,
            node_url=self.node_url,
            lease_s=self.lease,
            keep_days=self.keep_days,
            words=self.words,
            limits=_limits(self.limit or ()),
            proxies=_proxies(self.proxy or ()),
            metrics_port=self.metrics_port,
            metrics_host=self.metrics_host,
            metrics_key=self.metrics_key,
            bring_practice=practice_bringer,
        )


@with_options(ServeOptions)
def serve(options: ServeOptions) -> None:
    """Run the server: phones join over the network; you open rooms with the admin link.

    Stop it with Ctrl-C: players are notified, every vote is stored, and unfinished
    rooms continue when you start it again.
    """
    set_up_logging(options.log_level, options.log_format)
    config = options.config()

    @contextlib.asynccontextmanager
    async def greeting(server: Running, _: Stop) -> AsyncIterator[None]:
        room = await open_room(server, options.room) if options.room else None
        greet(server, config, room)
        yield

    run_server(config, greeting)


Stop = Callable[[], None]
"""Stops the server gracefully, or immediately if called again."""

Greeting = Callable[[Running, Stop], AbstractAsyncContextManager[None]]
"""Makes the context manager that shows output while a server is running."""


def run_server(config: Config, greeting: Greeting) -> None:
    """Run a server until it is asked to stop. Raises :class:`CannotStart`."""
    os.umask(0o077)  # the journal contains names and keys, so do not rely on the folder
    tune_garbage_collection()
    try:
        asyncio.run(_serve(config, greeting))
    except PartFailed as exc:
        err.print(f"The server stopped: {exc}. Recorded votes are on disk; restart it.")
        raise typer.Exit(EXIT_FAULT) from exc


def practice_bringer(url: str, folders: tuple[Path, ...]) -> BringPractice:
    """Return the function that runs practice players in a room at the server ``url``.

    They know the built-in cases and those in ``folders``.
    """
    shelf = Shelf(*folders, is_quiet=True)

    async def play(code: RoomCode, n: int) -> None:
        knowledge = knowledge_of(shelf.current().cases.values())
        seed = int.from_bytes(code.encode(), "big") % 2**31
        settings = PracticeSettings(n=n, seed=seed, delay_s=PRACTICE_PAUSE_S)
        try:
            await run_practice(url, code, settings, knowledge)
        except* ClientError as left:
            logging.getLogger("twogaps.practice").warning(
                "practice players left: %s", left.exceptions[0]
            )

    return play


def _limits(settings: Iterable[str]) -> Limits:
    try:
        return Limits().with_settings(settings)
    except BadLimit as exc:
        raise typer.BadParameter(str(exc), param_hint="--limit") from exc


def _proxies(given: Iterable[str]) -> tuple[str, ...]:
    proxies = tuple(given)
    try:
        Peers(proxies)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="--proxy") from exc
    return proxies


async def _serve(config: Config, greeting: Greeting) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    log_task_faults(loop)
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)
    for number in numbers:
        on_signal(loop, number, lambda: _asked_to_stop(stop))
    async with running(config) as server:
        if sys.platform != "win32":
            on_signal(loop, signal.SIGHUP, _hangup(server, stop))
        async with greeting(server, lambda: _asked_to_stop(stop)):
            await stop.wait()
        log.info("stopping: telling players, storing every vote")
    log.info("stopped")


def _hangup(server: Running, stop: asyncio.Event) -> Callable[[], None]:
    """Return the handler for SIGHUP, which reloads the certificate if there is one.

    Without a certificate, a server in a terminal stops when the terminal closes, and a
    service continues.
    """
    if server.certificate is not None:
        return server.certificate.reload
    if sys.stdin.isatty():
        return lambda: _asked_to_stop(stop)
    return lambda: log.info("SIGHUP: there is no certificate to reload")


def _asked_to_stop(stop: asyncio.Event) -> None:
    """Stop gracefully; exit immediately if asked again or if stopping takes too long.

    An immediate exit loses no acknowledged data, because all of it is on disk.
    """
    if stop.is_set():
        os._exit(EXIT_INTERRUPTED)
    stop.set()
    last = threading.Timer(LAST_S, _end_immediately)
    last.daemon = True
    last.start()


def _end_immediately() -> None:
    last = threading.Thread(target=_say_late, daemon=True)  # stderr may block
    last.start()
    last.join(LAST_WORD_S)
    os._exit(EXIT_LATE)


def _say_late() -> None:
    with contextlib.suppress(OSError):  # closed
        os.write(2, b"Stopping took too long: ended. Recorded votes are on disk.\n")
