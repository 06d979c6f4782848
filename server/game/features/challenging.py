"""Challenging a label: a sentence against it, once the class has seen the verdict.

Players, the host and co-hosts have one each on every case. Nothing is scored by it;
hosts read it with names, and the report counts it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from server.game.errors import Refused
from server.game.features import (
    QUIET,
    Asked,
    Effects,
    Moment,
    Row,
    Rule,
    active,
    stays,
)
from server.game.features.reveal import verdict_is_shown
from server.game.ids import Challenger, Ref
from server.game.names import one_line
from server.game.phases import Phase
from server.game.state import RoomState

CHALLENGE_LENGTH = 280
"""Characters of a challenge that are kept."""

# --- the command ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChallengeLabel:
    """Someone says in a sentence why the label of a case is wrong.

    A new sentence replaces their last one on this case; an empty one takes it back.
    """

    by: Challenger
    round: int
    text: str
    ref: Ref = None
    type: Literal["challenge_label"] = "challenge_label"


Commands = ChallengeLabel

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LabelChallenged:
    """A sentence against the label of a case, first or changed."""

    by: Challenger
    round: int
    text: str
    """Empty only if the words of its author were erased."""
    at_ms: int
    type: Literal["label_challenged"] = "label_challenged"

    @property
    def effects(self) -> Effects:
        """The author's phone shows it; hosts and co-hosts get it with the figures."""
        return _own(self.by)


@dataclass(frozen=True, slots=True)
class ChallengeWithdrawn:
    """A sentence against the label of a case was taken back."""

    by: Challenger
    round: int
    at_ms: int
    type: Literal["challenge_withdrawn"] = "challenge_withdrawn"

    @property
    def effects(self) -> Effects:
        """As of the sentence itself."""
        return _own(self.by)


Events = LabelChallenged | ChallengeWithdrawn


def _own(by: Challenger) -> Effects:
    return QUIET if by.player is None else Effects(persons=frozenset({by.player}))


# --- the rule ------------------------------------------------------------------------


def _is_told(state: RoomState, command: ChallengeLabel) -> Refused | None:
    """Practice rounds have indices of their own, and rounds of a test no reveal."""
    index = command.round
    is_planned = index < len(state.rounds) and index not in state.practice
    if is_planned and verdict_is_shown(state, state.rounds[index]):
        return None
    detail = (
        "A label can be challenged once the class has seen it, but not in practice."
    )
    return Refused("bad_round", detail)


def _challenge(
    state: RoomState, command: ChallengeLabel, moment: Moment
) -> list[Events]:
    """Keep a sentence; the same one again changes nothing, an empty one goes back."""
    if command.by.player is not None:
        active(state, command.by.player)
    text = one_line(command.text, CHALLENGE_LENGTH)
    stands = state.rounds[command.round].challenges.get(command.by)
    if text == (stands or ""):
        return []
    if not text:
        return [ChallengeWithdrawn(command.by, command.round, moment.now_ms)]
    return [LabelChallenged(command.by, command.round, text, moment.now_ms)]


CHALLENGE_LABEL = Rule(
    Row(
        "challenge_label",
        stays(Phase),
        "the class has seen the case's verdict; not in practice",
    ),
    _challenge,
    _is_told,
)
ROWS = (CHALLENGE_LABEL.row,)


def asked(command: Commands) -> Asked[Events]:
    """Return the command with its rule."""
    return CHALLENGE_LABEL.of(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state; the newest sentence is the last one."""
    challenges = state.rounds[event.round].challenges
    challenges.pop(event.by, None)
    match event:
        case LabelChallenged(by=by, text=text):
            challenges[by] = text
        case ChallengeWithdrawn():
            pass
        case _:
            assert_never(event)


def erased(event: LabelChallenged) -> LabelChallenged:
    """Return a challenge without its words, which were erased: counted, and empty."""
    return replace(event, text="")
