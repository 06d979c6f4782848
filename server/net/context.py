"""The objects that a server's sessions share: its rooms, its gate, its clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection

from server.game.errors import Refused
from server.game.ids import CODE_ALPHABET, CODE_LENGTH, RoomCode, read_code
from server.journal.store import HeldElsewhere
from server.metrics import Metrics
from server.net.addresses import Peers
from server.net.admin import AdminDesk
from server.net.gate import Gate
from server.net.limits import Limits
from server.net.links import Keeper, WsLink
from server.net.relay import Relay, Relays, waited_s
from server.protocol.client_messages import (
    AdminQuestion,
    GetAcross,
    GetReport,
    Hello,
    HostQuestion,
    ListCases,
    OpenRoom,
)
from server.report.reporting import Asker, Reports
from server.rooms import replies
from server.rooms.clock import Clock
from server.rooms.directory import Directory
from server.rooms.ports import RoomPort

_CODE = re.compile(f"[{CODE_ALPHABET}]{{{CODE_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Desk:
    """The shared services that every session uses."""

    directory: Directory
    admin: AdminDesk
    clock: Clock
    keeper: Keeper
    gate: Gate
    peers: Peers
    reports: Reports
    new_id: Callable[[], str]
    """Returns a new random ID (hex, 128 bits)."""
    site: str | None
    """This node's name in its fleet or federation; None if it is on its own."""
    metrics: Metrics
    sockets: tuple[str, ...] = ()
    """The addresses of this server's sockets, if it has several."""
    relays: Relays | None = None
    """Opens relays to the other nodes of the fleet."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, incoming messages are ignored; their senders reconnect and resend."""

    @property
    def limits(self) -> Limits:
        """The limits that apply to each client."""
        return self.gate.limits

    @property
    def why_closed(self) -> str | None:
        """Why new clients should not be sent here; None while they may come."""
        if self.stopping.is_set():
            return "stopping"
        return "full" if self.gate.is_full else None

    async def find(self, address: str, given: str) -> RoomPort:
        """Return the room with the code that was typed; raises :class:`Refused`.

        Wrong codes are counted per address, except those that are not valid codes.
        """
        code = read_code(given)
        if not _CODE.fullmatch(code):
            raise Refused("unknown_room", "Give a room's code: six letters or digits.")
        self.gate.try_code(address, code)
        try:
            room = await self.directory.find(code)
        except Refused as refusal:
            if refusal.code == "unknown_room":
                self.gate.code_was(address, code, is_right=False)
            raise
        self.gate.code_was(address, code, is_right=True)
        return room

    async def way_to(
        self, address: str, hello: Hello, link: WsLink, ws: ServerConnection
    ) -> RoomPort | Relay:
        """Return the room that a hello names, or a relay if another node is its home.

        Raises :class:`Refused`.
        """

        async def find() -> RoomPort:
            return await self.find(address, hello.room or "")

        try:
            return await find()
        except HeldElsewhere as held:
            if self.relays is None or self.peers.is_node(ws.request):
                raise  # relayed by another node: relaying it again could loop
            return await self.relays.find(held, hello, address, link, find)

    def asked_s(self, ws: ServerConnection) -> float:
        """Return when a hello that arrives now was sent, on the loop's clock.

        One that another node relays may have been waiting there.
        """
        is_relayed = self.peers.is_node(ws.request)
        age_s = waited_s(ws.request) if is_relayed else 0.0
        return asyncio.get_running_loop().time() - age_s

    def report(
        self,
        message: GetReport | GetAcross,
        room: RoomCode | None,
        push: Callable[[bytes], None],
    ) -> None:
        """Request a report on a room, or on the rooms that a message compares."""
        codes: tuple[RoomCode, ...] = (room,) if room is not None else ()
        if isinstance(message, GetAcross):
            codes = tuple(RoomCode(code.strip().upper()) for code in message.rooms)

        def refuse(refusal: Refused) -> None:
            push(replies.refused(refusal, message))

        try:
            if isinstance(message, GetAcross) and self.admin.key is None:
                detail = "Comparing rooms requires a key."
                raise Refused("not_allowed", detail)
            self.reports.ask(codes, message, Asker(push, refuse))
        except Refused as refusal:
            refuse(refusal)

    async def answer(
        self, address: str, message: AdminQuestion | HostQuestion, room: RoomPort | None
    ) -> bytes:
        """Return the answer to a question from an admin or from the host of ``room``.

        Opening rooms is limited per address. Raises :class:`Refused`.
        """
        directory = self.directory
        if isinstance(message, ListCases):
            return self.admin.cases_for(message, room)
        if isinstance(message, AdminQuestion) and not isinstance(message, OpenRoom):
            return await self.admin.answer(message)
        with self.gate.opening(
            address, lambda c: directory.running(c) is not None
        ) as note:
            try:
                if isinstance(message, OpenRoom):
                    return await self.admin.answer(message, note)
                return await self.admin.open_next(message, room, note)
            except Refused as refusal:
                if refusal.code == "rooms_full":
                    self.gate.hit("rooms")
                raise
