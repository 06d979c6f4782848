"""Sessions of every role without sockets: a room in some phase, and callers on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from server.game.events import Event
from server.game.ids import PlayerId
from server.journal.memory import MemoryStore
from server.metrics import Metrics
from server.net.addresses import Peers
from server.net.admin import AdminDesk
from server.net.context import Desk
from server.net.gate import Gate
from server.net.limits import Limits
from server.net.links import Keeper
from server.net.session import Session
from server.protocol.keys import prove
from server.report.reporting import Reports
from server.rooms.audience import LocalGateway
from server.rooms.directory import Directory
from server.rooms.room import Room
from tests.support.cases import SECRET
from tests.support.library import LIBRARY
from tests.support.roles import Speaker
from tests.support.room import ROOM, ManualClock, RecordingLink

ADMIN_KEY = "ffeeddccbbaa99887766554433221100"
SITE = "berlin"


class SessionLink(RecordingLink):
    """A recording link as a session uses one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_s = 0.0
        self.is_waiting = False

    def greet(self, welcome: bytes, player: PlayerId | None) -> None:
        self.is_waiting = False
        super().greet(welcome, player)


class NoSocket:
    """Takes the place of a session's websocket."""

    remote_address = ("192.0.2.1", 1)
    request = None

    def limit_frames(self, most_bytes: int) -> None:
        """Whatever comes is no longer than it is."""


class Caller:
    """One session, spoken to frame by frame."""

    def __init__(self, desk: Desk) -> None:
        self.session = Session(NoSocket(), desk)  # type: ignore[arg-type] # a stand-in
        self.link = SessionLink()
        self.session._link = self.link  # type: ignore[assignment] # records

    async def send(self, message: dict[str, Any]) -> None:
        """Let the session receive a message, as if it had come by the socket."""
        await self.session._receive(json.dumps(message))

    async def answer_to(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message; return the first frame that is an answer and no news."""
        seen = len(self.link.messages)
        await self.send(message)

        def answers() -> list[dict[str, Any]]:
            fresh = self.link.messages[seen:]
            return [m for m in fresh if m["type"] not in NEWS]

        await self.link.until(lambda: bool(answers()))
        return answers()[0]


NEWS = {"view", "host_view", "panel", "site_panel", "progress", "you", "notice"}
"""What is sent to a role because something happened, not because it asked."""


@dataclass(frozen=True, slots=True)
class Venue:
    """A room that runs from a journal, and a caller of each role."""

    room: Room
    store: MemoryStore
    callers: dict[Speaker, Caller]


@contextlib.asynccontextmanager
async def venue(journal: Sequence[Event], now_ms: int) -> AsyncIterator[Venue]:
    """Run the room of a journal, with all roles in it, who may speak fast."""
    store = MemoryStore()
    await store.append(ROOM, 0, journal)
    gateway, clock = LocalGateway(), ManualClock(now_ms)
    ids = iter(f"{number:032x}" for number in range(10**9))
    directory = Directory(store, gateway, clock, lambda a: a[0], most_rooms=100)
    admin = AdminDesk(
        directory, lambda: LIBRARY, ADMIN_KEY, lambda: next(ids), lambda: 1
    )
    metrics = Metrics()
    gate = Gate(Limits(player_rate=10_000, staff_rate=10_000), metrics)
    desk = Desk(
        directory, admin, clock, Keeper(metrics), gate, Peers(), Reports(store),
        lambda: next(ids), None, metrics,
    )  # fmt: skip
    started = asyncio.Event()
    running = asyncio.create_task(directory.run(started), name="test-rooms")
    try:
        await started.wait()
        room = await directory.find_here(ROOM)
        yield Venue(room, store, await _one_of_each(desk, room))
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _one_of_each(desk: Desk, room: Room) -> dict[Speaker, Caller]:
    callers: dict[Speaker, Caller] = {"stranger": Caller(desk)}
    player = callers["player"] = Caller(desk)
    token = token_of(room)
    hello = {"type": "hello", "version": 1, "role": "player", "room": ROOM}
    await player.send({**hello, "token": token})
    await player.link.get("you")
    for role in ("screen", "cohost", "host", "admin"):
        callers[role] = await _staff(desk, room, role)  # type: ignore[index] # a role
    return callers


def token_of(room: Room) -> str:
    """Return the resume token of the room's first player."""
    from server.protocol.keys import player_token

    return player_token(SECRET, next(iter(room.state.players)))


async def _staff(desk: Desk, room: Room, role: str) -> Caller:
    caller = Caller(desk)
    caller.link.site = SITE
    code = None if role == "admin" else ROOM
    await caller.send({"type": "hello", "version": 1, "role": role, "room": code})
    nonce = (await caller.link.get("challenge"))["nonce"]
    key = ADMIN_KEY if role == "admin" else room.key_of(role, SITE)  # type: ignore[arg-type]
    await caller.send({"type": "prove", "proof": prove(key, role, code, nonce)})  # type: ignore[arg-type]
    await caller.link.get("welcome")
    return caller
