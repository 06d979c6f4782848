"""Time in a room: deadlines, allowances, and extra time.

All times are integer milliseconds. Timers are soft (learning rule C12): they count
down and highlight the host's button, but it is ``auto_close``, the flow or the host
that closes a vote. A player's own allowance (WCAG 2.2.1) delays the close; the host may
override it after a 20-second warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import Field

from server.game.errors import Refused, required
from server.game.features import (
    STAGE_AND_TIMED,
    TIMED,
    Asked,
    Effects,
    FromPlace,
    Moment,
    Row,
    Rule,
    active,
    stays,
)
from server.game.ids import PlayerId, Ref, Site
from server.game.phases import CLOSES_IN_TIME, GAME, OPEN_BALLOT, Phase
from server.game.scoring import is_unsure
from server.game.state import (
    GRACE_MS,
    USUAL_ALLOWANCE,
    Player,
    Poll,
    RoomState,
    Vote,
)

WARNING_MS = 20_000
RESUME_MS = 10_000
UNSURE_MS = 10_000
"""How long auto_close waits for a confidence after an answer without one."""
SETTLE_MS = 5_000
"""How long it waits after any other change, for another change or a reason."""
LONGEST_MS = 30_000
"""How long changes can delay it after the last player's first answer or a reopening."""

Percent = Literal[100, 150, 200, 0]
"""A player's time limit, in percent of the usual one; 0 means unlimited."""

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskTime:
    """A player privately asks for more time in every vote from now on."""

    player: PlayerId
    percent: Percent
    ref: Ref = None
    type: Literal["ask_time"] = "ask_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveTime(FromPlace):
    """Give all players, or those of one site, more time, in seconds."""

    seconds: Annotated[int, Field(ge=5, le=600)] = 30
    site: Site = None
    type: Literal["give_time"] = "give_time"


@dataclass(frozen=True, slots=True)
class Resume:
    """Leave at least 10 s to a deadline, after a room was restored from its journal."""

    type: Literal["resume"] = "resume"


Commands = AskTime | GiveTime | Resume

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlineExtended:
    """The running phase ends later."""

    deadline_ms: int
    type: Literal["deadline_extended"] = "deadline_extended"
    effects: ClassVar[Effects] = STAGE_AND_TIMED


@dataclass(frozen=True, slots=True)
class SiteGivenTime:
    """The people of one site may answer the open ballot until ``deadline_ms``."""

    site: str
    deadline_ms: int
    type: Literal["site_given_time"] = "site_given_time"
    effects: ClassVar[Effects] = TIMED


@dataclass(frozen=True, slots=True)
class AllowanceGranted:
    """A player's time limit in every vote was changed.

    ``percent`` is a percentage of the usual limit; 0 means unlimited.
    """

    player: PlayerId
    percent: int
    type: Literal["allowance_granted"] = "allowance_granted"

    @property
    def effects(self) -> Effects:
        """The player's phone shows the allowance."""
        return Effects(persons=frozenset({self.player}))


@dataclass(frozen=True, slots=True)
class AllowancesWarned:
    """People with extra time were warned that the vote closes at ``until_ms``."""

    until_ms: int
    type: Literal["allowances_warned"] = "allowances_warned"
    effects: ClassVar[Effects] = TIMED


Events = DeadlineExtended | SiteGivenTime | AllowanceGranted | AllowancesWarned

# --- rules ---------------------------------------------------------------------------


def _ask_time(state: RoomState, command: AskTime, _: Moment) -> list[Events]:
    """Grant extra time; no reason is asked for."""
    active(state, command.player)
    return [AllowanceGranted(command.player, command.percent)]


def _timer_runs(state: RoomState, command: GiveTime) -> Refused | None:
    if state.deadline_ms is None:
        return Refused("no_timer", "No timer is running; there is nothing to extend.")
    poll = state.poll
    if command.site is not None and (poll is None or poll.deadline_ms is None):
        return Refused("no_timer", "One site can be given time only during a vote.")
    return None


def _give_time(state: RoomState, command: GiveTime, moment: Moment) -> list[Events]:
    """Extend the running deadline, for all players or for those of one site.

    The time is added to the current deadline, or to now if that is later. For a site,
    it is added to the site's own deadline if that is later still.
    """
    deadline_ms = required(state.deadline_ms, "the timer")
    ends = [deadline_ms, state.clock_ms(moment.now_ms)]
    more_ms = command.seconds * 1000
    if command.site is None:
        return [DeadlineExtended(max(ends) + more_ms)]
    poll = required(state.poll, "the poll")
    ends.append(poll.site_until_ms.get(command.site, 0))
    return [SiteGivenTime(command.site, max(ends) + more_ms)]


def _resume(state: RoomState, _: Resume, moment: Moment) -> list[Events]:
    """Keep the deadlines after a restart, but leave at least 10 s."""
    events: list[Events] = []
    at_least_ms = state.clock_ms(moment.now_ms) + RESUME_MS
    if state.deadline_ms is not None and state.deadline_ms < at_least_ms:
        events.append(DeadlineExtended(at_least_ms))
    if state.warned_until_ms is not None and state.warned_until_ms < at_least_ms:
        events.append(AllowancesWarned(at_least_ms))
    return events


ASK_TIME = Rule(Row("ask_time", stays(GAME)), _ask_time)
GIVE_TIME = Rule(
    Row("give_time", stays((*OPEN_BALLOT, Phase.DISCUSS)), "a timer is running"),
    _give_time,
    _timer_runs,
)
RESUME = Rule(Row("resume", stays(Phase)), _resume)
ROWS = (ASK_TIME.row, GIVE_TIME.row, RESUME.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case AskTime():
            return ASK_TIME.of(command)
        case GiveTime():
            return GIVE_TIME.of(command)
        case Resume():
            return RESUME.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case DeadlineExtended(deadline_ms=deadline_ms):
            state.deadline_ms = deadline_ms
            if state.poll:
                state.poll.deadline_ms = deadline_ms
        case SiteGivenTime(site=site, deadline_ms=deadline_ms):
            if state.poll:
                state.poll.site_until_ms[site] = deadline_ms
        case AllowanceGranted(player=player, percent=percent):
            state.players[player].allowance = percent
            if percent == USUAL_ALLOWANCE:
                state.own_time.pop(player, None)
            else:
                state.own_time[player] = None
        case AllowancesWarned(until_ms=until_ms):
            state.warned_until_ms = until_ms
        case _:
            assert_never(event)


# --- deadlines and when they are due -------------------------------------------------


def own_deadline_ms(player: Player, poll: Poll) -> int | None:
    """Return a player's own deadline in a poll; None means unlimited."""
    if player.allowance == 0 or poll.deadline_ms is None:
        return None
    until_ms = max(poll.deadline_ms, poll.site_until_ms.get(player.site or "", 0))
    own_ms = poll.run.limit_ms(until_ms) * (player.allowance - USUAL_ALLOWANCE) // 100
    return until_ms + own_ms


def has_own_time(state: RoomState, player: Player) -> bool:
    """Whether a player's time limit may now differ from that of the class."""
    poll = state.poll
    return player.allowance != USUAL_ALLOWANCE or (
        poll is not None and player.site in poll.site_until_ms
    )


def holders(state: RoomState, now_ms: int, present: Set[PlayerId]) -> list[PlayerId]:
    """Return the players who delay the close: present, unanswered, with time left."""
    poll = state.poll
    if poll is None:
        return []
    return [
        player.id
        for player in _with_own_time(state, poll)
        if player.id in present
        and not player.is_kicked
        and player.id not in poll.votes
        and _runs(player, poll, state.clock_ms(now_ms))
    ]


def _with_own_time(state: RoomState, poll: Poll) -> Iterator[Player]:
    yield from map(state.players.__getitem__, state.own_time)
    if poll.site_until_ms:
        for player in state.players.values():
            if player.site in poll.site_until_ms and player.id not in state.own_time:
                yield player


def _runs(player: Player, poll: Poll, now_ms: int) -> bool:
    end = own_deadline_ms(player, poll)
    if end is None:
        return player.allowance == 0
    return now_ms < end


def answered_and_expected(state: RoomState, present: Set[PlayerId]) -> tuple[int, int]:
    """Return how many people have answered, and how many have or still can.

    Of those who have not answered, only people who are present are counted.
    """
    answered = state.answered
    out = (state.kicked - answered) & present
    here = sum(map(present.__contains__, answered))
    return len(answered), len(answered) + len(present) - here - len(out)


def all_answered(state: RoomState, present: Set[PlayerId]) -> bool:
    """Whether everyone present has answered, and at least one person has."""
    here = len(present) - len(state.kicked)
    if not state.answered or len(state.answered) < here:
        return False  # a quick check, because this runs for every vote
    answered, expected = answered_and_expected(state, present)
    return answered == expected


def opening_due_ms(state: RoomState, present: Set[PlayerId]) -> int | None:
    """Return when the next step of the opening minute is due; None if it is not timed.

    It is due at its deadline, or 2 s after the last tap if everyone present has tapped.
    """
    if state.deadline_ms is None:
        return None
    if all_answered(state, present):
        return min(state.deadline_ms, state.opening.tapped_ms + GRACE_MS)
    return state.deadline_ms


def next_due_ms(state: RoomState, now_ms: int, present: Set[PlayerId]) -> int | None:
    """Return when a Tick may next have something to close; None if nothing is due.

    A poll that closes when time is up is due 2 s after its deadline, or when the last
    allowance that delays it runs out. A poll that everyone has answered is due when its
    answers have settled (see ``settles_ms``). Nothing is due while the clock is
    stopped.
    """
    if state.phase is Phase.OPENING:
        return opening_due_ms(state, present)
    poll = state.poll
    if poll is None or state.stopped_ms is not None:
        return None
    if state.warned_until_ms is not None:
        return state.warned_until_ms
    _, in_time = _closes(state)
    due: list[int] = []
    if (settled_ms := settles_ms(state, now_ms, present)) is not None:
        due.append(settled_ms)
    if in_time and poll.deadline_ms is not None:
        ends = [poll.deadline_ms + GRACE_MS]
        for player in holders(state, now_ms, present):
            end_ms = own_deadline_ms(state.players[player], poll)
            ends.append(end_ms if end_ms is not None else now_ms)
        due.append(max(ends))
    return min(due, default=None)


def settles_ms(state: RoomState, now_ms: int, present: Set[PlayerId]) -> int | None:
    """Return when a ballot that everyone present has answered closes automatically.

    Returns None until everyone has answered, or if only the host closes the ballot.
    Each player has 10 s to state a confidence and 5 s after any other change, or more
    with an allowance. Changes delay the close for at most 30 s after the last player's
    first answer. A reopened ballot stays open for 30 s, so that answers can change.
    """
    poll = state.poll
    if poll is None or state.stopped_ms is not None or not _closes(state)[0]:
        return None
    if state.warned_until_ms is not None or not all_answered(state, present):
        return None
    if holders(state, now_ms, present):
        return None
    last_ms = max(vote.first_ms for vote in poll.votes.values())
    if poll.past:
        return max(last_ms, poll.opened_ms) + LONGEST_MS
    ends = (_settled_ms(state, player, vote) for player, vote in poll.votes.items())
    return min(max(ends), last_ms + LONGEST_MS)


def settles_in_ms(state: RoomState, now_ms: int, present: Set[PlayerId]) -> int | None:
    """Return the milliseconds until ``settles_ms``, for the countdown on pages."""
    settled_ms = settles_ms(state, now_ms, present)
    return None if settled_ms is None else max(0, settled_ms - now_ms)


def _settled_ms(state: RoomState, player: PlayerId, vote: Vote) -> int:
    """Return when an answer is final, which is later if the player has extra time."""
    percent = state.players[player].allowance
    if percent == 0:
        return vote.at_ms + LONGEST_MS
    lacks = state.settings.confidence and is_unsure(vote.answer)
    usual_ms = UNSURE_MS if lacks else SETTLE_MS
    return vote.at_ms + usual_ms * percent // USUAL_ALLOWANCE


def is_due(state: RoomState, now_ms: int, present: Set[PlayerId]) -> bool:
    """Whether the open poll should close now, or the opening minute advance."""
    if state.phase is Phase.OPENING:
        due_ms = opening_due_ms(state, present)
        return due_ms is not None and now_ms >= due_ms
    if state.poll is None or state.stopped_ms is not None:
        return False
    if state.warned_until_ms is not None:
        return now_ms >= state.warned_until_ms
    when_answered, in_time = _closes(state)
    if not when_answered or holders(state, now_ms, present):
        return False
    deadline_ms = state.poll.deadline_ms
    is_over = deadline_ms is not None and now_ms >= deadline_ms + GRACE_MS
    settled_ms = settles_ms(state, now_ms, present)
    return (in_time and is_over) or (settled_ms is not None and now_ms >= settled_ms)


def _closes(state: RoomState) -> tuple[bool, bool]:
    """Return whether the open ballot closes once answered, and when time is up."""
    asked = state.settings.auto_close
    in_time = state.ballot in CLOSES_IN_TIME[state.flow] if asked is None else asked
    return asked is not False, in_time
