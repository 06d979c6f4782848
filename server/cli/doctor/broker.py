"""The broker of a game across sites: reachable, and letting this site in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from pathlib import Path

from server.cli.console import Finding, bad, good
from server.federation import topics
from server.federation.mqtt import BrokerAddress, BusSettingsError, MqttBus
from server.federation.node import last_will
from server.game.errors import required
from server.protocol.keys import KEY_BYTES


class _Echo:
    """Publishes that this site is down, which is true, and waits to receive it."""

    def __init__(self, topic: str, payload: bytes) -> None:
        self.bus: MqttBus | None = None
        self.heard = asyncio.Event()
        self.is_up = False
        self._topic, self._payload = topic, payload

    def bus_up(self) -> None:
        """The broker has let us in: speak."""
        self.is_up = True
        required(self.bus, "the bus").publish(
            self._topic, self._payload, qos=1, retain=True
        )

    def bus_down(self) -> None:
        """It is tried again."""

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Something has come: ours?"""
        if topic == self._topic and payload == self._payload:
            self.heard.set()


class _Memory(logging.Handler):
    """Keeps what the bus complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.said.append(record.getMessage())


async def look(
    url: str, site: str | None, authority: Path | None, patience_s: float = 8.0
) -> Finding:
    """Connect as this site would, say something it may say, and wait to hear it.

    Not while a server of this site runs: a broker knows one connection a user.
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
    return good("broker", f"{address.host} accepts {name} and forwards its messages")


def _judge(echo: _Echo, said: list[str], address: BrokerAddress, name: str) -> Finding:
    if echo.is_up:
        return bad(
            "broker",
            f"{address.host} accepts {name} but does not forward its messages",
            "Give it rights with twogaps broker add-site, and use its --site.",
        )
    why = said[-1] if said else f"{address.host}:{address.port} does not answer"
    return bad("broker", why, "Check that it runs and its port can be reached.")
