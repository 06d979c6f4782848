"""Players who vote as fast as they are heard, and the check that nothing was lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from client import Label, Player
from server.game.answers import GapAnswer
from server.game.engine import replay
from server.game.events import Event, VoteCast
from server.game.features.room import ChangeSettings
from server.game.ids import RoomCode
from server.game.phases import Ballot
from server.game.settings import SettingsChange
from server.journal.sqlite import SqliteStore

GUARD_S = 180

BY_HAND = ChangeSettings(change=SettingsChange(auto_close=False))
"""Has the host alone close votes; otherwise the last answer closes one."""


class Acks:
    """Counts acknowledgements, and lets a test wait for ``n`` more."""

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
    """A player who changes the vote as fast as it is recorded, or after a pause."""

    def __init__(self, player: Player, seed: int, pause_s: float = 0.0) -> None:
        """``pause_s`` is how long the pauses are, on average."""
        self.player = player
        self.sent_s = 0.0
        """When the vote that was recorded last had been sent (monotonic)."""
        self._pause_s = pause_s
        self.acknowledged: list[tuple[str, int, Label]] = []
        self._random = random.Random(seed)

    async def run(
        self, acks: Acks, waited_ms: Callable[[float], None] = lambda _: None
    ) -> None:
        """Vote until cancelled; tell how long each vote took to be recorded."""
        while True:
            if self._pause_s:
                await asyncio.sleep(self._random.uniform(0, 2 * self._pause_s))
            began_s = time.monotonic()
            recorded = await self.player.vote(
                self._random.choice(list(Label)), 80, to=self.player.view
            )
            answer = recorded.answer
            assert isinstance(answer, GapAnswer)
            stamp = (recorded.client, recorded.counter, answer.label)
            self.acknowledged.append(stamp)
            self.sent_s = began_s
            acks.add()
            waited_ms(1000 * (time.monotonic() - began_s))


async def all_again(voters: list[Voter], acks: Acks) -> None:
    """Wait until every voter has been heard once more."""
    before = [len(voter.acknowledged) for voter in voters]
    async with asyncio.timeout(GUARD_S):
        while any(
            len(voter.acknowledged) == n
            for voter, n in zip(voters, before, strict=True)
        ):
            await acks.more(1)


async def check(data: Path, room: RoomCode, voters: list[Voter]) -> None:
    """Every acknowledged vote is in the journal once, and the count is right."""
    store = await SqliteStore.open(data / "journal.sqlite")
    journal = await store.load(room)
    await store.close()
    check_events(journal, voters)


def check_events(journal: Sequence[Event], voters: Sequence[Voter]) -> None:
    """Every acknowledged vote is among a room's events once, and the count is right."""
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
