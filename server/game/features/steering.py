"""Host controls outside the flow of a round.

The host can change the plan for the rest of the game, show an earlier reveal again,
and stop and restart the clock. None of this affects the score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import Field

from scenarios.model import Plan, PlannedRound
from server.game.errors import Refused
from server.game.features import (
    STAGE,
    STAGE_AND_TIMED,
    Asked,
    Effects,
    FromPlace,
    FromPlan,
    Moment,
    Row,
    Rule,
    stays,
)
from server.game.ids import RoundIndex
from server.game.phases import GAME, OPEN_BALLOT, Pause, Phase
from server.game.state import RoomState, Round

MOST_ROUNDS = 60
"""The maximum number of rounds in a plan, including those that were added."""

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorderPlan(FromPlan):
    """Reorder the rounds that have not been opened yet.

    ``order`` contains the index of each of them, in the new order; opened rounds keep
    their places.
    """

    order: Annotated[tuple[RoundIndex, ...], Field(max_length=MOST_ROUNDS)]
    type: Literal["reorder_plan"] = "reorder_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCase(FromPlan):
    """Add a case to the end of the plan.

    The host's message only names the case; the server adds its text and its twin case.
    """

    planned: PlannedRound
    type: Literal["add_case"] = "add_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAgain(FromPlace):
    """Show the reveal of an earlier round again; without a round, go back.

    The projector shows the verdict, and phones the whole reveal. The phase does not
    change. Any command that moves the game forward also ends it.
    """

    round: RoundIndex | None = None
    type: Literal["show_again"] = "show_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopClock(FromPlace):
    """Stop the running clock; nothing closes automatically in the meantime."""

    type: Literal["stop_clock"] = "stop_clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartClock(FromPlace):
    """Restart a stopped clock with the time that was left."""

    type: Literal["start_clock"] = "start_clock"


Commands = ReorderPlan | AddCase | ShowAgain | StopClock | StartClock

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanReordered:
    """The host reordered the rounds that have not been opened yet.

    ``order`` lists their old indices in the new order: the first of them moves to the
    smallest index, the second to the next, and so on.
    """

    order: tuple[int, ...]
    at_ms: int
    type: Literal["plan_reordered"] = "plan_reordered"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class CaseAdded:
    """A round, with the full text of its cases, was added to the end of the plan."""

    planned: PlannedRound
    at_ms: int
    type: Literal["case_added"] = "case_added"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class RevealShownAgain:
    """An earlier reveal is shown again; None switches back to the current view."""

    round: int | None
    at_ms: int
    type: Literal["reveal_shown_again"] = "reveal_shown_again"
    effects: ClassVar[Effects] = Effects(stage=True, results=True)


@dataclass(frozen=True, slots=True)
class ClockStopped:
    """The clock of the current phase was stopped."""

    at_ms: int
    type: Literal["clock_stopped"] = "clock_stopped"
    effects: ClassVar[Effects] = STAGE_AND_TIMED


@dataclass(frozen=True, slots=True)
class ClockStarted:
    """The clock was restarted; deadlines are extended by the time it was stopped."""

    at_ms: int
    type: Literal["clock_started"] = "clock_started"
    effects: ClassVar[Effects] = STAGE_AND_TIMED


Events = PlanReordered | CaseAdded | RevealShownAgain | ClockStopped | ClockStarted

# --- rules ---------------------------------------------------------------------------


def to_come(state: RoomState) -> list[int]:
    """Return the indices of the rounds that have never been opened."""
    return [i for i, round_ in enumerate(state.rounds) if not round_.is_opened]


def used_cases(plan: Plan) -> Iterator[str]:
    """Yield the ID of every case in a plan except closing and take-home cases."""
    yield from (case.id for case in plan.opening)
    for planned in plan.rounds:
        beside = (planned.case, planned.contrast, planned.transfer)
        yield from (case.id for case in beside if case is not None)


def _is_permutation(state: RoomState, command: ReorderPlan) -> Refused | None:
    if sorted(command.order) == to_come(state):
        return None
    return Refused("bad_round", "Name each unopened round exactly once.")


def _reorder(
    state: RoomState, command: ReorderPlan, moment: Moment
) -> list[PlanReordered]:
    if list(command.order) == to_come(state):
        return []
    return [PlanReordered(command.order, moment.now_ms)]


def _can_add(state: RoomState, command: AddCase) -> Refused | None:
    planned, case = command.planned, command.planned.case
    if len(state.rounds) >= MOST_ROUNDS or len(state.rounds) in state.practice:
        detail = f"This room takes no more cases; it has {len(state.rounds)}."
        return Refused("bad_round", detail)
    used = set(used_cases(state.plan))
    for one in (case, planned.contrast, planned.transfer):
        if one is not None and one.id in used:
            detail = f"'{one.title}' is already in the plan, or shown beside a case."
            return Refused("bad_round", detail)
    if not (state.settings.two_link or case.is_clean or case.contested is not None):
        detail = f"'{case.title}' needs a room that asks about both links."
        return Refused("bad_round", detail)
    return None


def _add_case(_: RoomState, command: AddCase, moment: Moment) -> list[CaseAdded]:
    return [CaseAdded(command.planned, moment.now_ms)]


def _can_show_again(state: RoomState, command: ShowAgain) -> Refused | None:
    index = command.round
    if index is None:
        if state.again is None:
            return Refused("nothing_to_show", "No earlier reveal is being shown.")
        return None
    if index >= len(state.rounds) or not state.rounds[index].is_revealed:
        return Refused("bad_round", "Only a revealed case can be shown again.")
    if state.phase is Phase.REVEAL and index == state.round_index:
        return Refused("bad_round", "This reveal is already being shown.")
    return None


def _show_again(
    state: RoomState, command: ShowAgain, moment: Moment
) -> list[RevealShownAgain]:
    if command.round == state.again:
        return []
    return [RevealShownAgain(command.round, moment.now_ms)]


def _clock_runs(state: RoomState, _: StopClock) -> Refused | None:
    if state.deadline_ms is None:
        return Refused("no_timer", "No clock is running.")
    if state.stopped_ms is not None:
        return Refused("no_timer", "The clock is already stopped.")
    return None


def _clock_stands(state: RoomState, _: StartClock) -> Refused | None:
    if state.stopped_ms is None:
        return Refused("no_timer", "The clock is not stopped.")
    return None


def _stop_clock(_: RoomState, __: StopClock, moment: Moment) -> list[ClockStopped]:
    return [ClockStopped(moment.now_ms)]


def _start_clock(_: RoomState, __: StartClock, moment: Moment) -> list[ClockStarted]:
    return [ClockStarted(moment.now_ms)]


CLOCKED = (*OPEN_BALLOT, Phase.DISCUSS)
"""Phases with a clock that the host may stop."""

LOOKS_BACK = (
    Phase.LOBBY,
    Phase.EXAMPLE,
    Phase.READ,
    Phase.VOTE_CLOSED,
    Phase.CONTRAST,
    Phase.REVOTE_CLOSED,
    Phase.REVEAL,
    Phase.FIX_REVEAL,
    Phase.TRANSFER_REVEAL,
)
"""Phases in which showing an earlier reveal hides neither a question nor a clock."""

REORDER_PLAN = Rule(
    Row(
        "reorder_plan",
        stays(GAME),
        "every round that has not been opened is named once",
    ),
    _reorder,
    _is_permutation,
)
ADD_CASE = Rule(
    Row(
        "add_case", stays(GAME), "the class has not seen the case, and is not going to"
    ),
    _add_case,
    _can_add,
)
SHOW_AGAIN = Rule(
    Row(
        "show_again",
        stays(LOOKS_BACK),
        "the round has been revealed, or a reveal is being shown again",
    ),
    _show_again,
    _can_show_again,
)
STOP_CLOCK = Rule(
    Row("stop_clock", stays(CLOCKED), "a clock is running"), _stop_clock, _clock_runs
)
START_CLOCK = Rule(
    Row("start_clock", stays(CLOCKED), "the clock was stopped"),
    _start_clock,
    _clock_stands,
)
ROWS = (
    REORDER_PLAN.row,
    ADD_CASE.row,
    SHOW_AGAIN.row,
    STOP_CLOCK.row,
    START_CLOCK.row,
)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case ReorderPlan():
            return REORDER_PLAN.of(command)
        case AddCase():
            return ADD_CASE.of(command)
        case ShowAgain():
            return SHOW_AGAIN.of(command)
        case StopClock():
            return STOP_CLOCK.of(command)
        case StartClock():
            return START_CLOCK.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case PlanReordered(order=order):
            cases = [state.rounds[index].planned for index in order]
            for index, planned in zip(sorted(order), cases, strict=True):
                state.rounds[index].planned = planned
            _fold_plan(state)
        case CaseAdded(planned=planned):
            state.rounds.append(Round(planned))
            _fold_plan(state)
        case RevealShownAgain(round=index):
            state.again = index
        case ClockStopped(at_ms=at_ms):
            state.stopped_ms = at_ms
            if state.poll is not None:
                state.poll.pauses.append(Pause(at_ms))
        case ClockStarted(at_ms=at_ms):
            _fold_started(state, at_ms)
        case _:
            assert_never(event)


def _fold_plan(state: RoomState) -> None:
    """Copy the rounds to the plan, and drop take-home cases that are now in a round."""
    state.plan_changes += 1
    rounds = tuple(round_.planned for round_ in state.rounds)
    changed = state.plan.model_copy(update={"rounds": rounds})
    used = set(used_cases(changed))
    at_home = tuple(case for case in changed.take_home if case.id not in used)
    state.plan = changed.model_copy(update={"take_home": at_home})


def _fold_started(state: RoomState, at_ms: int) -> None:
    began_ms = at_ms if state.stopped_ms is None else state.stopped_ms
    stood_ms, state.stopped_ms = max(0, at_ms - began_ms), None
    if state.deadline_ms is not None:
        state.deadline_ms += stood_ms
    if state.warned_until_ms is not None:
        state.warned_until_ms += stood_ms
    poll = state.poll
    if poll is None:
        return
    poll.deadline_ms = state.deadline_ms
    poll.pauses[-1] = Pause(began_ms, began_ms + stood_ms)
    for site, until_ms in poll.site_until_ms.items():
        poll.site_until_ms[site] = until_ms + stood_ms
