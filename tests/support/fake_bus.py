"""A broker and its buses in memory: held to the same contract as the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.federation.messages import MOST_BYTES
from server.federation.mqtt import Listener, Will


@dataclass(slots=True)
class FakeBroker:
    """Retains, delivers in order, and may be killed: then it has forgotten all."""

    retained: dict[str, bytes] = field(default_factory=dict)
    connected: list[FakeBus] = field(default_factory=list)
    log: list[tuple[str, bytes]] = field(default_factory=list)
    """Everything that was published, for a test that wants to read it."""
    loses: Callable[[str], bool] = lambda _: False
    """Whether a message of QoS 0 at this topic gets lost, as if a queue were full."""
    _is_there: asyncio.Event = field(default_factory=asyncio.Event)

    def bus(
        self,
        client_id: str,
        subscriptions: tuple[tuple[str, int], ...] = (),
        will: Will | None = None,
    ) -> FakeBus:
        """Return a bus to this broker."""
        return FakeBus(self, client_id, subscriptions, will)

    async def start(self) -> None:
        """Let all nodes connect."""
        self._is_there.set()

    async def kill(self) -> None:
        """Die without a goodbye to any client."""
        self._is_there.clear()
        self.retained.clear()
        for bus in list(self.connected):
            self.connected.remove(bus)
            bus.lose()

    async def ready(self) -> None:
        """Wait until the broker is there."""
        await self._is_there.wait()

    def take(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        """Deliver a message to all its subscribers."""
        self.log.append((topic, payload))
        if qos == 0 and self.loses(topic):
            return
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        for bus in self.connected:
            if bus.wants(topic):
                bus.hear(topic, payload)


class FakeBus:
    """A Bus to a FakeBroker."""

    def __init__(
        self,
        broker: FakeBroker,
        client_id: str,
        subscriptions: tuple[tuple[str, int], ...],
        will: Will | None,
    ) -> None:
        self.client_id = client_id
        self._broker = broker
        self._filters = [topic.split("/") for topic, _ in subscriptions]
        self._will = will
        self._inbox: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue(100_000)
        self._is_up = False
        self._dropped = 0

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected."""
        return self._is_up

    @property
    def dropped(self) -> int:
        """How many messages were not sent."""
        return self._dropped

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Hand a message to the broker."""
        if not self._is_up or len(payload) > MOST_BYTES:
            self._dropped += 1
            return
        self._broker.take(topic, payload, retain=retain, qos=qos)

    def wants(self, topic: str) -> bool:
        """Whether this bus has subscribed to a topic."""
        levels = topic.split("/")
        return any(_matches(each, levels) for each in self._filters)

    def hear(self, topic: str, payload: bytes) -> None:
        """Put a message into the way to the listener."""
        self._inbox.put_nowait((topic, payload))

    def lose(self) -> None:
        """Lose the line, at the broker's end."""
        self._is_up = False
        self._inbox.put_nowait(None)

    def crash(self) -> None:
        """Lose the line, at this end: the broker speaks the will."""
        self._broker.connected.remove(self)
        self.lose()
        if self._will is not None:
            self._broker.take(self._will.topic, self._will.payload, retain=True)

    async def run(self, listener: Listener) -> None:
        """Connect, and connect again, until cancelled."""
        try:
            while True:
                await self._broker.ready()
                await self._live(listener)
        finally:
            if self in self._broker.connected:
                self._broker.connected.remove(self)
            self._is_up = False

    async def _live(self, listener: Listener) -> None:
        self._inbox = asyncio.Queue(100_000)
        self._broker.connected.append(self)
        self._is_up = True
        listener.bus_up()
        for topic, payload in list(self._broker.retained.items()):
            if self.wants(topic):
                self.hear(topic, payload)
        while (message := await self._inbox.get()) is not None:
            listener.bus_message(*message)
        listener.bus_down()


def _matches(levels: list[str], topic: list[str]) -> bool:
    for number, level in enumerate(levels):
        if level == "#":
            return True
        if number >= len(topic) or level not in ("+", topic[number]):
            return False
    return len(levels) == len(topic)
