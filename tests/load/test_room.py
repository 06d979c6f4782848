"""Hundreds in one room: all in, all heard, all back; figures printed, not judged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.game.phases import Ballot
from server.game.settings import RoomSettings
from tests.support.figures import Figure
from tests.support.server import Hall, hall
from tests.support.wire import Wire, wire

SETTINGS = RoomSettings(time_factor=10, max_players=2_000)


@contextlib.asynccontextmanager
async def crowd(at: Hall, n: int) -> AsyncIterator[list[Wire]]:
    """Let ``n`` players join, a hundred at a time."""
    gate = asyncio.Semaphore(100)
    async with contextlib.AsyncExitStack() as stack:

        async def enter(number: int) -> Wire:
            async with gate:
                player = await stack.enter_async_context(wire(at.port))
                welcome = await player.join(at.room, f"Player {number}")
                assert welcome["token"]
                return player

        yield list(await asyncio.gather(*(enter(i) for i in range(n))))


@pytest.mark.load
async def test_500_join_vote_lose_their_sockets_and_are_back_with_their_votes(
    tmp_path: Path, figure: Figure
) -> None:
    n = 500
    async with hall(SETTINGS, data=tmp_path) as at, wire(at.port) as host:
        await host.prove("host", at.room, at.key)
        start = time.perf_counter()
        async with crowd(at, n) as players:
            joined_s = time.perf_counter() - start
            tokens = [_token(player) for player in players]
            await host.do("open_round", "open_vote")
            answers = await asyncio.gather(
                *(_vote(p, i) for i, p in enumerate(players))
            )
            assert [answer["type"] for answer in answers] == ["recorded"] * n
            for player in players:
                player.ws.transport.abort()
        start = time.perf_counter()
        async with contextlib.AsyncExitStack() as stack:
            labels = await asyncio.gather(
                *(_come_back(stack, at, token) for token in tokens)
            )
        back_s = time.perf_counter() - start
        assert labels == [_label(i) for i in range(n)]
        poll = at.server.directory.live[0].state.poll
        assert poll is not None
        assert poll.tally.options(Ballot.VOTE, two_link=False) == {
            "outer": n // 2,
            "inner": n // 2,
        }
    figure(
        f"{n} of {n} joined in {joined_s:.2f} s; {len(labels)} of {n} back with their "
        f"votes {back_s:.2f} s after their sockets were cut",
    )


async def _come_back(stack: contextlib.AsyncExitStack, at: Hall, token: str) -> str:
    player = await stack.enter_async_context(wire(at.port))
    await player.hello("player", room=at.room, token=token)
    votes = (await player.until("you"))["you"]["votes"]
    return str(votes[0]["answer"]["label"])


@pytest.mark.load
async def test_1000_vote_in_the_same_instant_and_are_all_recorded(
    tmp_path: Path, figure: Figure
) -> None:
    n = 1_000
    async with hall(SETTINGS, data=tmp_path) as at, wire(at.port) as host:
        await host.prove("host", at.room, at.key)
        async with crowd(at, n) as players:
            await host.do("open_round", "open_vote")
            await asyncio.gather(*(player.phase("vote") for player in players))
            start = time.perf_counter()
            answers = await asyncio.gather(
                *(_vote(p, i) for i, p in enumerate(players))
            )
            voted_s = time.perf_counter() - start
            assert [answer["type"] for answer in answers] == ["recorded"] * n
            await host.do("close_votes", "reveal")
            start = time.perf_counter()
            await host.do("next_step", all=True)
            results = await asyncio.gather(*(_result(player) for player in players))
            told_s = time.perf_counter() - start
            rights = [label == _label(i) for i, label in enumerate(results)]
            assert all(rights), "a player got another's result"
    figure(
        f"{n} of {n} votes recorded in {voted_s:.2f} s "
        f"({n / voted_s:.0f} a second), none refused; all {len(results)} own results "
        f"pushed within {told_s:.2f} s (server and players share this process)",
    )


async def _result(player: Wire) -> str:
    """Wait for the player's own result; nothing is requested."""
    while True:
        (mine,) = (await player.until("you"))["you"]["votes"]
        if mine["is_right"] is not None:
            return str(mine["answer"]["label"])


def _label(number: int) -> str:
    return ("outer", "inner")[number % 2]


async def _vote(player: Wire, number: int) -> dict[str, object]:
    return await player.vote(_label(number), 1, client=f"p{number}")


def _token(player: Wire) -> str:
    return str(next(m["token"] for m in player.seen if m["type"] == "welcome"))
