"""A close that is taken back over two sites: the same table as without it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from scenarios.model import Label
from server.federation.remote import RemoteRoom
from server.game.answers import GapAnswer
from server.game.commands import (
    CloseVotes,
    Discuss,
    HostCommand,
    OpenRound,
    OpenVote,
    ReopenVote,
    Reveal,
    Revote,
)
from server.game.engine import replay
from server.game.ids import ClientId
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.journal.memory import MemoryStore
from server.protocol.client_messages import Hello, PlayerWish, Vote
from server.protocol.keys import prove
from server.rooms.ports import Attend, Enter, RoomPort, Say
from server.rooms.room import Room
from tests.support.cases import opened
from tests.support.fake_bus import FakeBroker
from tests.support.gateways import EDGE, HOME, running, side
from tests.support.room import ROOM, ManualClock, RecordingLink
from tests.support.until import until

NAMES = ("Ann", "Bob", "Cem", "Dee")
Answer = tuple[str, str]


class Class:
    """A room at its home; its players are there and at another site by turns."""

    def __init__(self, room: Room, away: RoomPort, store: MemoryStore) -> None:
        self._room = room
        self._away = away
        self._store = store
        self._host = RecordingLink()
        self._host.audience = "host"
        self._players: dict[str, tuple[RoomPort, RecordingLink]] = {}
        self._ref = 0

    async def arrive(self) -> None:
        """Let all people join."""
        proof = prove(self._room.key_of("host"), "host", ROOM, "n")
        self._room.put(Attend(link=self._host, nonce="n", proof=proof))
        await self._host.get("welcome")
        for number, name in enumerate(NAMES):
            way = self._away if number % 2 else self._room
            site = EDGE if number % 2 else HOME
            link = RecordingLink()
            link.site = site
            hello = Hello(
                version=1, role="player", room=ROOM, name=name, join_key=f"{number:032}"
            )
            way.put(Enter(link=link, hello=hello, site=site))
            await link.get("welcome")
            self._players[name] = (way, link)

    async def do(self, *commands: HostCommand) -> None:
        """Give commands and wait for each."""
        for command in commands:
            self._ref += 1
            message = type(command)(ref=self._ref, seen=self._room.state.place)  # type: ignore[call-arg] # all lead on
            self._room.put(Say(link=self._host, message=message, stamped_ms=1_000))
            await self._host.get("done", ref=self._ref)

    def ask(self, name: str, wish: PlayerWish) -> None:
        """Send a player's wish, and do not wait until it has come."""
        way, link = self._players[name]
        way.put(Say(link=link, message=wish, stamped_ms=1_000))

    async def heard(self, name: str, kind: str) -> dict[str, Any]:
        """Return the next message of a type that a player gets."""
        return await self._players[name][1].get(kind)

    async def state(self) -> RoomState:
        """Return the state that the journal leads to."""
        return replay(await self._store.load(ROOM))

    def vote(self, ballot: Ballot, answer: Answer) -> None:
        """Send an answer, and do not wait until it has come."""
        name, label = answer
        way, link = self._players[name]
        self._ref += 1
        message = Vote(
            round=0,
            ballot=ballot,
            client=ClientId(name),
            counter=self._ref,
            answer=GapAnswer(Label(label), 80),
        )
        way.put(Say(link=link, message=message, stamped_ms=1_000))

    async def table(self) -> object:
        """Return the scores and tallies that the journal holds."""
        state = await self.state()
        round_ = state.rounds[0]
        tallies = {
            ballot: (poll.tally, poll.sites, poll.missed - poll.votes.keys())
            for ballot, poll in round_.polls.items()
        }
        moved = (round_.after, round_.carried, round_.moves, round_.cohorts)
        return round_.scores, tallies, moved


@contextlib.asynccontextmanager
async def two_sites(**settings: Any) -> AsyncIterator[Class]:
    """Run a class over two nodes and a bus in memory, without timers."""
    broker = FakeBroker()
    await broker.start()
    home, edge = side(HOME, broker.bus), side(EDGE, broker.bus)
    store = MemoryStore()
    await store.append(ROOM, 0, [opened(RoomSettings(time_factor=None, **settings))])
    room = Room(
        replay(await store.load(ROOM)),
        store,
        home.node.gateway,
        ManualClock(1_000),
        barrier=home.node.barrier,
    )
    home.shelf.rooms[ROOM] = room  # type: ignore[assignment] # the room itself
    async with running(home, edge):
        task = asyncio.create_task(room.run(), name="room")
        try:
            await until(lambda: edge.node.edge.knows(ROOM))
            made = Class(room, RemoteRoom(ROOM, edge.node.edge), store)
            await made.arrive()
            yield made
        finally:
            task.cancel()
            await asyncio.wait([task])


async def play(seed: int, undo: bool) -> object:
    """Play a round with answers of a seed; with ``undo``, take both closes back."""
    chance = Random(seed)
    async with two_sites() as at:
        await at.do(OpenRound(), OpenVote())
        for ballot, onward in ((Ballot.VOTE, Revote()), (Ballot.REVOTE, Reveal())):
            answers = [
                (chance.choice(NAMES), chance.choice(["outer", "inner"]))
                for _ in range(chance.randrange(1, 7))
            ]
            early = chance.randrange(len(answers) + 1)
            for number, answer in enumerate(answers):
                if undo and number == early:
                    await at.do(CloseVotes(), ReopenVote())
                at.vote(ballot, answer)
            if undo and early == len(answers):
                await at.do(CloseVotes(), ReopenVote())
            await at.do(CloseVotes())
            if ballot is Ballot.VOTE:
                await at.do(Discuss())
            await at.do(onward)
        return await at.table()


@pytest.mark.parametrize("seed", range(8))
async def test_an_undo_over_two_sites_and_the_same_presses_give_the_same_table(
    seed: int,
) -> None:
    async with asyncio.timeout(30):
        assert await play(seed, undo=True) == await play(seed, undo=False)
