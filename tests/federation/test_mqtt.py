"""What the bus on a real broker uses of its library beside its public API."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.federation.mqtt import CONNECT_S, BrokerAddress, MqttBus, Will, _Incoming
from tests.support.broker import open_broker
from tests.support.until import until


async def test_the_library_still_has_what_is_used_of_its_private_parts() -> None:
    address = BrokerAddress.parse("mqtt://berlin:x@127.0.0.1:1")
    bus = MqttBus(address, "berlin", (), Will("t", b""))
    client = bus._client()
    assert client._client.connect_timeout == CONNECT_S
    assert client._client._connect_timeout == CONNECT_S, "paho reads another one"
    assert isinstance(client._queue, _Incoming)


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
