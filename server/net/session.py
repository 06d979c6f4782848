"""One websocket's conversation: hello, proof, and then messages of its role.

The session turns frames into requests of a room. It decides nothing about the game; it
knows who is speaking, and lets nobody speak for another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from server.game.commands import AskTime as AskTimeCommand
from server.game.commands import CastVote, Command, Join
from server.game.commands import ChooseTeam as ChooseTeamCommand
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.net.admin import AdminDesk
from server.net.limits import Bucket, Limits, Wrongs
from server.net.links import Keeper, WsLink
from server.protocol.client_messages import (
    ALLOWED,
    PROTOCOL_VERSION,
    AskTime,
    ChooseTeam,
    ClientMessage,
    GetCase,
    GetRoster,
    Hello,
    ListDecks,
    ListRooms,
    OpenRoom,
    Ping,
    Prove,
    Role,
    Vote,
)
from server.protocol.codec import decode_client, encode_server
from server.protocol.keys import is_equal, prove
from server.protocol.server_messages import Bye, Challenge, Pong, Welcome
from server.relay.gateway import Audience
from server.rooms import replies
from server.rooms.clock import Clock
from server.rooms.directory import Directory
from server.rooms.inbox import AskRoster, Attend, Do, Enter, Leave, Return
from server.rooms.room import Room

log = logging.getLogger("twogaps.net")


@dataclass(frozen=True, slots=True)
class Desk:
    """What every session works with."""

    directory: Directory
    admin: AdminDesk
    clock: Clock
    keeper: Keeper
    limits: Limits
    wrongs: Wrongs
    new_id: Callable[[], str]
    """Returns a fresh random id (hex, 128 bits)."""


class Session:
    """The conversation on one websocket."""

    def __init__(self, ws: ServerConnection, desk: Desk) -> None:
        self._ws = ws
        self._desk = desk
        self._link = WsLink(ws, desk.keeper)
        self._bucket = Bucket(desk.limits.player_rate, 2 * desk.limits.player_rate)
        self._role: Role | None = None
        self._room: Room | None = None
        self._player: PlayerId | None = None
        self._challenge: tuple[Hello, str] | None = None
        self._refusals = 0

    async def run(self) -> None:
        """Talk until the socket closes."""
        deadline = asyncio.get_running_loop().call_later(
            self._desk.limits.hello_s, self._expire
        )
        try:
            async for frame in self._ws:
                if wait_s := self._bucket.take():
                    await asyncio.sleep(wait_s)
                await self._receive(frame)
        except ConnectionClosed:
            pass
        finally:
            deadline.cancel()
            self._leave()

    def _expire(self) -> None:
        if not self._is_welcome:
            is_ours = self._link.is_waiting  # the delay is the server's
            detail = "No hello was accepted in time."
            self._link.part(_bye("idle", detail, come_back=is_ours))

    @property
    def _is_welcome(self) -> bool:
        return self._link.is_welcome

    async def _receive(self, frame: str | bytes) -> None:
        try:
            await self._handle(self._decode(frame))
        except Refused as refusal:
            self._refuse(refusal)

    def _decode(self, frame: str | bytes) -> ClientMessage:
        limits = self._desk.limits
        is_staff = self._is_welcome and self._role in ("host", "admin")
        most = limits.staff_frame if is_staff else limits.player_frame
        if len(frame) > most:
            raise Refused("too_large", f"A frame may have {most} bytes here.")
        if isinstance(frame, bytes):
            raise Refused("bad_message", "Send JSON in text frames, not binary ones.")
        return decode_client(frame)

    def _refuse(self, refusal: Refused, command: Command | None = None) -> None:
        self._link.push(replies.refused(refusal, command))
        if not self._is_welcome:
            self._refusals += 1
            if self._refusals >= self._desk.limits.hellos:
                detail = "Too many refused messages before a hello."
                self._link.part(_bye("refused", detail, come_back=False))

    async def _handle(self, message: ClientMessage) -> None:
        if isinstance(message, Hello):
            await self._hello(message)
        elif isinstance(message, Prove):
            self._prove(message)
        elif not self._is_welcome or self._role is None:
            raise Refused("hello_expected", "Say hello first, and wait for welcome.")
        elif message.type not in ALLOWED[self._role]:
            raise Refused(
                "not_allowed", f"A {self._role} may not send '{message.type}'."
            )
        else:
            await self._speak(message)

    # --- who is there ----------------------------------------------------------------

    async def _hello(self, hello: Hello) -> None:
        if self._is_welcome or self._link.is_waiting:
            raise Refused("not_allowed", "This socket has said hello already.")
        if hello.version != PROTOCOL_VERSION:
            raise Refused(
                "version_unsupported",
                f"This server speaks protocol version {PROTOCOL_VERSION}; "
                "reload the page or update the client.",
            )
        if hello.role == "admin":
            self._greet_admin(hello)
            return
        self._room = await self._find(hello)
        self._role = hello.role
        if hello.role == "player":
            self._enter(hello, self._room)
        else:
            self._ask_proof(hello)

    def _greet_admin(self, hello: Hello) -> None:
        self._role = "admin"
        if self._desk.admin.key is None:
            self._welcome_admin()
        else:
            self._ask_proof(hello)

    async def _find(self, hello: Hello) -> Room:
        if not hello.room:
            raise Refused("unknown_room", "Give the code of a room.")
        try:
            return await self._desk.directory.find(hello.room)
        except Refused as refusal:
            if refusal.code == "unknown_room":
                self._count_wrong()
            raise

    def _count_wrong(self) -> None:
        """Slow down an address that tries codes or keys."""
        if self._desk.wrongs.count(self._address) > 0:
            raise Refused("too_fast", "Too many wrong tries from here; wait a minute.")

    @property
    def _address(self) -> str:
        peer = self._ws.remote_address
        return str(peer[0]) if peer else "?"

    def _enter(self, hello: Hello, room: Room) -> None:
        if hello.token:
            player = room.player_of(hello.token)
            request: Return | Enter = Return(self._link, player)
        elif hello.name:
            player = room.player_for(hello.join_key or self._desk.new_id())
            join = Join(player, hello.name, hello.team, hello.is_practice)
            request = Enter(self._link, join)
        else:
            raise Refused("bad_name", "Give a name, or the token of an earlier visit.")
        room.put(request)
        self._player, self._link.is_waiting = player, True

    def _ask_proof(self, hello: Hello) -> None:
        nonce = self._desk.new_id()
        self._challenge = (hello, nonce)
        self._link.push(encode_server(Challenge(nonce=nonce)))

    def _prove(self, message: Prove) -> None:
        if self._challenge is None:
            raise Refused("hello_expected", "There is no challenge to answer.")
        hello, nonce = self._challenge
        self._challenge = None
        key = self._key(hello.role)
        code = self._room.code if self._room else None
        if not is_equal(message.proof, prove(key, hello.role, code, nonce)):
            self._count_wrong()
            raise Refused("wrong_proof", "This key does not open this; check the link.")
        self._bucket = Bucket(
            self._desk.limits.staff_rate, 2 * self._desk.limits.staff_rate
        )
        if self._room is None:
            self._welcome_admin()
            return
        audience: Audience = "host" if hello.role == "host" else "screen"
        self._room.put(Attend(self._link, audience))
        self._link.is_waiting = True

    def _key(self, role: Role) -> str:
        if self._room is None:
            assert self._desk.admin.key is not None
            return self._desk.admin.key
        return self._room.key_of("host" if role == "host" else "screen")

    def _welcome_admin(self) -> None:
        self._link.greet(
            encode_server(
                Welcome(
                    role="admin",
                    room=None,
                    server=replies.SERVER_NAME,
                    now_ms=self._desk.clock.now_ms(),
                )
            )
        )

    # --- what is said ----------------------------------------------------------------

    async def _speak(self, message: ClientMessage) -> None:
        match message:
            case Ping(ref=ref):
                now_ms = self._desk.clock.now_ms()
                self._link.push(encode_server(Pong(ref=ref, now_ms=now_ms)))
            case OpenRoom() | ListRooms() | ListDecks() | GetCase():
                self._link.push(await self._answer_admin(message))
            case GetRoster():
                self._to_room().put(AskRoster(self._link, message))
            case Vote() | AskTime() | ChooseTeam():
                self._do(self._own_command(message))
            case Hello() | Prove():
                raise Refused("not_allowed", "This socket has been welcomed already.")
            case _:
                self._do(message)

    async def _answer_admin(
        self, message: OpenRoom | ListRooms | ListDecks | GetCase
    ) -> bytes:
        """Answer an admin; a refusal names the message by its ref."""
        try:
            return await self._desk.admin.answer(message)
        except Refused as refusal:
            return replies.refused(refusal, ref=message.ref)

    def _own_command(self, message: Vote | AskTime | ChooseTeam) -> Command:
        """Turn a player's message into a command in that player's name."""
        player = self._player
        assert player is not None
        match message:
            case Vote():
                return CastVote(
                    player=player,
                    client=message.client,
                    counter=message.counter,
                    round=message.round,
                    ballot=message.ballot,
                    answer=message.answer,
                    reason=message.reason,
                    stamped_ms=self._desk.clock.now_ms(),
                )
            case AskTime():
                return AskTimeCommand(player, message.percent, message.ref)
            case ChooseTeam():
                return ChooseTeamCommand(player, message.team, message.ref)
        assert_never(message)

    def _do(self, command: Command) -> None:
        try:
            self._to_room().put(Do(self._link, command))
        except Refused as refusal:
            self._refuse(refusal, command)

    def _to_room(self) -> Room:
        assert self._room is not None
        return self._room

    def _leave(self) -> None:
        if self._room is not None and self._role not in (None, "admin"):
            audience: Audience = "player"
            if self._role in ("host", "screen"):
                audience = self._role
            self._room.put(Leave(self._link, audience, self._player))


def _bye(code: Literal["idle", "refused"], detail: str, *, come_back: bool) -> bytes:
    return encode_server(Bye(code=code, detail=detail, come_back=come_back))
