"""Rooms that come from another node: files in a folder, taken up while serving.

A file is written under another name first, so that what bears a room's suffix is whole.
What has been taken is removed, what cannot be taken is kept under another name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from server.game.engine import ReplayError, replay
from server.game.ids import RoomCode
from server.journal.maintenance.parcel import SUFFIX, Parcel, ParcelError, unpack
from server.journal.store import RoomStore, StoreUnavailable, VersionConflict

log = logging.getLogger("twogaps.rooms")

LOOK_S = 1.0
REFUSED = ".refused"


class Arrivals:
    """Takes rooms from a folder into the journal, and has them taken up."""

    def __init__(
        self,
        folder: Path,
        store: RoomStore,
        name: str | None,
        arrived: Callable[[RoomCode], Awaitable[None]],
    ) -> None:
        """``name`` is this node's; ``arrived`` hears of a room once it is stored."""
        self._folder = folder
        self._store = store
        self._name = name
        self._arrived = arrived

    async def run(self) -> None:
        """Look for rooms until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Take every room that lies there."""
        for path in await asyncio.to_thread(self._found):
            try:
                parcel = unpack(await asyncio.to_thread(path.read_bytes))
                await self._take(parcel)
            except ParcelError as exc:
                log.error("%s cannot be taken: %s", path.name, exc)
                path.replace(path.with_name(path.name + REFUSED))
            except (StoreUnavailable, VersionConflict, OSError) as exc:
                log.warning("%s waits: %s", path.name, exc)
            else:
                path.unlink(missing_ok=True)
                await self._arrived(RoomCode(parcel.code))

    def _found(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    async def _take(self, parcel: Parcel) -> None:
        """Store what is new of a room: all of it, or what came since it left here."""
        if parcel.to != self._name:
            raise ParcelError(f"it is for '{parcel.to}', and this is '{self._name}'")
        events = parcel.events()
        try:
            state = replay(events)
        except ReplayError as exc:
            raise ParcelError("its events do not make a room") from exc
        if (state.code, state.home, state.epoch) != (
            parcel.code,
            parcel.to,
            parcel.epoch,
        ):
            raise ParcelError("its header is not that of its events")
        here = await self._store.bodies(state.code)
        if list(parcel.bodies[: len(here)]) != here:
            raise ParcelError("this node has gone on with the room by itself")
        if fresh := events[len(here) :]:
            await self._store.append(state.code, len(here), fresh)
        log.info("arrived, %d events", len(fresh), extra={"room": state.code})
