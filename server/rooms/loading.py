"""Opening rooms, and taking them up from the journal: a damaged one harms no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from scenarios.model import Plan
from scenarios.prose import plural
from server.game.engine import ReplayError, evolve, replay
from server.game.errors import Refused
from server.game.events import Event, RoomMoved, RoomNamed, RoomOpened
from server.game.ids import CODE_ALPHABET, CODE_LENGTH, RoomCode
from server.game.outcomes import goal_set
from server.game.scoring import USUAL_CHANCE
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.journal.store import (
    EventStore,
    HeldElsewhere,
    StoreUnavailable,
    TenureLost,
    UnreadableEvent,
    VersionConflict,
)
from server.metrics import Metrics
from server.rooms.clock import Clock
from server.rooms.ports import Homes, OtherNodes, RoomPort, Tenure
from server.rooms.room import Room

log = logging.getLogger("twogaps.rooms")

DRAWS = 100
"""Codes drawn for a new room: each may be taken."""

HELD_S = 0.1
"""How long it is remembered that another node has a room, in seconds."""

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


@dataclass(frozen=True, slots=True)
class NewRoom:
    """What a room is opened with."""

    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str = ""
    """The room's own secret (hex); empty: its host key."""
    name: str = ""
    """What the host calls it, as it may be shown."""
    chance: float = USUAL_CHANCE
    """How likely the class's first votes are to be right (0-1): it sets the goal."""

    def events(self, code: RoomCode, host_key: str, now_ms: int) -> list[Event]:
        """Return what the journal of this room begins with."""
        opened = RoomOpened(
            code=code,
            plan=self.plan,
            settings=self.settings,
            seed=self.seed,
            secret=self.secret or host_key,
            at_ms=now_ms,
            host_key=host_key,
            goal=goal_set(self.plan, self.settings, self.chance),
        )
        return [opened, RoomNamed(self.name, now_ms)] if self.name else [opened]


class Freehold:
    """The Tenure of a node whose journal is its own: no other node can be home."""

    epoch = 1
    members = ()

    def __init__(self, store: EventStore) -> None:
        self.append = store.append
        self.load = store.load
        self.check = store.check

    def confirm(self) -> None:
        """No other node can be home."""


class OwnRooms:
    """The Homes of a node whose journal is its own: it is home of every room."""

    is_shared = False
    is_quiet = True
    can_hand_over = False

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def assigned(self) -> Collection[RoomCode] | None:
        """All rooms that are not over are taken up."""
        return None

    async def open(self, room: RoomCode, events: Sequence[Event]) -> Tenure:
        """Store a new room."""
        await self._store.append(room, 0, events)
        return Freehold(self._store)

    async def take(self, room: RoomCode) -> Tenure | None:
        """Every room is at home here; its journal says whether there is one."""
        del room
        return Freehold(self._store)

    async def let_go(self, room: RoomCode) -> None:
        """No other node could take it."""

    async def hand_over(self, rooms: Collection[RoomCode]) -> Collection[RoomCode]:
        """No other node could take them."""
        del rooms
        return ()


class Loader:
    """Loads rooms, several at a time, and remembers those that cannot be loaded."""

    def __init__(
        self,
        homes: Homes,
        nodes: OtherNodes,
        start: Callable[[RoomState, Tenure], Room],
        metrics: Metrics,
        clock: Clock,
        closed_s: float,
    ) -> None:
        """``start`` runs a room; one whose journal does not make a room is not read
        again for ``closed_s`` seconds.
        """
        self._homes = homes
        self._clock = clock
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
        or "room_closed" if its journal does not make a room.
        """
        until_s, refusal = self._closed.get(code, (0.0, _DAMAGED))
        if asyncio.get_running_loop().time() < until_s:
            raise _again(refusal)
        loading = self._loading.get(code)
        if loading is None:
            loading = group.create_task(self._load(code), name=f"load-{code}")
            self._loading[code] = loading
            loading.add_done_callback(lambda _: self._loading.pop(code, None))
        found = await asyncio.shield(loading)
        if isinstance(found, Refused):
            raise _again(found)
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
        except HeldElsewhere as held:
            self.refuse(code, held, HELD_S)
            return held
        except Refused as refusal:
            return refusal
        except (StoreUnavailable, TenureLost) as exc:
            log.warning("%s", exc, extra=about)
            return _UNREADABLE
        except UnreadableEvent as exc:
            log.error("%s: see twogaps journal salvage", exc, extra=about)
        except ReplayError as exc:
            log.error(
                "room %s, %s: see twogaps journal salvage", code, exc, extra=about
            )
        except Exception:
            log.exception("room %s cannot be loaded", code, extra=about)
        self._metrics.rooms_failed.inc()
        self.refuse(code, _DAMAGED, self._closed_s)
        return _DAMAGED

    async def _take_up(self, code: RoomCode) -> Room:
        """Be home of a room and run it; one that makes no room is let go."""
        tenure = await self._homes.take(code)
        if tenure is None:
            raise _unknown(code)
        try:
            return await self._run(code, tenure)
        except BaseException:
            await self._homes.let_go(code)
            raise

    async def _run(self, code: RoomCode, tenure: Tenure) -> Room:
        events = await tenure.load(code)
        if not events:
            raise _unknown(code)
        state = replay(events)
        if state.code != code:
            raise ReplayError(1, events[0].type, f"it opens another room, {state.code}")
        name, was_at = self._nodes.name, state.home
        if was_at not in (None, name) and was_at not in tenure.members:
            self._nodes.disown(code)
            raise Refused("room_moved", f"This room has moved to {was_at}.")
        is_where_it_was = was_at == name or (was_at is None and tenure.epoch == 1)
        if name is not None and not is_where_it_was:
            moved = RoomMoved(name, state.epoch + 1, self._clock.now_ms())
            await tenure.append(code, len(events), [moved])
            evolve(state, moved)
        rest = plural(len(events), "event")
        log.info("loaded again after %s", rest, extra={"room": code})
        return self._start(state, tenure)

    # --- new rooms -------------------------------------------------------------------

    async def open(
        self,
        new: NewRoom,
        draw: Callable[[str], str],
        host_key_of: Callable[[RoomCode], str],
    ) -> tuple[list[Event], Tenure]:
        """Store a room under a fresh code: the journal refuses one that is taken.

        ``draw`` returns a random character of its argument. Raises :class:`Refused`
        if no code is free, and :class:`StoreUnavailable`.
        """
        for _ in range(DRAWS):
            code = RoomCode("".join(draw(CODE_ALPHABET) for _ in range(CODE_LENGTH)))
            if self._nodes.elsewhere(code) is not None:
                continue
            events = new.events(code, host_key_of(code), self._clock.now_ms())
            try:
                return events, await self._homes.open(code, events)
            except VersionConflict:
                continue
        raise Refused("rooms_full", "No free code was found for a new room.")


def _again(refusal: Refused) -> Refused:
    """Return a refusal to be raised once more, without where it was raised before."""
    if isinstance(refusal, HeldElsewhere):
        return refusal.again()
    return Refused(refusal.code, refusal.detail)


def _unknown(code: RoomCode) -> Refused:
    return Refused("unknown_room", f"No room has the code {code[:12]}.")
