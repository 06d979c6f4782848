"""Events to JSON and back, with upcasters for shapes of the past."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from server.game.events import Event
from server.journal.store import UnreadableEvent

_EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
_BATCHES: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])

UPCASTERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By stored type: turns the JSON of a shape we no longer write into today's."""


def encode(event: Event) -> str:
    """Return an event as one line of JSON."""
    return _EVENTS.dump_json(event).decode()


def encode_all(events: tuple[Event, ...]) -> str:
    """Return events as one JSON array: its elements are what ``encode`` gives."""
    return _BATCHES.dump_json(events).decode()


def decode(body: str) -> Event:
    """Return the event stored as JSON, upcast where its shape is old.

    Raises :class:`UnreadableEvent`.
    """
    try:
        if UPCASTERS:
            raw = json.loads(body)
            while upcast := UPCASTERS.get(raw.get("type", "")):
                raw = upcast(raw)
            return _EVENTS.validate_python(raw)
        return _EVENTS.validate_json(body)
    except (ValidationError, ValueError, AttributeError) as exc:
        raise UnreadableEvent(f"cannot read event {body[:80]!r}: {exc}") from exc
