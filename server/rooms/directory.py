"""All rooms of this node: opening them, finding them, and taking them up again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from scenarios.model import Plan
from server.federation.messages import Announce, epoch_key
from server.game.engine import open_room, replay
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
from server.rooms.clock import Clock
from server.rooms.ports import AUDIENCES, Audience, Gateway, RoomPort
from server.rooms.room import Room
from server.supervision import OwnedGroup

log = logging.getLogger("twogaps.rooms")

DAY_MS = 24 * 3600 * 1000
REVIVE_MS = 2 * DAY_MS
"""Unfinished rooms touched within two days go on at once when the server starts."""

IDLE_S = 60
"""A finished room that nobody looks at for so long is put away (its journal stays)."""

LISTED = 200


@dataclass(frozen=True, slots=True)
class NewRoom:
    """What a room is opened with."""

    plan: Plan
    settings: RoomSettings
    seed: int


class Directory:
    """Rooms by code. Rooms run as tasks of the group that :meth:`run` holds."""

    def __init__(
        self,
        store: RoomStore,
        gateway: Gateway,
        clock: Clock,
        draw: Callable[[str], str],
        most_rooms: int,
        keep_days: int = 0,
        elsewhere: Callable[[RoomCode], RoomPort | None] = lambda _: None,
        is_searching: Callable[[], bool] = lambda: False,
        name: str | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """``draw`` returns a random character of its argument (a CSPRNG's);
        ``elsewhere`` finds the way to a room of another node, ``is_searching`` tells
        whether one may be there that is not known yet; ``name`` is this node's.
        """
        self._name = name
        self._elsewhere = elsewhere
        self._is_searching = is_searching
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._draw = draw
        self._most = most_rooms
        self._keep_ms = keep_days * DAY_MS
        self._rooms: dict[RoomCode, tuple[Room, asyncio.Task[None]]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._loading: dict[RoomCode, asyncio.Future[Room]] = {}
        self._metrics = metrics or Metrics()
        self._be_watched()

    def _be_watched(self) -> None:
        watch, gateway = self._metrics.watch, self._gateway
        watch("rooms", lambda: len(self._rooms))
        watch("room_waiting", lambda: max((r.waiting for r in self.live), default=0))

        def people(role: Audience) -> Callable[[], float]:
            return lambda: sum(gateway.count(code, role) for code in self._rooms)

        for role in AUDIENCES:
            watch("people", people(role), role)

    async def run(self, started: asyncio.Event) -> None:
        """Take up unfinished rooms, set ``started``, and keep house until cancelled."""
        async with OwnedGroup() as group:
            self._group = group
            try:
                await self._forget_old()
                await self._sweep()
                await self._revive()
                started.set()
                while True:
                    await asyncio.sleep(IDLE_S)
                    self._tidy()
                    await self._forget_old()
                    if not any(room.is_attended for room in self.live):
                        await self._sweep()
            finally:
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
        tasks = [task for _, task in self._rooms.values()]
        if not tasks:
            return True
        _, late = await asyncio.wait(tasks, timeout=most_s)
        return not late

    async def open(self, new: NewRoom, secret_of: Callable[[RoomCode], str]) -> Room:
        """Open a room under a fresh code; ``secret_of`` gives its key (hex).

        Raises :class:`Refused` where there are too many rooms or nothing can be
        stored.
        """
        if len(self._rooms) >= self._most and not self._make_place():
            raise Refused("rooms_full", f"This server runs {self._most} rooms at once.")
        code = await self._fresh_code()
        event = RoomOpened(
            code=code,
            plan=new.plan,
            settings=new.settings,
            seed=new.seed,
            secret=secret_of(code),
            at_ms=self._clock.now_ms(),
        )
        try:
            await self._store.append(code, 0, [event])
        except StoreUnavailable as exc:
            raise Refused("storage_unavailable", f"Cannot open a room: {exc}.") from exc
        self._metrics.stored([event])
        rounds = len(new.plan.rounds)
        log.info(
            "opened: deck %s, %d rounds", new.plan.deck, rounds, extra={"room": code}
        )
        return self._start(open_room(event))

    def running(self, code: RoomCode) -> Room | None:
        """Return a room of this node that is running."""
        found = self._rooms.get(code)
        return found[0] if found else None

    async def find(self, code: str) -> RoomPort:
        """Return the room of a code, wherever it lives.

        Raises :class:`Refused` ("unknown_room").
        """
        wanted = RoomCode(code.strip().upper())
        if wanted not in self._rooms and (remote := self._elsewhere(wanted)):
            return remote
        try:
            return await self.find_here(wanted)
        except Refused as refusal:
            is_away = refusal.code in ("unknown_room", "room_moved")
            if is_away and self._is_searching():
                detail = "This site is still looking for its rooms; try again."
                raise Refused("busy", detail) from refusal
            raise

    async def find_here(self, wanted: str) -> Room:
        """Return a room of this node, from the journal where it is not running.

        Raises :class:`Refused` ("unknown_room").
        """
        wanted = RoomCode(wanted)
        if (running := self._rooms.get(wanted)) is not None:
            return running[0]
        if (loading := self._loading.get(wanted)) is not None:
            return await asyncio.shield(loading)
        loading = asyncio.get_running_loop().create_future()
        self._loading[wanted] = loading
        try:
            room = await self._load(wanted)
        except Refused as refusal:
            loading.set_exception(refusal)
            loading.exception()
            raise
        else:
            loading.set_result(room)
            return room
        finally:
            del self._loading[wanted]

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
            round=state.round_index if state else None,
            rounds=record.rounds,
        )

    async def _revive(self) -> None:
        since_ms = self._clock.now_ms() - REVIVE_MS
        for record in await self._store.rooms():
            if record.finished_ms is None and record.updated_ms >= since_ms:
                try:
                    await self.find_here(record.code)
                except Refused as refusal:
                    log.error(
                        "stays away: %s", refusal.detail, extra={"room": record.code}
                    )

    async def _load(self, code: RoomCode) -> Room:
        try:
            events = await self._store.load(code)
        except StoreUnavailable as exc:
            raise Refused(
                "storage_unavailable", "Cannot read the journal now."
            ) from exc
        except UnreadableEvent as exc:
            log.error("%s: see twogaps journal salvage", exc, extra={"room": code})
            raise Refused(
                "room_closed",
                "This room's journal is damaged, and what is left of it kept; whoever "
                "runs this server can take it up before the damage "
                "(twogaps journal salvage).",
            ) from exc
        if not events:
            raise Refused("unknown_room", f"No room has the code {code[:12]}.")
        state = replay(events)
        if state.home not in (None, self._name):
            self._gateway.disown(code)
            raise Refused("room_moved", f"This room has moved to {state.home}.")
        log.info("taken up again after %d events", len(events), extra={"room": code})
        return self._start(state)

    async def arrived(self, code: RoomCode) -> None:
        """Take up a room that has come from another node."""
        try:
            await self.find_here(code)
        except Refused as refusal:
            log.error("stays away: %s", refusal.detail, extra={"room": code})

    def succeeded(self, code: RoomCode, home: str, news: Announce) -> None:
        """Give a room up that another node goes on with, if it can prove its right."""
        room = self.running(code)
        if room is None or news.epoch <= room.state.epoch or self._group is None:
            return
        if news.key != epoch_key(room.state.secret, news.epoch):
            log.error("%s claims a room that lives here", home, extra={"room": code})
            return
        _, running = self._rooms.pop(code)
        event = RoomMoved(home, news.epoch, self._clock.now_ms())
        work = self._give_up(room, running, event)
        self._group.create_task(work, name=f"give-up-{code}")

    async def _give_up(
        self, room: Room, task: asyncio.Task[None], event: RoomMoved
    ) -> None:
        log.warning("lives at %s now", event.to, extra={"room": room.code})
        task.cancel()
        await asyncio.wait([task])
        self._gateway.dismiss(room.code, None, replies.MOVED)
        self._gateway.close(room.code)
        self._gateway.disown(room.code)
        try:
            version = len(await self._store.bodies(room.code))
            await self._store.append(room.code, version, [event])
        except (StoreUnavailable, VersionConflict) as exc:
            log.warning("cannot note that it moved: %s", exc, extra={"room": room.code})

    def _start(self, state: RoomState) -> Room:
        assert self._group is not None, "the directory is not running"
        key = epoch_key(state.secret, state.epoch)
        self._gateway.claim(state.code, state.epoch, key)
        room = Room(state, self._store, self._gateway, self._clock, self._metrics)
        task = self._group.create_task(self._run(room), name=f"room-{state.code}")
        self._rooms[state.code] = (room, task)
        return room

    async def _run(self, room: Room) -> None:
        """Run a room; a fault that it cannot mend closes it, and no other.

        Its journal is kept, and it is taken up again when somebody asks for it.
        """
        try:
            await room.run()
        except Exception:
            log.exception("closed", extra={"room": room.code})
            self._metrics.rooms_failed.inc()
            self._rooms.pop(room.code, None)
            self._gateway.dismiss(room.code, None, replies.ROOM_CLOSED)

    async def _fresh_code(self) -> RoomCode:
        known = {record.code for record in await self._records()}
        while True:
            drawn = (self._draw(CODE_ALPHABET) for _ in range(CODE_LENGTH))
            code = RoomCode("".join(drawn))
            if code not in known and code not in self._rooms:
                return code

    async def _records(self) -> list[RoomRecord]:
        try:
            return await self._store.rooms()
        except StoreUnavailable as exc:
            raise Refused(
                "storage_unavailable", "Cannot read the journal now."
            ) from exc

    async def _forget_old(self) -> None:
        """Remove rooms past the time they are kept for, but for those that run."""
        if not self._keep_ms:
            return
        limit_ms = self._clock.now_ms() - self._keep_ms
        try:
            for record in await self._store.rooms():
                if record.updated_ms < limit_ms and record.code not in self._rooms:
                    await self._store.delete(record.code)
                    log.info("removed after its time", extra={"room": record.code})
        except StoreUnavailable as exc:
            log.warning("old rooms stay for now: %s", exc)

    async def _sweep(self) -> None:
        """Leave no trace of what was removed; takes a while for a large journal."""
        try:
            if await self._store.sweep():
                log.info("the journal was written anew: nothing removed is left in it")
        except StoreUnavailable as exc:
            log.warning("what was removed may be in the journal still: %s", exc)

    def _tidy(self) -> None:
        """Put away rooms that nobody looks at and that are over, or have been left."""
        left_ms = self._clock.now_ms() - REVIVE_MS
        for code, (room, _) in list(self._rooms.items()):
            is_over = room.state.phase is Phase.FINISHED or room.touched_ms < left_ms
            if is_over and not room.is_attended:
                self._put_away(code)

    def _make_place(self) -> bool:
        """Put away the longest running room that nobody is in; False without one."""
        for code, (room, _) in self._rooms.items():
            if not room.is_attended:
                log.info("room %s: put away, to make place for a new one", code)
                self._put_away(code)
                return True
        return False

    def _put_away(self, code: RoomCode) -> None:
        """Stop a room. Whoever asks for it later finds it again, from its journal."""
        _, task = self._rooms.pop(code)
        task.cancel()
        self._gateway.close(code)
