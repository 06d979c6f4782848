"""The edge side of a node: connects its clients to rooms of other nodes.

Shared views arrive on MQTT topics and are kept, so newcomers see the phase immediately.
Requests are sent in batches until they are acknowledged; a vote is on disk at this node
before the phone gets its receipt.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from server.federation import seats
from server.federation.messages import (
    MOST_PROGRESS,
    Announce,
    DownBatch,
    DownItem,
    UpBody,
    UpFlush,
    UpItem,
    UpReturn,
    UpSay,
    Welcome,
    decode,
    decode_view,
    follows,
)
from server.federation.mqtt import Bus
from server.federation.outbox import Outbox
from server.federation.seats import Elsewhere, Returners, Seat, View, Views
from server.federation.sender import PACE, Pace, Sender
from server.federation.topics import Rejections
from server.game.errors import Refused
from server.game.ids import PlayerId, RoomCode
from server.rooms import replies
from server.rooms.audience import LocalGateway
from server.rooms.ports import AUDIENCES, SHARED, Audience, Link

log = logging.getLogger("twogaps.federation")

SEARCH_S = 2.0
"""After a connect, the broker may send retained messages for this many seconds."""


class EdgeRelay:
    """Connects this node's clients to rooms of other nodes."""

    def __init__(
        self,
        node: str,
        boot: str,
        bus: Bus,
        outbox: Outbox,
        people: LocalGateway,
        pace: Pace = PACE,
        most_rooms: int = 50_000,
        search_s: float = SEARCH_S,
    ) -> None:
        """``people`` sends to this node's sockets; at most ``most_rooms`` are known."""
        self._most_rooms = most_rooms
        self._search_s = search_s
        self._kept = outbox.kept
        self._boot = boot
        self._bus = bus
        self.sender = Sender(node, boot, bus, outbox, self._secured, pace)
        self._people = people
        self._rooms: dict[RoomCode, Elsewhere] = {}
        self._seats: dict[str, Seat] = {}
        self._ids: dict[Link, str] = {}
        self._up_s = 0.0
        self._cut: set[RoomCode] = set()
        self._early, self._views = Views(most_bytes=4 << 20), Views()
        self._returners = Returners()
        self._owed: dict[RoomCode, int] = {}
        """Number of unacknowledged votes that were last reported to a room's home."""
        self.rejections = Rejections()

    # --- asked by the sessions of this node ------------------------------------------

    def knows(self, code: str) -> bool:
        """Whether a room is at another node, and it is certain at which one."""
        known = self._rooms.get(RoomCode(code))
        return known is not None and known.is_sure(self._now_s)

    @property
    def is_searching(self) -> bool:
        """Whether other nodes may have rooms that this node does not know about yet."""
        return not self._bus.is_up or self._now_s < self._up_s + self._search_s

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def home_of(self, room: RoomCode) -> str | None:
        """Return the other node that is home to a room, or None."""
        known = self._rooms.get(room)
        return known.home if known else None

    def put(self, room: RoomCode, link: Link, body: UpBody) -> None:
        """Send a request to the room's home, and retry until it is acknowledged.

        Raises :class:`Refused` ("busy") if too many requests are waiting.
        """
        if self.sender.is_full:
            raise Refused("busy", "This site is disconnected and has no places left.")
        known = self._rooms.get(room)
        if known is None:
            raise Refused("unknown_room", "This room has been closed.")
        link_id = self._id_of(room, link)
        seat = self._seats[link_id]
        if isinstance(body, UpSay):
            body = self._in_home_time(known.home, body, seat.token)
        item = self.sender.put(known.home, room, link_id, body)
        if isinstance(body, UpReturn):
            seat.returning = item.seq
            if room in self._cut:
                self._let_in_again(seat, body.token)

    def _let_in_again(self, seat: Seat, token: str) -> None:
        """Readmit a player who was here before the connection was lost."""
        known = self._returners.find(token, seat.room)
        if known is None:
            return

        def greet() -> None:  # only after the session is done with the hello
            self._greeted(seat, known.welcome, known.player)
            if known.you is not None:
                seat.link.push(known.you, "you")
            if seat.room in self._cut:
                seat.link.push(seats.CUT)

        asyncio.get_running_loop().call_soon(greet)

    def leave(self, room: RoomCode, link: Link, body: UpBody) -> None:
        """Handle the end of a client's connection to this node."""
        link_id = self._ids.pop(link, None)
        if link_id is None:
            return
        self._people.detach(room, link)
        self._seats.pop(link_id, None)
        if room in self._rooms:
            self.sender.put(self._rooms[room].home, room, link_id, body)

    def _id_of(self, room: RoomCode, link: Link) -> str:
        link_id = self._ids.get(link)
        if link_id is not None and self._seats[link_id].room != room:
            del self._seats[link_id]  # refused there, and now trying another room
            link_id = None
        if link_id is None:
            link_id = self._ids[link] = secrets.token_hex(8)
            self._seats[link_id] = Seat(link, room)
        return link_id

    def _in_home_time(self, home: str, body: UpSay, token: str | None) -> UpSay:
        offset_ms = self.sender.home(home).offset.offset_ms
        stamped_ms = int(body.stamped_ms + offset_ms)
        return body.model_copy(update={"stamped_ms": stamped_ms, "token": token})

    # --- messages from homes ---------------------------------------------------------

    def announced(self, home: str, room: RoomCode, news: Announce | None) -> None:
        """Handle the announcement of a room, or its withdrawal (``news`` is None)."""
        known, reject = self._rooms.get(room), self.rejections.add
        if news is None:
            self._withdrawn(home, room)
        elif known is None:
            is_sure = self._kept.is_kept(room)
            if is_sure and not self._kept.allows(room, home, news):
                reject(home, "it claims a room that another site had")
            elif len(self._rooms) >= self._most_rooms:
                reject(home, "it announces too many rooms")
            else:
                self._learn(home, room, news, is_sure=is_sure)
        elif (home, news.epoch) == (known.home, known.epoch):
            known.key = known.key or news.key
        elif not known.key or follows(news.key, news.epoch, known.key, known.epoch):
            if news.epoch > known.epoch:
                self._succeed(home, room, known, news)
        elif known.is_rival(home, news, self._now_s):
            known.rivals[home] = news
            log.warning("%s and %s both claim room %s", known.home, home, room)
        elif news.epoch > known.epoch:
            reject(home, "it claims a room of another site")

    def _learn(
        self, home: str, room: RoomCode, news: Announce, *, is_sure: bool
    ) -> None:
        sure_s = 0.0 if is_sure else self._up_s + self._search_s
        self._rooms[room] = Elsewhere(home, news.epoch, news.key, sure_s)
        self._kept.keep(room, home, news)
        self.sender.home(home)
        self._show_early(home, room)

    def _withdrawn(self, home: str, room: RoomCode) -> None:
        """Forget a room that its home withdrew; another home's claim then counts."""
        known = self._rooms.get(room)
        if known is not None and home != known.home:
            known.rivals.pop(home, None)
        if known is None or home != known.home:
            return
        self._forget(room)
        self._kept.forget(room)
        for rival, news in known.rivals.items():
            self.announced(rival, room, news)

    def _succeed(
        self, home: str, room: RoomCode, known: Elsewhere, news: Announce
    ) -> None:
        """Follow a room to its new home, and redirect its waiting requests there."""
        log.info("room %s has moved from %s to %s", room, known.home, home)
        self._learn(home, room, news, is_sure=True)
        if known.home != home:
            self.sender.move(room, known.home, home)
            self.rejoin(home)
        self._tell_state()

    def _show_early(self, home: str, room: RoomCode) -> None:
        for audience, view in self._early.take(home, room).items():
            self._show(home, room, audience, view)

    def _forget(self, room: RoomCode) -> None:
        """Forget a room that its home has dropped or that has moved to this node."""
        if (known := self._rooms.pop(room, None)) is not None:
            self._views.take(known.home, room)
        self._owed.pop(room, None)
        self._cut.discard(room)

    def taken_home(self, room: RoomCode) -> None:
        """Take a room over: send its votes to this node, and make clients reconnect."""
        known = self._rooms.get(room)
        if known is None:
            return
        self._forget(room)
        self.sender.take_home(room, known.home)
        for seat in list(self._seats.values()):
            if seat.room == room:
                seat.link.part(seats.MOVED)

    def shown(
        self, home: str, room: RoomCode, audience: Audience, payload: bytes
    ) -> None:
        """Handle a view from a home; a view that is not newer is dropped."""
        found = decode_view(payload)
        known = self._rooms.get(room)
        if found is not None and (known is None or known.home == home):
            self._show(home, room, audience, found)
        elif found is not None and known is not None and found[0] > known.epoch:
            self._early.keep(home, room, audience, found)
        elif payload:
            self.rejections.add(home, "a view of it cannot be used")

    def _show(self, home: str, room: RoomCode, audience: Audience, view: View) -> None:
        """Keep a view; send it to this node's clients once its room is announced."""
        if room not in self._rooms:
            self._early.keep(home, room, audience, view)
            return
        old = self._views.get(home, room, audience)
        if old is not None and view[:2] <= old[:2]:
            return
        self._views.keep(home, room, audience, view)
        self._people.broadcast(room, audience, view[2], "view")
        if audience == "player" and self._people.links(room, "player"):
            self.flush(home, room, view[1])

    def flush(self, home: str, room: RoomCode, version: int) -> None:
        """Tell a home that everything this site has received so far is on its way."""
        waiting = self.sender.votes_owed(home, room)
        self._owed.pop(room, None)
        if waiting:
            self._owed[room] = waiting
        self.sender.put(home, room, "", UpFlush(version=version, waiting=waiting))

    def progressed(self, home: str, room: RoomCode, frame: bytes) -> None:
        """Pass on a home's figures of how many players have answered."""
        if self.home_of(room) == home and len(frame) <= MOST_PROGRESS:
            for audience in SHARED:
                self._people.broadcast(room, audience, frame, "progress")
        elif room in self._rooms:
            self.rejections.add(home, "its figures for a room cannot be used")

    def home_state(self, home: str, is_up: bool, boot: str) -> None:
        """Handle a home going up or down; if it restarted, tell it who is here."""
        known = self.sender.home(home)
        was_up, known.is_up = known.is_up, is_up
        if not is_up or (known.boot and boot != known.boot):
            known.offset.doubt()
            self._forgotten(home)
        if is_up and (not was_up or boot != known.boot):
            known.boot = boot
            self.rejoin(home)
        self._tell_state()

    def rejoin(self, home: str | None = None) -> None:
        """Tell homes again which clients are here, after a disconnect or a restart."""
        for link_id, seat in self._seats.items():
            known = self._rooms.get(seat.room)
            if known is None or home not in (None, known.home):
                continue
            if seat.is_forgotten and seat.link.audience == "cohost":
                seat.link.part(seats.PROVE_AGAIN)
            if seat.token is None:
                continue
            if self.sender.is_waiting(known.home, seat.returning):
                continue
            body = UpReturn.model_construct(token=seat.token)
            seat.returning = self.sender.put(known.home, seat.room, link_id, body).seq
        self.sender.again(home)

    def receive(self, home: str, batch: DownBatch) -> None:
        """Handle a home's batch: acknowledgements, and frames for individual links."""
        if batch.boot == self._boot:
            done = self.sender.acknowledged(home, batch.acks)
            self._tell_paid(home, {item.room for item in done})
        for item in batch.items:
            self._take(home, item)
        for mark in batch.marks:
            known = self._rooms.get(mark.room)
            if known is not None and known.home == home:
                self.flush(home, mark.room, mark.version)

    def _tell_paid(self, home: str, rooms: set[RoomCode]) -> None:
        """Tell a home that all the votes announced to it have been sent."""
        for room in rooms:
            if self._owed.get(room) and not self.sender.votes_owed(home, room):
                known = self._rooms.get(room)
                view = self._views.get(home, room, "player") if known else None
                self.flush(home, room, view[1] if view else 0)

    def _take(self, home: str, item: DownItem | None) -> None:
        """Pass on an item from its room's home; a bad item does not affect others."""
        seat = self._seats.get(item.link) if item else None
        if item is None:
            self.rejections.add(home, "one of its items cannot be read")
        elif seat is not None and seat.room == item.room:
            if self.home_of(item.room) != home:
                self.rejections.add(home, "it is not home to the room it speaks for")
                return
            try:
                if item.op == "greet":
                    self._greeted(seat, item.frame.encode(), item.player)
                else:
                    seat.hear(item, self._returners)
            except Exception:
                self.rejections.add(home, "one of its items could not be used")
                log.exception("an item from %s could not be used", home)

    def _greeted(self, seat: Seat, welcome: bytes, player: PlayerId | None) -> None:
        """Attach a newly admitted client and send it the kept view, in one step."""
        if (read := decode(Welcome, welcome)) is None:
            raise ValueError("a welcome cannot be read")
        seat.is_greeted, seat.is_forgotten = True, False
        seat.token = read.token
        if seat.token is not None and player is not None:
            self._returners.welcomed(seat.token, seat.room, welcome, player)
        if replaced := self._people.attach(seat.room, seat.link, player):
            replaced.part(replies.TAKEN_OVER)  # the home's message may be lost
        seat.link.greet(welcome, player)
        known = self._rooms.get(seat.room)
        if known is None:
            return
        view = self._views.get(known.home, seat.room, seat.link.audience)
        if view is None:
            return
        seat.link.push(view[2], "view")
        if player and len(self._people.links(seat.room, "player")) == 1:
            self.flush(known.home, seat.room, view[1])  # was not possible before

    def _secured(self, item: UpItem) -> None:
        if (seat := self._seats.get(item.link)) is not None:
            seat.say_received(item.body)

    # --- the connection's state, for clients -----------------------------------------

    def bus_changed(self) -> None:
        """Handle a restored or lost connection to the broker."""
        if self._bus.is_up:
            self._up_s = self._now_s
            self.rejoin()
        else:
            self._forgotten()
        self._tell_state()

    def _forgotten(self, home: str | None = None) -> None:
        """Mark clients as forgotten by homes that cannot reach this site."""
        for seat in self._seats.values():
            known = self._rooms.get(seat.room)
            if known is not None and home in (None, known.home):
                seat.is_forgotten = seat.is_greeted

    def _tell_state(self) -> None:
        for room, known in self._rooms.items():
            is_cut = not (self._bus.is_up and self.sender.home(known.home).is_up)
            if is_cut == (room in self._cut):
                continue
            self._cut ^= {room}
            frame = seats.CUT if is_cut else seats.BACK
            for audience in AUDIENCES:
                self._people.broadcast(room, audience, frame)
