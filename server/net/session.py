"""One websocket's conversation: hello, proof, and then messages of its role.

The session turns frames into requests of a room. It decides nothing about the game; it
knows who is speaking, and lets nobody speak for another.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from typing import Literal

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from server.game.errors import Refused
from server.game.ids import CODE_ALPHABET, CODE_LENGTH, RoomCode
from server.metrics import UNREADABLE
from server.net.addresses import HERE
from server.net.connection import PromptConnection
from server.net.context import Desk
from server.net.limits import Bucket
from server.net.links import WsLink
from server.protocol.client_messages import (
    ALLOWED,
    PROTOCOL_VERSION,
    AdminQuestion,
    ClientMessage,
    GetAcross,
    GetReport,
    Hello,
    HostMessage,
    OpenRoom,
    PlayerMessage,
    Prove,
    Role,
)
from server.protocol.codec import decode_client, encode_server
from server.protocol.keys import is_equal, prove
from server.protocol.server_messages import Bye, Challenge, Welcome
from server.report.reporting import Asker
from server.rooms import replies
from server.rooms.ports import Attend, Enter, Leave, Return, RoomPort, Say

log = logging.getLogger("twogaps.net")


_CODE = re.compile(f"[{CODE_ALPHABET}]{{{CODE_LENGTH}}}")

_PASSING = ("busy", "too_fast", "storage_unavailable", "shutting_down", "internal")
"""Refusals that say nothing against who is refused."""


class Session:
    """The conversation on one websocket."""

    def __init__(self, ws: PromptConnection, desk: Desk, address: str = HERE) -> None:
        """``address`` is what limits per address count this socket by."""
        self._ws = ws
        self._desk = desk
        self._gate = desk.gate
        self._address = address
        self._link = WsLink(ws, desk.keeper, self._refuse, desk.site, self._welcomed)
        self._bucket = Bucket(desk.limits.player_rate, 2 * desk.limits.player_rate)
        self._role: Role | None = None
        self._room: RoomPort | None = None
        self._challenge: tuple[Hello, str] | None = None
        self._refusals = 0
        self._is_slowed = False
        self._is_queued = False

    async def run(self) -> None:
        """Talk until the socket closes."""
        deadline = asyncio.get_running_loop().call_later(
            self._desk.limits.hello_s, self._expire
        )
        self._ws.take = self._take_now
        try:
            async for frame in self._ws:
                if not self._desk.stopping.is_set():
                    await self._keep_pace()
                    await self._receive(frame)
                self._ws.unread -= 1
        except ConnectionClosed as closed:
            self._count_close(closed)
        finally:
            deadline.cancel()
            self._ws.take = None
            self._leave()

    def _take_now(self, text: str) -> bool:
        """Pass a welcome player's vote on at once, if it need not wait for anything.

        Whatever is no such vote goes the usual way, and is answered there.
        """
        is_player = self._role == "player" and self._is_welcome
        is_small = len(text) <= self._desk.limits.player_frame
        if not (is_player and is_small) or self._desk.stopping.is_set():
            return False
        if self._bucket.wait_s():
            return False
        try:
            message = self._read(text)
        except Refused:
            return False
        if message.type != "vote":
            return False
        self._bucket.take()
        self._desk.metrics.messages["vote"].inc()
        self._say(message)
        return True

    def part(self, bye: bytes) -> None:
        """Send a last frame and close. Idempotent."""
        self._link.part(bye)

    async def _keep_pace(self) -> None:
        """Read no faster than this role may send; say so, once, who sends faster."""
        wait_s = self._bucket.take()
        if not wait_s:
            self._is_slowed = False
            return
        self._desk.metrics.delayed.inc()
        if not self._is_slowed:
            self._is_slowed = True
            self._gate.hit("staff_rate" if self._is_staff else "player_rate")
            detail = "Your messages come too fast; they are read one after another."
            self._link.push(self._refusal(Refused("too_fast", detail)))
        await asyncio.sleep(wait_s)

    def _welcomed(self) -> None:
        """Staff may send more, and larger frames."""
        if self._role in ("host", "admin"):
            limits = self._desk.limits
            self._bucket = Bucket(limits.staff_rate, 2 * limits.staff_rate)
            self._ws.protocol.max_message_size = limits.staff_frame

    def _count_close(self, closed: ConnectionClosed) -> None:
        if closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG:
            self._gate.hit("staff_frame" if self._is_staff else "stranger_frame")

    @property
    def _is_staff(self) -> bool:
        return self._is_welcome and self._role in ("host", "admin")

    def _expire(self) -> None:
        if not self._is_welcome:
            is_ours = self._link.is_waiting or self._is_queued  # the delay is ours
            self._gate.hit("hello_s")
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
            self._gate.hit("staff_frame" if self._is_staff else "player_frame")
            raise Refused("too_large", f"A frame may have {most} bytes here.")
        if isinstance(frame, bytes):
            raise Refused("bad_message", "Send JSON in text frames, not binary ones.")
        return decode_client(frame)

    def _refuse(self, refusal: Refused) -> None:
        """Send a refusal; whoever collects them before a welcome is shown out."""
        self._link.push(self._refusal(refusal))
        if not self._is_welcome and refusal.code not in _PASSING:
            self._refusals += 1
            if self._refusals >= self._desk.limits.hellos:
                self._gate.hit("hellos")
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
            await self._enter(hello, self._room)
        else:
            self._ask_proof(hello)

    def _greet_admin(self, hello: Hello) -> None:
        self._role = "admin"
        if self._desk.admin.key is None:
            self._welcome_admin()
        else:
            self._ask_proof(hello)

    async def _find(self, hello: Hello) -> RoomPort:
        code = (hello.room or "").strip().upper()
        if not _CODE.fullmatch(code):  # cannot be guessed right: does not count
            raise Refused("unknown_room", "Give a room's code: six letters or digits.")
        self._gate.try_code(self._address, code)
        try:
            room = await self._desk.directory.find(code)
        except Refused as refusal:
            if refusal.code == "unknown_room":
                self._gate.code_was(self._address, code, is_right=False)
            raise
        self._gate.code_was(self._address, code, is_right=True)
        return room

    async def _enter(self, hello: Hello, room: RoomPort) -> None:
        if hello.token:
            request: Return | Enter = Return(link=self._link, token=hello.token)
        elif hello.name:
            key = hello.join_key or self._desk.new_id()
            named = hello.model_copy(update={"join_key": key})
            request = Enter(link=self._link, hello=named, site=self._desk.site)
            await self._queue(room)
        else:
            raise Refused("bad_name", "Give a name, or the token of an earlier visit.")
        self._pass_on(room, request)

    async def _queue(self, room: RoomPort) -> None:
        """Wait for a turn to join; raises :class:`Refused` where that is too long."""
        wait_s = self._gate.join_wait_s(self._address, room.code)
        if wait_s:
            self._is_queued = True
            await asyncio.sleep(wait_s)
            self._is_queued = False

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
            assert hello.role != "admin"
            self._link.audience = hello.role
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
            case (
                "open_room" | "list_rooms" | "list_decks" | "get_case" | "preview_case"
            ):
                self._link.push(await self._answer_admin(message))
            case "get_report" | "get_across":
                self._report(message)
            case "hello" | "prove":
                raise Refused("not_allowed", "This socket has been welcomed already.")
            case "ping":
                self._link.push(replies.pong(message, self._desk.clock.now_ms()))
            case _:
                self._say(message)

    def _report(self, message: GetReport | GetAcross) -> None:
        """Let a report be made, of rooms of this node."""
        if isinstance(message, GetAcross):
            codes = tuple(RoomCode(code.strip().upper()) for code in message.rooms)
        else:
            assert self._room is not None
            codes = (self._room.code,)

        def refuse(refusal: Refused) -> None:
            self._link.push(replies.refused(refusal, message))

        try:
            if isinstance(message, GetAcross) and self._desk.admin.key is None:
                detail = "Rooms are compared for holders of a key only."
                raise Refused("not_allowed", detail)
            self._desk.reports.ask(codes, message, Asker(self._link.push, refuse))
        except Refused as refusal:
            refuse(refusal)

    def _say(self, message: PlayerMessage | HostMessage) -> None:
        assert self._room is not None
        now_ms = self._desk.clock.now_ms()
        try:
            self._room.put(Say(link=self._link, message=message, stamped_ms=now_ms))
        except Refused as refusal:
            self._link.push(self._refusal(refusal, message))

    async def _answer_admin(self, message: AdminQuestion) -> bytes:
        """Answer an admin; a refusal names the message by its ref."""
        try:
            if isinstance(message, OpenRoom):
                return await self._open_room(message)
            return await self._desk.admin.answer(message)
        except Refused as refusal:
            return self._refusal(refusal, message)

    async def _open_room(self, message: OpenRoom) -> bytes:
        gate, directory = self._gate, self._desk.directory
        gate.may_open(self._address, lambda code: directory.running(code) is not None)
        try:
            note = functools.partial(gate.opened, self._address)
            return await self._desk.admin.answer(message, note)
        except Refused as refusal:
            if refusal.code == "rooms_full":
                gate.hit("rooms")
            raise

    def _refusal(self, refusal: Refused, message: object = None) -> bytes:
        """Count a refusal; return its frame."""
        self._desk.metrics.refusals[refusal.code].inc()
        return replies.refused(refusal, message)

    def _leave(self) -> None:
        if self._room is not None:
            self._room.put(Leave(link=self._link))


def _bye(code: Literal["idle", "refused"], detail: str, *, come_back: bool) -> bytes:
    return encode_server(Bye(code=code, detail=detail, come_back=come_back))
