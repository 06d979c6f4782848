"""The session on one websocket: hello, proof, then the messages its role may send.

The session turns frames into requests to a room. It makes no decisions about the game.
It knows which client it is talking to, and no client can act as another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Literal

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from server.game.errors import Refused
from server.metrics import UNREADABLE
from server.net.addresses import HERE
from server.net.connection import Connection
from server.net.context import Desk
from server.net.limits import Bucket
from server.net.links import WsLink
from server.net.relay import Relay
from server.protocol.client_messages import (
    ALLOWED,
    PROTOCOL_VERSION,
    AdminQuestion,
    ClientMessage,
    GetAcross,
    GetReport,
    Hello,
    HostMessage,
    HostQuestion,
    PlayerMessage,
    Prove,
    Role,
    ScreenMessage,
)
from server.protocol.codec import decode_client, encode_server
from server.protocol.keys import is_equal, prove
from server.protocol.server_messages import Bye, Challenge, Welcome
from server.rooms import replies
from server.rooms.ports import Attend, Enter, Leave, Return, RoomPort, Say

log = logging.getLogger("twogaps.net")


Work = Coroutine[object, None, None]
"""The rest of the work on a message that cannot be handled without waiting."""

_PASSING = ("busy", "too_fast", "storage_unavailable", "shutting_down", "internal")
"""Codes of refusals that are not the client's fault and do not count against it."""


class Session:
    """Handles one client's websocket from hello to close."""

    def __init__(self, ws: Connection, desk: Desk, address: str = HERE) -> None:
        """``address`` is the key under which per-address limits count this socket."""
        self._ws = ws
        self._desk = desk
        self._gate = desk.gate
        self._address = address
        about = (desk.site, desk.sockets)
        self._link = WsLink(ws, desk.keeper, self._refuse, self._welcomed, *about)
        self._bucket = Bucket(desk.limits.player_rate, 2 * desk.limits.player_rate)
        self._role: Role | None = None
        self._room: RoomPort | None = None
        self._relay: Relay | None = None
        """The connection to the room's home, if that is another node in the fleet."""
        self._challenge: tuple[Hello, str] | None = None
        self._refusals = 0
        self._is_slowed = False
        self._is_queued = False
        self._begun: Work | None = None
        """The rest of the work on the message that is next in the queue."""

    async def run(self) -> None:
        """Handle messages until the socket closes."""
        deadline = asyncio.get_running_loop().call_later(
            self._desk.limits.hello_s, self._expire
        )
        self._ws.take = self._take
        try:
            async for frame in self._ws:
                await self._receive(frame)
                self._ws.unread -= 1
        except ConnectionClosed as closed:
            self._count_close(closed)
        finally:
            deadline.cancel()
            self._ws.take = None
            if self._begun is not None:
                self._begun.close()
            self._leave()

    def _take(self, text: str) -> bool:
        """Handle a message as it arrives; return False if it has to be queued.

        It is queued if it exceeds this role's rate or its handling has to wait.
        """
        if self._bucket.wait_s() > 0 or self._relay is not None:
            return False
        self._turn_s()
        self._begun = self._begin(text)
        return self._begun is None

    async def _receive(self, frame: str | bytes) -> None:
        """Handle a message from the queue."""
        work, self._begun = self._begun, None
        if work is None:
            if wait_s := self._turn_s():
                await asyncio.sleep(wait_s)
            if self._relay is not None and await self._relay.takes(frame):
                return
            self._relay = None
            work = self._begin(frame)
        if work is not None:
            await self._finish(work)

    def part(self, bye: bytes) -> None:
        """Send a last frame and close. Idempotent."""
        self._link.part(bye)

    def _turn_s(self) -> float:
        """Take a token from this role's bucket; return how many seconds to wait for it.

        A client that sends too fast gets one refusal; the next only after a pause.
        """
        wait_s = self._bucket.take()
        if not wait_s:
            self._is_slowed = self._is_slowed and not self._bucket.is_rested
            return 0.0
        self._desk.metrics.delayed.inc()
        if not self._is_slowed:
            self._is_slowed = True
            self._gate.hit("staff_rate" if self._is_staff else "player_rate")
            detail = "Your messages are coming too fast; they will be read one by one."
            self._link.push(self._refusal(Refused("too_fast", detail)))
        return wait_s

    def _welcomed(self) -> None:
        """Raise the message rate and the frame size limit if the client is staff."""
        if self._role in ("host", "admin"):
            limits = self._desk.limits
            self._bucket = Bucket(limits.staff_rate, 2 * limits.staff_rate)
            self._ws.limit_frames(limits.staff_frame)

    def _count_close(self, closed: ConnectionClosed) -> None:
        if closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG:
            self._gate.hit("staff_frame" if self._is_staff else "stranger_frame")

    @property
    def _is_staff(self) -> bool:
        return self._is_welcome and self._role in ("host", "admin")

    def _expire(self) -> None:
        if not self._is_welcome and self._relay is None:
            is_ours = self._link.is_waiting or self._is_queued  # the delay is ours
            self._gate.hit("hello_s")
            detail = "No hello was accepted in time."
            self._link.part(_bye("idle", detail, come_back=is_ours))

    @property
    def _is_welcome(self) -> bool:
        return self._link.is_welcome

    # --- permitted messages ----------------------------------------------------------

    def _begin(self, frame: str | bytes) -> Work | None:
        """Handle or refuse a message; return the rest of the work if it has to wait.

        Messages are ignored while the server is stopping: clients reconnect and resend.
        """
        if self._desk.stopping.is_set():
            return None
        try:
            message = self._decode(frame)
            self._desk.metrics.messages[message.type].inc()
            self._check_right(message)
            return self._handle(message)
        except Exception as exc:  # noqa: BLE001 - answered and logged
            self._fail(exc)
            return None

    async def _finish(self, work: Work) -> None:
        try:
            await work
        except Exception as exc:  # noqa: BLE001 - answered and logged
            self._fail(exc)

    def _decode(self, frame: str | bytes) -> ClientMessage:
        try:
            self._check_size(frame)
            if isinstance(frame, bytes):
                detail = "Send JSON in text frames, not binary ones."
                raise Refused("bad_message", detail)
            return decode_client(frame)
        except Refused:
            self._desk.metrics.messages[UNREADABLE].inc()
            raise

    def _check_size(self, frame: str | bytes) -> None:
        limits = self._desk.limits
        most = limits.staff_frame if self._is_staff else limits.player_frame
        if len(frame) > most:
            self._gate.hit("staff_frame" if self._is_staff else "player_frame")
            raise Refused("too_large", f"A frame may have at most {most} bytes here.")

    def _check_right(self, message: ClientMessage) -> None:
        """Raise :class:`Refused` if this role may not send this message now."""
        if message.type in ("hello", "prove"):
            return
        if not self._is_welcome or self._role is None:
            raise Refused("hello_expected", "Say hello first, and wait for welcome.")
        if message.type not in ALLOWED[self._role]:
            detail = f"The {self._role} role may not send '{message.type}'."
            raise Refused("not_allowed", detail)

    def _fail(self, exc: Exception) -> None:
        """Answer a message that was refused or whose handling failed."""
        if isinstance(exc, Refused):
            self._refuse(exc)
            return
        log.error("a message could not be handled", exc_info=exc)
        self._refuse(Refused("internal", "Internal error; nothing was changed."))

    def _refuse(self, refusal: Refused) -> None:
        """Send a refusal; disconnect a client refused too often before its welcome."""
        self._link.push(self._refusal(refusal))
        if not self._is_welcome and refusal.code not in _PASSING:
            self._refusals += 1
            if self._refusals >= self._desk.limits.hellos:
                self._gate.hit("hellos")
                detail = "Too many refused messages before a hello."
                self._link.part(_bye("refused", detail, come_back=False))

    def _handle(self, message: ClientMessage) -> Work | None:
        if isinstance(message, AdminQuestion | HostQuestion):
            return self._answer(message)
        match message.type:
            case "hello":
                return self._hello(message)
            case "prove":
                self._prove(message)
            case "get_report" | "get_across":
                self._report(message)
            case "ping":
                self._link.push(replies.pong(message, self._desk.clock.now_ms()))
            case _:
                self._say(message)
        return None

    # --- entering a room -------------------------------------------------------------

    async def _hello(self, hello: Hello) -> None:
        if self._is_welcome or self._link.is_waiting:
            raise Refused("not_allowed", "This socket has already said hello.")
        if hello.version != PROTOCOL_VERSION:
            raise Refused(
                "version_unsupported",
                f"This server speaks protocol version {PROTOCOL_VERSION}; "
                "reload the page or update the client.",
            )
        self._challenge = None
        if hello.role == "admin":
            self._greet_admin(hello)
            return
        self._link.asked_s = self._desk.asked_s(self._ws)
        found = await self._desk.way_to(self._address, hello, self._link, self._ws)
        if isinstance(found, Relay):
            self._relay = found
            self._ws.limit_frames(self._desk.limits.staff_frame)  # the home has others
            return
        self._room, self._role = found, hello.role
        if hello.role == "player":
            await self._enter(hello, self._place)
        else:
            self._ask_proof(hello)

    def _greet_admin(self, hello: Hello) -> None:
        self._role, self._room = "admin", None
        if self._desk.admin.key is None:
            self._welcome_admin()
        else:
            self._ask_proof(hello)

    async def _enter(self, hello: Hello, room: RoomPort) -> None:
        link, asked_s = self._link, self._link.asked_s
        request: Return | Enter
        if hello.token:
            request = Return(link=link, token=hello.token, asked_s=asked_s)
        elif hello.name:
            key = hello.join_key or self._desk.new_id()
            named = hello.model_copy(update={"join_key": key})
            site, by = self._desk.site, self._address
            request = Enter(
                link=link, hello=named, site=site, address=by, asked_s=asked_s
            )
            await self._queue(room)
        else:
            raise Refused("bad_name", "Give a name, or the token of an earlier visit.")
        self._pass_on(room, request)

    async def _queue(self, room: RoomPort) -> None:
        """Wait for a turn to join; raises :class:`Refused` if that takes too long."""
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
            raise Refused("not_allowed", "This socket has already been welcomed.")
        if self._challenge is None:
            raise Refused("hello_expected", "There is no challenge to answer.")
        hello, nonce = self._challenge
        self._challenge = None
        if hello.role == "admin":
            self._prove_admin(message, nonce)
            return
        self._link.audience = hello.role
        attend = Attend(link=self._link, nonce=nonce, proof=message.proof)
        self._pass_on(self._place, attend)

    def _prove_admin(self, message: Prove, nonce: str) -> None:
        key = self._desk.admin.key
        if key is None or not is_equal(message.proof, prove(key, "admin", None, nonce)):
            raise Refused("wrong_proof", "This key is not valid here; check the link.")
        self._welcome_admin()

    @property
    def _place(self) -> RoomPort:
        """The room named in this socket's hello; raises :class:`Refused` if none."""
        if self._room is None:
            raise Refused("hello_expected", "Say hello to a room first.")
        return self._room

    def _welcome_admin(self) -> None:
        welcome = Welcome(
            role="admin",
            room=None,
            server=replies.SERVER_NAME,
            now_ms=self._desk.clock.now_ms(),
        )
        self._link.greet(encode_server(welcome), None)

    # --- handling messages -----------------------------------------------------------

    def _report(self, message: GetReport | GetAcross) -> None:
        """Request a report on rooms of this node; it is pushed when it is ready."""
        room = None if isinstance(message, GetAcross) else self._place.code
        self._desk.report(message, room, self._link.push)

    def _say(self, message: PlayerMessage | ScreenMessage | HostMessage) -> None:
        now_ms = self._desk.clock.now_ms()
        try:
            said = self._desk.admin.whole(message, self._room)
            self._place.put(
                Say(link=self._link, message=said, stamped_ms=now_ms, is_permitted=True)
            )  # permitted: see _check_right
        except Refused as refusal:
            self._link.push(self._refusal(refusal, message))

    async def _answer(self, message: AdminQuestion | HostQuestion) -> None:
        """Answer a question that may have to wait; a refusal carries its ref."""
        try:
            answer = await self._desk.answer(self._address, message, self._room)
        except Refused as refusal:
            answer = self._refusal(refusal, message)
        self._link.push(answer)

    def _refusal(self, refusal: Refused, message: object = None) -> bytes:
        """Count a refusal; return its frame."""
        self._desk.metrics.refusals[refusal.code].inc()
        return replies.refused(refusal, message)

    def _leave(self) -> None:
        if self._relay is not None and self._desk.relays is not None:
            self._desk.relays.end(self._relay)
        if self._room is not None:
            self._room.put(Leave(link=self._link))


def _bye(code: Literal["idle", "refused"], detail: str, *, come_back: bool) -> bytes:
    return encode_server(Bye(code=code, detail=detail, come_back=come_back))
