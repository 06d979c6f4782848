"""The network of a simulation: lines with delay, loss and cuts, and an MQTT broker.

Frames on one line keep their order, as TCP does. A line that is cut swallows what is on
its way, and both ends find out some seconds later. Delays are drawn from the seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from server.federation.messages import MOST_BYTES
from server.federation.mqtt import Listener, Will
from tests.simulation import loop

APART_S = 1e-5
"""Two frames of a line are so far apart at least: timers of one time have no order."""

SILENCE_S = 6.0
"""After so long a silence both ends take a line as lost, as with keepalive 5."""


@dataclass(slots=True)
class Weather:
    """How the network is now; faults change it for a while."""

    chance: random.Random
    delay_s: float = 0.02
    """The longest time that a frame takes."""
    loss: float = 0.0
    """Share of MQTT messages of QoS 0 that are lost."""

    def draw_s(self) -> float:
        """Return how long the next frame takes."""
        return self.chance.uniform(0.001, self.delay_s)

    def loses(self) -> bool:
        """Whether the next message of QoS 0 is lost."""
        return self.chance.random() < self.loss


class Pipe:
    """One direction of a line: what goes in comes out later, in the same order."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self._last_s = 0.0
        self.is_open = True

    def carry(
        self, arrive: Callable[[], None], context: Context = loop.NOWHERE
    ) -> None:
        """Call ``arrive`` at the other end, unless the line is cut until then.

        In the ``context`` of the node that it reaches, which may be paused.
        """
        if not self.is_open:
            return
        running = asyncio.get_running_loop()
        arrives_s = running.time() + self._weather.draw_s()
        self._last_s = max(self._last_s + APART_S, arrives_s)

        def out() -> None:
            if self.is_open:
                arrive()

        running.call_at(self._last_s, out, context=context)


@dataclass(slots=True)
class Broker:
    """Retains, delivers in order, and may die: then it has forgotten everything."""

    weather: Weather
    is_there: bool = True
    retained: dict[str, bytes] = field(default_factory=dict)
    lines: list[_Line] = field(default_factory=list)

    def die(self) -> None:
        """End without a goodbye to any client."""
        self.is_there = False
        self.retained.clear()
        for line in list(self.lines):
            line.end(speak_will=False)

    def take(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Deliver a message to every client that subscribed to it."""
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        for line in self.lines:
            line.deliver(topic, payload)


@dataclass(slots=True, eq=False)
class _Line:
    """A client's connection to the broker."""

    bus: SimulatedBus
    up: Pipe
    down: Pipe
    lost: asyncio.Event

    def deliver(self, topic: str, payload: bytes) -> None:
        """Send a message to the client, if it subscribed to it."""
        qos = self.bus.granted(topic)
        if qos is None or (qos == 0 and self.bus.broker.weather.loses()):
            return
        self.down.carry(lambda: self.bus.hear(topic, payload))

    def end(self, *, speak_will: bool) -> None:
        """Lose the connection immediately, at both ends. Idempotent."""
        broker, will = self.bus.broker, self.bus.will
        self.up.is_open = self.down.is_open = False
        self.lost.set()
        if self in broker.lines:
            broker.lines.remove(self)
            if speak_will and broker.is_there:
                broker.take(will.topic, will.payload, retain=True)


class SimulatedBus:
    """A :class:`server.federation.mqtt.Bus` to a simulated broker."""

    def __init__(
        self, broker: Broker, subscriptions: tuple[tuple[str, int], ...], will: Will
    ) -> None:
        self.broker = broker
        self.will = will
        self.is_reachable = True
        """False while this node has no way to the broker."""
        self._filters = [(topic.split("/"), qos) for topic, qos in subscriptions]
        self._granted: dict[str, int | None] = {}
        self._line: _Line | None = None
        self._listener: Listener | None = None
        self._dropped = 0

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected, as far as this end knows."""
        return self._line is not None

    @property
    def dropped(self) -> int:
        """How many messages were not sent."""
        return self._dropped

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send a message to the broker."""
        line = self._line
        if line is None or len(payload) > MOST_BYTES:
            self._dropped += 1
        elif qos or not self.broker.weather.loses():
            line.up.carry(lambda: self.broker.take(topic, payload, retain=retain))

    def granted(self, topic: str) -> int | None:
        """Return the QoS of the subscription to a topic; None without one."""
        if topic not in self._granted:
            levels = topic.split("/")
            granted = [qos for each, qos in self._filters if _matches(each, levels)]
            self._granted[topic] = max(granted, default=None)
        return self._granted[topic]

    def hear(self, topic: str, payload: bytes) -> None:
        """Tell the listener of a message."""
        if self._listener is not None:
            self._listener.bus_message(topic, payload)

    def cut(self) -> None:
        """Have no way to the broker: what is on its way is lost, without a sign."""
        self.is_reachable = False
        if (line := self._line) is not None:
            line.up.is_open = line.down.is_open = False
            running = asyncio.get_running_loop()
            running.call_later(SILENCE_S, lambda: line.end(speak_will=True))

    def crash(self) -> None:
        """End with the process: the system closes the connection and sends the will."""
        self._listener = None
        if self._line is not None:
            self._line.end(speak_will=True)

    async def run(self, listener: Listener) -> None:
        """Connect, and connect again, until cancelled."""
        self._listener = listener
        weather = self.broker.weather
        try:
            while True:
                if self.broker.is_there and self.is_reachable:
                    await self._live(listener)
                await asyncio.sleep(weather.chance.uniform(0.1, 1.0))
        finally:
            self.crash()

    async def _live(self, listener: Listener) -> None:
        weather = self.broker.weather
        line = _Line(self, Pipe(weather), Pipe(weather), asyncio.Event())
        self._line = line
        self.broker.lines.append(line)
        try:
            listener.bus_up()
            for topic, payload in list(self.broker.retained.items()):
                line.deliver(topic, payload)
            await line.lost.wait()
        finally:
            self._line = None
            line.end(speak_will=False)
            if self._listener is not None:
                listener.bus_down()


def _matches(levels: list[str], topic: list[str]) -> bool:
    """Whether a topic is one of a subscription's (MQTT 3.1.1, section 4.7)."""
    for number, level in enumerate(levels):
        if level == "#":
            return True
        if number >= len(topic) or level not in ("+", topic[number]):
            return False
    return len(levels) == len(topic)
