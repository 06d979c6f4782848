"""kill -9 of a home and of an edge, with votes in flight between them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from client import host
from server.game.commands import OpenRound, OpenVote
from server.game.ids import RoomCode
from tests.support.arrive import arrive
from tests.support.broker import Broker, open_broker
from tests.support.figures import Figure
from tests.support.node import Node, Ready
from tests.support.voters import GUARD_S, Acks, Voter, all_again, check
from tests.support.wire import wire

PLAYERS = 60


@dataclass(frozen=True, slots=True)
class Pair:
    """A home and an edge in processes of their own."""

    home: Node
    edge: Node
    room: Ready
    at_edge: str


@pytest.fixture(params=["mosquitto", pytest.param("nats", marks=pytest.mark.campaign)])
async def broker(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Broker]:
    made = open_broker(request.param, tmp_path)
    await made.start()
    yield made
    await made.kill()


@pytest.fixture
async def pair(tmp_path: Path, broker: Broker) -> AsyncIterator[Pair]:
    home = Node(tmp_path / "home", broker.url(), "berlin")
    edge = Node(tmp_path / "edge", broker.url(), "lisbon")
    try:
        room = await home.start()
        at_edge = f"http://127.0.0.1:{(await edge.start()).port}"
        yield Pair(home, edge, room, at_edge)
    finally:
        await edge.stop()
        await home.stop()


@pytest.mark.fault
@pytest.mark.parametrize("victim", ["home", "edge"])
async def test_kills_lose_no_recorded_vote(
    pair: Pair,
    victim: str,
    tmp_path: Path,
    figure: Figure,
) -> None:
    chance = random.Random(3)
    node = pair.home if victim == "home" else pair.edge
    acks = Acks()
    async with contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{pair.room.port}"
        teacher = await stack.enter_async_context(
            host(url, pair.room.room, pair.room.key)
        )
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        voters = [
            Voter(await arrive(stack, pair.at_edge, pair.room.room, f"P {i}"), i)
            for i in range(PLAYERS)
        ]
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        for _ in range(3):
            await acks.more(PLAYERS + chance.randrange(2 * PLAYERS))
            await node.kill()
            await node.start()
        await all_again(voters, acks)
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    figure(f"3 kills of the {victim}: {acks.n} votes acknowledged, none lost")
    await pair.edge.stop()
    await pair.home.stop()
    await check(tmp_path / "home", RoomCode(pair.room.room), voters)


@pytest.mark.fault
async def test_a_vote_received_at_a_site_outlives_the_site(
    pair: Pair, broker: Broker
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{pair.room.port}"
        teacher = await stack.enter_async_context(
            host(url, pair.room.room, pair.room.key)
        )
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await arrive(stack, pair.at_edge, pair.room.room, "guide")
        async with wire(pair.edge.port) as ann:
            await ann.join(pair.room.room, "Ann")
            await ann.phase("vote")
            await broker.kill()
            await ann.send("vote", **VOTE)
            received = await ann.until("received")
            assert received["counter"] == VOTE["counter"]
            await pair.edge.kill()
        await broker.start()
        await pair.edge.start()
        async with asyncio.timeout(GUARD_S):
            await teacher.until(lambda panel: panel.answered == 1)


VOTE = {
    "round": 0,
    "ballot": "vote",
    "client": "ann",
    "counter": 7,
    "answer": {"kind": "gap", "label": "outer", "confidence": 80},
}
