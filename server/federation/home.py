"""Being home to rooms: showing them to other nodes, and taking in rooms that arrive.

To a room, a client at another node is a link like any other. Frames that are the same
for a whole role are published once and retained; the rest goes down by link.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from scenarios.prose import plural
from server.federation import topics
from server.federation.messages import (
    Announce,
    encode,
    encode_view,
    epoch_key,
    follows,
)
from server.federation.mqtt import Bus
from server.game.engine import ReplayError, replay
from server.game.events import Event
from server.game.ids import PlayerId, RoomCode
from server.game.state import RoomState
from server.journal.parcel import SUFFIX, Parcel, ParcelError, unpack
from server.journal.store import (
    RoomStore,
    StoreUnavailable,
    TenureLost,
    VersionConflict,
)
from server.rooms.audience import LocalGateway
from server.rooms.ports import SHARED as ROLES_SHARED
from server.rooms.ports import Audience, Link, Slot

log = logging.getLogger("twogaps.federation")

MOST_CLAIMS = 20_000
"""Rooms whose epoch is remembered; beyond that the oldest is forgotten."""

MOST_DISOWNED = 1_000
"""Rooms that are taken back at every connect; beyond that the oldest is forgotten."""

REFUSED = ".refused"


class HomeGateway:
    """A Gateway to this node's links and, over a bus, to those of other nodes."""

    def __init__(
        self,
        node: str,
        bus: Bus,
        people: LocalGateway,
        forget: Callable[[RoomCode], None] = lambda _: None,
        again_s: float = 1.0,
    ) -> None:
        """``people`` carries frames to links; ``forget`` gets the rooms that close.

        Rooms are announced again ``again_s`` seconds after other nodes connect.
        """
        self._again_s = again_s
        self._announcing: asyncio.TimerHandle | None = None
        self._node = node
        self._bus = bus
        self._people = people
        self._forget = forget
        self._retained: dict[RoomCode, dict[str, bytes]] = {}
        """What is retained at the broker, by room and topic."""
        self._claims: dict[RoomCode, Announce] = {}
        self._confirms: dict[RoomCode, Callable[[], None]] = {}
        self._disowned: dict[RoomCode, None] = {}

    # --- the links of a room ---------------------------------------------------------

    def attach(
        self, room: RoomCode, link: Link, player: PlayerId | None
    ) -> Link | None:
        """Attach a link to its room; return the player's link that it replaces."""
        return self._people.attach(room, link, player)

    def detach(self, room: RoomCode, link: Link) -> bool:
        """Forget a link; False if it was unknown or another has taken its place."""
        return self._people.detach(room, link)

    def links(self, room: RoomCode, audience: Audience) -> Collection[Link]:
        """Return the links of a role, at whatever node: a live view."""
        return self._people.links(room, audience)

    def player(self, room: RoomCode, player: PlayerId) -> Link | None:
        """Return the link of a player who is attached now."""
        return self._people.player(room, player)

    def dismiss(self, room: RoomCode, bye: bytes) -> None:
        """Send every link of a room a last frame and part from it."""
        self._people.dismiss(room, bye)

    # --- frames for a whole role -----------------------------------------------------

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send a view to this node's people, and retain it for the others'."""
        self._people.show(room, audience, frame, version)
        if audience not in ROLES_SHARED:
            return
        claim = self._claims.setdefault(room, Announce(epoch=1))
        self._retain(room, topics.announce(self._node, room), encode(claim))
        topic = topics.view(self._node, room, audience)
        self._retain(room, topic, encode_view(claim.epoch, version, frame))

    def broadcast(
        self, room: RoomCode, audience: Audience, frame: bytes, slot: Slot | None = None
    ) -> None:
        """Send the same frame to a whole role; figures travel once a node.

        A closed room's do not travel: they could overtake what takes the room back.
        """
        self._people.broadcast(room, audience, frame, slot)
        is_progress = audience == "player" and slot == "progress"
        if is_progress and room in self._retained:
            self._bus.publish(topics.progress(self._node, room), frame)

    def vacate(self, room: RoomCode) -> None:
        """Forget a room's links; what is retained stays until its next home shows more.

        A site that read of no home in between would take the room for put away.
        """
        self._people.close(room)
        self._forget(room)

    def close(self, room: RoomCode) -> None:
        """Forget a room, and take its retained messages back. Idempotent."""
        self._people.close(room)
        self._forget(room)
        for topic in self._retained.pop(room, {}):
            self._bus.publish(topic, b"", qos=1, retain=True)

    # --- whose room it is ------------------------------------------------------------

    def claim(
        self,
        room: RoomCode,
        epoch: int,
        secret: str,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        """Be home to a room, in an epoch that its secret proves.

        ``confirm`` raises :class:`TenureLost` or :class:`StoreUnavailable` if
        another node may be home now: nothing is shown again then.
        """
        self._claims.pop(room, None)
        self._confirms[room] = confirm
        self._claims[room] = Announce(epoch=epoch, key=epoch_key(secret, epoch))
        self._disowned.pop(room, None)
        if len(self._claims) > MOST_CLAIMS:
            put_away = (c for c in self._claims if c not in self._retained)
            if (oldest := next(put_away, room)) != room:
                del self._claims[oldest]
                self._confirms.pop(oldest, None)

    def has(self, room: RoomCode) -> bool:
        """Whether this node is home to a room."""
        return room in self._claims

    def epoch_of(self, room: RoomCode) -> int:
        """Return the epoch in which this node is home to a room; 0 if it is not."""
        claim = self._claims.get(room)
        return claim.epoch if claim else 0

    def is_succeeded_by(self, room: RoomCode, news: Announce) -> bool:
        """Whether an announcement proves that a room of this node has moved on."""
        claim = self._claims.get(room)
        if claim is None or news.epoch <= claim.epoch:
            return False
        return follows(news.key, news.epoch, claim.key, claim.epoch)

    def disown(self, room: RoomCode) -> None:
        """Take back what this or an earlier run has retained of a room."""
        self._claims.pop(room, None)
        self._confirms.pop(room, None)
        self._retained.pop(room, None)
        self._disowned.pop(room, None)
        self._disowned[room] = None
        if len(self._disowned) > MOST_DISOWNED:
            del self._disowned[next(iter(self._disowned))]
        self._take_back(room)

    def _take_back(self, room: RoomCode) -> None:
        topic_names = (
            topics.announce(self._node, room),
            *(topics.view(self._node, room, role) for role in ROLES_SHARED),
        )
        for topic in topic_names:
            self._bus.publish(topic, b"", qos=1, retain=True)

    def _retain(self, room: RoomCode, topic: str, payload: bytes) -> None:
        retained = self._retained.setdefault(room, {})
        if retained.get(topic) != payload:
            retained[topic] = payload
            self._bus.publish(topic, payload, qos=1, retain=True)

    def republish(self) -> None:
        """Publish everything that is retained: the broker may have forgotten it."""
        for room in self._disowned:
            self._take_back(room)
        for room in self._retained:
            self.show_again(room)

    def announce_soon(self) -> None:
        """Announce all rooms once more, as another node has just connected.

        A cluster of NATS may neither retain nor pass on to a client what is published
        while the client subscribes: its people would never find the room.
        """
        if self._announcing is None:
            loop = asyncio.get_running_loop()
            self._announcing = loop.call_later(self._again_s, self._announce_again)

    def _announce_again(self) -> None:
        self._announcing = None
        for room, retained in self._retained.items():
            topic = topics.announce(self._node, room)
            if topic in retained and self._may_show(room):
                self._bus.publish(topic, retained[topic], qos=1, retain=True)

    def _may_show(self, room: RoomCode) -> bool:
        """Whether a room is this node's, as far as it can know."""
        try:
            self._confirms.get(room, _is_mine)()
        except (TenureLost, StoreUnavailable):
            return False
        return True

    def show_again(self, room: RoomCode) -> None:
        """Publish what is retained of a room once more, while it is this node's."""
        if not self._may_show(room):
            return
        for topic, payload in self._retained.get(room, {}).items():
            self._bus.publish(topic, payload, qos=1, retain=True)


def _is_mine() -> None:
    """Confirm a room of a node that no other could take it from."""


class Arrivals:
    """Takes rooms that come from other nodes as files in a folder, while serving.

    A file is written under another name first, so that one with a room's suffix is
    whole. Files that were taken are removed, others are kept under another name.
    """

    def __init__(
        self,
        folder: Path,
        store: RoomStore,
        name: str,
        arrived: Callable[[RoomCode], Awaitable[None]],
        look_s: float = 1.0,
    ) -> None:
        """``name`` is this node's; ``arrived`` hears of a room once it is stored; the
        folder is looked at every ``look_s`` seconds.
        """
        self._folder = folder
        self._store = store
        self._name = name
        self._arrived = arrived
        self._look_s = look_s

    async def run(self) -> None:
        """Look for rooms until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """Take every room in the folder; one that cannot be taken harms no other."""
        for path in await asyncio.to_thread(self._found):
            try:
                arrival = await asyncio.to_thread(_read, path)
                await self._take(arrival)
            except (StoreUnavailable, VersionConflict, OSError) as exc:
                log.warning("%s waits: %s", path.name, exc)
            except ParcelError as exc:
                log.error("%s cannot be taken: %s", path.name, exc)
                path.replace(path.with_name(path.name + REFUSED))
            except Exception:
                log.exception("%s cannot be taken", path.name)
                path.replace(path.with_name(path.name + REFUSED))
            else:
                path.unlink(missing_ok=True)
                await self._arrived(arrival.state.code)

    def _found(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    async def _take(self, arrival: _Arrival) -> None:
        """Store the new part of a room: all of it, or what came since it left here."""
        parcel, events, state = arrival.parcel, arrival.events, arrival.state
        if parcel.to != self._name:
            raise ParcelError(f"it is for '{parcel.to}', and this is '{self._name}'")
        header = (parcel.code, parcel.to, parcel.epoch)
        if (state.code, state.home, state.epoch) != header:
            raise ParcelError("its header is not that of its events")
        here = await self._store.bodies(state.code)
        if list(parcel.bodies[: len(here)]) != here:
            raise ParcelError("this node has continued the room on its own")
        if fresh := events[len(here) :]:
            await self._store.append(state.code, len(here), fresh)
        about = {"room": state.code}
        log.info("arrived with %s", plural(len(fresh), "event"), extra=about)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A room that has come as a file."""

    parcel: Parcel
    events: list[Event]
    state: RoomState


def _read(path: Path) -> _Arrival:
    """Read a room from a file, on a thread: it may be large.

    Raises ParcelError if it holds no room, OSError if it cannot be read.
    """
    parcel = unpack(path.read_bytes())
    events = parcel.events()
    try:
        return _Arrival(parcel, events, replay(events))
    except ReplayError as exc:
        raise ParcelError("its events do not make a room") from exc
