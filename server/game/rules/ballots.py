"""Rules about ballots and their time: opening, closing, extending, resuming."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.game.commands import CloseVotes, GiveTime, Resume, Tick
from server.game.errors import Refused
from server.game.events import (
    AllowancesWarned,
    BallotClosed,
    BallotOpened,
    DeadlineExtended,
    Event,
    SiteGivenTime,
)
from server.game.phases import Ballot
from server.game.rules.moment import Moment
from server.game.state import RoomState
from server.game.timing import RESUME_MS, WARNING_MS, ballot_ms, holders, is_due


def open_ballot(ballot: Ballot) -> Callable[[RoomState, Any, Moment], list[Event]]:
    """Return the rule that opens one of the four ballots."""

    def rule(state: RoomState, _: Any, moment: Moment) -> list[Event]:
        round_ = state.round
        if ballot is Ballot.TRANSFER and round_.planned.transfer is None:
            raise Refused("nothing_to_show", "This round has no transfer case.")
        if ballot in round_.polls and ballot in (Ballot.FIX, Ballot.TRANSFER):
            raise Refused("nothing_to_show", f"The {ballot} question has been asked.")
        lasts_ms = ballot_ms(state.settings, ballot, round_.case_of(ballot))
        deadline_ms = None if lasts_ms is None else moment.now_ms + lasts_ms
        assert state.round_index is not None
        return [BallotOpened(state.round_index, ballot, moment.now_ms, deadline_ms)]

    return rule


def close_votes(state: RoomState, command: CloseVotes, moment: Moment) -> list[Event]:
    """Close the open ballot, or first warn those whose own time still runs."""
    held = holders(state, moment.now_ms, moment.present)
    if not held:
        return [closed(state, moment)]
    if not command.override:
        raise Refused(
            "time_needed",
            f"{len(held)} with extra time have not answered. "
            "Wait, or close anyway: they are warned and have 20 s.",
        )
    if state.warned_until_ms is not None:
        raise Refused("time_needed", "They have been warned; it closes by itself.")
    return [AllowancesWarned(moment.now_ms + WARNING_MS)]


def closed(state: RoomState, moment: Moment) -> Event:
    """Return the close of the open ballot, with who was there and missed it."""
    ballot, poll = state.ballot, state.poll
    assert ballot is not None
    assert poll is not None
    assert state.round_index is not None
    missed = tuple(
        sorted(
            player
            for player in moment.present
            if player in state.players
            and player not in poll.votes
            and not state.players[player].is_kicked
            and state.players[player].joined_ms <= poll.opened_ms
        )
    )
    return BallotClosed(state.round_index, ballot, moment.now_ms, missed)


def give_time(state: RoomState, command: GiveTime, moment: Moment) -> list[Event]:
    """Move the running deadline, from now on where it has passed; or one site's."""
    if state.deadline_ms is None:
        raise Refused("no_timer", "No timer runs; there is nothing to extend.")
    if command.site is not None:
        return [_given_time(state, command.site, command.seconds, moment)]
    base_ms = max(state.deadline_ms, moment.now_ms)
    return [DeadlineExtended(base_ms + command.seconds * 1000)]


def _given_time(state: RoomState, site: str, seconds: int, moment: Moment) -> Event:
    """Return that a site's people have more time, beyond that of all and their own."""
    poll = state.poll
    if poll is None or poll.deadline_ms is None:
        raise Refused("no_timer", "One site is given time in a vote only.")
    until_ms = max(poll.deadline_ms, poll.site_until_ms.get(site, 0), moment.now_ms)
    return SiteGivenTime(site, until_ms + seconds * 1000)


def tick(state: RoomState, _: Tick, moment: Moment) -> list[Event]:
    """Close what is due by itself."""
    is_now = is_due(state, moment.now_ms, moment.present)
    return [closed(state, moment)] if is_now else []


def resume(state: RoomState, _: Resume, moment: Moment) -> list[Event]:
    """After a restart: the same deadline, or 10 s where less is left."""
    events: list[Event] = []
    at_least_ms = moment.now_ms + RESUME_MS
    if state.deadline_ms is not None and state.deadline_ms < at_least_ms:
        events.append(DeadlineExtended(at_least_ms))
    if state.warned_until_ms is not None and state.warned_until_ms < at_least_ms:
        events.append(AllowancesWarned(at_least_ms))
    return events
