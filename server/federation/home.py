"""The home side of a node: publishes its rooms to other nodes, and imports rooms.

A room sees a client at another node as a link like any other. Frames that are the same
for a whole role are published once and retained; all others go to a single link.
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
"""Maximum number of remembered epochs; beyond that, the oldest is forgotten."""

MOST_DISOWNED = 1_000
"""Maximum number of rooms whose retained messages are cleared at every connect.

Beyond that, the oldest is forgotten.
"""

REFUSED = ".refused"


class HomeGateway:
    """A ``Gateway`` to this node's links and, over a bus, to links at other nodes."""

    def __init__(
        self,
        node: str,
        bus: Bus,
        people: LocalGateway,
        forget: Callable[[RoomCode], None] = lambda _: None,
        again_s: float = 1.0,
    ) -> None:
        """``people`` sends frames to links; ``forget`` is called with closed rooms.

        Rooms are announced again ``again_s`` seconds after another node connects.
        """
        self._again_s = again_s
        self._announcing: asyncio.TimerHandle | None = None
        self._node = node
        self._bus = bus
        self._people = people
        self._forget = forget
        self._retained: dict[RoomCode, dict[str, bytes]] = {}
        """The messages that are retained at the broker, by room and topic."""
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
        """Detach a link; return False if it was unknown or has been replaced."""
        return self._people.detach(room, link)

    def links(self, room: RoomCode, audience: Audience) -> Collection[Link]:
        """Return a live view of the links of a role, at any node."""
        return self._people.links(room, audience)

    def player(self, room: RoomCode, player: PlayerId) -> Link | None:
        """Return a player's current link; None if the player is not connected."""
        return self._people.player(room, player)

    def dismiss(self, room: RoomCode, bye: bytes) -> None:
        """Send a last frame to every link of a room, and end the links."""
        self._people.dismiss(room, bye)

    # --- frames for a whole role -----------------------------------------------------

    def show(
        self, room: RoomCode, audience: Audience, frame: bytes, version: int
    ) -> None:
        """Send a view to this node's clients, and retain it for other nodes."""
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
        """Send a frame to a whole role, and publish progress figures to other nodes.

        The figures of a closed room are not published: they could overtake the messages
        that withdraw the room.
        """
        self._people.broadcast(room, audience, frame, slot)
        is_progress = audience == "player" and slot == "progress"
        if is_progress and room in self._retained:
            self._bus.publish(topics.progress(self._node, room), frame)

    def vacate(self, room: RoomCode) -> None:
        """Forget a room's links, but keep its retained messages.

        They are replaced when the room's next home publishes its own. If there were
        none in between, other sites would assume that the room had been closed.
        """
        self._people.close(room)
        self._forget(room)

    def close(self, room: RoomCode) -> None:
        """Forget a room, and clear its retained messages. Idempotent."""
        self._people.close(room)
        self._forget(room)
        for topic in self._retained.pop(room, {}):
            self._bus.publish(topic, b"", qos=1, retain=True)

    # --- ownership of rooms ----------------------------------------------------------

    def claim(
        self,
        room: RoomCode,
        epoch: int,
        secret: str,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        """Become home to a room, in an epoch that its secret proves.

        ``confirm`` raises :class:`TenureLost` or :class:`StoreUnavailable` if another
        node may be the home by now; the room is then not published again.
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
        """Whether an announcement proves that a room has moved away from this node."""
        claim = self._claims.get(room)
        if claim is None or news.epoch <= claim.epoch:
            return False
        return follows(news.key, news.epoch, claim.key, claim.epoch)

    def disown(self, room: RoomCode) -> None:
        """Clear the messages that this run or an earlier one retained for a room."""
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
        """Publish all retained messages again, as the broker may have lost them."""
        for room in self._disowned:
            self._take_back(room)
        for room in self._retained:
            self.show_again(room)

    def announce_soon(self) -> None:
        """Schedule another announcement of all rooms, as another node has connected.

        A client of a NATS cluster can miss a message that is published while the client
        subscribes, even if the message is retained. Without the second announcement,
        people at that node might never find the room.
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
        """Whether this node is still home to a room, as far as it can tell."""
        try:
            self._confirms.get(room, _is_mine)()
        except (TenureLost, StoreUnavailable):
            return False
        return True

    def show_again(self, room: RoomCode) -> None:
        """Publish a room's retained messages again if this node is still its home."""
        if not self._may_show(room):
            return
        for topic, payload in self._retained.get(room, {}).items():
            self._bus.publish(topic, payload, qos=1, retain=True)


def _is_mine() -> None:
    """Do nothing: the default ``confirm``, for rooms that no other node can take."""


class Arrivals:
    """Imports rooms of other nodes from files in a folder while the server is running.

    A file is written under a temporary name first, so any file with the suffix of a
    room is complete. Imported files are removed; rejected files are renamed.
    """

    def __init__(
        self,
        folder: Path,
        store: RoomStore,
        name: str,
        arrived: Callable[[RoomCode], Awaitable[None]],
        look_s: float = 1.0,
    ) -> None:
        """``name`` is this node's name. ``arrived`` is called with a room's code once
        the room is stored. The folder is checked every ``look_s`` seconds.
        """
        self._folder = folder
        self._store = store
        self._name = name
        self._arrived = arrived
        self._look_s = look_s

    async def run(self) -> None:
        """Check the folder for rooms until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """Import every room in the folder; a failure does not affect other rooms."""
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
        """Store a room's new events: all, or those added since it left this node."""
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
    """A room that was read from a file."""

    parcel: Parcel
    events: list[Event]
    state: RoomState


def _read(path: Path) -> _Arrival:
    """Read a room from a file. Runs on a thread, because the file may be large.

    Raises ParcelError if the file is not a valid room, and OSError if it cannot be
    read.
    """
    parcel = unpack(path.read_bytes())
    events = parcel.events()
    try:
        return _Arrival(parcel, events, replay(events))
    except ReplayError as exc:
        raise ParcelError("its events do not make a room") from exc
