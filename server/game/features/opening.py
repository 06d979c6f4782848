"""The opening minute, which introduces the two gaps before the first case.

First, the line is drawn. Then players read two cases of one sentence each, tap the gap
that each of them shows, and see the answer. Steps advance automatically, or when the
host presses the button. Taps are neither scored nor counted in statistics. Web pages
have translations of these texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, assert_never

from scenarios.flow import reading_ms
from scenarios.model import Label
from server.game.errors import Refused
from server.game.features import (
    STAGE,
    Asked,
    Effects,
    FromPlace,
    Moment,
    Row,
    Rule,
    active,
    leads,
    stays,
)
from server.game.ids import PlayerId, Ref
from server.game.phases import Phase
from server.game.state import USUAL_ALLOWANCE, Opening, RoomState
from server.game.views.stage_types import Bars, OpeningView, RoomCard

LINE = {
    "intended": "A dog that never barks at the doorbell.",
    "written": "A treat each time it ignores the doorbell.",
    "learned": "Ignoring the doorbell brings treats.",
}
"""The text of each station on the line, shown while the line is drawn."""


@dataclass(frozen=True, slots=True)
class ShortCase:
    """One of the two cases: its story, and the texts that explain the answer."""

    gap: Label
    story: str
    intended: str
    written: str
    learned: str
    why: str

    @property
    def texts(self) -> dict[str, str]:
        """All of its texts by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}


CASES = (
    ShortCase(
        gap=Label.OUTER,
        story="We give a treat each time the barking stops, so the dog barks more.",
        intended="A dog that never barks at the doorbell.",
        written="A treat each time the barking stops.",
        learned="Bark, then stop.",
        why="Barking scores well under the rule we wrote.",
    ),
    ShortCase(
        gap=Label.INNER,
        story="Each treat is for ignoring the doorbell, but Dad is always there; when "
        "Dad is out, the dog barks.",
        intended="A dog that never barks at the doorbell.",
        written="A treat for ignoring the doorbell.",
        learned="Stay quiet while Dad is at home.",
        why="Barking never scored under the rule we wrote.",
    ),
)

LAST_STEP = 2 * len(CASES)
"""The steps are listed in :class:`server.game.state.Opening`."""

UNLIMITED = 1000
""""No limit" as a percentage of the usual time, for steps that all players share."""
STEP_MS = 8_000
"""How long a step of the opening minute lasts in addition to the reading time."""

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOpening(FromPlace):
    """Begin the opening minute, or move to its next step.

    If ``automatic`` is true, later steps follow without a press, unless timers are off.
    False stops that until the minute begins again.
    """

    automatic: bool = True
    type: Literal["show_opening"] = "show_opening"


@dataclass(frozen=True, slots=True)
class TapOpening:
    """A player taps the gap in one of the two cases, and may change the answer."""

    player: PlayerId
    case: int
    gap: Label
    ref: Ref = None
    type: Literal["tap_opening"] = "tap_opening"


Commands = ShowOpening | TapOpening

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpeningShown:
    """A step of the opening minute was shown; step 0 begins it and discards all taps.

    ``deadline_ms`` is when the next step follows; None if it waits for the host.
    """

    step: int
    at_ms: int
    deadline_ms: int | None
    type: Literal["opening_shown"] = "opening_shown"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class OpeningTapped:
    """A player answered one of the two cases, or changed the answer."""

    player: PlayerId
    case: int
    gap: Label
    at_ms: int
    type: Literal["opening_tapped"] = "opening_tapped"

    @property
    def effects(self) -> Effects:
        """The player's phone shows the answer."""
        return Effects(persons=frozenset({self.player}))


Events = OpeningShown | OpeningTapped

# --- rules ---------------------------------------------------------------------------


def texts_of(step: int) -> dict[str, str]:
    """Return the texts of a step by name; while a case is open, only its story."""
    if step == 0:
        return LINE
    case = CASES[(step - 1) // 2]
    return case.texts if step % 2 == 0 else {"story": case.story}


def _has_minute(state: RoomState) -> bool:
    wished = state.settings.minute
    return state.plan.minute if wished is None else wished


def is_advised(state: RoomState) -> bool:
    """Whether the big button begins the opening minute, or shows its next step."""
    is_first = not state.opening.is_seen and state.round_index is None
    return state.phase is Phase.OPENING or (is_first and _has_minute(state))


def _is_left(state: RoomState, _: ShowOpening) -> Refused | None:
    if state.phase is not Phase.OPENING:
        if _has_minute(state):
            return None
        return Refused("nothing_to_show", "This room has no opening minute.")
    if state.opening.step < LAST_STEP:
        return None
    return Refused("nothing_to_show", "The opening minute is over; open a case.")


def opening_ms(
    state: RoomState, texts: Iterable[str], present: Set[PlayerId]
) -> int | None:
    """Return how long a step of the opening minute lasts; None if timers are off.

    A step lasts as long as it takes to read the texts, plus 8 s. The longest allowance
    of anyone present applies to all, since the class moves on together; "no limit"
    counts as ten times the usual time.
    """
    if state.settings.time_factor is None:
        return None
    here = (state.players[p] for p in present if p in state.players)
    allowances = {player.allowance or UNLIMITED for player in here}
    lasts_ms = STEP_MS + reading_ms(*texts)
    longest = max(allowances, default=USUAL_ALLOWANCE)
    return int(lasts_ms * state.settings.time_factor) * longest // USUAL_ALLOWANCE


def next_step(state: RoomState, moment: Moment, automatic: bool = True) -> OpeningShown:
    """Return the event that shows the next step, or the first one."""
    is_on = state.phase is Phase.OPENING
    step = state.opening.step + 1 if is_on else 0
    follows = step < LAST_STEP and (state.deadline_ms is not None or not is_on)
    lasts_ms = opening_ms(state, texts_of(step).values(), moment.present)
    if not automatic or not follows or lasts_ms is None:
        return OpeningShown(step, moment.now_ms, None)
    return OpeningShown(step, moment.now_ms, moment.now_ms + lasts_ms)


def _show(state: RoomState, command: ShowOpening, moment: Moment) -> list[OpeningShown]:
    return [next_step(state, moment, command.automatic)]


def _tap(state: RoomState, command: TapOpening, moment: Moment) -> list[OpeningTapped]:
    active(state, command.player)
    taps = state.opening.open_taps
    if taps is None or command.case != state.opening.case:
        raise Refused("phase_closed", "This case is not open; nothing was counted.")
    if taps.get(command.player) is command.gap:
        return []
    return [OpeningTapped(command.player, command.case, command.gap, moment.now_ms)]


SHOW_OPENING = Rule(
    Row(
        "show_opening",
        leads((Phase.LOBBY, Phase.OPENING), Phase.OPENING),
        "the deck has an opening minute, and a step is left",
    ),
    _show,
    _is_left,
)
TAP_OPENING = Rule(Row("tap_opening", stays([Phase.OPENING])), _tap)
ROWS = (SHOW_OPENING.row, TAP_OPENING.row)


def asked(command: Commands) -> Asked[Events]:
    """Return a command with its rule."""
    match command:
        case ShowOpening():
            return SHOW_OPENING.of(command)
        case TapOpening():
            return TAP_OPENING.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case OpeningShown(step=step, deadline_ms=deadline_ms):
            state.enter(Phase.OPENING, deadline_ms)
            state.opening.step = step
            if step == 0:
                state.opening = Opening(taps=tuple({} for _ in CASES), is_seen=True)
        case OpeningTapped(player=player, case=case, gap=gap, at_ms=at_ms):
            state.opening.taps[case][player] = gap
            state.opening.tapped_ms = at_ms
        case _:
            assert_never(event)


# --- the view ------------------------------------------------------------------------


def view_of(state: RoomState, room: RoomCard) -> OpeningView:
    """Return the current step as the class sees it."""
    now = state.opening
    is_shown = now.case is not None and now.open_taps is None
    said = Counter(now.taps[now.case].values() if now.case is not None else ())
    return OpeningView(
        room=room,
        step=now.step,
        last_step=LAST_STEP,
        case=now.case,
        gap=CASES[now.case or 0].gap if is_shown else None,
        bars=Bars(said.total(), {gap.value: said[gap] for gap in Label})
        if is_shown
        else None,
        texts=texts_of(now.step),
    )
