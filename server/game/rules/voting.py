"""Rules about votes: which count, which repeat, which came too late."""

from __future__ import annotations

from server.game.answers import FixAnswer, GapAnswer, LinksAnswer
from server.game.commands import CastVote
from server.game.errors import Refused
from server.game.events import Event, VoteCast, VoteKeptLate
from server.game.phases import Ballot
from server.game.rules.moment import Moment, active
from server.game.scoring import confidences, levels
from server.game.state import GRACE_MS, Poll, RoomState

REASON_LENGTH = 280
"""Characters of a reason that are kept."""


def cast_vote(state: RoomState, command: CastVote, _: Moment) -> list[Event]:
    """Count a vote, keep it as late, or refuse it."""
    active(state, command.player)
    poll = _poll_of(state, command)
    if repeats(poll, command):
        return []
    if not _is_in_time(poll, command.stamped_ms):
        raise Refused(
            "phase_closed",
            f"Round {command.round + 1}, {command.ballot}, had closed before this "
            "vote came; it was not counted.",
        )
    _fits(state, command)
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
    if command.round < len(state.rounds):
        poll = state.rounds[command.round].polls.get(command.ballot)
        if poll is not None:
            return poll
    raise Refused(
        "phase_closed",
        f"Round {command.round + 1}, {command.ballot}, is not open; nothing counted.",
    )


def repeats(poll: Poll, command: CastVote) -> bool:
    """Whether the vote adds nothing to what the poll holds of this player."""
    stamp = (command.client, command.counter, command.stamped_ms)
    late = poll.late.get(command.player)
    if late is not None and late.repeats(*stamp):
        return True
    vote = poll.votes.get(command.player)
    return vote is not None and vote.repeats(*stamp)


def _is_in_time(poll: Poll, stamped_ms: int) -> bool:
    return poll.closed_ms is None or stamped_ms <= poll.closed_ms + GRACE_MS


def _is_revealed(state: RoomState, command: CastVote) -> bool:
    """Whether the ballot's answer has been shown: FIX and TRANSFER at their close."""
    round_ = state.rounds[command.round]
    if command.ballot in (Ballot.VOTE, Ballot.REVOTE):
        return round_.is_revealed
    return round_.polls[command.ballot].closed_ms is not None


def _fits(state: RoomState, command: CastVote) -> None:
    """Refuse an answer of the wrong kind, or with a confidence that is not on offer."""
    answer, settings = command.answer, state.settings
    if command.ballot is Ballot.FIX:
        expected: type = FixAnswer
    else:
        expected = LinksAnswer if settings.two_link else GapAnswer
    if not isinstance(answer, expected):
        raise Refused("bad_answer", f"This asks for a {expected.__name__}.")
    allowed = levels(settings.score_mode) if settings.confidence else ()
    for confidence in confidences(answer):
        if confidence not in allowed:
            on_offer = ", ".join(map(str, allowed)) or "none"
            raise Refused(
                "bad_answer", f"Confidence {confidence} is not on offer: {on_offer}."
            )


def one_line(raw: str, most: int) -> str:
    """Keep one printable line of what somebody typed, of so many characters."""
    line = raw
    if not raw.isprintable():
        line = "".join(ch if ch.isprintable() else " " for ch in raw)
    return " ".join(line.split())[:most]
