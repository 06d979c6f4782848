"""The Bus port, and its implementation over MQTT. Only this module imports aiomqtt.

A bus guarantees little: messages published while the broker is disconnected are
dropped, and messages in flight may be lost with the connection. Senders therefore
repeat a message until it is acknowledged, and publish retained messages again after
every reconnect.

:class:`MqttBus` works with plain MQTT 3.1.1 and clean sessions. It handles what aiomqtt
leaves to its user: a new client for each connection, a publish that does not notice a
lost connection, and messages that are dropped silently when its queue is full.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

import aiomqtt

from server.federation.messages import MOST_BYTES
from server.federation.topics import (
    BrokerAddress,
    options,
    tls_to,
    watch_sockets,
)


@dataclass(frozen=True, slots=True)
class Will:
    """The message that the broker publishes if this node's connection is lost."""

    topic: str
    payload: bytes


class Bus(Protocol):
    """Publishes messages, and passes incoming messages to a listener."""

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected now."""
        ...

    @property
    def dropped(self) -> int:
        """Number of dropped messages: not connected, queue full, or too large."""
        ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send a message, in order; drop it if disconnected or if it is too large."""
        ...

    async def run(self, listener: Listener) -> None:
        """Stay connected and call the listener, until cancelled. Called once."""
        ...


class Listener(Protocol):
    """Receives the connection changes and the incoming messages of a bus."""

    def bus_up(self) -> None:
        """Called when the broker is connected and all subscriptions are in place."""
        ...

    def bus_down(self) -> None:
        """Called when the connection is lost."""
        ...

    def bus_message(self, topic: str, payload: bytes) -> None:
        """Called for each incoming message."""
        ...


log = logging.getLogger("twogaps.federation")

KEEPALIVE_S = 5
"""With this keepalive, a lost connection is noticed in about six seconds."""

FIRST_S, CAP_S = 0.2, 1.0
"""Shortest and longest backoff between two attempts to connect, in seconds."""

STEADY_S, SHORT_LINES, SLOW_S = 10.0, 5, 5.0
"""After ``SHORT_LINES`` consecutive connections that each lasted less than ``STEADY_S``
seconds, the backoff may grow to ``SLOW_S`` seconds."""

OUTGOING = 10_000
INCOMING = 4_096
IN_FLIGHT = 100
"""Maximum number of retained messages that the broker has not acknowledged."""

CONNECT_S = 2.0
"""Timeout of an attempt to connect, in seconds. It is short because only the next
attempt notices that the network is back."""

TIMEOUT_S = 5.0
"""Time without an answer, in seconds, after which a connection is considered lost."""

CANCEL_S = 1.0
"""Time, in seconds, before a task that ignored a cancellation is cancelled again."""

_FAILURE = 0x80
"""SUBACK return codes of this value or more mean that a subscription was refused."""


class _Overrun(aiomqtt.MqttError):
    """Messages arrived faster than they could be handled; some were lost: reconnect."""


class _Unreadable(aiomqtt.MqttError):
    """The broker refused a subscription that every site needs."""


class _Incoming(asyncio.Queue[aiomqtt.Message]):
    """A bounded queue that remembers whether it has lost a message."""

    has_lost = False

    def put_nowait(self, item: aiomqtt.Message) -> None:
        try:
            super().put_nowait(item)
        except asyncio.QueueFull:
            self.has_lost = True
            raise


class MqttBus:
    """A Bus over MQTT that reconnects forever.

    In a cluster, it tries the next broker after each failure.
    """

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        subscriptions: tuple[tuple[str, int], ...],
        will: Will,
        jitter: Callable[[], float] = random.random,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Raises BusSettingsError if the CA file cannot be used.

        After ``timeout_s`` seconds without an answer, a connection is considered lost.
        """
        self._address = address
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._will = will
        self._jitter = jitter
        self._timeout_s = timeout_s
        self._tls = tls_to(address)
        self._tries = 0
        self._outgoing: asyncio.Queue[tuple[str, bytes, int, bool]] = asyncio.Queue(
            OUTGOING
        )
        self._is_up = False
        self._is_leaving = False
        self._dropped = 0
        self._short = 0
        """Number of consecutive connections that were short-lived."""
        self._said: dict[str, str] = {}
        """The message that was last logged, by host."""

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected and all subscriptions are in place."""
        return self._is_up

    @property
    def dropped(self) -> int:
        """Number of messages that were dropped."""
        return self._dropped

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Queue a message for the broker."""
        if len(payload) > MOST_BYTES:
            log.error("a message of %d bytes for %s is too large", len(payload), topic)
            self._dropped += 1
        elif not self._is_up or self._outgoing.full():
            self._dropped += 1
        else:
            self._outgoing.put_nowait((topic, payload, qos, retain))

    async def run(self, listener: Listener) -> None:
        """Connect and keep reconnecting until cancelled.

        The inner task is cancelled repeatedly: aiomqtt may swallow a cancellation
        (``asyncio.wait_for`` in Python 3.11), or raise another error while it
        disconnects.
        """
        watch_sockets(asyncio.get_running_loop())  # required by aiomqtt
        self._is_leaving = False  # this may be a restart
        line = asyncio.create_task(self._keep_up(listener), name="bus-line")
        try:
            await asyncio.wait([line])
        finally:
            self._is_leaving = True
            while not line.done():
                line.cancel()
                await asyncio.wait([line], timeout=CANCEL_S)
        line.result()

    async def _keep_up(self, listener: Listener) -> None:
        wait_s = FIRST_S
        while not self._is_leaving:
            try:
                async with self._connected() as client:
                    if self._short < SHORT_LINES:
                        wait_s = FIRST_S
                    await self._talk(client, listener)
            except* (aiomqtt.MqttError, OSError) as failed:
                self._complain(failed)
            self._tries += 1
            await asyncio.sleep(wait_s * (0.5 + self._jitter() / 2))
            if self._tries % len(self._address.places) == 0:  # all were tried
                cap_s = CAP_S if self._short < SHORT_LINES else SLOW_S
                wait_s = min(cap_s, wait_s * 2)

    @property
    def _place(self) -> tuple[str, int]:
        """Host and port of the broker that is connected or being tried."""
        places = self._address.places
        return places[self._tries % len(places)]

    # --- one connection --------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiomqtt.Client]:
        """Connect and subscribe."""
        client = self._client()
        try:
            async with client:
                client.pending_calls_threshold = IN_FLIGHT
                await self._subscribe(client)
                yield client
        finally:
            # private: aiomqtt keeps the socket of a connect that got no answer, and
            # sends pings on it. If the broker accepted that connection later, it would
            # close the one that replaced it.
            client._client._sock_close()

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        refused = []
        for topic, qos in self._subscriptions:
            granted = await client.subscribe(topic, qos=qos)
            if all(getattr(code, "value", code) < _FAILURE for code in granted):
                continue
            if qos:  # a NATS cluster without a leader also refuses these
                raise _Unreadable(topic)
            refused.append(topic)
        if refused:
            log.info(
                "the broker does not let this site read %s: without home rights "
                "(add-site --home) it only relays, and others cannot join its own "
                "rooms",
                ", ".join(refused),
            )

    def _client(self) -> aiomqtt.Client:
        client = aiomqtt.Client(
            *self._place,
            username=self._address.user,
            password=self._address.password,
            identifier=self._client_id,
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=self._timeout_s,
            queue_type=_Incoming,
            max_queued_incoming_messages=INCOMING,
            max_inflight_messages=IN_FLIGHT,
            will=aiomqtt.Will(self._will.topic, self._will.payload, 1, True),
            tls_context=self._tls,
            socket_options=options(KEEPALIVE_S + 1),
        )
        # private: aiomqtt does not pass a connect timeout to paho. Covered by
        # tests/federation/test_mqtt.py, like the private queue below
        client._client.connect_timeout = CONNECT_S
        return client

    async def _talk(self, client: aiomqtt.Client, listener: Listener) -> None:
        """Send and receive until either notices that the connection is lost."""
        while not self._outgoing.empty():  # left over from an earlier connection
            self._outgoing.get_nowait()
        self._is_up = True
        if self._short < SHORT_LINES:
            self._say("connected to the broker at %s")
        self._short += 1
        lasting = asyncio.get_running_loop().call_later(STEADY_S, self._lasts)
        try:
            listener.bus_up()
            async with asyncio.TaskGroup() as group:
                group.create_task(_receive(client, listener), name="bus-receiver")
                group.create_task(self._send(client), name="bus-sender")
        finally:
            lasting.cancel()
            self._is_up = False
            listener.bus_down()

    def _lasts(self) -> None:
        self._short = 0
        self._say("connected to the broker at %s")

    async def _send(self, client: aiomqtt.Client) -> None:
        """Publish messages in order, with at most IN_FLIGHT unacknowledged.

        Each message has its own task: a publish may swallow its cancellation
        (``asyncio.wait_for`` in Python 3.11), and then only that task keeps running.
        """
        slots = asyncio.Semaphore(IN_FLIGHT)
        async with asyncio.TaskGroup() as publishing:
            while True:
                await slots.acquire()
                topic, payload, qos, retain = await self._outgoing.get()
                task = publishing.create_task(
                    client.publish(topic, payload, qos=qos, retain=retain),
                    name="bus-publishing",
                )
                task.add_done_callback(lambda _: slots.release())

    # --- messages for the operator ---------------------------------------------------

    def _complain(self, error: BaseException) -> None:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self._say("broker %s: %s", self._why(error), level=logging.WARNING)

    def _say(self, text: str, *values: str, level: int = logging.INFO) -> None:
        """Log a message about the current broker, unless it repeats the last one."""
        host = self._place[0]
        said = text % (host, *values)
        if said != self._said.get(host):
            log.log(level, "%s", said)
        self._said[host] = said

    def _why(self, error: BaseException) -> str:
        """Explain in plain words what failed and what to do."""
        cause = error.__context__ or error
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted ({cause.verify_message}). If the "
                "authority is your own, pass its file with --broker-ca. The host in "
                "--broker must be a name in the certificate."
            )
        is_ended = isinstance(cause, ConnectionResetError | BrokenPipeError)
        if isinstance(cause, ssl.SSLError) or (self._tls and is_ended):
            return "it does not speak TLS there: write mqtt://, or check the port."
        if isinstance(error, aiomqtt.exceptions.MqttConnectError):
            return (
                f"it rejects the user '{self._address.user or ''}' ({error}). Check "
                "the name and password in --broker; twogaps broker add-site prints "
                "them."
            )
        if isinstance(error, _Unreadable):
            return (
                f"it does not let this site read {error}. If a cluster has just lost "
                "a broker, this passes within seconds; otherwise check the site's "
                "rights, which twogaps broker add-site grants. Trying again"
            )
        if self._short >= SHORT_LINES:
            return (
                "it closes each connection soon after it opens. Is another server "
                f"using the site name '{self._client_id}'? Each server needs its own "
                "name."
            )
        return f"{error}; trying again"


async def _receive(client: aiomqtt.Client, listener: Listener) -> None:
    async for message in client.messages:
        payload = message.payload
        if isinstance(payload, bytes | bytearray):
            listener.bus_message(message.topic.value, bytes(payload))
        incoming = client._queue
        if isinstance(incoming, _Incoming) and incoming.has_lost:
            raise _Overrun("messages arrived faster than they could be handled")
