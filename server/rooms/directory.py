"""All rooms of this node: opening them, finding them, and taking them up again."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from scenarios.model import Plan
from server.game.engine import open_room
from server.game.errors import Refused
from server.game.events import RoomMoved, RoomOpened
from server.game.ids import CODE_ALPHABET, CODE_LENGTH, RoomCode
from server.game.phases import Phase
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.journal.store import (
    RoomRecord,
    RoomStore,
    StoreUnavailable,
    UnreadableEvent,
    VersionConflict,
)
from server.metrics import Metrics
from server.protocol.server_messages import RoomSummary
from server.rooms import replies
from server.rooms.audience import NoOtherNodes
from server.rooms.clock import Clock
from server.rooms.loading import Loader
from server.rooms.ports import AUDIENCES, Audience, Gateway, OtherNodes, RoomPort
from server.rooms.requests import Bounds
from server.rooms.retention import RECENT_MS, Retention
from server.rooms.room import Room
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.rooms")

LISTED, DRAWS = 200, 100
"""Rooms in a list, and codes drawn for a new room (each may be taken), at most."""

_PUT_AWAY = Refused("busy", "This room has just been put away; try again.")


@dataclass(frozen=True, slots=True)
class NewRoom:
    """What a room is opened with."""

    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str = ""
    """The room's own secret (hex); empty: its host key."""


class Directory:
    """Rooms by code. Rooms run as tasks of the group that :meth:`run` holds.

    A room is a failure domain: whatever happens to one is logged and closes that room,
    and leaves every other room, and this directory, untouched.
    """

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
    ) -> None:
        """Make an empty directory.

        ``draw`` returns a random character of its argument (a CSPRNG's); ``nodes`` are
        the nodes that this one is connected to; None for ``retention`` keeps all rooms.
        A room whose journal cannot be taken up is not read again for ``closed_s``
        seconds. A finished room that has no visitor is put away after ``idle_s``.
        ``bounds`` is how much one person may ask of a room.
        """
        self._bounds = bounds
        self._retention = retention or Retention(0)
        self._idle_s = idle_s
        self._nodes = nodes or NoOtherNodes()
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._draw = draw
        self._most = most_rooms
        self._rooms: dict[RoomCode, tuple[Room, asyncio.Task[None]]] = {}
        self._opening = 0
        """Rooms that are being stored, and have a place already."""
        self._group: asyncio.TaskGroup | None = None
        self._is_ending = False
        self._metrics = metrics = metrics or Metrics()
        self._loader = Loader(store, self._nodes, self._take_up, metrics, closed_s)
        self._be_watched()

    def _be_watched(self) -> None:
        watch, gateway = self._metrics.watch, self._gateway
        watch("rooms", lambda: len(self._rooms))
        watch("room_waiting", lambda: max((r.waiting for r in self.live), default=0))

        def count(role: Audience) -> int:
            return sum(len(gateway.links(code, role)) for code in self._rooms)

        for role in AUDIENCES:
            watch("people", partial(count, role), role)

    async def run(self, started: asyncio.Event) -> None:
        """Take up unfinished rooms, set ``started``, and keep house until cancelled."""
        async with OwnedGroup() as group:
            self._group = group
            try:
                await self._retention.sweep(self._store)
                await self._revive()
                await self._forget_old()
                started.set()
                while True:
                    await asyncio.sleep(self._idle_s)
                    self._tidy()
                    await self._forget_old()
                    if not any(room.is_attended for room in self.live):
                        await self._retention.sweep(self._store)
            finally:
                self._is_ending = True
                for _, task in self._rooms.values():
                    task.cancel()

    @property
    def live(self) -> list[Room]:
        """The rooms that are running."""
        return [room for room, _ in self._rooms.values()]

    async def drain(self, most_s: float) -> bool:
        """Let every room serve what has come in; return whether all could in time.

        Rooms serve nothing after this.
        """
        for room, _ in self._rooms.values():
            room.finish()
        if tasks := [task for _, task in self._rooms.values()]:
            _, late = await asyncio.wait(tasks, timeout=most_s)
            return not late
        return True

    async def open(self, new: NewRoom, host_key_of: Callable[[RoomCode], str]) -> Room:
        """Open a room under a fresh code; ``host_key_of`` gives its host key (hex).

        Raises :class:`Refused` where no room has a place, or nothing can be stored.
        """
        if self._is_full and not self._evict_empty_room():
            raise Refused("rooms_full", f"This server runs at most {self._most} rooms.")
        self._opening += 1
        try:
            event = await self._store_new(new, host_key_of)
        except StoreUnavailable as exc:
            raise Refused("storage_unavailable", f"Cannot open a room: {exc}.") from exc
        finally:
            self._opening -= 1
        self._metrics.stored([event])
        plan, about = new.plan, {"room": event.code}
        log.info("opened: deck %s, %d rounds", plan.deck, len(plan.rounds), extra=about)
        return self._start(open_room(event))

    @property
    def _is_full(self) -> bool:
        return len(self._rooms) + self._opening >= self._most

    async def _store_new(
        self, new: NewRoom, host_key_of: Callable[[RoomCode], str]
    ) -> RoomOpened:
        """Store a room under a fresh code: the journal refuses one that is taken."""
        for _ in range(DRAWS):
            drawn = (self._draw(CODE_ALPHABET) for _ in range(CODE_LENGTH))
            code = RoomCode("".join(drawn))
            if self._nodes.elsewhere(code) is not None:
                continue
            host_key = host_key_of(code)
            event = RoomOpened(
                code=code,
                plan=new.plan,
                settings=new.settings,
                seed=new.seed,
                secret=new.secret or host_key,
                at_ms=self._clock.now_ms(),
                host_key=host_key,
            )
            try:
                await self._store.append(code, 0, [event])
            except VersionConflict:
                continue
            return event
        raise Refused("rooms_full", "No free code was found for a new room.")

    def running(self, code: RoomCode) -> Room | None:
        """Return a room of this node that is running."""
        return self._rooms[code][0] if code in self._rooms else None

    async def find(self, code: str) -> RoomPort:
        """Return the room of a code; raises :class:`Refused` ("unknown_room").

        A room of the own journal is never elsewhere, whatever other nodes announce.
        """
        wanted = RoomCode(code.strip().upper())
        remote = None if wanted in self._rooms else self._nodes.elsewhere(wanted)
        if remote is not None and self._loader.is_foreign(wanted):
            return remote
        try:
            return await self.find_here(wanted)
        except Refused as refusal:
            is_away = refusal.code in ("unknown_room", "room_moved")
            if is_away and remote is not None:
                return self._loader.foreign(wanted, remote)
            if is_away and self._nodes.is_searching:
                detail = "This site is still looking for its rooms; try again."
                raise Refused("busy", detail) from refusal
            raise

    async def find_here(self, wanted: str) -> Room:
        """Return a room of this node, from the journal where it is not running.

        Raises :class:`Refused`: "unknown_room", "room_moved", "storage_unavailable",
        or "room_closed" where its journal does not make a room.
        """
        code = RoomCode(wanted)
        if (running := self._rooms.get(code)) is not None:
            return running[0]
        return await self._loader.load(code, self._in_group)

    async def summaries(self) -> tuple[RoomSummary, ...]:
        """Return a line for every room of the journal, newest first (at most 200)."""
        records = await self._store.rooms()
        return tuple(self._summary(record) for record in records[:LISTED])

    def _summary(self, record: RoomRecord) -> RoomSummary:
        running = self._rooms.get(record.code)
        state = running[0].state if running else None
        stored = Phase.FINISHED if record.finished_ms else Phase.LOBBY
        return RoomSummary(
            room=record.code,
            title=record.title,
            opened_ms=record.opened_ms,
            updated_ms=record.updated_ms,
            phase=state.phase if state else stored,
            joined=record.joined,
            round=state.plan_index if state else None,
            rounds=record.rounds,
            time_zone=record.time_zone,
        )

    async def _revive(self) -> None:
        records = await self._store.rooms()
        for record in self._retention.recent(records, self._clock.now_ms()):
            if self._is_full:
                return  # the rest is taken up when a client asks for it
            if record.finished_ms is None:
                await self.arrived(record.code)

    async def arrived(self, code: RoomCode) -> None:
        """Take up a room of the journal, such as one from another node."""
        self._loader.allow(code)
        try:
            await self.find_here(code)
        except Refused as refusal:
            about = {"room": code}
            log.error("room %s stays closed: %s", code, refusal.detail, extra=about)

    def succeeded(self, code: RoomCode, home: str, epoch: int) -> None:
        """Give a room up that another node has proven to go on with, in an epoch."""
        room = self.running(code)
        if room is not None and epoch > room.state.epoch:
            _, running = self._rooms.pop(code)
            event = RoomMoved(home, epoch, self._clock.now_ms())
            work = self._give_up(room, running, event)
            self._in_group.create_task(work, name=f"give-up-{code}")

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
            self._retire(room, moved, replies.MOVED)
            self._nodes.disown(code)
            version = len(await self._store.load(code))
            await self._store.append(code, version, [event])
        except (StoreUnavailable, VersionConflict, UnreadableEvent) as exc:
            log.warning("cannot note that it moved: %s", exc, extra=about)
        except Exception:
            log.exception("was not given up in good order", extra=about)
        self._loader.allow(code)

    # --- running ---------------------------------------------------------------------

    @property
    def _in_group(self) -> asyncio.TaskGroup:
        if self._group is None or self._is_ending:
            raise Refused("shutting_down", "This server takes up no rooms now.")
        return self._group

    def _take_up(self, state: RoomState) -> Room:
        if self._is_full:
            self._evict_empty_room()
        return self._start(state)

    def _start(self, state: RoomState) -> Room:
        if (running := self._rooms.get(state.code)) is not None:
            return running[0]
        group, code, barrier = self._in_group, state.code, self._nodes.barrier
        about = (self._store, self._gateway, self._clock, self._metrics, barrier)
        room = Room(state, *about, self._bounds)
        self._nodes.claim(state)
        self._loader.allow(code)
        task = group.create_task(self._run(room), name=f"room-{code}")
        self._rooms[code] = (room, task)
        return room

    async def _run(self, room: Room) -> None:
        """Run a room; a fault that it cannot handle closes it, and no other.

        Its journal is kept, and it is taken up again when a client asks for it.
        """
        about = {"room": room.code}
        try:
            await room.run()
        except asyncio.CancelledError:
            if self.running(room.code) is room and not self._is_ending:
                log.error("room %s closed: cancelled", room.code, extra=about)
                self._fail(room)
            raise
        except Exception:
            version = room.state.version
            log.exception("room %s closed at %d", room.code, version, extra=about)
            self._fail(room)

    def _fail(self, room: Room) -> None:
        self._metrics.rooms_failed.inc()
        if self.running(room.code) is room:
            del self._rooms[room.code]
        self._retire(room, replies.CLOSED, replies.ROOM_CLOSED)

    def _retire(self, room: Room, refusal: Refused, bye: bytes | None = None) -> None:
        """Answer what waits in a room that has ended, and free its links."""
        try:
            room.close(refusal)
            if bye is not None:
                self._gateway.dismiss(room.code, bye)
        except Exception:
            log.exception("not closed in good order", extra={"room": room.code})
        finally:
            self._gateway.close(room.code)

    async def _forget_old(self) -> None:
        """Remove rooms past the time they are kept for, but for those that run."""
        kept = self._retention
        try:
            for code in kept.look(await self._store.rooms(), self._clock.now_ms()):
                if code not in self._rooms:
                    await self._store.delete(code)
                    kept.removed(code)
                    log.warning("removed after its time", extra={"room": code})
        except StoreUnavailable as exc:
            log.warning("old rooms stay for now: %s", exc)
        await asyncio.to_thread(kept.save)

    def _tidy(self) -> None:
        """Put away empty rooms that are over, or were left long ago."""
        left_ms = self._clock.now_ms() - RECENT_MS
        for code, (room, _) in list(self._rooms.items()):
            is_over = room.state.phase is Phase.FINISHED or room.touched_ms < left_ms
            if is_over and not room.is_attended:
                self._put_away(code)

    def _evict_empty_room(self) -> bool:
        """Evict the longest running empty room; return False if there is none."""
        for code, (room, _) in self._rooms.items():
            if not room.is_attended:
                log.info("room %s: closed, to make room for a new one", code)
                self._put_away(code)
                return True
        return False

    def _put_away(self, code: RoomCode) -> None:
        """Stop a room; a client that asks for it later finds it again."""
        room, task = self._rooms.pop(code)
        task.cancel()
        self._retire(room, _PUT_AWAY)
