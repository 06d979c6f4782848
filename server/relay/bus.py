"""The connection to the broker: the only importer of aiomqtt.

Correct on plain MQTT 3.1.1, clean sessions, no reliance on the broker's memory but for
retained messages, and those are published again after every connect. aiomqtt wants a
new client for each connection; what is published while there is none is dropped, since
everybody here sends again until acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiomqtt

from server.relay.node_messages import MOST_BYTES

log = logging.getLogger("twogaps.relay")

KEEPALIVE_S = 5
"""A cut line is noticed in about six seconds."""

FIRST_S, CAP_S = 0.2, 1.0
QUEUE = 10_000
PUBLISH_S = 5.0


class BusSettingsError(Exception):
    """The broker's address cannot be understood."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    user: str | None
    password: str | None
    is_secure: bool

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Read ``mqtt[s]://user:password@host:port``; raises BusSettingsError."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise BusSettingsError(
                f"'{url}' is no broker: write mqtt://user:password@host[:1883] or "
                "mqtts://user:password@host[:8883]"
            )
        is_secure = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if is_secure else 1883),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            is_secure=is_secure,
        )

    def client_id(self, name: str) -> str:
        """Return the id of a node at the broker: its own, and nobody can guess it.

        A client throws out another of the same id. Where the broker does not take the
        user's name instead, only who knows the password may do so.
        """
        if self.password is None:
            return name
        return f"{name}-{hashlib.sha256(self.password.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone without a word."""

    topic: str
    payload: bytes


class Bus(Protocol):
    """Publishes messages; the listener given to it hears what comes."""

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected now."""
        ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send a message; dropped while there is no connection."""
        ...


class Listener(Protocol):
    """What a bus tells."""

    def bus_up(self) -> None:
        """The broker is connected, and everything subscribed to."""
        ...

    def bus_down(self) -> None:
        """The connection is lost."""
        ...

    def bus_message(self, topic: str, payload: bytes) -> None:
        """A message has come."""
        ...


class MqttBus:
    """A Bus on a real broker that reconnects for ever."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        subscriptions: tuple[tuple[str, int], ...],
        will: Will,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._will = will
        self._jitter = jitter
        self._outgoing: asyncio.Queue[tuple[str, bytes, int, bool]] = asyncio.Queue(
            QUEUE
        )
        self._is_up = False
        self.dropped = 0
        """Messages that were dropped: no connection, or more than can be queued."""

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected now."""
        return self._is_up

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Queue a message for the broker."""
        if len(payload) > MOST_BYTES:
            log.error("a message of %d bytes for %s is too large", len(payload), topic)
            self.dropped += 1
            return
        if not self._is_up or self._outgoing.full():
            self.dropped += 1
            return
        self._outgoing.put_nowait((topic, payload, qos, retain))

    async def run(self, listener: Listener) -> None:
        """Connect, and connect again, until cancelled."""
        wait_s = FIRST_S
        while True:
            try:
                async with self._client() as client:
                    for topic, qos in self._subscriptions:
                        await client.subscribe(topic, qos=qos)
                    wait_s = FIRST_S
                    await self._talk(client, listener)
            except aiomqtt.MqttError as exc:
                log.warning("broker %s: %s", self._address.host, exc)
            except OSError as exc:
                log.warning("broker %s: %s", self._address.host, exc)
            await asyncio.sleep(wait_s * (0.5 + self._jitter() / 2))
            wait_s = min(CAP_S, wait_s * 2)

    def _client(self) -> aiomqtt.Client:
        address = self._address
        return aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            identifier=self._client_id,
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=PUBLISH_S,
            max_queued_incoming_messages=50_000,
            max_inflight_messages=200,
            will=aiomqtt.Will(self._will.topic, self._will.payload, 1, True),
            tls_context=ssl.create_default_context() if address.is_secure else None,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def _talk(self, client: aiomqtt.Client, listener: Listener) -> None:
        """Send and receive until the connection is lost."""
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
        self._is_up = True
        listener.bus_up()
        sender = asyncio.create_task(self._send(client), name="bus-sender")
        try:
            async for message in client.messages:
                payload = message.payload
                if isinstance(payload, bytes | bytearray):
                    listener.bus_message(message.topic.value, bytes(payload))
        finally:
            self._is_up = False
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await sender
            listener.bus_down()

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            topic, payload, qos, retain = await self._outgoing.get()
            await client.publish(topic, payload, qos=qos, retain=retain)
