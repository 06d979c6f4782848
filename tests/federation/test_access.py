"""The shipped broker configuration, on real brokers: who may say and hear what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from tests.support.arrive import GUARD_S
from tests.support.broker import KINDS
from tests.support.guarded import EDGE, EVE, HOME, Guarded, guarded_broker, hear_all


@pytest.fixture(params=KINDS)
async def guarded(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Guarded]:
    async with guarded_broker(request.param, tmp_path) as made:
        yield made


async def test_a_site_may_speak_only_for_itself(guarded: Guarded) -> None:
    forbidden = (
        f"tg/v1/up/{HOME}/{EDGE}",
        f"tg/v1/home/{HOME}/room/K7MQ2P/player",
        f"tg/v1/home/{EVE}/room/K7MQ2P/player",
        f"tg/v1/node/{HOME}/state",
        f"tg/v1/down/{EDGE}/{HOME}",
        f"tg/v1/clk/down/{EDGE}/{HOME}",
    )
    async with (
        guarded.client(HOME) as home,
        guarded.client(EDGE) as edge,
        guarded.client(EVE) as eve,
    ):
        await hear_all(home)
        await hear_all(edge)
        for topic in forbidden:
            await eve.publish(topic, b"forged")
        await eve.publish(f"tg/v1/up/{HOME}/{EVE}", b"allowed")
        await eve.publish(f"tg/v1/node/{EVE}/state", b"allowed", qos=1)
        assert await _first(home) == "allowed"
        assert await _first(edge) == "allowed"


async def test_a_site_cannot_hear_anothers_private_messages(guarded: Guarded) -> None:
    async with guarded.client(HOME) as home, guarded.client(EVE) as eve:
        await hear_all(eve)
        await home.publish(f"tg/v1/down/{EDGE}/{HOME}", b"for lisbon alone")
        await home.publish(f"tg/v1/down/{EVE}/{HOME}", b"for oslo")
        assert await _first(eve) == "for oslo"


async def _first(client: aiomqtt.Client) -> str:
    async with asyncio.timeout(GUARD_S):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            return message.payload.decode()
    raise AssertionError("the broker has left")
