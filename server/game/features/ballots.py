"""Ballots: opening and closing the four questions to the class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, assert_never

from server.game.errors import Refused, required
from server.game.features import (
    STAGE_AND_TIMED,
    Asked,
    Effects,
    FromPlace,
    Moment,
    Row,
    Rule,
    leads,
    opening,
    stays,
)
from server.game.features.timing import (
    WARNING_MS,
    AllowancesWarned,
    holders,
    is_due,
)
from server.game.ids import PlayerId
from server.game.phases import AFTER_REVEAL, CLOSES_TO, REOPENS, Ballot, Phase
from server.game.settings import ballot_ms
from server.game.state import Poll, RoomState

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVote(FromPlace):
    """Let the class vote on the story."""

    type: Literal["open_vote"] = "open_vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseVotes(FromPlace):
    """Close the open vote; ``override`` first warns people with extra time (20 s).

    With ``without``, it does not wait for votes of sites that are behind (FIX,
    TRANSFER).
    """

    override: bool = False
    without: bool = False
    type: Literal["close_votes"] = "close_votes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revote(FromPlace):
    """Let the class vote again on the same story."""

    type: Literal["revote"] = "revote"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenVote(FromPlace):
    """Reopen a closed vote: answers stay, and players can answer or change theirs.

    The first vote can be reopened until something about the case has been shown
    (contrast, pinned reason, discussion, second vote), the second until the reveal.
    """

    type: Literal["reopen_vote"] = "reopen_vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFix(FromPlace):
    """Ask which repair fits."""

    type: Literal["ask_fix"] = "ask_fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(FromPlace):
    """Let all players vote on the twin case, each on their own."""

    type: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class Tick:
    """Close whatever is due. Sent by the room's own timer."""

    type: Literal["tick"] = "tick"


Opening = OpenVote | Revote | AskFix | Transfer
Commands = Opening | CloseVotes | ReopenVote | Tick

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BallotOpened:
    """The class may answer; ``deadline_ms`` is None if no timer is running."""

    round: int
    ballot: Ballot
    at_ms: int
    deadline_ms: int | None
    type: Literal["ballot_opened"] = "ballot_opened"
    effects: ClassVar[Effects] = STAGE_AND_TIMED


@dataclass(frozen=True, slots=True)
class BallotClosed:
    """A ballot closed; ``missed`` are players who were present but did not answer.

    It leaves out players who joined after the ballot was opened.
    """

    round: int
    ballot: Ballot
    at_ms: int
    missed: tuple[PlayerId, ...]
    type: Literal["ballot_closed"] = "ballot_closed"

    @property
    def effects(self) -> Effects:
        """FIX and TRANSFER show their results when they close."""
        return Effects(stage=True, results=self.ballot in (Ballot.FIX, Ballot.TRANSFER))


@dataclass(frozen=True, slots=True)
class BallotReopened:
    """A closed ballot was reopened; players can answer, or change their answers."""

    round: int
    ballot: Ballot
    at_ms: int
    deadline_ms: int | None
    type: Literal["ballot_reopened"] = "ballot_reopened"
    effects: ClassVar[Effects] = STAGE_AND_TIMED


Events = BallotOpened | BallotClosed | BallotReopened

# --- rules ---------------------------------------------------------------------------


def _opens(
    ballot: Ballot,
) -> Callable[[RoomState, Opening, Moment], list[BallotOpened]]:
    """Return the function that opens one of the four ballots."""

    def opened(state: RoomState, _: Opening, moment: Moment) -> list[BallotOpened]:
        deadline_ms = _deadline_ms(state, ballot, moment)
        return [BallotOpened(state.index, ballot, moment.now_ms, deadline_ms)]

    return opened


def _deadline_ms(state: RoomState, ballot: Ballot, moment: Moment) -> int | None:
    lasts_ms = ballot_ms(state.settings, ballot, state.round.case_of(ballot))
    return None if lasts_ms is None else moment.now_ms + lasts_ms


def _nothing_shown(state: RoomState, _: ReopenVote) -> Refused | None:
    round_ = state.round
    if REOPENS[state.phase] is Ballot.REVOTE:
        return None
    if round_.is_hinted or Ballot.REVOTE in round_.polls:
        return Refused(
            "already_shown",
            "The class has seen more than the story since; the vote stays closed.",
        )
    return None


def _reopen(state: RoomState, _: ReopenVote, moment: Moment) -> list[BallotReopened]:
    ballot = REOPENS[state.phase]
    deadline_ms = _deadline_ms(state, ballot, moment)
    return [BallotReopened(state.index, ballot, moment.now_ms, deadline_ms)]


def _no_fix_asked(state: RoomState, _: AskFix) -> Refused | None:
    if Ballot.FIX in state.round.polls:
        return Refused("nothing_to_show", "The fix question has already been asked.")
    return None


def _twin_not_asked(state: RoomState, _: Transfer) -> Refused | None:
    if state.round.planned.transfer is None:
        return Refused("nothing_to_show", "This round has no transfer case.")
    if Ballot.TRANSFER in state.round.polls:
        return Refused(
            "nothing_to_show", "The transfer question has already been asked."
        )
    return None


def _close(
    state: RoomState, command: CloseVotes, moment: Moment
) -> list[BallotClosed | AllowancesWarned]:
    """Close the open ballot, or first warn players whose extra time is running."""
    held = holders(state, moment.now_ms, moment.present)
    if not held:
        return [_closed(state, moment)]
    if not command.override:
        raise Refused(
            "time_needed",
            f"{len(held)} with extra time have not answered. Wait, or close anyway: "
            "they get a 20-second warning.",
        )
    if state.warned_until_ms is not None:
        raise Refused("time_needed", "They have been warned; it closes automatically.")
    return [AllowancesWarned(moment.now_ms + WARNING_MS)]


def _closed(state: RoomState, moment: Moment) -> BallotClosed:
    """Return the event that closes the open ballot, with the players who missed it."""
    ballot = required(state.ballot, "the ballot")
    poll = required(state.poll, "the poll")
    missed = tuple(
        sorted(
            player
            for player in moment.present
            if player in state.players
            and player not in poll.votes
            and not state.players[player].is_kicked
            and state.players[player].joined_ms <= poll.runs[0].opened_ms
        )
    )
    return BallotClosed(state.index, ballot, moment.now_ms, missed)


def _tick(
    state: RoomState, _: Tick, moment: Moment
) -> list[BallotClosed | opening.OpeningShown]:
    if not is_due(state, moment.now_ms, moment.present):
        return []
    if state.phase is Phase.OPENING:
        return [opening.next_step(state, moment)]
    return [_closed(state, moment)]


def _asking(question: Phase, answered: Phase) -> dict[Phase, tuple[Phase, ...]]:
    """Return the leads of a command that asks a question.

    They include the phase after the question, where the guard explains its refusal.
    """
    return {**leads(AFTER_REVEAL, question), **stays([answered])}


_CLOSING = {ballot.phase: (CLOSES_TO[ballot],) for ballot in Ballot}

OPEN_VOTE = Rule(Row("open_vote", leads([Phase.READ], Phase.VOTE)), _opens(Ballot.VOTE))
CLOSE_VOTES = Rule(
    Row(
        "close_votes", _CLOSING, "no time allowance is running, or 20 s after a warning"
    ),
    _close,
)
REVOTE = Rule(
    Row(
        "revote",
        leads((Phase.VOTE_CLOSED, Phase.CONTRAST, Phase.DISCUSS), Phase.REVOTE),
    ),
    _opens(Ballot.REVOTE),
)
REOPEN_VOTE = Rule(
    Row(
        "reopen_vote",
        {closed: (ballot.phase,) for closed, ballot in REOPENS.items()},
        "the second vote; the first vote only until something about the case has been "
        "shown",
    ),
    _reopen,
    _nothing_shown,
)
ASK_FIX = Rule(
    Row("ask_fix", _asking(Phase.FIX, Phase.FIX_REVEAL), "it has not been asked yet"),
    _opens(Ballot.FIX),
    _no_fix_asked,
)
TRANSFER = Rule(
    Row(
        "transfer",
        _asking(Phase.TRANSFER, Phase.TRANSFER_REVEAL),
        "the round has a transfer case that has not been asked yet",
    ),
    _opens(Ballot.TRANSFER),
    _twin_not_asked,
)
TICK = Rule(
    Row(
        "tick",
        {**stays(Phase), **_CLOSING, Phase.OPENING: (Phase.OPENING,)},
        "an open ballot is due to close automatically, or a warning has run out; or a "
        "step of the opening minute is over",
    ),
    _tick,
)
ROWS = tuple(
    rule.row
    for rule in (OPEN_VOTE, CLOSE_VOTES, REVOTE, REOPEN_VOTE, ASK_FIX, TRANSFER, TICK)
)


def asked(
    command: Commands,
) -> Asked[Events | AllowancesWarned | opening.OpeningShown]:
    """Return a command with its rule."""
    match command:
        case OpenVote():
            return OPEN_VOTE.of(command)
        case CloseVotes():
            return CLOSE_VOTES.of(command)
        case Revote():
            return REVOTE.of(command)
        case ReopenVote():
            return REOPEN_VOTE.of(command)
        case AskFix():
            return ASK_FIX.of(command)
        case Transfer():
            return TRANSFER.of(command)
        case Tick():
            return TICK.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case BallotOpened():
            _fold_opened(state, event)
        case BallotClosed(ballot=ballot):
            state.enter(CLOSES_TO[ballot])
            poll = state.round.polls[ballot]
            poll.closed_ms = event.at_ms
            poll.missed = frozenset(event.missed)
        case BallotReopened():
            poll = state.round.polls[event.ballot]
            poll.past.append(poll.run)
            poll.missed = frozenset()
            _run(state, poll, event)
        case _:
            assert_never(event)


def _fold_opened(state: RoomState, event: BallotOpened) -> None:
    poll = state.round.polls.setdefault(
        event.ballot, Poll(event.at_ms, event.deadline_ms)
    )
    _run(state, poll, event)


def _run(state: RoomState, poll: Poll, event: BallotOpened | BallotReopened) -> None:
    state.enter(event.ballot.phase, event.deadline_ms)
    poll.opened_ms, poll.deadline_ms = event.at_ms, event.deadline_ms
    poll.closed_ms = None
    poll.site_until_ms, poll.pauses = {}, []
