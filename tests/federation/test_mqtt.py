"""What the bus on a real broker uses of its library beside its public API."""

from __future__ import annotations

from server.federation.mqtt import CONNECT_S, BrokerAddress, MqttBus, Will, _Incoming


async def test_the_library_still_has_what_is_used_of_its_private_parts() -> None:
    address = BrokerAddress.parse("mqtt://berlin:x@127.0.0.1:1")
    bus = MqttBus(address, "berlin", (), Will("t", b""))
    client = bus._client()
    assert client._client.connect_timeout == CONNECT_S
    assert client._client._connect_timeout == CONNECT_S, "paho reads another one"
    assert isinstance(client._queue, _Incoming)
