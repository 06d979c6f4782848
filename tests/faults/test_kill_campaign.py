"""kill -9 at random moments of whole games: while people vote, and while phases change.

Four games of fifty kills each, under `make campaign`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from client import Host, Label, Link, Player, VoteRefused, VoteSuperseded, connect, host
from client.errors import CommandRefused, ConnectionLost
from server.game.answers import Answer, FixAnswer, GapAnswer
from server.game.commands import (
    CloseVotes,
    HostCommand,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
    Transfer,
)
from server.game.engine import replay
from server.game.events import VoteCast, VoteKeptLate
from server.game.ids import RoomCode
from server.game.phases import OPEN_BALLOT, Ballot, Phase
from server.journal.sqlite import SqliteStore
from tests.support.figures import Figure
from tests.support.node import Node
from tests.support.until import until
from tests.support.voters import Acks

PLAYERS = 30
KILLS = 50
NEXT: dict[Phase, HostCommand] = {
    Phase.LOBBY: OpenRound(),
    Phase.READ: OpenVote(),
    Phase.VOTE: CloseVotes(),
    Phase.VOTE_CLOSED: Revote(),
    Phase.REVOTE: CloseVotes(),
    Phase.REVOTE_CLOSED: Reveal(),
    Phase.REVEAL: Transfer(),
    Phase.TRANSFER: CloseVotes(),
    Phase.TRANSFER_REVEAL: OpenRound(),
}
"""The course that the host takes: where a command may come from."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an acknowledgement says is stored."""

    client: str
    counter: int
    round: int
    ballot: Ballot
    answer: Answer


class Voter:
    """A player who votes again and again, in whatever ballot is open."""

    def __init__(self, player: Player, seed: int) -> None:
        self.player = player
        self.acknowledged: list[Stamp] = []
        self._random = Random(seed)

    async def run(self, acks: Acks) -> None:
        """Vote until the game is over, or cancelled."""
        async for view in self.player.views():
            while OPEN_BALLOT.get(Phase(view.phase)) and self._is_still(view.phase):
                try:
                    answer = self._answer(view.phase)
                    recorded = await self.player.answer(answer, to=view)
                except (VoteRefused, VoteSuperseded):
                    break
                self.acknowledged.append(
                    Stamp(
                        recorded.client,
                        recorded.counter,
                        recorded.round,
                        recorded.ballot,
                        recorded.answer,
                    )
                )
                acks.add()

    def _is_still(self, phase: str) -> bool:
        return self.player.view.phase == phase

    def _answer(self, phase: str) -> Answer:
        if phase == Phase.FIX:
            return FixAnswer(self._random.randrange(3))
        return GapAnswer(self._random.choice(list(Label)), 80)


@pytest.mark.fault
@pytest.mark.campaign
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(4))
async def test_fifty_kills_at_random_moments_of_a_game(
    seed: int, tmp_path: Path, figure: Figure
) -> None:
    chance, acks, phases = Random(seed), Acks(), Counter[str]()
    node = Node(tmp_path)
    ready = await node.start()
    url = f"http://127.0.0.1:{ready.port}"
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, ready.room, ready.key))
        voters = []
        for number in range(PLAYERS):
            link = connect(url, ready.room, f"P {number}")
            player = await stack.enter_async_context(link)
            voters.append(Voter(player, number))
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        for _ in range(KILLS):
            phases[teacher.view.stage.phase] += 1
            await _until_a_moment(teacher, acks, chance)
            await node.kill()
            again = await node.start()
            assert again.room == ready.room
        await _all_are_heard(teacher, acks)
        for run in runs:
            run.cancel()
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
        shown = teacher.view.stage
    await node.stop()
    told = ", ".join(f"{n} in {phase}" for phase, n in phases.items())
    figure(f"{KILLS} kills ({told}): {acks.n:,} votes acknowledged, none lost")
    await _check(tmp_path, RoomCode(ready.room), voters, shown.phase)


async def _until_a_moment(teacher: Host, acks: Acks, chance: Random) -> None:
    """Return at a random moment of voting, or of a change of phase."""
    is_voting = Phase(teacher.view.stage.phase) in OPEN_BALLOT
    if is_voting and chance.random() < 0.6:
        await acks.more(chance.randint(1, 3 * PLAYERS))
        return
    await until(lambda: teacher.state is Link.OPEN, 60)
    change = asyncio.create_task(_advance(teacher))
    await asyncio.wait({change}, timeout=chance.random() * 0.1)
    change.cancel()
    await asyncio.gather(change, return_exceptions=True)


async def _advance(teacher: Host) -> None:
    """Give the command that comes next; it may be lost with the server."""
    stage = teacher.view.stage
    command = NEXT.get(Phase(stage.phase))
    if command is None:
        return
    with contextlib.suppress(ConnectionLost, CommandRefused):
        if not isinstance(command, Transfer):
            await teacher.send(command)
            return
        await teacher.send(NextStep(all=True))
        try:
            await teacher.send(command)
        except CommandRefused:  # this round has no transfer case
            await teacher.send(OpenRound())


async def _all_are_heard(teacher: Host, acks: Acks) -> None:
    """Go on to a vote, and wait until it is taken."""
    async with asyncio.timeout(120):
        while Phase(teacher.view.stage.phase) not in OPEN_BALLOT:
            await _advance(teacher)
            await asyncio.sleep(0.05)  # the view that it leads to is on its way
        await acks.more(3 * PLAYERS)


async def _check(data: Path, room: RoomCode, voters: list[Voter], phase: str) -> None:
    """Every acknowledged vote is stored once, as it was acknowledged."""
    store = await SqliteStore.open(data / "journal.sqlite")
    journal = await store.load(room)
    await store.close()
    casts = [e for e in journal if isinstance(e, VoteCast | VoteKeptLate)]
    stored = {
        (e.player, e.client, e.counter): Stamp(
            e.client, e.counter, e.round, e.ballot, e.answer
        )
        for e in casts
    }
    late = {(e.player, e.counter) for e in casts if isinstance(e, VoteKeptLate)}
    assert len(stored) == len(casts), "a vote was stored twice"
    for voter in voters:
        for stamp in voter.acknowledged:
            who = voter.player.id
            kept = stored.get((who, stamp.client, stamp.counter))
            # a late vote is kept beside the one that stands, which the receipt tells
            is_kept = kept == stamp or (kept and (who, stamp.counter) in late)
            assert is_kept, f"lost: {stamp}"
    state = replay(journal)
    assert state.phase == phase
    assert state.version == len(journal)
    for round_ in state.rounds:
        for poll in round_.polls.values():
            assert poll.tally.n == len(poll.votes) <= len(voters)
