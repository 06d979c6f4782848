"""Opens rooms and loads them from the journal; a damaged room affects no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from scenarios.model import Plan
from scenarios.prose import plural
from server.game.engine import ReplayError, evolve, replay
from server.game.errors import Refused
from server.game.events import Event, RoomMoved, RoomNamed, RoomOpened
from server.game.goal import FirstVotes, goal_set
from server.game.ids import CODE_ALPHABET, CODE_LENGTH, RoomCode
from server.game.scoring import NEW_CLASS, Earlier
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
"""The most codes drawn for a new room, as each may be taken already."""

HELD_S = 0.1
"""Seconds for which it is remembered that another node has a room."""

MOST_CLOSED = 1_000
"""The most rooms whose refusal is remembered; the oldest is dropped first."""

MOST_FOREIGN = 10_000
"""The most rooms of other nodes that are remembered; the oldest is dropped first."""

_UNREADABLE = Refused("storage_unavailable", "Cannot read the journal now.")
_DAMAGED = Refused(
    "room_closed",
    "This room's journal is damaged and was kept. The operator of this server can "
    "recover what comes before the damage (twogaps journal salvage).",
)


@dataclass(frozen=True, slots=True)
class NewRoom:
    """The data with which a room is opened."""

    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str = ""
    """The room's own secret (hex); if empty, its host key is used."""
    name: str = ""
    """The host's name for the room, as it may be shown."""
    earlier: Earlier = NEW_CLASS
    """What the class showed in earlier lessons: it sets the goal."""
    known: FirstVotes = field(default_factory=dict)
    """The first votes of all classes, which set it too."""

    def events(self, code: RoomCode, host_key: str, now_ms: int) -> list[Event]:
        """Return the first events in the room's journal."""
        opened = RoomOpened(
            code=code,
            plan=self.plan,
            settings=self.settings,
            seed=self.seed,
            secret=self.secret or host_key,
            at_ms=now_ms,
            host_key=host_key,
            goal=goal_set(self.plan, self.settings, self.earlier, self.known),
            earlier=self.earlier,
        )
        return [opened, RoomNamed(self.name, now_ms)] if self.name else [opened]


class Freehold:
    """The Tenure of a node with a journal of its own: no other node can be home."""

    epoch = 1
    members = ()

    def __init__(self, store: EventStore) -> None:
        self.append = store.append
        self.load = store.load
        self.check = store.check

    def confirm(self) -> None:
        """Do nothing: no other node can be the home."""


class OwnRooms:
    """The Homes of a node with a journal of its own: it is the home of every room."""

    is_shared = False
    is_quiet = True
    can_hand_over = False

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def assigned(self) -> Collection[RoomCode] | None:
        """Return None: all unfinished rooms are loaded."""
        return None

    async def open(self, room: RoomCode, events: Sequence[Event]) -> Tenure:
        """Store a new room."""
        await self._store.append(room, 0, events)
        return Freehold(self._store)

    async def take(self, room: RoomCode) -> Tenure | None:
        """Return a Tenure for any room; its journal shows whether it exists."""
        del room
        return Freehold(self._store)

    async def let_go(self, room: RoomCode) -> None:
        """Do nothing: no other node could take the room."""

    async def hand_over(self, rooms: Collection[RoomCode]) -> Collection[RoomCode]:
        """Return nothing: no other node could take the rooms."""
        del rooms
        return ()


class Loader:
    """Loads rooms concurrently and remembers those that cannot be loaded."""

    def __init__(
        self,
        homes: Homes,
        nodes: OtherNodes,
        start: Callable[[RoomState, Tenure], Room],
        metrics: Metrics,
        clock: Clock,
        closed_s: float,
    ) -> None:
        """``start`` starts a room. A journal that cannot be replayed is not read again
        for ``closed_s`` seconds.
        """
        self._homes = homes
        self._clock = clock
        self._nodes = nodes
        self._start = start
        self._metrics = metrics
        self._closed_s = closed_s
        self._loading: dict[RoomCode, asyncio.Task[Room | Refused]] = {}
        self._closed: dict[RoomCode, tuple[float, Refused]] = {}
        """Rooms that must not be loaded, until when (s, loop's clock), and why."""
        self._foreign: dict[RoomCode, None] = {}
        """Rooms of other nodes, for which the journal need not be read."""

    async def load(self, code: RoomCode, group: asyncio.TaskGroup) -> Room:
        """Load a room; concurrent calls share the same load.

        Raises :class:`Refused`: "unknown_room", "room_moved", "storage_unavailable",
        or "room_closed" if its journal cannot be replayed.
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
        """Refuse a room for ``for_s`` seconds without reading its journal."""
        self._closed.pop(code, None)
        self._closed[code] = (asyncio.get_running_loop().time() + for_s, refusal)
        if len(self._closed) > MOST_CLOSED:
            del self._closed[next(iter(self._closed))]

    def allow(self, code: RoomCode) -> None:
        """Allow a room's journal to be read again when a client asks for the room."""
        self._closed.pop(code, None)
        self._foreign.pop(code, None)

    def is_foreign(self, code: RoomCode) -> bool:
        """Whether a room is known to be missing from the journal or to have moved."""
        return code in self._foreign

    def foreign(self, code: RoomCode, remote: RoomPort) -> RoomPort:
        """Remember that a room of another node is not in the journal; return it."""
        self._foreign[code] = None
        if len(self._foreign) > MOST_FOREIGN:
            del self._foreign[next(iter(self._foreign))]
        return remote

    async def _load(self, code: RoomCode) -> Room | Refused:
        """Return the room, running, or the refusal if it cannot be loaded."""
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
        """Make this node the home of a room and run it; let go of it if that fails."""
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
        """Store a room under a new code; the journal rejects codes that are taken.

        ``draw`` returns a random character from its argument. Raises :class:`Refused`
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
    """Return a copy of a refusal, without the traceback of where it was raised."""
    if isinstance(refusal, HeldElsewhere):
        return refusal.again()
    return Refused(refusal.code, refusal.detail)


def _unknown(code: RoomCode) -> Refused:
    return Refused("unknown_room", f"No room has the code {code[:12]}.")
