"""What goes wrong between sites, with votes in flight: none is lost, none doubled.

Smaller ones are in tests/federation; these run with people at three sites, and most
only with ``make campaign``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.game.commands import OpenRound, OpenVote
from tests.support.arrive import arrive
from tests.support.broker import KINDS, BrokerCluster, Kind, open_broker
from tests.support.cuttable import cuttable
from tests.support.figures import Figure
from tests.support.sites import EDGES, HOME, Town, town
from tests.support.tiers import scaled
from tests.support.voters import Acks, Voter, all_again, check

EACH = scaled(5, 10, 40)
ROUNDS = scaled(1, 1, 3)
CUT_S = 20

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]

Trouble = Callable[[Town, Acks, list[Voter]], Awaitable[None]]


async def in_trouble(at: Town, trouble: Trouble) -> int:
    """Let all players keep voting, make trouble, and compare the journal.

    Returns how many votes were acknowledged.
    """
    acks = Acks()
    async with contextlib.AsyncExitStack() as stack:
        teacher = await at.teacher(stack)
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        voters = [
            Voter(await arrive(stack, url, at.code, f"P{site}-{n}"), 100 * site + n)
            for site, url in enumerate(at.urls)
            for n in range(EACH)
        ]
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        await all_again(voters, acks)
        await trouble(at, acks, voters)
        await all_again(voters, acks)
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    await at.stop()
    await check(at.folder / "berlin", at.code, voters)
    return acks.n


def flight(acks: Acks) -> Awaitable[None]:
    """Wait for a random number of votes: the next thing hits others in flight."""
    return acks.more(random.Random(acks.n).randrange(20, 3 * EACH))


async def kill_the_broker(at: Town, acks: Acks, _: list[Voter]) -> None:
    for _ in range(4):
        await flight(acks)
        await at.broker.kill()
        await at.broker.start()


async def kill_the_home(at: Town, acks: Acks, _: list[Voter]) -> None:
    for _ in range(3):
        await flight(acks)
        await at.home.kill()
        await at.home.start()


async def kill_an_edge(at: Town, acks: Acks, _: list[Voter]) -> None:
    await flight(acks)
    await at.edges[0].kill()
    await at.edges[0].start()


@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trouble", [kill_the_broker, kill_the_home, kill_an_edge])
async def test_no_vote_is_lost_or_counted_twice(
    tmp_path: Path, kind: Kind, trouble: Trouble, figure: Figure
) -> None:
    async with town(tmp_path, kind) as at:
        n = await in_trouble(at, trouble)
    what = trouble.__name__.replace("_", " ")
    figure(f"{kind}, {what}: {n} votes acknowledged, none lost, none twice")


@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS)
async def test_a_site_that_is_cut_off_keeps_its_votes(
    tmp_path: Path, kind: Kind, figure: Figure
) -> None:
    broker = open_broker(kind, tmp_path)
    told: list[str] = []
    async with cuttable(broker.port) as line:
        url = f"mqtt://127.0.0.1:{line.port}"

        async def cut_an_edge_off(at: Town, acks: Acks, _: list[Voter]) -> None:
            await flight(acks)
            line.cut()
            began_s, before = time.monotonic(), acks.n
            await asyncio.sleep(CUT_S)  # the fault itself, not a wait for anything
            others = acks.n - before
            assert others > 0, "the other sites have also stopped"
            line.heal()
            await acks.more(1)
            told.append(
                f"{others} votes elsewhere in {time.monotonic() - began_s:.0f} s"
            )

        async with town(tmp_path, kind, {EDGES[0]: url}, broker) as at:
            n = await in_trouble(at, cut_an_edge_off)
    figure(f"{kind}, an edge cut off for {CUT_S} s: {n} votes, none lost, {told}")


@pytest.mark.full
@pytest.mark.sampled
async def test_a_cluster_may_lose_any_broker(tmp_path: Path, figure: Figure) -> None:
    """Each site begins at another broker; each broker is killed and started again."""
    sites = (HOME, *EDGES)
    cluster = BrokerCluster(tmp_path, sites)
    urls = {site: cluster.url(site, first) for first, site in enumerate(sites)}
    waits_s: list[float] = []

    async def kill_each(at: Town, acks: Acks, voters: list[Voter]) -> None:
        for broker in cluster.brokers * ROUNDS:
            await flight(acks)
            began_s = time.monotonic()
            await broker.kill()
            await all_again(voters, acks)  # without it
            waits_s.append(time.monotonic() - began_s)
            await broker.start()
            await all_again(voters, acks)

    async with town(tmp_path, "nats", urls, cluster) as at:
        n = await in_trouble(at, kill_each)
    figure(
        f"3 brokers, {len(waits_s)} killed: {n} votes of {3 * EACH} people at 3 sites, "
        f"none lost, none twice; all heard again after at most {max(waits_s):.1f} s"
    )
