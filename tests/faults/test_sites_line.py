"""A slow and lossy line, real to the kernel: 200 ms there and back, 5% lost, and cut.

Needs root and network namespaces; says so if it is skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.game.commands import OpenRound, OpenVote
from tests.support.arrive import arrive
from tests.support.broker import Kind, open_broker
from tests.support.figures import Figure
from tests.support.node import Node
from tests.support.sites import EDGES, HOME, Town
from tests.support.slow_line import SlowLine, need_namespaces, slow_line
from tests.support.voters import Acks, Voter, all_again, check

EACH = 20
CUT_S = 20
DELAY_MS = 100
LOSS = 0.05

pytestmark = [pytest.mark.fault, pytest.mark.campaign, pytest.mark.timeout(500)]


@contextlib.asynccontextmanager
async def far_town(folder: Path, kind: Kind, line: SlowLine) -> AsyncIterator[Town]:
    """Run the broker and the home at the far end of a line, the edges at this one."""
    broker = open_broker(kind, folder, line.far_address)
    url = f"mqtt://{line.far_address}:{broker.port}"
    home = Node(folder / HOME, url, HOME, line.far_address)
    edges = tuple(Node(folder / name, url, name) for name in EDGES)
    try:
        await broker.start(*line.inside)
        await broker.listens(line.far_address)
        room = await home.start(*line.inside)
        for edge in edges:
            await edge.start()
        yield Town(folder, broker, home, edges, room)
    finally:
        for node in (*edges, home):
            await node.stop()
        await broker.kill()


async def connect_ms(at: Town) -> float:
    """Return how long it takes to open a connection: once there and back."""
    began_s = time.monotonic()
    _, writer = await asyncio.open_connection(at.home.host, at.home.port)
    took_ms = 1000 * (time.monotonic() - began_s)
    writer.close()
    return took_ms


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
@pytest.mark.parametrize("is_cut", [False, True], ids=["slow", "slow and cut"])
async def test_a_bad_line_loses_and_repeats_no_vote(
    tmp_path: Path, kind: Kind, is_cut: bool, figure: Figure
) -> None:
    need_namespaces()
    acks, waits_ms = Acks(), list[float]()
    async with (
        slow_line(DELAY_MS, LOSS) as line,
        far_town(tmp_path, kind, line) as at,
        contextlib.AsyncExitStack() as stack,
    ):
        assert await connect_ms(at) >= 2 * DELAY_MS, "the line is not slow"
        teacher = await at.teacher(stack)
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        voters = [
            Voter(await arrive(stack, url, at.code, f"P{site}-{n}"), 100 * site + n)
            for site, url in enumerate(at.urls[1:])
            for n in range(EACH)
        ]
        runs = [
            asyncio.create_task(voter.run(acks, waits_ms.append)) for voter in voters
        ]
        await all_again(voters, acks)
        if is_cut:
            await line.say("cut")
            await asyncio.sleep(CUT_S)  # the fault itself, not a wait for anything
            await line.say("heal")
        await acks.more(10 * len(voters))
        await all_again(voters, acks)
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        await stack.aclose()
        await at.stop()
        await check(at.folder / HOME, at.code, voters)
    waits_ms.sort()
    cut = f", cut for {CUT_S} s" if is_cut else ""
    figure(
        f"{kind}, {2 * DELAY_MS} ms there and back, {LOSS:.0%} lost each way"
        f"{cut}: {acks.n} votes acknowledged, none lost, none twice; tap to "
        f"recorded p50 {waits_ms[len(waits_ms) // 2]:.0f} ms, "
        f"p99 {waits_ms[len(waits_ms) * 99 // 100]:.0f} ms"
    )
