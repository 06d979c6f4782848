"""Converts events to JSON and back; each event class upgrades its own older shapes.

An event class whose stored shape has never changed is at version 1, which is not stored
with its events. A class whose shape has changed declares its version::

    class VoteCast:
        ...
        type: Literal["vote_cast"] = "vote_cast"
        v: Literal[2] = 2                       # stored with every event
        needs: Literal["0.3.0"] = "0.3.0"       # the first program version to read it

        @staticmethod
        def upcast_v1(stored: Stored) -> Stored:
            return {**stored, "reason": ""}     # version 2 of version 1

Each ``upcast_vN`` converts version N to version N + 1. It is never removed, because
journals of every version must remain readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Generic, TypeVar, get_args

from pydantic import JsonValue, TypeAdapter, ValidationError

from server import __version__
from server.game.events import (
    Event,
    PlayerJoined,
    PlayerRenamed,
    RoomNamed,
    erased,
)
from server.game.ids import PlayerId, RoomCode
from server.journal.store import DamagedRoom, UnreadableEvent

Stored = dict[str, JsonValue]
"""The fields of an event as they are stored."""

_STORED: TypeAdapter[Stored] = TypeAdapter(Stored)
_VERSIONED = '"v":'
"""Cannot match inside a text, where the quotation marks would be escaped."""

E = TypeVar("E")


class EventCodec(Generic[E]):
    """Encodes the events of a union of classes, and decodes all their versions."""

    def __init__(
        self,
        one: TypeAdapter[E],
        batch: TypeAdapter[tuple[E, ...]],
        classes: Iterable[type],
    ) -> None:
        """``one`` handles a single event of the union of ``classes``, ``batch`` many.

        Raises TypeError if a class whose shape has changed lacks an upcaster.
        """
        self._one = one
        self._batch = batch
        kinds = map(_Kind, classes)
        self._changed = {kind.type: kind for kind in kinds if kind.version > 1}
        self._marks = tuple(f'"{name}"' for name in self._changed)

    def encode(self, event: E) -> str:
        """Return an event as one line of JSON."""
        return self._one.dump_json(event).decode()

    def encode_all(self, events: tuple[E, ...]) -> str:
        """Return events as one JSON array, with elements as ``encode`` returns them."""
        return self._batch.dump_json(events).decode()

    def decode(self, body: str) -> E:
        """Return the event that is stored as JSON; an old shape is upcast.

        Raises :class:`UnreadableEvent`, whose message never quotes the stored text.
        """
        try:
            if _VERSIONED in body or (self._marks and self._has_changed(body)):
                return self._one.validate_python(self._upcast(body))
            return self._one.validate_json(body)
        except ValidationError as exc:
            raise UnreadableEvent(f"it cannot be read ({_first(exc)})") from exc
        except (ValueError, LookupError, TypeError, AttributeError) as exc:
            name = type(exc).__name__
            raise UnreadableEvent(f"it cannot be read ({name})") from exc

    def _has_changed(self, body: str) -> bool:
        """Whether an event may be of a class whose shape has changed."""
        return any(mark in body for mark in self._marks)

    def _upcast(self, body: str) -> Stored:
        stored = _STORED.validate_json(body)
        version, kind = stored.get("v", 1), self._changed.get(str(stored.get("type")))
        newest = kind.version if kind else 1
        if not isinstance(version, int) or not 1 <= version <= newest:
            needs = stored.get("needs", "a later version")
            raise UnreadableEvent(
                f"it needs Two Gaps {needs}, and this is {__version__}: update first"
            )
        if kind is not None:
            for upcast in kind.upcasters[version - 1 :]:
                stored = upcast(stored)
            stored |= {"v": kind.version, "needs": kind.needs}
        return stored


class _Kind:
    """What an event class declares about its own stored shape."""

    def __init__(self, event: type) -> None:
        if not is_dataclass(event):
            raise TypeError(f"{event.__name__} is not an event: it is not a dataclass")
        constants = {field.name: field.default for field in fields(event)}
        self.type = str(constants["type"])
        self.needs = str(constants.get("needs", ""))
        version = constants.get("v", 1)
        if not isinstance(version, int):
            raise TypeError(f"{event.__name__}.v must be a whole number")
        self.version = version
        self.upcasters: list[Callable[[Stored], Stored]] = []
        for old in range(1, self.version):
            upcast = getattr(event, f"upcast_v{old}", None)
            if upcast is None or not self.needs:
                raise TypeError(f"{event.__name__} lacks upcast_v{old}, or 'needs'")
            self.upcasters.append(upcast)


def classes_of(union: object) -> Iterator[type]:
    """Yield the event classes of a union, which may be annotated."""
    if isinstance(union, type) and is_dataclass(union):
        yield union
    for part in get_args(union):
        yield from classes_of(part)


def _first(exc: ValidationError) -> str:
    """Describe the first error, without quoting anything that people typed."""
    error = exc.errors(include_input=False, include_url=False, include_context=False)[0]
    if error["type"] == "union_tag_invalid":
        return f"its type is unknown to {__version__}: a later version may know it"
    where = ".".join(map(str, error["loc"]))
    return f"{where}: {error['msg']}" if where else error["msg"]


_CODEC = EventCodec[Event](
    TypeAdapter(Event), TypeAdapter(tuple[Event, ...]), classes_of(Event)
)


def release_of(text: str) -> list[int]:
    """Return the numbers of a version, such as [0, 2, 0]; suffixes are ignored."""
    numbers = text.split("+")[0].split(".")
    return [int(number) for number in numbers if number.isdecimal()]


def oldest_reader(events: Iterable[Event]) -> list[int]:
    """Return the oldest version that can read these events; [0] for all versions."""
    needed = {str(getattr(event, "needs", "0")) for event in events}
    return max(map(release_of, needed), default=[0])


READS = max(
    release_of(text)
    for text in (__version__, *(_Kind(k).needs for k in classes_of(Event)))
)
"""The newest version whose journals this program can read: its own, or the one that its
newest event needs, which may not be released yet."""

encode = _CODEC.encode
encode_all = _CODEC.encode_all
decode = _CODEC.decode


def decode_all(room: RoomCode, bodies: Sequence[str]) -> list[Event]:
    """Return the events of a room. Raises :class:`DamagedRoom` if one is unreadable."""
    events = []
    for version, body in enumerate(bodies, start=1):
        try:
            events.append(decode(body))
        except UnreadableEvent as exc:
            raise DamagedRoom(room, version, str(exc)) from exc
    return events


def forgotten(
    bodies: Iterable[str], player: PlayerId, name: str
) -> Iterator[tuple[int, str]]:
    """Yield version (from 1) and new body of each event with a player's words."""
    events = [decode(body) for body in bodies]
    names = {
        event.name
        for event in events
        if isinstance(event, PlayerJoined | PlayerRenamed) and event.player == player
    }
    for version, event in enumerate(events, start=1):
        rest = erased(event, player, name, names)
        if rest != event:
            yield version, encode(rest)


def name_in(bodies: Iterable[str]) -> str | None:
    """Return a room's name after these events; None if they do not contain one."""
    given = [e.name for e in map(decode, bodies) if isinstance(e, RoomNamed)]
    return given[-1] if given else None
