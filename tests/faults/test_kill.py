"""kill -9 in the middle of a vote: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client import Label, Player, connect, host
from server.game.answers import GapAnswer
from server.game.commands import OpenRound, OpenVote
from server.game.events import VoteCast
from server.game.evolve import replay
from server.game.ids import RoomCode
from server.game.phases import Ballot
from server.journal.sqlite import SqliteStore
from tests.support.node import Node

PLAYERS = 200
KILLS = 20
GUARD_S = 60


class Acks:
    """Counts acknowledgements, and lets a test wait for so many more."""

    def __init__(self) -> None:
        self.n = 0
        self._news = asyncio.Event()

    def add(self) -> None:
        """Count one more."""
        self.n += 1
        self._news.set()

    async def more(self, n: int) -> None:
        """Wait for ``n`` more from now."""
        goal = self.n + n
        async with asyncio.timeout(GUARD_S):
            while self.n < goal:
                self._news.clear()
                await self._news.wait()


class Voter:
    """A player who changes the vote as fast as it is recorded."""

    def __init__(self, player: Player, seed: int) -> None:
        self.player = player
        self.acknowledged: list[tuple[str, int, Label]] = []
        self._random = random.Random(seed)

    async def run(self, acks: Acks) -> None:
        """Vote until cancelled."""
        while True:
            recorded = await self.player.vote(self._random.choice(list(Label)), 80)
            answer = recorded.answer
            assert isinstance(answer, GapAnswer)
            stamp = (recorded.client, recorded.counter, answer.label)
            self.acknowledged.append(stamp)
            acks.add()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    await made.stop()


@pytest.mark.fault
async def test_twenty_kills_lose_no_recorded_vote(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(20)
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
        before = [len(voter.acknowledged) for voter in voters]
        async with asyncio.timeout(GUARD_S):
            while any(
                len(voter.acknowledged) == n
                for voter, n in zip(voters, before, strict=True)
            ):
                await acks.more(1)
        assert _deadline(teacher.view.stage) == deadline
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    await node.stop()
    with capsys.disabled():
        print(f"\n  {KILLS} kills, {PLAYERS} players, {acks.n} votes acknowledged")
    await _check(tmp_path, RoomCode(ready.room), voters)


def _deadline(view: object) -> int:
    clock = getattr(view, "clock", None)
    assert clock is not None
    return int(clock.deadline_ms)


async def _check(data: Path, room: RoomCode, voters: list[Voter]) -> None:
    """Every acknowledged vote is in the journal once, and the count is right."""
    store = await SqliteStore.open(data / "journal.sqlite")
    journal = await store.load(room)
    await store.close()
    stored = Counter(
        (event.client, event.counter, event.answer.label)
        for event in journal
        if isinstance(event, VoteCast) and isinstance(event.answer, GapAnswer)
    )
    assert set(stored.values()) == {1}, "a vote was counted twice"
    for voter in voters:
        assert all(stamp in stored for stamp in voter.acknowledged), "a vote was lost"
    poll = replay(journal).rounds[0].polls[Ballot.VOTE]
    assert poll.tally.n == len(poll.votes) == len(voters)
