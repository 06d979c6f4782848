"""The game engine: commands become events, and events become the state of a room.

``decide`` checks whether a command is allowed in the current phase, calls its guard,
and then its rule. ``can`` makes the first two checks for the host's buttons, and
docs/phases.md is generated from the same rows, which are in ``TABLE``. ``evolve`` folds
one event into the state, and ``replay`` folds a whole journal. ``commands`` and
``events`` know which feature each command and each event belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from server.game.commands import (
    FEATURES,
    CastVote,
    Command,
    FromPlace,
    FromPlan,
    asked,
)
from server.game.errors import Refused
from server.game.events import Event, RoomOpened, fold
from server.game.features import QUIET, Effects, Moment, Row, room
from server.game.ids import PlayerId
from server.game.phases import Phase
from server.game.state import RoomState

TABLE: dict[Phase, dict[str, Row]] = {
    phase: {
        row.command: row
        for feature in FEATURES
        for row in feature.ROWS
        if phase in row.leads
    }
    for phase in Phase
}
"""The commands that are allowed in each phase, by the command's type."""


def decide(
    state: RoomState, command: Command, now_ms: int, present: Set[PlayerId]
) -> list[Event]:
    """Return the events a command leads to: none if there is nothing to do.

    ``now_ms`` is UTC milliseconds, ``present`` the players who are connected now or
    were within the last 20 s. Raises :class:`Refused` if the command is not allowed;
    the state is never changed here.
    """
    found = asked(command)
    if isinstance(command, FromPlace):
        _check_seen(state, command)
    if state.phase not in found.row.leads:
        raise _not_now(state, command)
    if (refusal := found.refusal(state)) is not None:
        raise refusal
    return list(found.events(state, Moment(now_ms, present)))


def _check_seen(state: RoomState, command: FromPlace) -> None:
    """Refuse a command whose sender saw another place or another plan."""
    seen = command.seen
    if seen is None:
        return
    if not state.place.has(seen):
        raise Refused("stale", "The room had already moved on; nothing changed.")
    if isinstance(command, FromPlan) and seen.plan not in (None, state.plan_changes):
        raise Refused(
            "stale", "The plan had already been changed; nothing changed now."
        )


def can(state: RoomState, command: Command) -> bool:
    """Whether a command is allowed, as far as the state alone can tell."""
    found = asked(command)
    return state.phase in found.row.leads and found.refusal(state) is None


def _not_now(state: RoomState, command: Command) -> Refused:
    if isinstance(command, CastVote):
        return Refused("phase_closed", "No vote is open now; yours was not counted.")
    if state.phase is Phase.FINISHED:
        return Refused("room_finished", "The game is over.")
    return Refused(
        "wrong_phase", f"'{command.type}' cannot be done in phase '{state.phase}'."
    )


def evolve(state: RoomState, event: Event) -> None:
    """Fold one event into the state, in place.

    Any exception means that the event cannot follow the earlier ones, and leaves the
    state undefined: replay the journal, or close the room. Folding a vote takes the
    same time for any number of players; folding a reveal visits each of them once.
    """
    fold(state, event)
    state.version += 1


class ReplayError(Exception):
    """An event in a journal cannot be folded into the state at that point.

    ``version`` is the event's number in the journal, counting from 1; ``event_type`` is
    its type, empty if the journal contains no events. ``__cause__`` is the exception
    that the fold raised.
    """

    def __init__(self, version: int, event_type: str, detail: str) -> None:
        """``detail`` describes why the event does not fit."""
        super().__init__(f"event {version} ({event_type or 'none'}): {detail}")
        self.version = version
        self.event_type = event_type


def open_room(event: RoomOpened) -> RoomState:
    """Return the state of a room that has just been opened."""
    return room.opened(event)


def replay(events: Iterable[Event]) -> RoomState:
    """Return the state after all the events of a journal.

    Raises :class:`ReplayError` if the first is not a RoomOpened, or if an event
    does not fit those before it.
    """
    stream = iter(events)
    first = next(stream, None)
    if not isinstance(first, RoomOpened):
        found = "" if first is None else first.type
        raise ReplayError(1, found, "a journal begins with room_opened")
    state = open_room(first)
    for version, event in enumerate(stream, start=2):
        try:
            evolve(state, event)
        except Exception as exc:
            detail = f"{type(exc).__name__}: {exc}"
            raise ReplayError(version, event.type, detail) from exc
    return state


def effects_of(events: Iterable[Event]) -> Effects:
    """Return what has to be sent after these events, and to which people."""
    effects = QUIET
    for event in events:
        if event.effects is not QUIET:
            effects |= event.effects
    return effects
