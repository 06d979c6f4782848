"""Checks of the network: the port, the address for phones, and the broker."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import logging
import secrets
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from server.cli.console import Finding, bad, good, note
from server.federation import topics
from server.federation.mqtt import MqttBus
from server.federation.node import last_will
from server.federation.topics import BrokerAddress, BusSettingsError
from server.game.errors import required
from server.net.addresses import ANY, Interface, interfaces, rank, routed
from server.net.pages import PLAIN, response
from server.protocol.keys import KEY_BYTES

ANSWER_S = 3.0
PRIVILEGED = 1024
HELLO = b"It works: this phone reaches the laptop. You may close this page.\n"


def look(host: str, port: int) -> Iterator[Finding]:
    """Check the port and the address for phones."""
    yield port_of(host, port)
    yield address(interfaces(), routed(), host)


def port_of(host: str, port: int) -> Finding:
    """Check whether the port is free, used by our server or by another program."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform == "win32":  # otherwise, two programs could share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return bad(
                "port",
                f"{port} is reserved for system programs (below {PRIVILEGED})",
                "Use --port 8000 with a proxy in front: docs/operation.md.",
            )
        except OSError as exc:
            if is_ours(port):
                return good(
                    "port", f"{port}: a Two Gaps server is already running there"
                )
            return bad(
                "port",
                f"{port} on {host} cannot be used: {exc.strerror}",
                f"Stop the program that uses it ({_who_uses(port)}), or choose "
                "another port with --port.",
            )
    return good("port", f"{port} is free")


def _who_uses(port: int) -> str:
    """Return the system command that shows which program is using a port."""
    if sys.platform == "win32":
        return f"netstat -ano | findstr :{port}"
    if sys.platform == "darwin":
        return f"lsof -nP -iTCP:{port} -sTCP:LISTEN"
    return f"ss -ltnp 'sport = :{port}'"


def is_ours(port: int) -> bool:
    """Whether a Two Gaps server responds on a port of this machine."""
    return ask(port, "/livez") == HTTPStatus.OK


def ask(port: int, path: str) -> int | None:
    """Return the HTTP status of a page on this machine; None if nothing responds."""
    return _ask("http", port, path) or _ask("https", port, path)


def _ask(scheme: str, port: int, path: str) -> int | None:
    unchecked = ssl.create_default_context()  # the certificate is not for 127.0.0.1,
    unchecked.check_hostname = False  # and nothing secret is sent
    unchecked.verify_mode = ssl.CERT_NONE
    url = f"{scheme}://127.0.0.1:{port}{path}"
    try:
        with urllib.request.urlopen(  # noqa: S310 - http or https, on this machine
            url, timeout=ANSWER_S, context=unchecked
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code
    except (OSError, ValueError, http.client.HTTPException):
        return None


def address(found: Sequence[Interface], route: str | None, host: str) -> Finding:
    """Check the addresses that phones can use."""
    if host not in ANY:
        if ipaddress.ip_address(host).is_loopback:
            return note(
                "address",
                f"{host}: only this machine",
                "Omit --host so that phones can connect.",
            )
        return good("address", host)
    usable = rank(found, route)
    if not usable:
        return bad(
            "address",
            "this machine is not on a network",
            "Join the phones' Wi-Fi or open a hotspot, then run the doctor again.",
        )
    if ipaddress.ip_address(usable[0]).is_link_local:
        return bad(
            "address",
            f"{usable[0]}: the network assigned no address",
            "Rejoin the Wi-Fi; if that does not help, use a phone's hotspot.",
        )
    others = f" (others: {', '.join(usable[1:])})" if usable[1:] else ""
    return good("address", f"{usable[0]}{others}")


async def phone(host: str, port: int, url: str, wait_s: float = 90.0) -> Finding:
    """Serve one page and wait until another device opens it."""
    came: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    own = {"127.0.0.1", "::1", *(one.address for one in interfaces())}

    async def answer(connection: ServerConnection, _: Request) -> Response:
        who = str(connection.remote_address[0])
        if who not in own and not came.done():
            came.set_result(who)
        return response(HTTPStatus.OK, HELLO, PLAIN)

    async def refuse(ws: ServerConnection) -> None:
        await ws.close()

    try:
        async with (
            serve(refuse, host, port, process_request=answer),
            asyncio.timeout(wait_s),
        ):
            who = await came
    except TimeoutError:
        return bad(
            "phone",
            f"no phone opened {url}",
            "Is the phone on the same Wi-Fi as this machine? The firewall must allow "
            "Python on private networks. School and guest networks often isolate "
            "devices from each other (client isolation): in that case, use a hotspot.",
        )
    except OSError as exc:
        return bad("phone", f"port {port}: {exc.strerror}", "Choose another --port.")
    return good("phone", f"{who} gets through")


# --- the broker of a game across sites -----------------------------------------------


class _Echo:
    """Publishes that this site is down (which it is) and waits to receive that."""

    def __init__(self, topic: str, payload: bytes) -> None:
        self.bus: MqttBus | None = None
        self.heard = asyncio.Event()
        self.is_up = False
        self._topic, self._payload = topic, payload

    def bus_up(self) -> None:
        """Publish the message once the broker has accepted the connection."""
        self.is_up = True
        required(self.bus, "the bus").publish(
            self._topic, self._payload, qos=1, retain=True
        )

    def bus_down(self) -> None:
        """Do nothing: the bus reconnects automatically."""

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Check whether a received message is the one that was published."""
        if topic == self._topic and payload == self._payload:
            self.heard.set()


class _Memory(logging.Handler):
    """Collects the messages that the bus logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Store the message of a record."""
        self.said.append(record.getMessage())


async def look_at_broker(
    url: str, site: str | None, authority: Path | None, patience_s: float = 8.0
) -> Finding:
    """Connect as this site, publish a permitted message, and wait to receive it.

    Do not use this while this site's server is running, because a broker allows only
    one connection per user.
    """
    try:
        address = BrokerAddress.parse(url, authority)
        name = site or address.user or "doctor"
        will = last_will(name, secrets.token_hex(KEY_BYTES))
        echo = _Echo(will.topic, will.payload)
        read = ((topics.node_state("+"), 1),)
        bus = echo.bus = MqttBus(address, address.client_id(name), read, will)
    except BusSettingsError as exc:
        return bad("broker", str(exc), "Copy --broker from what add-site printed.")
    memory, log = _Memory(), logging.getLogger("twogaps.federation")
    log.addHandler(memory)
    log.propagate = False  # reported once, as a finding
    task = asyncio.create_task(bus.run(echo), name="doctor-bus")
    try:
        async with asyncio.timeout(patience_s):
            await echo.heard.wait()
    except TimeoutError:
        return _judge(echo, memory.said, address, name)
    finally:
        log.removeHandler(memory)
        log.propagate = True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return good("broker", f"{address.hosts} accepts {name} and forwards its messages")


def _judge(echo: _Echo, said: list[str], address: BrokerAddress, name: str) -> Finding:
    if echo.is_up:
        return bad(
            "broker",
            f"{address.hosts} accepts {name} but does not forward its messages",
            "Give it access with twogaps broker add-site, and use the --site that it "
            "prints.",
        )
    where = ", ".join(f"{host}:{port}" for host, port in address.places)
    why = said[-1] if said else f"{where} does not answer"
    return bad(
        "broker", why, "Check that it is running and that its port is reachable."
    )
