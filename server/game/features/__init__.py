"""The features of the game, one module each, and what every feature is made of.

``room`` (opening, moving, settings, locks), ``people`` (joining, names, teams),
``removal`` (removing people, and letting them back in), ``timing`` (deadlines and
allowances), ``ballots`` (opening and closing).

``voting`` (votes and their reasons), ``course`` (examples, rounds, the end),
``discussion`` (contrast and groups), ``reveal`` (tallies and breakdown), ``saying``.

``challenging`` (sentences against a label), ``steering`` (the plan, an earlier reveal,
the clock).

A feature holds its commands, its events and their recipients, its rules, its folds,
and what erasing a person blanks. ``server.game.engine`` is where all of them meet; the
unions of their commands and events are in ``commands`` and ``events``.
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
    """The base of every command whose meaning depends on where the room is.

    ``seen`` is the place it was decided on: anywhere else it is refused as ``stale``.
    """

    seen: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FromPlan(FromPlace):
    """The base of every command whose meaning depends on the plan as well.

    It is also refused as ``stale`` if the plan has been changed since ``seen``.
    """


# --- rules ---------------------------------------------------------------------------

Leads = Mapping[Phase, tuple[Phase, ...]]
"""The phases in which a command may be given, and where it may lead from each of them;
empty: the phase stays as it is."""


def stays(phases: Iterable[Phase]) -> dict[Phase, tuple[Phase, ...]]:
    """Return that a command may be given in these phases and leaves each as it is."""
    return dict.fromkeys(phases, ())


def leads(phases: Iterable[Phase], *to: Phase) -> dict[Phase, tuple[Phase, ...]]:
    """Return that a command leads from each of these phases to one of others."""
    return dict.fromkeys(phases, to)


@dataclass(frozen=True, slots=True)
class Row:
    """What the table, the diagram and the docs read of a rule."""

    command: str
    """The command's type."""
    leads: Leads
    when: str = ""
    """The guard in words, with what only the moment decides."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[E_co]):
    """A command with its rule: may it be given, and to what events does it lead?"""

    row: Row
    refusal: Callable[[RoomState], Refused | None]
    """The guard: why the command cannot be given in this state, None if it can."""
    events: Callable[[RoomState, Moment], Sequence[E_co]]
    """The events it leads to; raises Refused if the moment does not allow it."""


def _free(_: RoomState, __: object) -> None:
    """Let a command through."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[C, E_co]):
    """How one command is decided.

    ``guard`` is asked by ``decide`` and by the host's buttons; it sees the state alone.
    ``events`` may refuse, too, for what depends on the moment or on one person.
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
    """Refuse a command for a person who is not, or no longer, in the room."""
    found = state.players.get(player)
    if found is None:
        raise Refused("unknown_player", "No such player in this room.")
    if found.is_kicked:
        raise Refused("kicked", "The host removed this player from the room.")


# --- recipients of an event ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effects:
    """What has to be sent after events; figures are sent after any, coalesced."""

    stage: bool = False
    """The class sees another view: sent to everyone immediately."""
    results: bool = False
    """Every player's own result has become visible."""
    timed: bool = False
    """It matters to people whose time differs from that of the class."""
    persons: frozenset[PlayerId] = frozenset()
    """Players whose private part has changed."""
    kicked: tuple[PlayerId, ...] = ()
    called_back: frozenset[Literal["host", "cohost"]] = frozenset()
    """Roles whose links were called back."""

    def __or__(self, other: Effects) -> Effects:
        """Return what both call for."""
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
