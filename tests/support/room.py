"""A live room without sockets: recording links, a clock by hand, a store that fails."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from scenarios.model import Label
from server.game.answers import GapAnswer
from server.game.commands import HostCommand
from server.game.engine import replay
from server.game.errors import Refused
from server.game.events import Event
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.journal.memory import MemoryStore
from server.journal.store import EventStore, StoreUnavailable
from server.protocol.client_messages import Hello, Vote
from server.protocol.keys import prove
from server.rooms import replies
from server.rooms.audience import LocalGateway
from server.rooms.ports import (
    Attend,
    Audience,
    Enter,
    Gateway,
    Leave,
    MakeBarrier,
    Return,
    Say,
    Slot,
)
from server.rooms.requests import Bounds
from server.rooms.room import Room
from tests.support.cases import opened

ROOM = RoomCode("TESTAA")


class ManualClock:
    """A clock that moves when a test moves it."""

    def __init__(self, now_ms: int = 10_000) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


class RecordingLink:
    """Keeps every frame, and lets a test wait for one."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.is_welcome = False
        self.is_parted = False
        self.audience: Audience = "player"
        self.player: PlayerId | None = None
        self.site: str | None = None
        self._news = asyncio.Event()

    def push(self, frame: bytes, slot: Slot | None = None) -> None:
        self.messages.append(json.loads(frame))
        self._news.set()

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        self.is_welcome, self.player = True, player
        self.push(welcome)

    def turn_away(self, refusal: Refused) -> None:
        self.push(replies.refused(refusal))

    def part(self, bye: bytes) -> None:
        self.push(bye)
        self.is_parted = True

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one type so far."""
        return [m for m in self.messages if m["type"] == kind]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, message by message, until something is so."""
        async with asyncio.timeout(10):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def get(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Wait for a message of a type with these fields; return it (the last)."""

        def found() -> list[dict[str, Any]]:
            return [m for m in self.of(kind) if fields.items() <= m.items()]

        await self.until(lambda: bool(found()))
        return found()[-1]


class FailingStore(MemoryStore):
    """A store that can be taken away, and whose appends can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.is_blind = False
        self.is_unsure = False
        """Whether an append is stored, and reported as failed."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.appended = asyncio.Event()

    async def append(
        self, room: RoomCode, version: int, events: Sequence[Event]
    ) -> None:
        self.appended.set()
        await self.gate.wait()
        if self.is_away:
            raise StoreUnavailable("the disk is full")
        await super().append(room, version, events)
        if self.is_unsure:
            raise StoreUnavailable("no answer came")

    async def load(self, room: RoomCode) -> list[Event]:
        if self.is_blind:
            raise StoreUnavailable("cannot read")
        return await super().load(room)

    async def check(self) -> None:
        if self.is_away or self.is_blind:
            raise StoreUnavailable("the disk is full")


class Table:
    """A running room and what a test needs to talk to it."""

    def __init__(self, room: Room, store: EventStore, clock: ManualClock) -> None:
        self.room = room
        self.store = store
        self.clock = clock
        self._counter = 0

    async def join(self, name: str) -> tuple[str, RecordingLink]:
        """Let a player in; return the resume token and the link."""
        link = RecordingLink()
        self.room.put(Enter(link=link, hello=self.hello(name)))
        token = (await link.get("welcome"))["token"]
        await link.get("you")
        return token, link

    def hello(self, name: str) -> Hello:
        """Return the hello of a person who is always the same under this name."""
        key = hashlib.sha256(name.encode()).hexdigest()[:32]
        return Hello(version=1, role="player", room=ROOM, name=name, join_key=key)

    async def back(self, token: str) -> RecordingLink:
        """Let a player come back on a new link."""
        link = RecordingLink()
        self.room.put(Return(link=link, token=token))
        await link.get("you")
        return link

    async def attend(self, audience: Audience) -> RecordingLink:
        """Let a host or a screen in."""
        link = RecordingLink()
        link.audience = audience
        proof = prove(self.room.key_of(audience), audience, ROOM, "nonce")
        self.room.put(Attend(link=link, nonce="nonce", proof=proof))
        await link.get("progress")
        return link

    def leave(self, link: RecordingLink) -> None:
        """Lose a connection."""
        self.room.put(Leave(link=link))

    async def do(self, host: RecordingLink, *commands: HostCommand) -> None:
        """Let the host give commands, and wait until the last is done."""
        for command in commands:
            self._counter += 1
            message = replace(command, ref=self._counter)
            self.room.put(Say(link=host, message=message, stamped_ms=self.clock.ms))
        await host.get("done", ref=self._counter)

    def vote(
        self,
        link: RecordingLink,
        label: str = "outer",
        counter: int = 1,
        ballot: str = "vote",
        round_index: int = 0,
        confidence: int | None = 80,
    ) -> None:
        """Send a vote; do not wait."""
        message = Vote(
            client=ClientId("c"),
            counter=counter,
            round=round_index,
            ballot=Ballot(ballot),
            answer=GapAnswer(Label(label), confidence),
        )
        self.room.put(Say(link=link, message=message, stamped_ms=self.clock.ms))


@contextlib.asynccontextmanager
async def table(
    settings: RoomSettings | None = None,
    store: EventStore | None = None,
    gateway: Gateway | None = None,
    barrier: MakeBarrier | None = None,
    bounds: Bounds | None = None,
) -> AsyncIterator[Table]:
    """Run a fresh test room for as long as the block lasts."""
    store = store or FailingStore()
    if not await store.load(ROOM):
        await store.append(ROOM, 0, [opened(settings)])
    clock = ManualClock()
    state = replay(await store.load(ROOM))
    gateway = gateway or LocalGateway()
    room = Room(state, store, gateway, clock, barrier=barrier, bounds=bounds)
    task = asyncio.create_task(room.run(), name="test-room")
    try:
        yield Table(room, store, clock)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
