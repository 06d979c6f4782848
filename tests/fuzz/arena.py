"""A server with a room that all roles send to together, and its invariants.

Whatever is sent: every frame is answered with something documented, no socket closes
without a documented reason, and nothing is logged as a fault. A refused frame changes
nothing: at every refusal the state is what it was, and after every volley it is what
its journal says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from random import Random
from typing import Any

from server.app import Config, Running, running
from server.game.commands import Command
from server.game.engine import replay
from server.game.errors import REFUSALS, Refused
from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.game.phases import Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.journal.memory import MemoryStore
from server.net.limits import Limits
from server.protocol.client_messages import OpenRoom
from server.protocol.keys import prove, screen_key
from server.rooms import requests
from server.rooms.room import Room
from tests.fuzz.raw import BINARY, RawSocket, raw

ROLES = ("stranger", "ann", "bob", "cid", "screen", "host", "admin")
PLAYERS = ("ann", "bob", "cid")
SETTINGS = (
    RoomSettings(),
    RoomSettings(teams=("red", "blue"), auto_close=True),
    RoomSettings(two_link=True, simulated=True),
    RoomSettings(score_mode="certainty", time_factor=None),
)
FAST = Limits(
    player_rate=1e9, staff_rate=1e9, hellos=10**9, hello_s=600, rooms=5_000,
    opens_address=1e9, rooms_address=10**9, lag_ms=10**9, changes=10**9,
)  # fmt: skip
BYES = {"kicked", "taken_over"}
CLOSES = {1002, 1007, 1009}
"""Not a WebSocket frame, not UTF-8, too long to be read: docs/limits.md."""

EVERY = 50
"""Refusals between comparisons of the whole state; its version is always compared."""


@dataclass(slots=True)
class Figures:
    """What happened, for the report."""

    frames: int = 0
    refusals: int = 0
    compared: int = 0
    volleys: int = 0
    rooms: int = 0
    closes: Counter[str] = field(default_factory=Counter)
    codes: set[str] = field(default_factory=set)

    def text(self) -> str:
        """Return the figures as one line."""
        why = ", ".join(f"{n} {code}" for code, n in sorted(self.closes.items()))
        return (
            f"{self.frames:,} frames in {self.rooms} rooms; {self.refusals:,} commands "
            f"refused by the rules, state compared whole at {self.compared:,} of them "
            f"and with its journal after {self.volleys:,} volleys; "
            f"{len(self.codes)} refusal codes seen; closed: {why or 'none'}"
        )


class Faults(logging.Handler):
    """Keeps what the server logs as its own fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.found.append(self.format(record))


class Arena:
    """One server and, at a time, one room with a socket of each role."""

    def __init__(self, figures: Figures, chance: Random) -> None:
        self.figures = figures
        self._chance = chance
        self._stack = contextlib.AsyncExitStack()
        self._faults = Faults()
        self._store = MemoryStore()
        self._sockets: dict[str, RawSocket] = {}
        self._ref = 0
        self.room: Room

    async def __aenter__(self) -> Arena:
        logging.getLogger("twogaps").addHandler(self._faults)
        asyncio.get_running_loop().set_exception_handler(self._failed)
        self._stack.enter_context(self._watched())
        config = Config(port=0, limits=FAST, store=self._give_store, is_open=True)
        self.server: Running = await self._stack.enter_async_context(running(config))
        await self.fresh_room()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for socket in self._sockets.values():
            socket.close()
        await self._stack.aclose()
        logging.getLogger("twogaps").removeHandler(self._faults)
        assert not self._faults.found, self._faults.found[0]

    async def _give_store(self) -> MemoryStore:
        return self._store

    def _failed(self, _: object, context: dict[str, Any]) -> None:
        self._faults.found.append(repr(context))

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Look at the state whenever the rules refuse."""
        decide = requests.decide

        def watched(
            state: RoomState, command: Command, now_ms: int, present: Set[PlayerId]
        ) -> list[Event]:
            is_whole = self.figures.refusals % EVERY == 0
            before = repr(state) if is_whole else ""
            version = state.version
            try:
                return decide(state, command, now_ms, present)
            except Refused:
                self.figures.refusals += 1
                assert state.version == version, f"{command} changed the state"
                if is_whole:
                    self.figures.compared += 1
                    assert repr(state) == before, f"{command} changed the state"
                raise

        requests.decide = watched  # type: ignore[assignment] # for as long as it is open
        try:
            yield
        finally:
            requests.decide = decide

    # --- people ------------------------------------------------------------------

    async def fresh_room(self) -> None:
        """Open a room and send in a person of every role."""
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()
        settings = self._chance.choice(SETTINGS)
        order = OpenRoom(deck="first-class", length=3, seed=1, settings=settings)
        code, self._key = await self.server.admin.open_room(order)
        room = self.server.directory.running(code)
        assert room is not None
        self.room = room
        self.figures.rooms += 1
        for role in ROLES:
            await self._enter(role)

    async def _enter(self, role: str) -> None:
        """Send a person in; refused ones (a locked room) stay as strangers."""
        socket = self._sockets[role] = await raw(self.server.port)
        if role == "stranger":
            return
        code: RoomCode = self.room.code
        if role in PLAYERS:
            socket.tell("hello", version=1, role="player", room=code, name=role)
        elif role == "admin":
            socket.tell("hello", version=1, role=role)
        else:
            socket.tell("hello", version=1, role=role, room=code)
            challenge = await socket.until("challenge")
            if challenge is None:
                return
            nonce = challenge["nonce"]
            key = self._key if role == "host" else screen_key(self._key)
            proof = prove(key, role, code, nonce)  # type: ignore[arg-type] # a role
            socket.tell("prove", proof=proof)
        await socket.until("welcome")

    # --- frames ------------------------------------------------------------------

    def localised(self, payload: bytes, recorded: bytes) -> bytes:
        """Let a frame name a player of this room if it named a recorded one."""
        if recorded not in payload:
            return payload
        player: PlayerId = self._chance.choice(list(self.room.state.players))
        return payload.replace(recorded, player.encode())

    async def volley(self, shots: list[tuple[str, bytes, bool]]) -> None:
        """Send frames (role, payload, whether as text), then look at everything."""
        for role, payload, is_text in shots:
            socket = self._sockets[role]
            if socket.is_lost:
                await self._reopen(role)
                socket = self._sockets[role]
            socket.say(payload) if is_text else socket.say(payload, BINARY)
        self.figures.frames += len(shots)
        self.figures.volleys += 1
        await self._settle()
        await self._check()

    async def _settle(self) -> None:
        """Wait until all that was sent, on every socket, has been dealt with."""
        self._ref += 1
        await asyncio.gather(*(s.settle(self._ref) for s in self._sockets.values()))
        for role, socket in list(self._sockets.items()):
            if socket.is_lost:
                await self._reopen(role)

    async def _reopen(self, role: str) -> None:
        """Note why a socket was closed, which must be documented; open another."""
        socket = self._sockets[role]
        why = socket.bye or str(socket.close_code)
        documented = socket.bye in BYES or socket.close_code in CLOSES
        assert documented, f"{role} was closed: {socket.bye}, {socket.close_code}"
        self.figures.closes[why] += 1
        self.figures.codes |= socket.codes
        if self.room.state.phase is not Phase.FINISHED:
            with contextlib.suppress(Refused):
                await self._enter(role)

    async def _check(self) -> None:
        codes = set[str]().union(*(s.codes for s in self._sockets.values()))
        assert codes <= set(REFUSALS), f"undocumented: {codes - set(REFUSALS)}"
        assert "internal" not in codes, self._faults.found
        assert not self._faults.found, self._faults.found[0]
        self.figures.codes |= codes
        events = await self._store.load(self.room.code)
        if len(events) == self.room.state.version:  # no step is on its way
            assert replay(events) == self.room.state, "refused, and yet a change"
        if self.room.state.phase is Phase.FINISHED or len(events) > 4_000:
            await self.fresh_room()
