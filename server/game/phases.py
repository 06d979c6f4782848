"""The phases of a game and the table of what may be done in each.

The table is data: ``TABLE[phase][command]`` says where a command may lead. ``decide``
looks every command up here first, a test checks that no command ever leads elsewhere,
and docs/phases.md draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from scenarios.model import Case


class Phase(StrEnum):
    """Where a room is."""

    LOBBY = "lobby"
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


class Ballot(StrEnum):
    """The four things a class is asked; each has the phase of the same name."""

    VOTE = "vote"
    REVOTE = "revote"
    FIX = "fix"
    TRANSFER = "transfer"

    @property
    def phase(self) -> Phase:
        """The phase in which this ballot is open."""
        return Phase(self.value)


CLOSES_TO = {
    Ballot.VOTE: Phase.VOTE_CLOSED,
    Ballot.REVOTE: Phase.REVOTE_CLOSED,
    Ballot.FIX: Phase.FIX_REVEAL,
    Ballot.TRANSFER: Phase.TRANSFER_REVEAL,
}
"""Where a ballot's close leads."""

OPEN_BALLOT = {ballot.phase: ballot for ballot in Ballot}
"""The ballot that is open in a phase, for the phases that have one."""


# --- the steps of the breakdown: both tallies, then the three stations from left to
# right, then the gap that broke, then what to make of it

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
"""From this step on players are told whether they were right."""


def step_texts(case: Case, key: StepKey) -> dict[str, str]:
    """Return the texts of one step, by the name of their field in the breakdown."""
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


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a command may lead. Empty ``to``: the phase stays as it is."""

    to: tuple[Phase, ...] = ()
    when: str = ""


_STAY = Rule()
_ROUND = Rule((Phase.READ, Phase.VOTE_CLOSED, Phase.REVOTE_CLOSED), "a round is left")
_NEXT = Rule((*_ROUND.to, Phase.FINISHED), "finished when no round is left")

_ALWAYS: dict[str, Rule] = {
    "join": _STAY,
    "ask_time": _STAY,
    "choose_team": _STAY,
    "lock": _STAY,
    "unlock": _STAY,
    "kick": _STAY,
    "rename": _STAY,
    "set_team": _STAY,
    "change_settings": _STAY,
    "resume": _STAY,
    "tick": _STAY,
    "finish": Rule((Phase.FINISHED,)),
}
_IN_ROUND: dict[str, Rule] = {
    **_ALWAYS,
    "pin_reason": _STAY,
    "unpin_reason": _STAY,
    "cast_vote": Rule((), "its ballot is open, or it was stamped in time"),
    "skip_round": _NEXT,
    "back_to_lobby": Rule((Phase.LOBBY,)),
}
_REVEAL = Rule((Phase.REVEAL,))
_AFTER_REVEAL: dict[str, Rule] = {
    **_IN_ROUND,
    "next_step": _STAY,
    "ask_fix": Rule((Phase.FIX,), "not asked before"),
    "transfer": Rule((Phase.TRANSFER,), "the round has a transfer case"),
    "open_round": _ROUND,
}


def _closing(*to: Phase) -> dict[str, Rule]:
    return {
        **_IN_ROUND,
        "close_votes": Rule(to, "no allowance runs, or 20 s after a warning"),
        "tick": Rule(to, "time is up and auto_close is on, or a warning has run out"),
        "give_time": _STAY,
    }


TABLE: dict[Phase, dict[str, Rule]] = {
    Phase.LOBBY: {
        **_ALWAYS,
        "show_example": Rule((Phase.EXAMPLE,), "the deck opens with worked examples"),
        "open_round": _ROUND,
    },
    Phase.EXAMPLE: {
        **_ALWAYS,
        "show_example": Rule((Phase.EXAMPLE,), "another example is left"),
        "open_round": _ROUND,
        "back_to_lobby": Rule((Phase.LOBBY,)),
    },
    Phase.READ: {**_IN_ROUND, "open_vote": Rule((Phase.VOTE,))},
    Phase.VOTE: _closing(Phase.VOTE_CLOSED),
    Phase.VOTE_CLOSED: {
        **_IN_ROUND,
        "contrast": Rule((Phase.CONTRAST,), "the round has a contrast case"),
        "discuss": Rule((Phase.DISCUSS,)),
        "revote": Rule((Phase.REVOTE,)),
        "reveal": _REVEAL,
    },
    Phase.CONTRAST: {
        **_IN_ROUND,
        "discuss": Rule((Phase.DISCUSS,)),
        "revote": Rule((Phase.REVOTE,)),
        "reveal": _REVEAL,
    },
    Phase.DISCUSS: {
        **_IN_ROUND,
        "contrast": Rule((Phase.CONTRAST,), "the round has a contrast case"),
        "revote": Rule((Phase.REVOTE,)),
        "reveal": _REVEAL,
        "give_time": _STAY,
    },
    Phase.REVOTE: _closing(Phase.REVOTE_CLOSED),
    Phase.REVOTE_CLOSED: {**_IN_ROUND, "reveal": _REVEAL},
    Phase.REVEAL: {
        **_AFTER_REVEAL,
        "ask_say": Rule((Phase.SAY,), "between the verdict and the expert's sentence"),
    },
    Phase.SAY: {
        **_AFTER_REVEAL,
        "next_step": Rule((Phase.REVEAL,)),
        "say_it": _STAY,
    },
    Phase.FIX: _closing(Phase.FIX_REVEAL),
    Phase.FIX_REVEAL: _AFTER_REVEAL,
    Phase.TRANSFER: _closing(Phase.TRANSFER_REVEAL),
    Phase.TRANSFER_REVEAL: {**_AFTER_REVEAL},
    Phase.FINISHED: {
        "cast_vote": Rule((), "kept as late where it was stamped in time"),
        "say_it": _STAY,
        "resume": _STAY,
        "tick": _STAY,
    },
}
