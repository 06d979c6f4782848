"""kill -9 in the middle of a vote: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client import connect, host
from server.game.commands import OpenRound, OpenVote, StartClock, StopClock
from server.game.ids import RoomCode
from server.game.views.stage_types import Clock
from tests.support.figures import Figure
from tests.support.node import Node
from tests.support.tiers import scaled, seed
from tests.support.voters import Acks, Voter, all_again, check

PLAYERS = 200
KILLS = scaled(4, 20, 100)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    await made.stop()


@pytest.mark.fault
@pytest.mark.sampled
@pytest.mark.timeout(1_200)
async def test_kills_lose_no_recorded_vote(
    node: Node, tmp_path: Path, figure: Figure
) -> None:
    chance = random.Random(seed())
    ready = await node.start()
    url = f"http://127.0.0.1:{ready.port}"
    acks = Acks()
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, ready.room, ready.key))
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        deadline = _deadline(teacher.view.stage)
        voters = [
            Voter(
                await stack.enter_async_context(connect(url, ready.room, f"P {i}")), i
            )
            for i in range(PLAYERS)
        ]
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        for _ in range(KILLS):
            await acks.more(PLAYERS + chance.randrange(4 * PLAYERS))
            await node.kill()
            assert (await node.start()).room == ready.room
        await all_again(voters, acks)
        assert _deadline(teacher.view.stage) == deadline
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    await node.stop()
    figure(f"{KILLS} kills, {PLAYERS} players, {acks.n} votes acknowledged")
    await check(tmp_path, RoomCode(ready.room), voters)


@pytest.mark.fault
async def test_a_truncated_index_of_the_log_loses_no_recorded_vote(
    node: Node, tmp_path: Path
) -> None:
    """SQLite maps ``-shm`` into memory: without its bytes the process may end."""
    ready = await node.start()
    url = f"http://127.0.0.1:{ready.port}"
    acks = Acks()
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, ready.room, ready.key))
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        voters = [
            Voter(
                await stack.enter_async_context(connect(url, ready.room, f"P {i}")), i
            )
            for i in range(10)
        ]
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        await acks.more(50)
        os.truncate(tmp_path / "journal.sqlite-shm", 0)
        served = asyncio.create_task(acks.more(10))
        ended = asyncio.create_task(node.ended())
        await asyncio.wait((served, ended), return_when=asyncio.FIRST_COMPLETED)
        served.cancel()
        await node.kill()
        await ended
        assert (await node.start()).room == ready.room
        await all_again(voters, acks)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
    await node.stop()
    await check(tmp_path, RoomCode(ready.room), voters)


@pytest.mark.fault
async def test_a_stopped_clock_survives_a_kill_with_the_time_it_had(node: Node) -> None:
    ready = await node.start()
    url = f"http://127.0.0.1:{ready.port}"
    async with host(url, ready.room, ready.key) as teacher:
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        await teacher.send(StopClock())
        left_ms = _clock(teacher.view.stage).remaining_ms
        for _ in range(2):
            await node.kill()
            assert (await node.start()).room == ready.room
        async with host(url, ready.room, ready.key) as again:
            clock = _clock(again.view.stage)
            assert (clock.is_stopped, clock.remaining_ms) == (True, left_ms)
            await again.send(StartClock())
            clock = _clock(again.view.stage)
            assert not clock.is_stopped
            assert 0 < clock.remaining_ms <= left_ms


def _clock(view: object) -> Clock:
    clock = getattr(view, "clock", None)
    assert isinstance(clock, Clock)
    return clock


def _deadline(view: object) -> int:
    clock = getattr(view, "clock", None)
    assert clock is not None
    return int(clock.deadline_ms)
