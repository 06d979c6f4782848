"""Rooms elsewhere, and people elsewhere: the two ends of the relay.

:class:`RemoteRoom` takes requests like a room and sends them to its home;
:class:`Uplink`, at the home, gives what comes up to the room it is for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import assert_never

from server.federation.edge import EdgeRelay
from server.federation.home import RemoteLink
from server.federation.messages import (
    UpAttend,
    UpEnter,
    UpFlush,
    UpItem,
    UpLeave,
    UpReturn,
    UpSay,
)
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.protocol.client_messages import CohostMessage, PlayerMessage
from server.rooms.ports import Ack, Attend, Enter, Leave, Request, Return, RoomPort, Say

log = logging.getLogger("twogaps.federation")


class RemoteRoom:
    """A room of another node, as the sessions of this one see it."""

    def __init__(
        self,
        code: RoomCode,
        relay: EdgeRelay,
        url_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """``url_of`` tells where people reach a node."""
        self._code = code
        self._relay = relay
        self._url_of = url_of

    @property
    def code(self) -> RoomCode:
        """The room's code."""
        return self._code

    def put(self, request: Request) -> None:
        """Send a request to the room's home."""
        code, link = self._code, request.link
        match request:
            case Enter(hello=hello):
                self._relay.put(code, link, UpEnter(hello=hello))
            case Return(token=token):
                self._relay.put(code, link, UpReturn(token=token))
            case Attend(nonce=nonce, proof=proof):
                if link.audience == "host":
                    raise Refused("room_moved", self._where())
                attend = UpAttend(audience=link.audience, nonce=nonce, proof=proof)
                self._relay.put(code, link, attend)
            case Leave():
                self._relay.leave(code, link, UpLeave())
            case Say(message=message, stamped_ms=stamped_ms):
                if not isinstance(message, PlayerMessage | CohostMessage):
                    raise Refused("not_allowed", "A host speaks at the room's node.")
                say = UpSay.model_construct(
                    op="say", token=None, message=message, stamped_ms=stamped_ms
                )
                self._relay.put(code, link, say)
            case _:
                assert_never(request)

    def _where(self) -> str:
        """Tell a host where the room lives."""
        home = self._relay.home_of(self._code) or "another site"
        url = self._url_of(home)
        at = f"{url}/host, with the rest of the link as it is" if url else "its server"
        return f"This room lives at {home}. Open the host link there: {at}."


class Uplink:
    """Gives requests of people elsewhere to the rooms of this node."""

    def __init__(
        self,
        running: Callable[[RoomCode], RoomPort | None],
        find: Callable[[str], Awaitable[RoomPort]],
    ) -> None:
        """``running`` looks a live room up at once; ``find`` may load it."""
        self._running = running
        self._find = find
        self._tasks: set[asyncio.Task[None]] = set()

    def deliver(self, item: UpItem, link: RemoteLink, ack: Ack) -> bool:
        """Put a request into its room; it is acknowledged once dealt with.

        False where the room takes no more now: it has to come again.
        """
        request = _request(item, link, ack)
        room = self._running(link.room)
        if room is not None:
            return self._put(room, request)
        task = asyncio.get_running_loop().create_task(
            self._load_and_put(link, request), name=f"load-{link.room}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _load_and_put(self, link: RemoteLink, request: Request) -> None:
        try:
            self._put(await self._find(link.room), request)
        except Refused as refusal:
            if isinstance(request, Enter | Return | Attend):
                link.turn_away(refusal)
            if request.ack is not None and refusal.code == "unknown_room":
                request.ack()

    def _put(self, room: RoomPort, request: Request) -> bool:
        try:
            room.put(request)
        except Refused as refusal:
            log.warning("%s; it is sent again", refusal.code, extra={"room": room.code})
            return False
        return True


def _request(item: UpItem, link: RemoteLink, ack: Ack) -> Request:
    """Return the request that an item stands for."""
    match item.body:
        case UpEnter(hello=hello):
            return Enter(link=link, hello=hello, site=link.site, ack=ack)
        case UpReturn(token=token):
            return Return(link=link, token=token, ack=ack)
        case UpAttend(audience=audience, nonce=nonce, proof=proof):
            link.audience = audience
            return Attend(link=link, nonce=nonce, proof=proof, ack=ack)
        case UpLeave():
            return Leave(link=link, ack=ack)
        case UpSay(message=message, stamped_ms=stamped_ms, token=token):
            return Say(
                link=link,
                message=message,
                stamped_ms=stamped_ms,
                token=token,
                ack=ack,
            )
        case UpFlush():
            raise TypeError("a flush mark is not for a room")
    assert_never(item.body)
