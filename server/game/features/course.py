"""The course of a game: worked examples, rounds, the lobby, and the end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar, Literal, assert_never

from scenarios.model import Truth
from server.game.errors import Refused, required
from server.game.features import (
    STAGE,
    Asked,
    Effects,
    FromPlace,
    FromPlan,
    Moment,
    Row,
    Rule,
    leads,
    reveal,
)
from server.game.ids import RoundIndex
from server.game.phases import (
    AFTER_REVEAL,
    BEFORE_ROUNDS,
    GAME,
    MOST_PRACTICE,
    PRACTICE_FROM,
    REOPENS,
    ROUND,
    Ballot,
    Phase,
)
from server.game.state import RoomState, Round
from server.game.views.stage_types import Placed

# --- commands ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowExample(FromPlace):
    """Show the next worked example: first the opening pair; at the end the closing
    cases, and then the four kinds side by side.
    """

    type: Literal["show_example"] = "show_example"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRound(FromPlan):
    """Open a round for reading (default: the unfinished one, else the next)."""

    round: RoundIndex | None = None
    type: Literal["open_round"] = "open_round"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayAgain(FromPlace):
    """Play a revealed case again for practice, unscored (default: the current case)."""

    round: RoundIndex | None = None
    type: Literal["play_again"] = "play_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRound(FromPlan):
    """Leave this round unfinished and unscored, and go on to the next."""

    type: Literal["skip_round"] = "skip_round"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackToLobby(FromPlace):
    """Pause in the lobby; an unfinished round can be reopened and keeps its votes."""

    type: Literal["back_to_lobby"] = "back_to_lobby"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(FromPlace):
    """End the game here and show the closing page.

    In a test, this scores all rounds. It waits for sites that are behind, unless
    ``without`` is set.
    """

    without: bool = False
    type: Literal["finish"] = "finish"


Commands = ShowExample | OpenRound | PlayAgain | SkipRound | BackToLobby | Finish

# --- events --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExampleShown:
    """A worked example was shown: one of the opening pair, later a closing case, and
    finally the four kinds side by side.
    """

    index: int
    at_ms: int
    type: Literal["example_shown"] = "example_shown"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class RoundOpened:
    """A round was opened, or opened again in the phase where it was left."""

    round: int
    phase: Phase
    at_ms: int
    type: Literal["round_opened"] = "round_opened"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class PracticeOpened:
    """The case of round ``of`` is played again, as the practice round ``round``.

    Practice rounds are neither scored nor counted in statistics.
    """

    round: int
    of: int
    at_ms: int
    type: Literal["practice_opened"] = "practice_opened"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class RoundSkipped:
    """A round was left unfinished; it is not scored."""

    round: int
    at_ms: int
    type: Literal["round_skipped"] = "round_skipped"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class LobbyEntered:
    """The room paused in its lobby."""

    at_ms: int
    type: Literal["lobby_entered"] = "lobby_entered"
    effects: ClassVar[Effects] = STAGE


@dataclass(frozen=True, slots=True)
class GameFinished:
    """The game is over."""

    at_ms: int
    type: Literal["game_finished"] = "game_finished"
    effects: ClassVar[Effects] = Effects(stage=True, results=True)


Events = (
    ExampleShown
    | RoundOpened
    | PracticeOpened
    | RoundSkipped
    | LobbyEntered
    | GameFinished
)

Decided = Events | reveal.Events
"""Ending a test also scores its rounds."""

# --- rules ---------------------------------------------------------------------------


def _next_example(state: RoomState) -> int:
    """Return the index of the next example; after the last round, of a closing case."""
    following = 0 if state.example_index is None else state.example_index + 1
    return max(following, len(state.plan.opening)) if _is_over(state) else following


def _is_over(state: RoomState) -> bool:
    """Whether the last round has been played, so that closing cases can be shown."""
    return state.round_index is not None and state.next_round() is None


def four_kinds(state: RoomState) -> tuple[Placed, ...]:
    """Return one case of each kind, of those whose verdict the class has seen."""
    told = [round_.case for round_ in state.rounds if round_.is_revealed]
    told += state.plan.closing
    titles = {case.truth: case.title for case in reversed(told) if not case.contested}
    return tuple(
        Placed(outer, inner, titles.get(Truth(outer=outer, inner=inner), ""))
        for outer, inner in product((False, True), repeat=2)
    )


def _example_is_left(state: RoomState, _: ShowExample) -> Refused | None:
    plan = state.plan
    last = 0 if state.phase in AFTER_REVEAL else len(plan.opening)
    if _is_over(state) and plan.closing:
        last = len(plan.opening) + len(plan.closing) + 1
    if _next_example(state) < last:
        return None
    return Refused("nothing_to_show", "There are no more worked examples.")


def _show_example(
    state: RoomState, _: ShowExample, moment: Moment
) -> list[ExampleShown]:
    return [ExampleShown(_next_example(state), moment.now_ms)]


def _round_asked(state: RoomState, command: OpenRound) -> int | None:
    return command.round if command.round is not None else state.next_round()


def _round_is_left(state: RoomState, command: OpenRound) -> Refused | None:
    index = _round_asked(state, command)
    if state.phase is Phase.READ and index in (None, state.round_index):
        return Refused("bad_round", "This round is open; name another one.")
    if index is None:
        return Refused("bad_round", "Every round has been played; finish the game.")
    if index >= len(state.rounds):
        return Refused("bad_round", f"The last round is {len(state.rounds)}.")
    if state.rounds[index].is_counted:
        return Refused("bad_round", f"Round {index + 1} has already been played.")
    if state.phase in REOPENS and not state.is_handed_in(state.round):
        return Refused("bad_round", "Reveal this case first, or skip it.")
    return None


def _open_round(
    state: RoomState, command: OpenRound, moment: Moment
) -> list[RoundOpened]:
    index = required(_round_asked(state, command), "the round")
    return [RoundOpened(index, _left_in(state.rounds[index]), moment.now_ms)]


def _case_asked(state: RoomState, command: PlayAgain) -> int | None:
    """Return the index of the planned round whose case is to be played again."""
    index = command.round if command.round is not None else state.round_index
    if index is None or not state.has_round(index):
        return None
    of = state.round_at(index).practice_of
    return index if of is None else of


def _case_is_revealed(state: RoomState, command: PlayAgain) -> Refused | None:
    index = _case_asked(state, command)
    if index is None or not state.rounds[index].is_revealed:
        return Refused("bad_round", "Only a revealed case can be played again.")
    if len(state.practice) >= MOST_PRACTICE:
        return Refused("bad_round", f"At most {MOST_PRACTICE} cases can be replayed.")
    return None


def _play_again(
    state: RoomState, command: PlayAgain, moment: Moment
) -> list[PracticeOpened]:
    of = required(_case_asked(state, command), "the case")
    index = PRACTICE_FROM + len(state.practice)
    return [PracticeOpened(index, of, moment.now_ms)]


def _left_in(round_: Round) -> Phase:
    """Return the phase in which an open round resumes; closed votes stay closed."""
    revote = round_.polls.get(Ballot.REVOTE)
    if revote and not revote.is_open:
        return Phase.REVOTE_CLOSED
    vote = round_.polls.get(Ballot.VOTE)
    return Phase.VOTE_CLOSED if vote and not vote.is_open else Phase.READ


def _skip_round(state: RoomState, _: SkipRound, moment: Moment) -> list[Decided]:
    """Leave this round and open the next; finish if none is left."""
    events: list[Decided] = []
    if not state.round.is_revealed:
        events.append(RoundSkipped(state.index, moment.now_ms))
    following = state.next_round(besides=state.index)
    if following is None:
        counted = reveal.handed_in(state, besides=state.index)
        return [*events, *counted, GameFinished(moment.now_ms)]
    phase = _left_in(state.rounds[following])
    return [*events, RoundOpened(following, phase, moment.now_ms)]


def _back_to_lobby(_: RoomState, __: BackToLobby, moment: Moment) -> list[LobbyEntered]:
    return [LobbyEntered(moment.now_ms)]


def _finish(state: RoomState, _: Finish, moment: Moment) -> list[Decided]:
    return [*reveal.handed_in(state), GameFinished(moment.now_ms)]


_IN_PLAY = tuple(phase for phase in GAME if phase is not Phase.LOBBY)
_INTO_ROUND = (Phase.READ, Phase.VOTE_CLOSED, Phase.REVOTE_CLOSED)

SHOW_EXAMPLE = Rule(
    Row(
        "show_example",
        leads((Phase.LOBBY, Phase.EXAMPLE, *AFTER_REVEAL), Phase.EXAMPLE),
        "the deck has another worked example; closing cases come after the last round",
    ),
    _show_example,
    _example_is_left,
)
OPEN_ROUND = Rule(
    Row(
        "open_round",
        leads((*BEFORE_ROUNDS, *AFTER_REVEAL, *REOPENS, Phase.READ), *_INTO_ROUND),
        "a round is left; from ``read``, if named; from a closed vote, only in a test",
    ),
    _open_round,
    _round_is_left,
)
PLAY_AGAIN = Rule(
    Row(
        "play_again",
        leads((*BEFORE_ROUNDS, *AFTER_REVEAL), Phase.READ),
        "the case has been revealed",
    ),
    _play_again,
    _case_is_revealed,
)
SKIP_ROUND = Rule(
    Row(
        "skip_round",
        leads(ROUND, *_INTO_ROUND, Phase.FINISHED),
        "leads to finished if no round is left",
    ),
    _skip_round,
)
BACK_TO_LOBBY = Rule(Row("back_to_lobby", leads(_IN_PLAY, Phase.LOBBY)), _back_to_lobby)
FINISH = Rule(Row("finish", leads(GAME, Phase.FINISHED)), _finish)
ROWS = tuple(
    rule.row
    for rule in (
        SHOW_EXAMPLE,
        OPEN_ROUND,
        PLAY_AGAIN,
        SKIP_ROUND,
        BACK_TO_LOBBY,
        FINISH,
    )
)


def asked(command: Commands) -> Asked[Decided]:
    """Return a command with its rule."""
    match command:
        case ShowExample():
            return SHOW_EXAMPLE.of(command)
        case OpenRound():
            return OPEN_ROUND.of(command)
        case PlayAgain():
            return PLAY_AGAIN.of(command)
        case SkipRound():
            return SKIP_ROUND.of(command)
        case BackToLobby():
            return BACK_TO_LOBBY.of(command)
        case Finish():
            return FINISH.of(command)
        case _:
            assert_never(command)


# --- folds ---------------------------------------------------------------------------


def fold(state: RoomState, event: Events) -> None:
    """Fold an event into the state."""
    match event:
        case ExampleShown(index=index):
            state.enter(Phase.EXAMPLE)
            state.example_index = index
        case RoundOpened(round=index, phase=phase):
            _enter_round(state, index, phase)
        case PracticeOpened(round=index, of=of):
            planned = state.rounds[of].planned
            state.practice[index] = Round(planned, practice_of=of)
            _enter_round(state, index, Phase.READ)
        case RoundSkipped(round=index):
            state.round_at(index).is_skipped = True
        case LobbyEntered():
            state.enter(Phase.LOBBY)
        case GameFinished(at_ms=at_ms):
            state.enter(Phase.FINISHED)
            state.finished_ms = at_ms
        case _:
            assert_never(event)


def _enter_round(state: RoomState, index: int, phase: Phase) -> None:
    state.enter(phase)
    state.round_index = index
    state.step = 0
    state.round.is_opened = True
    state.round.is_skipped = False
