"""Keeping a room's line in the table of rooms: a small fold over its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.game.events import Event, GameFinished, PlayerJoined, RoomOpened
from server.game.ids import RoomCode
from server.journal.store import RoomRecord


def record_of(
    old: RoomRecord | None, room: RoomCode, events: Sequence[Event]
) -> RoomRecord:
    """Return the record of a room after more events."""
    record = old or RoomRecord(room, "", 0, 0, 0, None, joined=0, version=0)
    for event in events:
        record = _fold(record, event)
    latest_ms = max((getattr(event, "at_ms", 0) for event in events), default=0)
    return replace(
        record,
        version=record.version + len(events),
        updated_ms=max(record.updated_ms, latest_ms),
    )


def _fold(record: RoomRecord, event: Event) -> RoomRecord:
    match event:
        case RoomOpened():
            return replace(
                record,
                title=event.plan.title,
                rounds=len(event.plan.rounds),
                opened_ms=event.at_ms,
            )
        case PlayerJoined():
            return replace(record, joined=record.joined + 1)
        case GameFinished():
            return replace(record, finished_ms=event.at_ms)
        case _:
            return record
