"""A room whose people are at two sites, over a broker in memory and without timers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from scenarios.model import Label
from server.federation.remote import RemoteRoom
from server.game.answers import GapAnswer
from server.game.commands import HostCommand
from server.game.engine import replay
from server.game.events import Event
from server.game.ids import ClientId
from server.game.phases import Ballot, Phase, Place
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.journal.memory import MemoryStore
from server.protocol.client_messages import Hello, PlayerWish, Vote
from server.protocol.keys import prove
from server.rooms.ports import Attend, Enter, RoomPort, Say
from server.rooms.requests import Bounds
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

    def __init__(
        self, room: Room, away: RoomPort, store: MemoryStore, clock: ManualClock
    ) -> None:
        self.clock = clock
        self._room = room
        self._away = away
        self._store = store
        self.consoles = (RecordingLink(), RecordingLink())
        for console in self.consoles:
            console.audience = "host"
        self._players: dict[str, tuple[RoomPort, RecordingLink]] = {}
        self._ref = 0

    async def arrive(self) -> None:
        """Let all people join."""
        proof = prove(self._room.key_of("host"), "host", ROOM, "n")
        for console in self.consoles:
            self._room.put(Attend(link=console, nonce="n", proof=proof))
            await console.get("panel")
        for number, name in enumerate(NAMES):
            link = self.enter(name, is_away=bool(number % 2))
            await link.get("welcome")

    def enter(
        self, name: str, address: str = "", *, is_away: bool = True
    ) -> RecordingLink:
        """Let a person say hello at a site, and do not wait for the answer."""
        link, way = RecordingLink(), self._away if is_away else self._room
        link.site = EDGE if is_away else HOME
        join_key = hashlib.sha256(name.encode()).hexdigest()[:32]
        hello = Hello(version=1, role="player", room=ROOM, name=name, join_key=join_key)
        way.put(Enter(link=link, hello=hello, site=link.site, address=address))
        self._players[name] = (way, link)
        return link

    async def do(self, *commands: HostCommand) -> None:
        """Give commands on the first console and wait for each."""
        for command in commands:
            seen = self._room.state.place
            ref = self.press(0, type(command)(seen=seen))  # type: ignore[call-arg] # all lead on
            await self.consoles[0].get("done", ref=ref)

    def press(self, console: int, command: HostCommand) -> int:
        """Send a command from a console, and do not wait; return its ref."""
        self._ref += 1
        message = replace(command, ref=self._ref)
        link = self.consoles[console]
        self._room.put(Say(link=link, message=message, stamped_ms=1_000))
        return self._ref

    async def answered(self, console: int, ref: int) -> bool:
        """Wait for the answer to a press; return whether it was carried out."""
        link = self.consoles[console]

        def answers() -> list[str]:
            return [m["type"] for m in link.messages if m.get("ref") == ref]

        await link.until(lambda: bool(answers()))
        return answers() == ["done"]

    async def steer(self, command: HostCommand) -> None:
        """Give a command as it is on the first console, and wait for it."""
        ref = self.press(0, command)
        await self.consoles[0].get("done", ref=ref)

    def link(self, name: str) -> RecordingLink:
        """Return a player's place to receive messages."""
        return self._players[name][1]

    def look(self, console: int) -> tuple[Place, str]:
        """Return the place on a console's screen, and what its big button gives."""
        link = self.consoles[console]
        place = link.of("host_view")[-1]["view"]["place"]
        seen = Place(place["round"], Phase(place["phase"]), place["step"])
        return seen, link.of("panel")[-1]["panel"]["advised"]

    def ask(self, name: str, wish: PlayerWish) -> None:
        """Send a player's wish, and do not wait until it has come."""
        way, link = self._players[name]
        way.put(Say(link=link, message=wish, stamped_ms=1_000))

    async def heard(self, name: str, kind: str) -> dict[str, Any]:
        """Return the next message of a type that a player gets."""
        return await self._players[name][1].get(kind)

    async def events(self) -> list[Event]:
        """Return what the journal holds."""
        return await self._store.load(ROOM)

    async def state(self) -> RoomState:
        """Return the state that the journal leads to."""
        return replay(await self.events())

    def vote(self, ballot: Ballot, answer: Answer, index: int = 0) -> int:
        """Send an answer, and do not wait until it has come; return its counter."""
        name, label = answer
        way, link = self._players[name]
        self._ref += 1
        message = Vote(
            round=index,
            ballot=ballot,
            client=ClientId(name.replace(" ", "-")),
            counter=self._ref,
            answer=GapAnswer(Label(label), 80),
        )
        way.put(Say(link=link, message=message, stamped_ms=1_000))
        return self._ref

    async def counted(self, name: str, counter: int) -> None:
        """Wait until a vote was recorded or refused."""
        link = self._players[name][1]
        final = ("recorded", "refused")
        await link.until(
            lambda: any(
                m["type"] in final and m.get("counter") == counter
                for m in link.messages
            )
        )

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
async def two_sites(
    bounds: Bounds | None = None, **settings: Any
) -> AsyncIterator[Class]:
    """Run a class over two nodes and a bus in memory; timers are off by default."""
    broker = FakeBroker()
    await broker.start()
    home, edge = side(HOME, broker.bus), side(EDGE, broker.bus)
    store = MemoryStore()
    chosen = RoomSettings(**{"time_factor": None, **settings})
    await store.append(ROOM, 0, [opened(chosen)])
    clock = ManualClock(1_000)
    room = Room(
        replay(await store.load(ROOM)),
        store,
        home.node.gateway,
        clock,
        barrier=home.node.barrier,
        bounds=bounds,
    )
    home.shelf.rooms[ROOM] = room  # type: ignore[assignment] # the room itself
    async with running(home, edge):
        task = asyncio.create_task(room.run(), name="room")
        try:
            await until(lambda: edge.node.edge.knows(ROOM))
            made = Class(room, RemoteRoom(ROOM, edge.node.edge), store, clock)
            await made.arrive()
            yield made
        finally:
            task.cancel()
            await asyncio.wait([task])
