"""One websocket's conversation: hello, proof, and then messages of its role.

The session turns frames into requests of a room. It decides nothing about the game; it
knows who is speaking, and lets nobody speak for another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from server.game.errors import Refused
from server.metrics import UNREADABLE, Metrics
from server.net.admin import AdminDesk
from server.net.limits import Bucket, Limits, Wrongs
from server.net.links import Keeper, WsLink
from server.protocol.client_messages import (
    ALLOWED,
    PROTOCOL_VERSION,
    ClientMessage,
    GetCase,
    Hello,
    HostMessage,
    ListDecks,
    ListRooms,
    OpenRoom,
    PlayerMessage,
    Prove,
    Role,
)
from server.protocol.codec import decode_client, encode_server
from server.protocol.keys import is_equal, prove
from server.protocol.server_messages import Bye, Challenge, Welcome
from server.rooms import replies
from server.rooms.clock import Clock
from server.rooms.directory import Directory
from server.rooms.inbox import Attend, Enter, Leave, Return, Say
from server.rooms.remote import RoomPort

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
    site: str | None
    """This node's name among others; None where it is alone."""
    metrics: Metrics = field(default_factory=Metrics)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, nothing that comes in is read: its sender comes back, and repeats."""


_WRONG = ("unknown_room", "wrong_proof", "bad_token")
"""Refusals that a thief of codes and keys would collect."""


class Session:
    """The conversation on one websocket."""

    def __init__(self, ws: ServerConnection, desk: Desk) -> None:
        self._ws = ws
        self._desk = desk
        self._link = WsLink(ws, desk.keeper, self._refuse, desk.site)
        self._bucket = Bucket(desk.limits.player_rate, 2 * desk.limits.player_rate)
        self._role: Role | None = None
        self._room: RoomPort | None = None
        self._challenge: tuple[Hello, str] | None = None
        self._refusals = 0
        self._is_quick = False

    async def run(self) -> None:
        """Talk until the socket closes."""
        deadline = asyncio.get_running_loop().call_later(
            self._desk.limits.hello_s, self._expire
        )
        try:
            async for frame in self._ws:
                if self._desk.stopping.is_set():
                    continue
                if wait_s := self._take():
                    self._desk.metrics.delayed.inc()
                    await asyncio.sleep(wait_s)
                await self._receive(frame)
        except ConnectionClosed:
            pass
        finally:
            deadline.cancel()
            self._leave()

    def part(self, bye: bytes) -> None:
        """Send a last frame and close. Idempotent."""
        self._link.part(bye)

    def _take(self) -> float:
        """Return how long to wait before the next message is read."""
        if self._is_staff and not self._is_quick:
            rate = self._desk.limits.staff_rate
            self._bucket, self._is_quick = Bucket(rate, 2 * rate), True
        return self._bucket.take()

    @property
    def _is_staff(self) -> bool:
        return self._is_welcome and self._role in ("host", "admin")

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
            message = self._decode(frame)
            self._desk.metrics.messages[message.type].inc()
            await self._handle(message)
        except Refused as refusal:
            self._refuse(refusal)
        except Exception:
            log.exception("a message could not be handled")
            self._refuse(Refused("internal", "A fault of ours; nothing changed."))

    def _decode(self, frame: str | bytes) -> ClientMessage:
        try:
            return self._read(frame)
        except Refused:
            self._desk.metrics.messages[UNREADABLE].inc()
            raise

    def _read(self, frame: str | bytes) -> ClientMessage:
        limits = self._desk.limits
        most = limits.staff_frame if self._is_staff else limits.player_frame
        if len(frame) > most:
            raise Refused("too_large", f"A frame may have {most} bytes here.")
        if isinstance(frame, bytes):
            raise Refused("bad_message", "Send JSON in text frames, not binary ones.")
        return decode_client(frame)

    def _refuse(self, refusal: Refused) -> None:
        """Send a refusal; count what looks like trying codes or keys."""
        if refusal.code in _WRONG and self._desk.wrongs.count(self._address) > 0:
            refusal = Refused("too_fast", "Too many wrong tries from here; wait a bit.")
        self._link.push(self._refusal(refusal))
        if not self._is_welcome:
            self._refusals += 1
            if self._refusals >= self._desk.limits.hellos:
                detail = "Too many refused messages before a hello."
                self._link.part(_bye("refused", detail, come_back=False))

    async def _handle(self, message: ClientMessage) -> None:
        if message.type == "hello":
            await self._hello(message)
        elif message.type == "prove":
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

    async def _find(self, hello: Hello) -> RoomPort:
        if not hello.room:
            raise Refused("unknown_room", "Give the code of a room.")
        return await self._desk.directory.find(hello.room)

    @property
    def _address(self) -> str:
        peer = self._ws.remote_address
        return str(peer[0]) if peer else "?"

    def _enter(self, hello: Hello, room: RoomPort) -> None:
        if hello.token:
            request: Return | Enter = Return(link=self._link, token=hello.token)
        elif hello.name:
            key = hello.join_key or self._desk.new_id()
            named = hello.model_copy(update={"join_key": key})
            request = Enter(link=self._link, hello=named, site=self._desk.site)
        else:
            raise Refused("bad_name", "Give a name, or the token of an earlier visit.")
        self._pass_on(room, request)

    def _pass_on(self, room: RoomPort, request: Enter | Return | Attend) -> None:
        room.put(request)
        self._link.is_waiting = True

    def _ask_proof(self, hello: Hello) -> None:
        nonce = self._desk.new_id()
        self._challenge = (hello, nonce)
        self._link.push(encode_server(Challenge(nonce=nonce)))

    def _prove(self, message: Prove) -> None:
        if self._is_welcome:
            raise Refused("not_allowed", "This socket has been welcomed already.")
        if self._challenge is None:
            raise Refused("hello_expected", "There is no challenge to answer.")
        hello, nonce = self._challenge
        self._challenge = None
        if self._room is not None:
            self._link.audience = "host" if hello.role == "host" else "screen"
            proof = Attend(link=self._link, nonce=nonce, proof=message.proof)
            self._pass_on(self._room, proof)
            return
        key = self._desk.admin.key
        assert key is not None
        if not is_equal(message.proof, prove(key, "admin", None, nonce)):
            raise Refused("wrong_proof", "This key does not open this; check the link.")
        self._welcome_admin()

    def _welcome_admin(self) -> None:
        welcome = Welcome(
            role="admin",
            room=None,
            server=replies.SERVER_NAME,
            now_ms=self._desk.clock.now_ms(),
        )
        self._link.greet(encode_server(welcome), None)

    # --- what is said ----------------------------------------------------------------

    async def _speak(self, message: ClientMessage) -> None:
        match message.type:
            case "open_room" | "list_rooms" | "list_decks" | "get_case":
                self._link.push(await self._answer_admin(message))
            case "hello" | "prove":
                raise Refused("not_allowed", "This socket has been welcomed already.")
            case "ping":
                self._link.push(replies.pong(message, self._desk.clock.now_ms()))
            case _:
                self._say(message)

    def _say(self, message: PlayerMessage | HostMessage) -> None:
        assert self._room is not None
        now_ms = self._desk.clock.now_ms()
        try:
            self._room.put(Say(link=self._link, message=message, stamped_ms=now_ms))
        except Refused as refusal:
            self._link.push(self._refusal(refusal, message))

    async def _answer_admin(
        self, message: OpenRoom | ListRooms | ListDecks | GetCase
    ) -> bytes:
        """Answer an admin; a refusal names the message by its ref."""
        try:
            return await self._desk.admin.answer(message)
        except Refused as refusal:
            return self._refusal(refusal, message)

    def _refusal(self, refusal: Refused, message: object = None) -> bytes:
        """Count a refusal; return its frame."""
        self._desk.metrics.refusals[refusal.code].inc()
        return replies.refused(refusal, message)

    def _leave(self) -> None:
        if self._room is not None:
            self._room.put(Leave(link=self._link))


def _bye(code: Literal["idle", "refused"], detail: str, *, come_back: bool) -> bytes:
    return encode_server(Bye(code=code, detail=detail, come_back=come_back))
