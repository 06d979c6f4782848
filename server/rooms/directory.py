"""All rooms of this node: opens them, finds them, and loads them again."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable

from scenarios.prose import plural
from server.game.engine import replay
from server.game.errors import Refused
from server.game.events import RoomMoved
from server.game.features.timing import next_due_ms
from server.game.ids import RoomCode
from server.game.phases import Phase
from server.game.state import RoomState
from server.journal.store import (
    HeldElsewhere,
    RoomStore,
    StoreUnavailable,
    TenureLost,
    UnreadableEvent,
    VersionConflict,
)
from server.metrics import Metrics
from server.protocol.server_messages import RoomSummary
from server.rooms import replies
from server.rooms.audience import NoOtherNodes
from server.rooms.clock import Clock
from server.rooms.live import LiveRooms
from server.rooms.loading import Loader, NewRoom, OwnRooms
from server.rooms.ports import (
    Gateway,
    Homes,
    OtherNodes,
    RoomPort,
    Tenure,
)
from server.rooms.requests import Bounds
from server.rooms.retention import RECENT_MS, Retention, erase
from server.rooms.room import Room
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.rooms")

_DELETING = Refused("busy", "This room is being deleted.")
_NOT_DELETED = Refused(
    "storage_unavailable", "This room could not be deleted now; please try again."
)

LISTED = 200
"""The most rooms in a list."""


class Directory:
    """Rooms by code. Each runs as a task in the group that :meth:`run` owns."""

    def __init__(
        self,
        store: RoomStore,
        gateway: Gateway,
        clock: Clock,
        draw: Callable[[str], str],
        most_rooms: int,
        retention: Retention | None = None,
        nodes: OtherNodes | None = None,
        metrics: Metrics | None = None,
        closed_s: float = 10.0,
        idle_s: float = 60.0,
        bounds: Bounds | None = None,
        homes: Homes | None = None,
        drain_s: float = 1.5,
        gone: Callable[[RoomCode], None] = lambda _: None,
    ) -> None:
        """Make an empty directory.

        ``draw`` returns a random character from its argument, using a CSPRNG. ``nodes``
        are the nodes that this one is connected to. Without ``retention``, all rooms
        are kept. A journal that cannot be replayed is not read again for ``closed_s``
        seconds. Every ``idle_s`` seconds, empty rooms that are finished are stopped.
        ``bounds`` limits how much one person may change in a room. ``homes`` determines
        which rooms are here; without it, all rooms in the journal are. Before rooms are
        handed over, their queued requests have ``drain_s`` seconds to be stored.
        ``gone`` is called with the code of each room that is deleted or removed.
        """
        self._gone = gone
        self._homes = homes or OwnRooms(store)
        self._drain_s = drain_s
        self._retention = retention or Retention(0)
        self._idle_s = idle_s
        self._nodes = nodes or NoOtherNodes()
        self._store = store
        self._clock = clock
        self._draw = draw
        self._most = most_rooms
        self._opening = 0
        """The number of rooms that are still being stored but already count."""
        self._metrics = metrics = metrics or Metrics()
        self._live = LiveRooms(
            gateway, clock, self._homes, self._nodes, metrics, bounds
        )
        self._loader = Loader(
            self._homes, self._nodes, self._take_up, metrics, clock, closed_s
        )

    async def run(self, started: asyncio.Event) -> None:
        """Load unfinished rooms, set ``started`` and clean up until cancelled."""
        async with OwnedGroup() as group:
            self._live.begin(group)
            try:
                if self._homes.is_quiet:
                    await self._retention.sweep(self._store)
                await self._revive()
                await self._keep_house()
                started.set()
                while True:
                    await asyncio.sleep(self._idle_s)
                    self._tidy()
                    await self._keep_house()
            finally:
                self._live.end()

    @property
    def live(self) -> list[Room]:
        """The rooms that are running."""
        return list(self._live)

    async def drain(self, most_s: float) -> bool:
        """Let every room serve its queued requests; return whether all were in time.

        The rooms serve nothing after this.
        """
        return await self._live.drain(most_s)

    async def open(self, new: NewRoom, host_key_of: Callable[[RoomCode], str]) -> Room:
        """Open a room under a new code; ``host_key_of`` returns its host key (hex).

        Raises :class:`Refused` if the server is full or nothing can be stored.
        """
        if self._is_full and not self._live.evict_empty():
            most = plural(self._most, "room")
            raise Refused("rooms_full", f"This server runs at most {most}.")
        self._opening += 1
        try:
            events, tenure = await self._loader.open(new, self._draw, host_key_of)
        except StoreUnavailable as exc:
            raise Refused("storage_unavailable", f"Cannot open a room: {exc}.") from exc
        finally:
            self._opening -= 1
        self._metrics.stored(events)
        state, plan = replay(events), new.plan
        about = {"room": state.code}
        rounds = plural(len(plan.rounds), "round")
        log.info("opened: deck %s, %s", plan.deck, rounds, extra=about)
        return self._start(state, tenure)

    @property
    def _is_full(self) -> bool:
        return len(self._live) + self._opening >= self._most

    def running(self, code: RoomCode) -> Room | None:
        """Return a room that is running on this node, or None."""
        return self._live.get(code)

    async def find(self, code: str) -> RoomPort:
        """Return the room with a code; raises :class:`Refused` ("unknown_room").

        A room in this node's journal is never sought elsewhere, even if other nodes
        announce it. If a room has moved to a node that has not announced it yet, it is
        looked up again.
        """
        wanted = RoomCode(code.strip().upper())
        remote = None if wanted in self._live else self._nodes.elsewhere(wanted)
        if remote is not None and self._loader.is_foreign(wanted):
            return remote
        try:
            return await self.find_here(wanted)
        except Refused as refusal:
            is_away = refusal.code in ("unknown_room", "room_moved")
            if is_away and remote is not None:
                return self._loader.foreign(wanted, remote)
            if refusal.code == "room_moved" and self._nodes.name is not None:
                detail = f"{refusal.detail} This site is looking for it; try again."
                raise Refused("busy", detail) from refusal
            if is_away and self._nodes.is_searching:
                detail = "This site is still loading its rooms; try again."
                raise Refused("busy", detail) from refusal
            raise

    async def find_here(self, wanted: str) -> Room:
        """Return a room of this node, loading it if it is not running.

        Raises :class:`Refused`: "unknown_room", "room_moved", "storage_unavailable",
        or "room_closed" if its journal cannot be replayed.
        """
        code = RoomCode(wanted)
        if (running := self._live.get(code)) is not None:
            return running
        return await self._loader.load(code, self._live.group)

    async def summaries(self) -> tuple[RoomSummary, ...]:
        """Return a summary of each room in the journal, newest first (at most 200)."""
        records = await self._store.rooms()
        found = ((record, self.running(record.code)) for record in records[:LISTED])
        return tuple(
            replies.summary(record, room.state if room else None)
            for record, room in found
        )

    async def look_at(self, code: RoomCode) -> RoomState:
        """Return the state of a room, wherever its home is; raises :class:`Refused`."""
        try:
            return (await self.find_here(code)).state
        except HeldElsewhere:
            return replay(await self._store.load(code))

    async def _revive(self) -> None:
        now_ms = self._clock.now_ms()
        for code in await self._retention.unfinished(self._store, self._homes, now_ms):
            if self._is_full:
                return  # the rest are loaded when a client asks for them
            await self.arrived(code)

    async def arrived(self, code: RoomCode) -> None:
        """Load a room from the journal, such as one that came from another node."""
        self._loader.allow(code)
        try:
            await self.find_here(code)
        except HeldElsewhere as held:
            log.info("is at %s", held.node, extra={"room": code})
        except Refused as refusal:
            about = {"room": code}
            log.error("room %s stays closed: %s", code, refusal.detail, extra=about)

    def succeeded(self, code: RoomCode, home: str, epoch: int) -> None:
        """Give up a room that another node has proved to have taken over.

        ``epoch`` is the room's epoch at its new home.
        """
        room = self.running(code)
        if room is not None and epoch > room.state.epoch:
            _, running = self._live.pop(code)
            event = RoomMoved(home, epoch, self._clock.now_ms())
            work = self._give_up(room, running, event)
            self._live.group.create_task(work, name=f"give-up-{code}")
        elif room is None and self._homes.is_shared:  # it was handed over earlier
            self._nodes.disown(code)

    async def _give_up(
        self, room: Room, task: asyncio.Task[None], event: RoomMoved
    ) -> None:
        code, about = room.code, {"room": room.code}
        log.warning("lives at %s now", event.to, extra=about)
        moved = Refused("room_moved", f"This room has moved to {event.to}.")
        self._loader.refuse(code, moved, math.inf)
        try:
            task.cancel()
            await asyncio.wait([task])
            self._live.retire(room, moved, replies.MOVED)
            self._nodes.disown(code)
            if not self._homes.is_shared:  # there, the next home stores it
                version = len(await self._store.load(code))
                await self._store.append(code, version, [event])
        except (StoreUnavailable, VersionConflict, UnreadableEvent) as exc:
            log.warning("cannot note that it moved: %s", exc, extra=about)
        except Exception:
            log.exception("was not released cleanly", extra=about)
        self._loader.allow(code)

    # --- deleting --------------------------------------------------------------------

    async def delete(self, code: RoomCode) -> None:
        """Delete a room for good, after ending the game that is running in it.

        Raises :class:`Refused`: "unknown_room", "room_moved" if another node has the
        room, or "storage_unavailable".
        """
        await self._be_home(code)
        group = self._live.group
        self._loader.refuse(code, _DELETING, math.inf)
        running = self._live.pop(code) if code in self._live else (None, None)
        task = group.create_task(self._delete(code, *running), name=f"delete-{code}")
        refusal = await asyncio.shield(task)  # goes on if the admin is gone
        if refusal is not None:
            raise refusal

    async def _be_home(self, code: RoomCode) -> None:
        """Make sure that a room exists and is not at another node."""
        try:
            await self.find_here(code)
        except HeldElsewhere as held:
            where = f"This room is running at {held.node}."
            then = "Delete it there, or here once everyone has left it."
            raise Refused("room_moved", f"{where} {then}") from held
        except Refused as refusal:
            where = "This room is at another site."
            if refusal.code == "room_moved":
                where = refusal.detail
            elif refusal.code == "room_closed":
                return  # a damaged room can be deleted
            elif refusal.code != "unknown_room" or not self._nodes.elsewhere(code):
                raise
            raise Refused("room_moved", f"{where} Delete it there.") from refusal

    async def _delete(
        self, code: RoomCode, room: Room | None, task: asyncio.Task[None] | None
    ) -> Refused | None:
        """Stop a room, delete it, and release its clients; return why that failed."""
        about = {"room": code}
        refusal: Refused | None = None
        try:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
            await erase(code, self._store, self._homes)
        except (StoreUnavailable, TenureLost, Refused) as exc:
            log.warning("is not deleted: %s", exc, extra=about)
            refusal = _NOT_DELETED
        except Exception:
            log.exception("is not deleted", extra=about)
            refusal = replies.FAULT
        if room is not None and refusal is not None:
            self._live.retire(room, replies.INTERRUPTED, replies.KEPT, is_over=False)
        elif room is not None:
            self._live.retire(room, replies.DELETED, replies.GOODBYE)
        if refusal is None:
            self._nodes.disown(code)
            self._retention.forget(code)
            self._gone(code)
            log.warning("deleted by an admin", extra=about)
        self._loader.allow(code)
        return refusal

    # --- a fleet ---------------------------------------------------------------------

    @property
    def load(self) -> int:
        """This node's load: the number of its rooms plus the people in them."""
        return self._live.load

    def lost(self, code: RoomCode) -> None:
        """Stop a room that another node has taken over."""
        self._live.lost(code)

    async def hand_over(self) -> None:
        """Hand all rooms over to other nodes, each between two steps."""
        if not self._homes.can_hand_over:
            log.warning("no other node could take the rooms of this one")
            return
        codes = [room.code for room in self._live]
        await self.drain(self._drain_s)
        try:
            given = await self._homes.hand_over(codes)
        except StoreUnavailable as exc:
            log.warning("the rooms stay here: %s", exc)
            given = ()
        for code in codes:
            if code in self._live:
                self._live.depart(code)
        log.info("handed over %d of %s", len(given), plural(len(codes), "room"))

    # --- running ---------------------------------------------------------------------

    def _take_up(self, state: RoomState, tenure: Tenure) -> Room:
        if self._is_full:
            self._live.evict_empty()
        return self._start(state, tenure)

    def _start(self, state: RoomState, tenure: Tenure) -> Room:
        room = self._live.start(state, tenure)
        self._loader.allow(state.code)
        return room

    # --- keeping house ---------------------------------------------------------------

    async def _keep_house(self) -> None:
        """Remove old rooms; erase their data from the journal while no one plays."""
        now_ms = self._clock.now_ms()
        about = (self._store, self._homes, self._live, now_ms)
        for code in await self._retention.remove(*about):
            self._gone(code)
        is_played = any(room.is_attended for room in self._live)
        if self._homes.is_quiet and not is_played:
            await self._retention.sweep(self._store)

    def _tidy(self) -> None:
        """Stop empty rooms that are finished or were left long ago.

        In a fleet, no node keeps a room that has neither people nor a deadline.
        """
        now_ms, idle_ms = self._clock.now_ms(), round(self._idle_s * 1000)
        for room in self._live:
            has_deadline = next_due_ms(room.state, now_ms, frozenset()) is not None
            may_wait = self._homes.is_shared and not has_deadline
            left_ms = now_ms - (idle_ms if may_wait else RECENT_MS)
            is_over = room.state.phase is Phase.FINISHED or room.touched_ms < left_ms
            if is_over and not room.is_attended:
                self._live.put_away(room.code)
