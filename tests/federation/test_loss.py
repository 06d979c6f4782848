"""A broker that loses messages silently: all is done, and no mark holds early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from server.federation.sender import Pace
from server.game.ids import RoomCode
from tests.support.fake_bus import FakeBroker
from tests.support.gateways import Crowd, frame, remote_crowd
from tests.support.room import RecordingLink
from tests.support.until import until

ROOM = RoomCode("K7MQ2P")
SHARE = 0.3


@pytest.fixture
async def broker() -> FakeBroker:
    made = FakeBroker()
    await made.start()
    return made


@pytest.fixture
async def crowd(
    broker: FakeBroker,
) -> AsyncIterator[Crowd]:
    pace = Pace(least_rto_s=0.03, retry_s=0.01)  # so as not to wait for long
    async with remote_crowd(broker.bus, ROOM, pace=pace) as made:
        yield made


def lossy(seed: int, *ways: str) -> Callable[[str], bool]:
    """Return what decides whether a message is lost, on these ways."""
    chance = random.Random(seed)

    def loses(topic: str) -> bool:
        return topic.startswith(ways) and chance.random() < SHARE

    return loses


async def people(crowd: Crowd, n: int) -> list[RecordingLink]:
    """Let ``n`` players join."""
    return list(await asyncio.gather(*(crowd.join(ROOM, f"p{i}") for i in range(n))))


@pytest.mark.parametrize("seed", range(6))
async def test_everything_said_arrives_and_no_mark_holds_before_it(
    broker: FakeBroker, crowd: Crowd, seed: int
) -> None:
    room = crowd.rooms[ROOM]
    everyone = await people(crowd, 5)
    broker.loses = lossy(seed, "tg/v1/up/", "tg/v1/down/")
    ref = 0
    for version in range(2, 10):
        for _ in range(20):
            ref += 1
            crowd.say(everyone[ref % 5], ref)
            await asyncio.sleep(0)  # so that it does not all fit into one batch
        room.show("player", version)
        await until(lambda version=version: not crowd.sites.behind(ROOM, version))
        assert set(room.said) == set(range(1, ref + 1)), "a mark held too early"
    await until(lambda: crowd.owed() == 0)


async def test_a_player_who_joins_while_messages_are_lost_is_admitted(
    broker: FakeBroker, crowd: Crowd
) -> None:
    broker.loses = lossy(3, "tg/v1/up/")
    await people(crowd, 20)
    assert len(crowd.gateway.links(ROOM, "player")) == 20


async def test_a_killed_broker_takes_nothing_along(
    broker: FakeBroker, crowd: Crowd
) -> None:
    room = crowd.rooms[ROOM]
    everyone = await people(crowd, 5)
    for turn in range(4):
        for ref in range(100 * turn + 1, 100 * turn + 101):
            crowd.say(everyone[ref % 5], ref)
        await broker.kill()
        await asyncio.sleep(0)
        await broker.start()
        await until(lambda turn=turn: len(set(room.said)) == 100 * turn + 100)
    await until(lambda: crowd.owed() == 0)
    await until(lambda: len(crowd.gateway.links(ROOM, "player")) == 5)
    room.show("player", 9)
    crowd.push(ROOM, "p1", frame("you", n=9))
    await everyone[1].get("view", version=9)
    await everyone[1].get("you", n=9)
