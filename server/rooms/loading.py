"""Taking rooms up from the journal: each once, and a damaged one harms no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from server.game.engine import ReplayError, replay
from server.game.errors import Refused
from server.game.ids import RoomCode
from server.game.state import RoomState
from server.journal.store import EventStore, StoreUnavailable, UnreadableEvent
from server.metrics import Metrics
from server.rooms.ports import OtherNodes, RoomPort
from server.rooms.room import Room

log = logging.getLogger("twogaps.rooms")

MOST_CLOSED = 1_000
"""Rooms whose refusal is remembered; beyond that the oldest is forgotten."""

MOST_FOREIGN = 10_000
"""Rooms of other nodes that are remembered; beyond that the oldest is forgotten."""

_UNREADABLE = Refused("storage_unavailable", "Cannot read the journal now.")
_DAMAGED = Refused(
    "room_closed",
    "This room's journal is damaged and was kept. The operator of this server can "
    "recover what comes before the damage (twogaps journal salvage).",
)


class Loader:
    """Loads rooms, several at a time, and remembers those that cannot be loaded."""

    def __init__(
        self,
        store: EventStore,
        nodes: OtherNodes,
        start: Callable[[RoomState], Room],
        metrics: Metrics,
        closed_s: float,
    ) -> None:
        """``start`` runs a room; one whose journal does not make a room is not read
        again for ``closed_s`` seconds.
        """
        self._store = store
        self._nodes = nodes
        self._start = start
        self._metrics = metrics
        self._closed_s = closed_s
        self._loading: dict[RoomCode, asyncio.Task[Room | Refused]] = {}
        self._closed: dict[RoomCode, tuple[float, Refused]] = {}
        """Rooms that are not loaded, until when (s, the loop's clock), and why."""
        self._foreign: dict[RoomCode, None] = {}
        """Rooms of other nodes: their hellos do not read the journal."""

    async def load(self, code: RoomCode, group: asyncio.TaskGroup) -> Room:
        """Load a room; all who ask meanwhile get the same one.

        Raises :class:`Refused`: "unknown_room", "room_moved", "storage_unavailable",
        or "room_closed" where its journal does not make a room.
        """
        until_s, refusal = self._closed.get(code, (0.0, _DAMAGED))
        if asyncio.get_running_loop().time() < until_s:
            raise Refused(refusal.code, refusal.detail)
        loading = self._loading.get(code)
        if loading is None:
            loading = group.create_task(self._load(code), name=f"load-{code}")
            self._loading[code] = loading
            loading.add_done_callback(lambda _: self._loading.pop(code, None))
        found = await asyncio.shield(loading)
        if isinstance(found, Refused):
            raise Refused(found.code, found.detail)
        return found

    def refuse(self, code: RoomCode, refusal: Refused, for_s: float) -> None:
        """Refuse a room for some seconds, without reading its journal."""
        self._closed.pop(code, None)
        self._closed[code] = (asyncio.get_running_loop().time() + for_s, refusal)
        if len(self._closed) > MOST_CLOSED:
            del self._closed[next(iter(self._closed))]

    def allow(self, code: RoomCode) -> None:
        """Read a room's journal again when a client asks for it."""
        self._closed.pop(code, None)
        self._foreign.pop(code, None)

    def is_foreign(self, code: RoomCode) -> bool:
        """Whether the own journal is known not to hold a room, or to have moved it."""
        return code in self._foreign

    def foreign(self, code: RoomCode, remote: RoomPort) -> RoomPort:
        """Return a room of another node, and remember that it is not in the journal."""
        self._foreign[code] = None
        if len(self._foreign) > MOST_FOREIGN:
            del self._foreign[next(iter(self._foreign))]
        return remote

    async def _load(self, code: RoomCode) -> Room | Refused:
        """Return a room that runs, or why that cannot be done."""
        about = {"room": code}
        try:
            return await self._take_up(code)
        except Refused as refusal:
            return refusal
        except StoreUnavailable as exc:
            log.warning("%s", exc, extra=about)
            return _UNREADABLE
        except UnreadableEvent as exc:
            log.error("%s: see twogaps journal salvage", exc, extra=about)
        except ReplayError as exc:
            log.error(
                "room %s, %s: see twogaps journal salvage", code, exc, extra=about
            )
        except Exception:
            log.exception("room %s cannot be taken up", code, extra=about)
        self._metrics.rooms_failed.inc()
        self.refuse(code, _DAMAGED, self._closed_s)
        return _DAMAGED

    async def _take_up(self, code: RoomCode) -> Room:
        events = await self._store.load(code)
        if not events:
            raise Refused("unknown_room", f"No room has the code {code[:12]}.")
        state = replay(events)
        if state.code != code:
            raise ReplayError(1, events[0].type, f"it opens another room, {state.code}")
        if state.home not in (None, self._nodes.name):
            self._nodes.disown(code)
            raise Refused("room_moved", f"This room has moved to {state.home}.")
        log.info("taken up again after %d events", len(events), extra={"room": code})
        return self._start(state)
