"""The phases of a game, its ballots, and the steps of the breakdown.

The rules of the features define which commands are allowed in each phase and which
phases they lead to. ``server.game.engine.TABLE`` contains all of these rules, and
docs/phases.md shows them as a diagram.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, get_args

from pydantic import ConfigDict

from scenarios.model import Case, Flow


class Phase(StrEnum):
    """The phases of a room."""

    LOBBY = "lobby"
    OPENING = "opening"
    EXAMPLE = "example"
    READ = "read"
    VOTE = "vote"
    VOTE_CLOSED = "vote_closed"
    CONTRAST = "contrast"
    DISCUSS = "discuss"
    REVOTE = "revote"
    REVOTE_CLOSED = "revote_closed"
    REVEAL = "reveal"
    SAY = "say"
    FIX = "fix"
    FIX_REVEAL = "fix_reveal"
    TRANSFER = "transfer"
    TRANSFER_REVEAL = "transfer_reveal"
    FINISHED = "finished"


GAME = tuple(phase for phase in Phase if phase is not Phase.FINISHED)
"""Every phase of a game that is not over."""

BEFORE_ROUNDS = (Phase.LOBBY, Phase.OPENING, Phase.EXAMPLE)
"""Phases that belong to no round, and from which a round can be opened."""

ROUND = tuple(phase for phase in GAME if phase not in BEFORE_ROUNDS)
"""Every phase of a round."""

AFTER_REVEAL = (Phase.REVEAL, Phase.SAY, Phase.FIX_REVEAL, Phase.TRANSFER_REVEAL)
"""Phases from which a revealed round can continue, or another round can be opened."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place in the game for which a command was decided."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    round: int | None
    """Index of the round (0-based), None before the first."""
    phase: Phase
    step: int = 0
    """Of the breakdown in ``reveal``, of the minute in ``opening``, of the worked
    examples in ``example``; else 0."""
    plan: int | None = None
    """How often the plan has been changed. None in a command: it may be any plan."""

    def has(self, seen: Place) -> bool:
        """Whether a command's sender saw this place, with this plan or another."""
        return (seen.round, seen.phase, seen.step) == (
            self.round,
            self.phase,
            self.step,
        )


class Ballot(StrEnum):
    """The four questions that players answer; each has a phase of the same name."""

    VOTE = "vote"
    REVOTE = "revote"
    FIX = "fix"
    TRANSFER = "transfer"

    @property
    def phase(self) -> Phase:
        """The phase in which this ballot is open."""
        return Phase(self.value)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of a ballot's clock; ``to_ms`` is None until it ends."""

    from_ms: int
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A time during which a ballot was open; a reopened ballot has more than one."""

    opened_ms: int
    deadline_ms: int | None
    pauses: tuple[Pause, ...] = ()

    def limit_ms(self, until_ms: int | None) -> int:
        """Return the time from opening to a deadline, without pauses; 0 without one."""
        if until_ms is None:
            return 0
        ended = (p.to_ms - p.from_ms for p in self.pauses if p.to_ms is not None)
        return until_ms - self.opened_ms - sum(ended)

    def elapsed_ms(self, at_ms: int) -> int:
        """Return how long the clock had been running at a given time."""
        stood_ms = 0
        for pause in self.pauses:
            to_ms = at_ms if pause.to_ms is None else min(at_ms, pause.to_ms)
            stood_ms += max(0, to_ms - pause.from_ms)
        return at_ms - self.opened_ms - stood_ms


MOST_PRACTICE = 100
"""The maximum number of times that cases can be played again in one room."""

PRACTICE_FROM = 900
"""The index of the first practice round. In old rooms, whose plans could not grow,
the indices of practice rounds follow those of the plan."""

CLOSES_TO = {
    Ballot.VOTE: Phase.VOTE_CLOSED,
    Ballot.REVOTE: Phase.REVOTE_CLOSED,
    Ballot.FIX: Phase.FIX_REVEAL,
    Ballot.TRANSFER: Phase.TRANSFER_REVEAL,
}
"""The phase that closing a ballot leads to."""

REOPENS = {CLOSES_TO[ballot]: ballot for ballot in (Ballot.VOTE, Ballot.REVOTE)}
"""The ballot that can be reopened, by the phase in which it is closed."""

OPEN_BALLOT = {ballot.phase: ballot for ballot in Ballot}
"""The ballot that is open in a phase, for the phases that have one."""


# --- the steps of the breakdown: both tallies, then the three stations from left to
# right, then the verdict, then the explanations

StepKey = Literal[
    "tallies",
    "intended",
    "written",
    "learned",
    "verdict",
    "why_not",
    "flip",
    "fix",
    "beyond",
    "say",
]
STEPS: tuple[StepKey, ...] = get_args(StepKey)
LAST_STEP = len(STEPS) - 1
VERDICT_STEP = STEPS.index("verdict")
"""From this step on, players see whether they were right."""

_FOUR = tuple(STEPS.index(key) for key in ("tallies", "learned", "verdict", "say"))
_THREE = tuple(STEPS.index(key) for key in ("tallies", "verdict", "say"))

STOPS: dict[Flow, tuple[int, ...]] = {"quick": _THREE, "full": _FOUR, "test": _FOUR}
"""The steps at which a reveal stops: the tallies, the line, the verdict, the expert.
The steps between two of them are details for hosts who ask for them. The quick flow
shows the line in the diagram of its verdict."""

CLOSES_IN_TIME: dict[Flow, frozenset[Ballot]] = {
    "quick": frozenset(Ballot),
    "full": frozenset((Ballot.FIX, Ballot.TRANSFER)),
    "test": frozenset(),
}
"""The ballots that a flow closes when their time is up. Every flow closes a ballot once
all have answered; in a lesson and in a test, time alone never ends a vote."""


def step_texts(case: Case, key: StepKey) -> dict[str, str]:
    """Return the texts of one step, by the names of their fields in the breakdown."""
    told = case.breakdown
    match key:
        case "tallies":
            return {}
        case "intended":
            return {"intended": told.intended}
        case "written":
            return {"written": told.written}
        case "learned":
            return {"learned": told.learned}
        case "verdict":
            contested = {"contested": case.contested} if case.contested else {}
            return {"broke": told.broke, "why": told.why, **contested}
        case "why_not":
            return {"why_not": told.why_not, "tempting": case.tempting}
        case "flip":
            return {"flip": told.flip}
        case "fix":
            return {"fix": told.fix, "owner": told.owner}
        case "beyond":
            return {"more_capable": told.more_capable, "residual": told.residual}
        case "say":
            return {"say": told.say}


# --- what players learn about a case after its reveal --------------------------------

RECORDS = {
    "AIID": ("AI Incident Database", "https://incidentdatabase.ai/cite/"),
    "OECD": ("OECD AI Incidents Monitor", "https://oecd.ai/en/incidents/"),
}
"""The public records of incidents: their names, and the addresses of their entries."""


def records_of(case: Case) -> tuple[str, ...]:
    """Return a case's entries in records of incidents, as shown to readers."""
    return tuple(
        f"{name} {entry}, {address}{entry}"
        for kind, _, entry in (one.partition(" ") for one in case.incidents)
        for name, address in (RECORDS[kind],)
    )
