"""Starts and stops the rooms on this node, and isolates their failures.

A room is a failure domain: an error in a room is logged and closes that room, without
affecting any other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial

from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.state import RoomState
from server.journal.store import TenureLost
from server.metrics import Metrics
from server.rooms import replies
from server.rooms.clock import Clock
from server.rooms.ports import (
    AUDIENCES,
    Audience,
    Gateway,
    Homes,
    OtherNodes,
    Tenure,
)
from server.rooms.requests import Bounds
from server.rooms.room import Room

log = logging.getLogger("twogaps.rooms")

_PUT_AWAY = Refused("busy", "This room was just unloaded; try again.")
_MOVING = Refused("busy", "This room is moving to another node; try again.")


class LiveRooms:
    """Running rooms by code. Each has a task, and all tasks are in one group."""

    def __init__(
        self,
        gateway: Gateway,
        clock: Clock,
        homes: Homes,
        nodes: OtherNodes,
        metrics: Metrics,
        bounds: Bounds | None = None,
    ) -> None:
        """``bounds`` limits how much one person may change in a room."""
        self._gateway = gateway
        self._clock = clock
        self._homes = homes
        self._nodes = nodes
        self._metrics = metrics
        self._bounds = bounds
        self._rooms: dict[RoomCode, tuple[Room, asyncio.Task[None]]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._is_ending = False
        self._be_watched()

    def _be_watched(self) -> None:
        watch = self._metrics.watch
        watch("rooms", lambda: len(self._rooms))
        watch("room_waiting", lambda: max((r.waiting for r in self), default=0))
        for role in AUDIENCES:
            watch("people", partial(self._people, role), role)

    def _people(self, role: Audience) -> int:
        return sum(len(self._gateway.links(code, role)) for code in self._rooms)

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter([room for room, _ in self._rooms.values()])

    def __contains__(self, code: object) -> bool:
        return code in self._rooms

    def get(self, code: RoomCode) -> Room | None:
        """Return a running room, or None."""
        return self._rooms[code][0] if code in self._rooms else None

    def task_of(self, code: RoomCode) -> asyncio.Task[None]:
        """Return the task of a running room."""
        return self._rooms[code][1]

    @property
    def load(self) -> int:
        """This node's load: the number of its rooms plus the people in them."""
        return len(self._rooms) + sum(self._people(role) for role in AUDIENCES)

    @property
    def group(self) -> asyncio.TaskGroup:
        """The task group of the rooms; raises :class:`Refused` if none can start."""
        if self._group is None or self._is_ending:
            raise Refused("shutting_down", "This server is not loading any rooms now.")
        return self._group

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Start running rooms in this task group."""
        self._group = group

    def end(self) -> None:
        """Stop all rooms and do not start any more."""
        self._is_ending = True
        for _, task in self._rooms.values():
            task.cancel()

    # --- a room ----------------------------------------------------------------------

    def start(self, state: RoomState, tenure: Tenure) -> Room:
        """Start a room unless it is running; return it. Raises :class:`Refused`."""
        if (running := self._rooms.get(state.code)) is not None:
            return running[0]
        group, code, barrier = self.group, state.code, self._nodes.barrier
        about = (tenure, self._gateway, self._clock, self._metrics, barrier)
        room = Room(state, *about, self._bounds, tenure.confirm)
        self._nodes.claim(state, tenure.confirm)
        task = group.create_task(self._run(room), name=f"room-{code}")
        self._rooms[code] = (room, task)
        return room

    async def _run(self, room: Room) -> None:
        """Run a room; an error that it cannot handle closes only this room.

        Its journal is kept, and the room is loaded again when a client asks for it.
        """
        about = {"room": room.code}
        try:
            await room.run()
        except asyncio.CancelledError:
            if self.get(room.code) is room and not self._is_ending:
                log.error("room %s closed: cancelled", room.code, extra=about)
                self._fail(room)
            raise
        except TenureLost:
            if self.get(room.code) is room:
                self.lost(room.code)
        except Exception:
            version = room.state.version
            log.exception("room %s closed at %d", room.code, version, extra=about)
            self._fail(room)

    def _fail(self, room: Room) -> None:
        self._metrics.rooms_failed.inc()
        if self.get(room.code) is room:
            del self._rooms[room.code]
            self._let_go(room.code)
        self.retire(room, replies.CLOSED, replies.ROOM_CLOSED)

    def pop(self, code: RoomCode) -> tuple[Room, asyncio.Task[None]]:
        """Remove a room; return it and its task, which the caller must stop."""
        return self._rooms.pop(code)

    def put_away(self, code: RoomCode) -> None:
        """Stop a room; it is loaded again if a client asks for it later."""
        room, task = self.pop(code)
        task.cancel()
        self.retire(room, _PUT_AWAY)
        self._let_go(code)

    def evict_empty(self) -> bool:
        """Evict the longest-running empty room; return False if there is none."""
        for room in self:
            if not room.is_attended:
                log.info("room %s: closed, to make room for a new one", room.code)
                self.put_away(room.code)
                return True
        return False

    def lost(self, code: RoomCode) -> None:
        """Stop a room that another node has taken over."""
        if code in self._rooms:
            log.error("room %s: another node has taken it", code, extra={"room": code})
            self._metrics.rooms_lost.inc()
            self.depart(code)

    def depart(self, code: RoomCode) -> None:
        """Stop a room and send its clients to its new home."""
        room, task = self.pop(code)
        task.cancel()
        self.retire(room, _MOVING, replies.MOVED, is_over=False)

    def retire(
        self,
        room: Room,
        refusal: Refused,
        bye: bytes | None = None,
        *,
        is_over: bool = True,
    ) -> None:
        """Refuse the queued requests of a stopped room and release its links.

        ``is_over`` is False if another node continues the room.
        """
        try:
            room.close(refusal)
            if bye is not None:
                self._gateway.dismiss(room.code, bye)
        except Exception:
            log.exception("not closed cleanly", extra={"room": room.code})
        finally:
            (self._gateway.close if is_over else self._gateway.vacate)(room.code)

    def _let_go(self, code: RoomCode) -> None:
        """Let other nodes become the home of a room that has stopped here."""
        if self._homes.is_shared and self._group is not None:
            letting = self._homes.let_go(code)
            self._group.create_task(letting, name=f"let-go-{code}")

    async def drain(self, most_s: float) -> bool:
        """Let every room serve its queued requests; return whether all were in time.

        The rooms serve nothing after this.
        """
        for room, _ in self._rooms.values():
            room.finish()
        if tasks := [task for _, task in self._rooms.values()]:
            _, late = await asyncio.wait(tasks, timeout=most_s)
            return not late
        return True
