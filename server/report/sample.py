"""Which answers count: those of people (not practice players) in revealed rounds.

Cases that cannot be judged fairly are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scenarios.model import Case
from server.game.answers import FixAnswer
from server.game.ids import PlayerId
from server.game.outcomes import is_judged, is_known
from server.game.phases import Ballot
from server.game.scoring import confidences, is_right
from server.game.state import RoomState, Round, Vote


@dataclass(frozen=True, slots=True)
class Counted:
    """One answer that counts, to a case that is scored."""

    player: PlayerId
    round: int
    case: Case
    vote: Vote

    @property
    def is_right(self) -> bool:
        """Whether the answer is right; with two links, both must be right."""
        return is_right(self.vote.answer, self.case)

    @property
    def confidence(self) -> int | None:
        """The confidence in percent, if the answer is one gap with a confidence."""
        chips = confidences(self.vote.answer)
        return chips[0] if len(chips) == 1 and self.vote.answer.kind == "gap" else None


def revealed(state: RoomState) -> Iterator[tuple[int, Round]]:
    """Yield the rounds that were played to the end, each with its index."""
    for index, round_ in enumerate(state.rounds):
        if round_.is_counted:
            yield index, round_


def votes(state: RoomState, round_: Round, ballot: Ballot) -> dict[PlayerId, Vote]:
    """Return the votes of players who count; empty if the ballot was not held."""
    poll = round_.polls.get(ballot)
    if poll is None:
        return {}
    return {player: vote for player, vote in poll.votes.items() if state.counts(player)}


def counted(state: RoomState, ballot: Ballot) -> list[Counted]:
    """Return every answer to a ballot that is used in statistics, round by round."""
    return [
        Counted(player, index, case, vote)
        for index, round_ in revealed(state)
        if ballot in round_.polls
        for case in (round_.case_of(ballot),)
        if is_judged(state, case)
        for player, vote in votes(state, round_, ballot).items()
    ]


def rights(state: RoomState, round_: Round, ballot: Ballot) -> dict[PlayerId, bool]:
    """Return whether each player was right in a ballot; empty if that is unknown."""
    if ballot not in round_.polls or not is_known(state, round_, ballot):
        return {}
    case = round_.case_of(ballot)
    return {
        player: is_right(vote.answer, case)
        for player, vote in votes(state, round_, ballot).items()
    }


def verdict_of(case: Case) -> str:
    """Return the verdict in one word: outer, inner, both, neither or contested."""
    if case.contested is not None:
        return "contested"
    if case.label is not None:
        return case.label.value
    return "both" if case.truth.outer else "neither"


def is_fix(vote: Vote) -> bool:
    """Whether a vote answers the fix question."""
    return isinstance(vote.answer, FixAnswer)


@dataclass(frozen=True, slots=True)
class Sample:
    """The data behind the figures of one room: revealed rounds and answers to VOTE."""

    state: RoomState
    rounds: tuple[tuple[int, Round], ...]
    answers: tuple[Counted, ...]
    by_learner: dict[PlayerId, list[Counted]] = field(default_factory=dict)

    @property
    def learners(self) -> list[list[Counted]]:
        """The answers of each learner who gave any."""
        return list(self.by_learner.values())


def sample_of(state: RoomState) -> Sample:
    """Return the sample of a room as far as it has been played."""
    sample = Sample(state, tuple(revealed(state)), tuple(counted(state, Ballot.VOTE)))
    for answer in sample.answers:
        sample.by_learner.setdefault(answer.player, []).append(answer)
    return sample
