"""A node that dies without a goodbye: the broker announces it, and retains that."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest

from tests.support.broker import KINDS, Kind, open_broker
from tests.support.node import Node

GUARD_S = 40
STATE = "tg/v1/node/lisbon/state"


async def state(client: aiomqtt.Client, *, is_up: bool) -> bool:
    """Wait for a state of the node; return whether it came as a retained one."""
    async with asyncio.timeout(GUARD_S):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if json.loads(message.payload)["is_up"] is is_up:
                return message.retain
    raise AssertionError("the broker has left")


@pytest.mark.fault
@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_node_is_announced_as_down_until_it_is_back(
    tmp_path: Path, kind: Kind
) -> None:
    broker = open_broker(kind, tmp_path)
    await broker.start()
    node = Node(tmp_path / "lisbon", broker.url(), "lisbon")

    def client(name: str) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", broker.port, identifier=name)

    try:
        async with client("early") as early:
            await early.subscribe(STATE, qos=1)
            await node.start()
            await state(early, is_up=True)
            await node.kill()
            await state(early, is_up=False)
        async with client("late") as late:
            await late.subscribe(STATE, qos=1)
            assert await state(late, is_up=False), "it was not retained"
            await node.start()
            await state(late, is_up=True)
            await node.stop()
            await state(late, is_up=False)
    finally:
        await node.stop()
        await broker.kill()
