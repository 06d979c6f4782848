"""What the bus on a real broker uses of its library beside its public API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.federation.mqtt import CONNECT_S, MqttBus, Will, _Incoming
from server.federation.topics import BrokerAddress
from tests.support.broker import free_port, open_broker, shipped_broker
from tests.support.until import until


async def test_the_library_still_has_what_is_used_of_its_private_parts() -> None:
    address = BrokerAddress.parse("mqtt://berlin:x@127.0.0.1:1")
    bus = MqttBus(address, "berlin", (), Will("t", b""))
    client = bus._client()
    assert client._client.connect_timeout == CONNECT_S
    assert client._client._connect_timeout == CONNECT_S, "paho reads another one"
    assert isinstance(client._queue, _Incoming)
    client._client._sock_close()


class _Counting:
    def __init__(self) -> None:
        self.connected = 0

    def bus_up(self) -> None:
        self.connected += 1

    def bus_down(self) -> None: ...

    def bus_message(self, topic: str, payload: bytes) -> None: ...


async def test_two_servers_of_one_name_say_so_and_wait_longer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    broker = open_broker("mosquitto", tmp_path)
    await broker.start()
    listener = _Counting()
    runs = []
    for _ in range(2):
        address = BrokerAddress.parse(broker.url())
        bus = MqttBus(
            address, "lisbon", (("t", 1),), Will("w", b""), jitter=lambda: 1.0
        )
        runs.append(asyncio.create_task(bus.run(listener), name="bus"))
    try:
        await until(lambda: "using the site name 'lisbon'" in caplog.text)
        lines, met = len(caplog.records), listener.connected
        await until(lambda: listener.connected >= met + 6, guard_s=60)
        assert len(caplog.records) <= lines + 2
    finally:
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        await broker.kill()


@contextlib.asynccontextmanager
async def speaking(bus: MqttBus) -> AsyncIterator[_Counting]:
    """Let a bus run while the block lasts."""
    listener = _Counting()
    run = asyncio.create_task(bus.run(listener), name="bus")
    try:
        yield listener
    finally:
        run.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run


async def test_a_bus_continues_with_the_next_broker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "b").mkdir()
    first, other = (
        open_broker("mosquitto", folder) for folder in (tmp_path, tmp_path / "b")
    )
    await first.start()
    places = (free_port(), first.port, other.port)
    address = BrokerAddress.parse(
        "mqtt://" + ",".join(f"127.0.0.1:{port}" for port in places)
    )
    bus = MqttBus(address, "lisbon", (("t", 1),), Will("w", b""))
    try:
        async with speaking(bus) as listener:
            await until(lambda: listener.connected == 1)
            await other.start()
            await first.kill()
            await until(lambda: listener.connected == 2)
            await first.start()
            await other.kill()
            await until(lambda: listener.connected == 3)
    finally:
        await first.kill()
        await other.kill()


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_topic_that_all_read_is_tried_again_where_it_is_refused(
    tmp_path: Path, qos: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A cluster of NATS refuses topics with quality 1 while it has no leader.

    A site that went on without them never heard of rooms again.
    """
    caplog.set_level("INFO")
    broker, urls = shipped_broker("nats", tmp_path, {"lisbon": False})
    await broker.start()
    address = BrokerAddress.parse(urls["lisbon"])
    foreign = "tg/v1/up/berlin/+"
    bus = MqttBus(
        address, "lisbon", ((foreign, qos),), Will("tg/v1/node/lisbon/state", b"")
    )
    try:
        async with speaking(bus) as listener:
            await until(lambda: foreign in caplog.text)
            assert bool(listener.connected) is (qos == 0)
            assert ("Trying again" in caplog.text) is (qos == 1)
    finally:
        await broker.kill()


async def test_a_connect_that_is_not_answered_is_closed() -> None:
    """Left open, a cluster lets it in after its election, and throws out the next."""
    ended = asyncio.Event()

    async def silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while await reader.read(100):
            pass
        writer.close()
        ended.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = BrokerAddress.parse(f"mqtt://127.0.0.1:{port}")
    bus = MqttBus(address, "lisbon", (), Will("w", b""), timeout_s=0.2)
    async with server, speaking(bus), asyncio.timeout(20):
        await ended.wait()
