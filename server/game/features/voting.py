"""Votes (counted, repeated or late) and pinned reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, assert_never

from server.game.answers import Answer, FixAnswer, GapAnswer, LinksAnswer
from server.game.errors import Refused
from server.game.features import (
    QUIET,
    STAGE,
    Asked,
    Effects,
    FromHost,
    FromPlace,
    Moment,
    Row,
    Rule,
    active,
    stays,
)
from server.game.ids import ClientId, PlayerId
from server.game.names import one_line
from server.game.phases import ROUND, Ballot, Phase
from server.game.scoring import Tally, confidences, levels, option_of
from server.game.state import GRACE_MS, Pin, Poll, RoomState, Vote

REASON_LENGTH = 280
"""The maximum length of a reason, in characters; longer ones are cut."""

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CastVote:
    """One answer to one ballot of one round, with the time at which it was received."""

    player: PlayerId
    client: ClientId
    counter: int
    round: int
    ballot: Ballot
    answer: Answer
    reason: str
    stamped_ms: int
    type: Literal["cast_vote"] = "cast_vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinReason(FromPlace):
    """Show a player's reason to the class, without their name.

    In an open vote, the reason is shown once the vote is closed. It is removed if the
    player changes the reason or the answer.
    """

    player: PlayerId
    ballot: Ballot = Ballot.VOTE
    type: Literal["pin_reason"] = "pin_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpinReason(FromHost):
    """Remove a pinned reason."""

    player: PlayerId
    type: Literal["unpin_reason"] = "unpin_reason"


Commands = CastVote | PinReason | UnpinReason

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VoteCast:
    """A vote that counts: a player's first answer, or a changed one."""

    player: PlayerId
    client: ClientId
    counter: int
    round: int
    ballot: Ballot
    answer: Answer
    reason: str
    at_ms: int
    type: Literal["vote_cast"] = "vote_cast"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class VoteKeptLate:
    """A vote that was received in time but arrived here after the reveal.

    It is stored, but never scored.
    """

    player: PlayerId
    client: ClientId
    counter: int
    round: int
    ballot: Ballot
    answer: Answer
    reason: str
    at_ms: int
    type: Literal["vote_kept_late"] = "vote_kept_late"
    effects: ClassVar[Effects] = QUIET


@dataclass(frozen=True, slots=True)
class ReasonPinned:
    """A player's reason is shown to the class."""

    player: PlayerId
    round: int
    ballot: Ballot
    type: Literal["reason_pinned"] = "reason_pinned"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class ReasonUnpinned:
    """A reason is no longer shown."""

    player: PlayerId
    type: Literal["reason_unpinned"] = "reason_unpinned"
    effects: ClassVar[Effects] = STAGE


Events = VoteCast | VoteKeptLate | ReasonPinned | ReasonUnpinned

# --- rules ---------------------------------------------------------------------------


def _cast(state: RoomState, command: CastVote, _: Moment) -> list[Events]:
    """Count a vote, keep it as late, or refuse it."""
    active(state, command.player)
    poll = _poll_of(state, command)
    if _repeats(poll, command):
        return []
    if not _is_in_time(poll, command.stamped_ms):
        raise Refused(
            "phase_closed",
            f"Round {command.round + 1}, {command.ballot}, had closed before this "
            "vote arrived; it was not counted.",
        )
    _check_answer(state, command)
    kind = VoteKeptLate if _is_revealed(state, command) else VoteCast
    return [
        kind(
            player=command.player,
            client=command.client,
            counter=command.counter,
            round=command.round,
            ballot=command.ballot,
            answer=command.answer,
            reason=one_line(command.reason, REASON_LENGTH),
            at_ms=command.stamped_ms,
        )
    ]


def _poll_of(state: RoomState, command: CastVote) -> Poll:
    if state.has_round(command.round):
        poll = state.round_at(command.round).polls.get(command.ballot)
        if poll is not None:
            return poll
    raise Refused(
        "phase_closed",
        f"Round {command.round + 1}, {command.ballot}, is not open; nothing was "
        "counted.",
    )


def _repeats(poll: Poll, command: CastVote) -> bool:
    """Whether the poll already has this vote, or a newer one, from this player."""
    stamp = (command.client, command.counter, command.stamped_ms)
    late = poll.late.get(command.player)
    if late is not None and late.repeats(*stamp):
        return True
    vote = poll.votes.get(command.player)
    return vote is not None and vote.repeats(*stamp)


def _is_in_time(poll: Poll, stamped_ms: int) -> bool:
    return poll.closed_ms is None or stamped_ms <= poll.closed_ms + GRACE_MS


def _is_revealed(state: RoomState, command: CastVote) -> bool:
    """Whether the ballot's answer was shown, which FIX and TRANSFER do on closing."""
    round_ = state.round_at(command.round)
    if command.ballot in (Ballot.VOTE, Ballot.REVOTE):
        return round_.is_counted
    return round_.polls[command.ballot].closed_ms is not None


def _check_answer(state: RoomState, command: CastVote) -> None:
    """Refuse an answer of the wrong kind, or with a confidence that is not on offer."""
    answer, settings = command.answer, state.settings
    if command.ballot is Ballot.FIX:
        expected: type = FixAnswer
    else:
        expected = LinksAnswer if settings.two_link else GapAnswer
    if not isinstance(answer, expected):
        raise Refused("bad_answer", f"This ballot needs a {expected.__name__}.")
    allowed = levels(settings.score_mode) if settings.confidence else ()
    for confidence in confidences(answer):
        if confidence not in allowed:
            on_offer = ", ".join(map(str, allowed)) or "none"
            raise Refused(
                "bad_answer",
                f"{confidence}% is not a confidence to choose here: {on_offer}.",
            )


def _pin(state: RoomState, command: PinReason, _: Moment) -> list[Events]:
    """Show a reason that was given in this round."""
    poll = state.round.polls.get(command.ballot)
    vote = poll.votes.get(command.player) if poll else None
    if vote is None or not vote.reason:
        raise Refused("no_reason", "That player gave no reason here.")
    return [ReasonPinned(command.player, state.index, command.ballot)]


def _unpin(_: RoomState, command: UnpinReason, __: Moment) -> list[Events]:
    return [ReasonUnpinned(command.player)]


CAST_VOTE = Rule(
    Row(
        "cast_vote",
        stays((*ROUND, Phase.FINISHED)),
        "its ballot is open, or the vote was received in time; after the reveal, it "
        "is stored as late",
    ),
    _cast,
)
PIN_REASON = Rule(Row("pin_reason", stays(ROUND)), _pin)
UNPIN_REASON = Rule(Row("unpin_reason", stays(ROUND)), _unpin)
ROWS = (CAST_VOTE.row, PIN_REASON.row, UNPIN_REASON.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case CastVote():
            return CAST_VOTE.of(command)
        case PinReason():
            return PIN_REASON.of(command)
        case UnpinReason():
            return UNPIN_REASON.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case VoteCast():
            _fold_cast(state, event)
        case VoteKeptLate(player=player):
            round_ = state.round_at(event.round)
            late = round_.polls[event.ballot].late
            if player not in late and round_.practice_of is None:
                state.late[state.players[player].site] += 1
            late[player] = _vote(event)
        case ReasonPinned(player=player, ballot=ballot):
            round_ = state.round_at(event.round)
            round_.is_hinted = True
            pins = round_.pins
            pins[:] = [pin for pin in pins if pin.player != player]
            pins.append(Pin(player, ballot))
        case ReasonUnpinned(player=player):
            for round_ in (*state.rounds, *state.practice.values()):
                round_.pins[:] = [pin for pin in round_.pins if pin.player != player]
        case _:
            assert_never(event)


def _fold_cast(state: RoomState, event: VoteCast) -> None:
    poll = state.round_at(event.round).polls[event.ballot]
    old = poll.votes.get(event.player)
    tallies = _tallies(state, poll, event.player)
    if old is None:
        poll.votes[event.player] = vote = _vote(event)
        vote.team = state.players[event.player].team
        state.voters.add(event.player)
    else:
        for tally in tallies:
            tally.remove(old.answer)
        if _says(old) != _says(event):
            _unpin_changed(state, event)
        old.answer, old.reason, old.at_ms = event.answer, event.reason, event.at_ms
        old.team = state.players[event.player].team
        old.stamps[event.client] = event.counter
    for tally in tallies:
        tally.add(event.answer)


def _says(vote: Vote | VoteCast) -> tuple[str, str]:
    """Return the reason and the option that a host read before pinning the reason."""
    return vote.reason, option_of(vote.answer)


def _unpin_changed(state: RoomState, event: VoteCast) -> None:
    pins = state.round_at(event.round).pins
    pins[:] = [pin for pin in pins if pin != Pin(event.player, event.ballot)]


def _tallies(state: RoomState, poll: Poll, player: PlayerId) -> tuple[Tally, ...]:
    """Return the tallies that count a player's vote: the poll's, and their site's."""
    if not state.counts(player):
        return ()
    site = state.players[player].site
    if site is None:
        return (poll.tally,)
    return poll.tally, poll.sites.setdefault(site, Tally())


def _vote(event: VoteCast | VoteKeptLate) -> Vote:
    return Vote(
        event.answer,
        event.reason,
        at_ms=event.at_ms,
        first_ms=event.at_ms,
        stamps={event.client: event.counter},
        is_late=isinstance(event, VoteKeptLate),
    )


def erased(event: VoteCast | VoteKeptLate) -> Events:
    """Return the vote without its reason; the answer is kept."""
    return replace(event, reason="")
