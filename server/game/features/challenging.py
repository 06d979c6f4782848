"""Challenges to a case's label, once the class has seen the verdict.

Each player, the host and each co-host can write one sentence about each case.
Challenges do not affect the score; hosts see them with names, and the report counts
them.
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
"""The maximum length of a challenge, in characters; longer ones are cut."""

# --- the command ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChallengeLabel:
    """A person explains in one sentence why the label of a case is wrong.

    A new sentence replaces their last one about this case; an empty one withdraws it.
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
    """A person challenged the label of a case, or changed their challenge."""

    by: Challenger
    round: int
    text: str
    """Empty only if the author's words have been erased."""
    at_ms: int
    type: Literal["label_challenged"] = "label_challenged"

    @property
    def effects(self) -> Effects:
        """The author's phone shows it; hosts and co-hosts get it with the figures."""
        return _own(self.by)


@dataclass(frozen=True, slots=True)
class ChallengeWithdrawn:
    """A challenge to the label of a case was withdrawn."""

    by: Challenger
    round: int
    at_ms: int
    type: Literal["challenge_withdrawn"] = "challenge_withdrawn"

    @property
    def effects(self) -> Effects:
        """The same as for the challenge itself."""
        return _own(self.by)


Events = LabelChallenged | ChallengeWithdrawn


def _own(by: Challenger) -> Effects:
    return QUIET if by.player is None else Effects(persons=frozenset({by.player}))


# --- the rule ------------------------------------------------------------------------


def _is_told(state: RoomState, command: ChallengeLabel) -> Refused | None:
    """Refuse a challenge to a verdict that the class has not seen, or in practice.

    Practice rounds have separate indices, and rounds of a test are not revealed.
    """
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
    """Store a challenge; repeating it changes nothing, an empty one withdraws it."""
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
    """Fold an event into the state; the newest challenge is the last one."""
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
    """Return the challenge with an empty text, so that it still counts."""
    return replace(event, text="")
