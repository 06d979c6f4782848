"""What every Bus promises: on real brokers, and in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest

from server.federation.messages import MOST_BYTES
from server.federation.mqtt import Bus, MqttBus, Will
from server.federation.topics import BrokerAddress
from tests.support.broker import KINDS, open_broker
from tests.support.fake_bus import FakeBroker

GUARD_S = 20
WILL = Will("tg/v1/node/a/state", b"gone")


class Place(Protocol):
    """A broker that may be killed, real or not."""

    async def start(self) -> None: ...
    async def kill(self) -> None: ...


class Ears:
    """A listener that a test can wait for."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.ups = self.downs = 0
        self._news = asyncio.Event()

    def bus_up(self) -> None:
        self.ups += 1
        self._news.set()

    def bus_down(self) -> None:
        self.downs += 1
        self._news.set()

    def bus_message(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic, payload))
        self._news.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(GUARD_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def hear(self, topic: str, payload: bytes) -> None:
        """Wait for a message."""
        await self.until(lambda: (topic, payload) in self.heard)


class Stand:
    """A broker, and buses that come and go."""

    def __init__(self, broker: Place, make: Callable[..., Bus]) -> None:
        self.broker = broker
        self._make = make
        self._tasks: list[asyncio.Task[None]] = []

    async def join(
        self, name: str, *topics: str, will: Will = WILL
    ) -> tuple[Bus, Ears, asyncio.Task[None]]:
        """Let a bus run, and wait until it is up."""
        bus = self._make(name, tuple((topic, 1) for topic in topics), will)
        ears = Ears()
        task = asyncio.create_task(bus.run(ears), name=f"bus-{name}")
        self._tasks.append(task)
        await ears.until(lambda: bus.is_up)
        return bus, ears, task

    async def close(self) -> None:
        """End every bus."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture(params=["memory", *KINDS])
async def stand(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    if request.param == "memory":
        fake = FakeBroker()
        made = Stand(fake, fake.bus)
    else:
        broker = open_broker(request.param, tmp_path)
        address = BrokerAddress.parse(broker.url())
        made = Stand(broker, lambda *about: MqttBus(address, *about))
    await made.broker.start()
    yield made
    await made.close()
    await made.broker.kill()


async def test_a_message_reaches_those_who_subscribed_to_it(stand: Stand) -> None:
    bus, _, _ = await stand.join("a")
    _, first, _ = await stand.join("b", "tg/v1/up/+/b")
    _, other, _ = await stand.join("c", "tg/v1/up/x/c", "tg/v1/end")
    bus.publish("tg/v1/up/x/b", b"for b")
    bus.publish("tg/v1/end", b"end")
    await first.hear("tg/v1/up/x/b", b"for b")
    await other.hear("tg/v1/end", b"end")
    assert len(first.heard) == len(other.heard) == 1


async def test_messages_come_once_and_in_order(stand: Stand) -> None:
    bus, _, _ = await stand.join("a")
    _, ears, _ = await stand.join("b", "tg/v1/up/x/b")
    sent = [b"%d" % n for n in range(500)]
    for payload in sent:
        bus.publish("tg/v1/up/x/b", payload)
    await ears.hear("tg/v1/up/x/b", sent[-1])
    assert [payload for _, payload in ears.heard] == sent


async def test_retained_states_come_in_order_and_the_last_is_kept(stand: Stand) -> None:
    bus, own, _ = await stand.join("a", "tg/v1/home/a/room/+/player")
    topic = "tg/v1/home/a/room/R/player"
    sent = [b"%d" % n for n in range(300)]
    for payload in sent:
        bus.publish(topic, payload, qos=1, retain=True)
    await own.hear(topic, sent[-1])
    assert [payload for _, payload in own.heard] == sent
    _, late, _ = await stand.join("b", "tg/v1/home/+/room/+/player")
    await late.hear(topic, sent[-1])
    assert len(late.heard) == 1


async def test_what_is_taken_back_is_retained_no_more(stand: Stand) -> None:
    bus, _, _ = await stand.join("a")
    _, before, _ = await stand.join("b", "tg/v1/home/+/room/+/player")
    topic = "tg/v1/home/a/room/R/player"
    bus.publish(topic, b"view", qos=1, retain=True)
    bus.publish(topic, b"", qos=1, retain=True)
    bus.publish("tg/v1/home/a/room/S/player", b"other", qos=1, retain=True)
    await before.hear("tg/v1/home/a/room/S/player", b"other")
    assert (topic, b"") in before.heard
    _, late, _ = await stand.join("c", "tg/v1/home/+/room/+/player")
    await late.hear("tg/v1/home/a/room/S/player", b"other")
    assert len(late.heard) == 1


async def test_what_is_too_large_is_not_sent_and_counted(stand: Stand) -> None:
    bus, _, _ = await stand.join("a")
    _, ears, _ = await stand.join("b", "tg/v1/up/x/b")
    bus.publish("tg/v1/up/x/b", b"x" * (MOST_BYTES + 1))
    assert bus.dropped == 1
    bus.publish("tg/v1/up/x/b", b"y" * MOST_BYTES)
    await ears.hear("tg/v1/up/x/b", b"y" * MOST_BYTES)
    assert len(ears.heard) == 1


async def test_a_killed_broker_is_found_again(stand: Stand) -> None:
    bus, ears, _ = await stand.join("a", "tg/v1/up/x/b")
    await stand.broker.kill()
    await ears.until(lambda: not bus.is_up and ears.downs == 1)
    bus.publish("tg/v1/up/x/b", b"no subscribers")
    assert bus.dropped == 1
    await stand.broker.start()
    await ears.until(lambda: bus.is_up and ears.ups == 2)
    bus.publish("tg/v1/up/x/b", b"again")
    await ears.hear("tg/v1/up/x/b", b"again")
    assert len(ears.heard) == 1


async def test_who_leaves_in_order_leaves_no_will(stand: Stand) -> None:
    _, _, task = await stand.join("a")
    bus, ears, _ = await stand.join("b", WILL.topic, "tg/v1/end", will=Will("x", b""))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    bus.publish("tg/v1/end", b"end")
    await ears.hear("tg/v1/end", b"end")
    assert len(ears.heard) == 1
