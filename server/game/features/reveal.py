"""The reveal: tallies, points, and the breakdown step by step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, assert_never

from server.game.errors import Refused
from server.game.features import (
    QUIET,
    STAGE,
    Asked,
    Effects,
    FromPlace,
    Moment,
    Row,
    Rule,
    leads,
)
from server.game.ids import PlayerId
from server.game.phases import LAST_STEP, STOPS, VERDICT_STEP, Ballot, Phase
from server.game.scoring import MISSED, Cohort, Tally, option_of, round_score
from server.game.state import RoomState, Round

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal(FromPlace):
    """Show the tallies and begin the breakdown.

    Waits for sites that are behind; ``without`` continues without them.
    """

    without: bool = False
    type: Literal["reveal"] = "reveal"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep(FromPlace):
    """Show the next step of the breakdown.

    ``stop`` shows all steps up to the next screen of the flow (the line, the verdict,
    the expert); ``all`` shows all remaining steps.
    """

    all: bool = False
    stop: bool = False
    type: Literal["next_step"] = "next_step"


Commands = Reveal | NextStep

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MissesForgiven:
    """No one answered a round's VOTE, so players lose no points for missing it."""

    round: int
    type: Literal["misses_forgiven"] = "misses_forgiven"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class RoundRevealed:
    """The tallies were shown and points awarded; the breakdown begins."""

    round: int
    at_ms: int
    type: Literal["round_revealed"] = "round_revealed"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class RoundCounted:
    """A round of a test was scored; its verdict stays hidden."""

    round: int
    type: Literal["round_counted"] = "round_counted"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class StepShown:
    """The breakdown is shown up to and including this step."""

    step: int
    type: Literal["step_shown"] = "step_shown"

    @property
    def effects(self) -> Effects:
        """The verdict tells each player whether they were right."""
        return Effects(stage=True, results=self.step == VERDICT_STEP)


Events = MissesForgiven | RoundRevealed | RoundCounted | StepShown

# --- what the class has seen ---------------------------------------------------------


def verdict_is_shown(state: RoomState, round_: Round) -> bool:
    """Return whether the class has seen which gap it was."""
    if not round_.is_revealed:
        return False
    is_now = state.phase is Phase.REVEAL and round_ is state.round
    return not is_now or state.step >= VERDICT_STEP


# --- rules ---------------------------------------------------------------------------


def _reveal(state: RoomState, _: Reveal, moment: Moment) -> list[Events]:
    """Reveal the round.

    Misses are forgiven if no one answered its VOTE: it closed before anyone could.
    """
    return [*_forgiven(state, state.index), RoundRevealed(state.index, moment.now_ms)]


def _forgiven(state: RoomState, index: int) -> list[MissesForgiven]:
    vote = state.round_at(index).polls[Ballot.VOTE]
    return [MissesForgiven(index)] if vote.missed and not vote.tally.n else []


def handed_in(state: RoomState, besides: int | None = None) -> list[Events]:
    """Return the events that score the rounds of a test; none in other flows."""
    events: list[Events] = []
    for index, round_ in enumerate(state.rounds):
        is_over = round_.is_counted or round_.is_skipped or index == besides
        if state.is_handed_in(round_) and not is_over:
            events += [*_forgiven(state, index), RoundCounted(index)]
    return events


def _step_is_left(state: RoomState, _: NextStep) -> Refused | None:
    if state.step < LAST_STEP:
        return None
    return Refused("nothing_to_show", "The whole breakdown has been shown.")


def _next_step(state: RoomState, command: NextStep, _: Moment) -> list[StepShown]:
    """Show one more step, all steps up to the next screen, or all remaining steps."""
    last = state.step + 1
    if command.all or state.phase is Phase.SAY:
        last = LAST_STEP
    elif command.stop:
        last = next(stop for stop in STOPS[state.flow] if stop > state.step)
    return [StepShown(step) for step in range(state.step + 1, last + 1)]


REVEAL = Rule(
    Row(
        "reveal",
        leads(
            (Phase.VOTE_CLOSED, Phase.CONTRAST, Phase.DISCUSS, Phase.REVOTE_CLOSED),
            Phase.REVEAL,
        ),
    ),
    _reveal,
)
NEXT_STEP = Rule(
    Row(
        "next_step",
        {Phase.REVEAL: (), Phase.SAY: (Phase.REVEAL,)},
        "a step is left",
    ),
    _next_step,
    _step_is_left,
)
ROWS = (REVEAL.row, NEXT_STEP.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case Reveal():
            return REVEAL.of(command)
        case NextStep():
            return NEXT_STEP.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state; a reveal visits each player once."""
    match event:
        case MissesForgiven(round=index):
            state.round_at(index).polls[Ballot.VOTE].missed = frozenset()
        case RoundRevealed():
            state.enter(Phase.REVEAL)
            state.step = 0
            state.round.is_revealed = True
            _count(state, state.round)
        case RoundCounted(round=index):
            _count(state, state.round_at(index))
        case StepShown(step=step):
            state.step, state.again = step, None
            if state.phase is Phase.SAY:
                state.enter(Phase.REVEAL)
        case _:
            assert_never(event)


def _count(state: RoomState, round_: Round) -> None:
    round_.is_counted = True
    if Ballot.REVOTE in round_.polls:
        _carry(state, round_)
    if Ballot.VOTE in round_.polls and len(state.sites) > 1:
        _count_cohorts(state, round_)
    for player, score in _scores(state, round_):
        round_.scores[player] = score
        if (team := _team_of(state, round_, player)) is not None:
            round_.teams[player] = team
        state.players[player].points += score
        state.players[player].rounds_scored += 1


def _team_of(state: RoomState, round_: Round, player: PlayerId) -> str | None:
    """Return the team that a score counts for; changing teams later moves no points."""
    polls = (round_.polls.get(ballot) for ballot in (Ballot.VOTE, Ballot.REVOTE))
    votes = (poll.votes.get(player) for poll in polls if poll is not None)
    vote = next((vote for vote in votes if vote is not None), None)
    return state.players[player].team if vote is None else vote.team


def _carry(state: RoomState, round_: Round) -> None:
    """Count REVOTE, including the votes of those who voted only in VOTE (rule A5)."""
    vote, revote = round_.polls[Ballot.VOTE], round_.polls[Ballot.REVOTE]
    round_.after = Tally(revote.tally.cells.copy())
    for player, first in vote.votes.items():
        if not state.counts(player):
            continue
        second = revote.votes.get(player)
        if second is None:
            round_.after.add(first.answer)
            round_.carried += 1
        else:
            move = (option_of(first.answer), option_of(second.answer))
            round_.moves[move] += 1


def _count_cohorts(state: RoomState, round_: Round) -> None:
    """Count each site separately; its REVOTE includes carried votes."""
    vote, revote = round_.polls[Ballot.VOTE], round_.polls.get(Ballot.REVOTE)
    for player in state.players.values():
        if player.site is None or not state.counts(player.id):
            continue
        cohort = round_.cohorts.setdefault(player.site, Cohort())
        first = vote.votes.get(player.id)
        second = (revote.votes.get(player.id) if revote else None) or first
        if first is not None:
            cohort.before.add(first.answer)
        if revote is not None and second is not None:
            cohort.after.add(second.answer)


def _scores(state: RoomState, round_: Round) -> Iterable[tuple[PlayerId, float]]:
    """Yield the score of each player who saw the round (rule B9)."""
    vote = round_.polls.get(Ballot.VOTE)
    if round_.practice_of is not None or not round_.case.is_scored or vote is None:
        return
    for player in state.players:
        missed = MISSED[state.settings.score_mode] if player in vote.missed else None
        score = round_score(
            state.vote_points(round_, Ballot.VOTE, player),
            state.vote_points(round_, Ballot.REVOTE, player),
            missed=missed,
            revoted=Ballot.REVOTE in round_.polls,
        )
        if score is not None:
            yield player, score
