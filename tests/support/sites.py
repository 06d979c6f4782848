"""A town: a home and its edges in processes of their own, a broker, and players.

All players remember what they sent and what was recorded, so that the home's
journal can be held against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from client import Host, Label, Player, host
from server.game.answers import Answer, FixAnswer, GapAnswer
from server.game.commands import (
    AskFix,
    CloseVotes,
    Discuss,
    HostCommand,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
    Transfer,
)
from server.game.engine import replay
from server.game.events import Event, VoteCast, VoteKeptLate
from server.game.ids import RoomCode
from server.game.phases import Ballot
from server.game.views.stage_types import StageView
from server.journal.sqlite import SqliteStore
from tests.support.arrive import arrive
from tests.support.broker import Broker, BrokerCluster, Kind, open_broker
from tests.support.node import Node, Ready

GUARD_S = 120
HOME, EDGES = "berlin", ("lisbon", "oslo")
Slot = tuple[int, Ballot]


@dataclass(frozen=True, slots=True)
class Town:
    """A room with people at three sites."""

    folder: Path
    broker: Broker | BrokerCluster
    home: Node
    edges: tuple[Node, ...]
    room: Ready

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        return RoomCode(self.room.room)

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the sites: the home's, then the edges'."""
        return tuple(node.url for node in (self.home, *self.edges))

    async def teacher(self, stack: contextlib.AsyncExitStack) -> Host:
        """Let the host in."""
        url = self.home.url
        return await stack.enter_async_context(host(url, self.code, self.room.key))

    async def stop(self) -> None:
        """Stop all nodes, in order."""
        for node in (*self.edges, self.home):
            await node.stop()

    async def journal(self) -> list[Event]:
        """Read what the home has stored; it has to be stopped."""
        store = await SqliteStore.open(self.folder / HOME / "journal.sqlite")
        try:
            return await store.load(self.code)
        finally:
            await store.close()


@contextlib.asynccontextmanager
async def town(
    folder: Path,
    kind: Kind,
    urls: dict[str, str] | None = None,
    broker: Broker | BrokerCluster | None = None,
) -> AsyncIterator[Town]:
    """Run a broker and three nodes; ``urls`` gives a site another way to the broker."""
    broker = broker or open_broker(kind, folder)
    await broker.start()
    urls = urls or {}
    nodes = [
        Node(folder / name, urls[name] if name in urls else broker.url(), name)
        for name in (HOME, *EDGES)
    ]
    try:
        started = await asyncio.gather(*(node.start() for node in nodes))
        yield Town(folder, broker, nodes[0], tuple(nodes[1:]), started[0])
    finally:
        for node in nodes:
            await node.stop()
        await broker.kill()


@dataclass(slots=True, eq=False)
class Pupil:
    """A player who answers what is asked, sometimes twice, and keeps the receipts."""

    player: Player
    chance: random.Random
    receipts: list[tuple[Slot, str, int]] = field(default_factory=list)
    """Ballot, client instance and counter of every vote that was recorded."""
    stands: dict[Slot, Answer] = field(default_factory=dict)
    """The answer of each ballot that was recorded last."""

    async def answer(self, slot: Slot) -> None:
        """Answer the open ballot, and one in five changes their mind."""
        view = await self._see(slot)
        for _ in range(1 + (self.chance.random() < 0.2)):
            answer = self._draw(slot[1])
            recorded = await self.player.answer(answer, to=view)
            self.receipts.append((slot, recorded.client, recorded.counter))
            self.stands[slot] = recorded.answer

    async def _see(self, slot: Slot) -> StageView:
        async for view in self.player.views():
            if (view.room.round, view.phase) == slot:
                return view
        raise self.player.cause or AssertionError("the game is over")

    def _draw(self, ballot: Ballot) -> Answer:
        if ballot is Ballot.FIX:
            return FixAnswer(self.chance.randrange(3))
        return GapAnswer(self.chance.choice(list(Label)), self.chance.choice([60, 80]))


async def pupils(
    stack: contextlib.AsyncExitStack, where: Town, each: int, seed: int = 5
) -> list[Pupil]:
    """Let ``each`` players join at each site."""

    async def come(site: int, number: int) -> Pupil:
        name = f"P{site}-{number}"
        player = await arrive(stack, where.urls[site], where.code, name)
        return Pupil(player, random.Random(f"{seed}-{name}"))

    found: list[Pupil] = []
    for site in range(len(where.urls)):
        for start in range(0, each, 50):
            some = range(start, min(each, start + 50))
            found += await asyncio.gather(*(come(site, number) for number in some))
    return found


OPENING: dict[Ballot, tuple[HostCommand, ...]] = {
    Ballot.VOTE: (OpenRound(), OpenVote()),
    Ballot.REVOTE: (Discuss(), Revote()),
    Ballot.FIX: (Reveal(), NextStep(all=True), AskFix()),
    Ballot.TRANSFER: (Transfer(),),
}
"""What leads to each ballot of a round, one after another."""

Watch = Callable[[Slot], Awaitable[None]]


async def play(
    teacher: Host,
    everyone: Sequence[Pupil],
    rounds: Iterable[int],
    open_: Watch | None = None,
) -> list[Slot]:
    """Play rounds with all four ballots; ``open_`` is awaited while one is open."""
    played: list[Slot] = []
    for number in rounds:
        for ballot, commands in OPENING.items():
            for command in commands:
                await teacher.send(command)
            slot = (number, ballot)
            async with asyncio.timeout(GUARD_S):
                await asyncio.gather(*(pupil.answer(slot) for pupil in everyone))
            if open_ is not None:
                await open_(slot)
            await teacher.send(CloseVotes())
            played.append(slot)
    return played


def hold_against(
    journal: list[Event], everyone: Sequence[Pupil], played: Iterable[Slot]
) -> int:
    """Every receipt is in the journal once, and every count is the sum of answers.

    Returns how many votes were recorded.
    """
    stored = Counter(
        ((event.round, event.ballot), event.client, event.counter)
        for event in journal
        if isinstance(event, VoteCast)
    )
    assert not [event for event in journal if isinstance(event, VoteKeptLate)]
    assert set(stored.values()) == {1}, "a vote was counted twice"
    receipts = [receipt for pupil in everyone for receipt in pupil.receipts]
    assert all(receipt in stored for receipt in receipts), "a vote was lost"
    assert len(receipts) == len(stored), "a vote was stored that was never sent"
    state = replay(journal)
    for slot in played:
        poll = state.rounds[slot[0]].polls[slot[1]]
        sent = Counter(pupil.stands[slot] for pupil in everyone)
        assert poll.tally.cells == sent, f"round {slot[0]}, {slot[1]}, is miscounted"
        assert poll.tally.n == len(everyone)
    return len(receipts)
