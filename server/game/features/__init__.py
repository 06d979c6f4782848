"""The features of the game, one module each, and the types that they share.

``room`` (opening, moving, settings, locks), ``people`` (joining, names, teams),
``removal`` (removing people, and letting them back in), ``timing`` (deadlines and
allowances), ``ballots`` (opening and closing).

``voting`` (votes and their reasons), ``course`` (examples, rounds, the end),
``discussion`` (contrast and groups), ``reveal`` (tallies and breakdown), ``saying``.

``challenging`` (challenges to a label), ``steering`` (the plan, an earlier reveal, the
clock), ``opening`` (the opening minute).

Each feature defines its commands, its events and their recipients, its rules and folds,
and what is blanked when a person is erased. ``server.game.engine`` combines all
features; the unions of their commands and events are in ``commands`` and ``events``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import ConfigDict

from server.game.errors import Refused
from server.game.ids import PlayerId, Ref
from server.game.phases import Phase, Place
from server.game.state import RoomState

C = TypeVar("C")
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a command is decided (UTC ms), and which players are present then."""

    now_ms: int
    present: Set[PlayerId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FromHost:
    """The base of every command that a host or co-host sends."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    ref: Ref = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FromPlace(FromHost):
    """The base of every command whose meaning depends on the room's current place.

    ``seen`` is the place that the sender saw. If the room is no longer there, the
    command is refused as ``stale``.
    """

    seen: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FromPlan(FromPlace):
    """The base of every command whose meaning also depends on the plan.

    It is also refused as ``stale`` if the plan has been changed since ``seen``.
    """


# --- rules ---------------------------------------------------------------------------

Leads = Mapping[Phase, tuple[Phase, ...]]
"""The phases in which a command is allowed, each with the phases that it may lead to.
An empty tuple means that the phase does not change."""


def stays(phases: Iterable[Phase]) -> dict[Phase, tuple[Phase, ...]]:
    """Return the leads of a command that is allowed in these phases and keeps them."""
    return dict.fromkeys(phases, ())


def leads(phases: Iterable[Phase], *to: Phase) -> dict[Phase, tuple[Phase, ...]]:
    """Return the leads of a command that goes from these phases to one of ``to``."""
    return dict.fromkeys(phases, to)


@dataclass(frozen=True, slots=True)
class Row:
    """The part of a rule that appears in the table, the diagram and the docs."""

    command: str
    """The command's type."""
    leads: Leads
    when: str = ""
    """The guard in words, and any condition that depends on the moment."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[E_co]):
    """A command with its rule: whether it is allowed, and which events it leads to."""

    row: Row
    refusal: Callable[[RoomState], Refused | None]
    """The guard: why the command is not allowed in this state; None if it is."""
    events: Callable[[RoomState, Moment], Sequence[E_co]]
    """The events it leads to; raises Refused if the moment does not allow it."""


def _free(_: RoomState, __: object) -> None:
    """Allow the command in every state."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[C, E_co]):
    """How one command is decided.

    Both ``decide`` and the host's buttons call ``guard``, which only gets the state.
    ``events`` may also refuse, if that depends on the moment or on one person.
    """

    row: Row
    events: Callable[[RoomState, C, Moment], Sequence[E_co]]
    guard: Callable[[RoomState, C], Refused | None] = _free

    def of(self, command: C) -> Asked[E_co]:
        """Return a command together with this rule."""
        return Asked(
            self.row,
            lambda state: self.guard(state, command),
            lambda state, moment: self.events(state, command, moment),
        )


def active(state: RoomState, player: PlayerId) -> None:
    """Raise :class:`Refused` if the person is not, or is no longer, in the room."""
    found = state.players.get(player)
    if found is None:
        raise Refused("unknown_player", "No such player in this room.")
    if found.is_kicked:
        raise Refused("kicked", "The host removed this player from the room.")


# --- recipients of an event ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effects:
    """What has to be sent after events, besides figures, which follow every event.

    Updates of figures are coalesced.
    """

    stage: bool = False
    """The class sees another view: sent to everyone immediately."""
    results: bool = False
    """Every player's own result has become visible."""
    timed: bool = False
    """It affects people whose time limit differs from that of the class."""
    persons: frozenset[PlayerId] = frozenset()
    """Players whose private view has changed."""
    kicked: tuple[PlayerId, ...] = ()
    called_back: frozenset[Literal["host", "cohost"]] = frozenset()
    """Roles whose links were revoked."""

    def __or__(self, other: Effects) -> Effects:
        """Return the effects of both."""
        return Effects(
            self.stage or other.stage,
            self.results or other.results,
            self.timed or other.timed,
            self.persons | other.persons,
            self.kicked + other.kicked,
            self.called_back | other.called_back,
        )


QUIET = Effects()
STAGE = Effects(stage=True)
STAGE_AND_TIMED = Effects(stage=True, timed=True)
TIMED = Effects(timed=True)
