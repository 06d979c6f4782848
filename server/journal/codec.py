"""Events to JSON and back. Old shapes are brought up to date by their own classes.

An event class whose stored shape never changed is version 1, and nothing of that is
stored. One whose shape has changed says so itself::

    class VoteCast:
        ...
        type: Literal["vote_cast"] = "vote_cast"
        v: Literal[2] = 2                       # stored with every event
        needs: Literal["0.3.0"] = "0.3.0"       # the first program version to read it

        @staticmethod
        def upcast_v1(stored: Stored) -> Stored:
            return {**stored, "reason": ""}     # version 2 of version 1

Each ``upcast_vN`` leads from version N to N + 1, and stays for as long as journals of
version N may be read: that is, always.
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
"""Inside a text its quotation marks would be escaped."""

E = TypeVar("E")


class EventCodec(Generic[E]):
    """Encodes the events of a union of classes, and decodes all versions of them."""

    def __init__(
        self,
        one: TypeAdapter[E],
        batch: TypeAdapter[tuple[E, ...]],
        classes: Iterable[type],
    ) -> None:
        """``one`` reads an event of the union of ``classes``, ``batch`` many.

        Raises TypeError if a class has changed and an upcaster is missing.
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
        """Return events as one JSON array: its elements are what ``encode`` gives."""
        return self._batch.dump_json(events).decode()

    def decode(self, body: str) -> E:
        """Return the event stored as JSON, upcast if its shape is old.

        Raises :class:`UnreadableEvent`, which quotes nothing of what is stored.
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
    """What an event class says of its own stored shape."""

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
    """Say what is wrong, without the words that people typed."""
    error = exc.errors(include_input=False, include_url=False, include_context=False)[0]
    if error["type"] == "union_tag_invalid":
        return f"its type is unknown to {__version__}: a later version may know it"
    where = ".".join(map(str, error["loc"]))
    return f"{where}: {error['msg']}" if where else error["msg"]


_CODEC = EventCodec[Event](
    TypeAdapter(Event), TypeAdapter(tuple[Event, ...]), classes_of(Event)
)


def release_of(text: str) -> list[int]:
    """Return the numbers of a version, such as [0, 2, 0]; what follows them is left."""
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
"""What this program can read: its version, or that of its newest event, which comes
before the release that has it."""

encode = _CODEC.encode
encode_all = _CODEC.encode_all
decode = _CODEC.decode


def decode_all(room: RoomCode, bodies: Sequence[str]) -> list[Event]:
    """Return the events of a room; raises :class:`DamagedRoom` at an unreadable one."""
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
    """Yield version (from 1) and new body of each event that holds a player's words."""
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
    """Return what a room is called after these events; None if they do not say."""
    given = [e.name for e in map(decode, bodies) if isinstance(e, RoomNamed)]
    return given[-1] if given else None
