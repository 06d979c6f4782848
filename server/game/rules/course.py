"""Rules about the course of a game: examples, rounds, reveal, reasons, the end."""

from __future__ import annotations

from server.game.commands import (
    BackToLobby,
    Contrast,
    Discuss,
    Finish,
    NextStep,
    OpenRound,
    PinReason,
    Reveal,
    ShowExample,
    SkipRound,
    UnpinReason,
)
from server.game.errors import Refused
from server.game.events import (
    ContrastShown,
    DiscussionOpened,
    Event,
    ExampleShown,
    GameFinished,
    LobbyEntered,
    ReasonPinned,
    ReasonUnpinned,
    RoundOpened,
    RoundRevealed,
    RoundSkipped,
    StepShown,
)
from server.game.groups import Group, form
from server.game.phases import LAST_STEP, Ballot, Phase
from server.game.rules.moment import Moment
from server.game.state import RoomState, Round
from server.game.talk import talkers
from server.game.timing import discuss_ms


def show_example(state: RoomState, _: ShowExample, moment: Moment) -> list[Event]:
    """Show the next worked example."""
    index = 0 if state.example_index is None else state.example_index + 1
    if index >= len(state.plan.opening):
        raise Refused("nothing_to_show", "There is no further worked example.")
    return [ExampleShown(index, moment.now_ms)]


def open_round(state: RoomState, command: OpenRound, moment: Moment) -> list[Event]:
    """Open the round asked for, or the one left open, or the next."""
    index = command.round if command.round is not None else state.next_round()
    if index is None:
        raise Refused("bad_round", "Every round has been played; finish the game.")
    if index >= len(state.rounds):
        raise Refused("bad_round", f"There are {len(state.rounds)} rounds.")
    if state.rounds[index].is_revealed:
        raise Refused("bad_round", f"Round {index + 1} has been played.")
    return [RoundOpened(index, _left_in(state.rounds[index]), moment.now_ms)]


def _left_in(round_: Round) -> Phase:
    """Where a round goes on that was left for the lobby: never before what closed."""
    revote = round_.polls.get(Ballot.REVOTE)
    if revote and not revote.is_open:
        return Phase.REVOTE_CLOSED
    vote = round_.polls.get(Ballot.VOTE)
    return Phase.VOTE_CLOSED if vote and not vote.is_open else Phase.READ


def contrast(state: RoomState, _: Contrast, moment: Moment) -> list[Event]:
    """Show the contrast case."""
    if state.round.planned.contrast is None:
        raise Refused("nothing_to_show", "This round has no contrast case.")
    assert state.round_index is not None
    return [ContrastShown(state.round_index, moment.now_ms)]


def discuss(state: RoomState, _: Discuss, moment: Moment) -> list[Event]:
    """Open the discussion."""
    lasts_ms = discuss_ms(state.settings)
    deadline_ms = None if lasts_ms is None else moment.now_ms + lasts_ms
    assert state.round_index is not None
    groups: tuple[Group, ...] = ()
    if state.settings.pairs:
        seed = f"{state.seed}/{state.round_index}"
        groups = form(talkers(state, moment.present), seed)
    return [DiscussionOpened(state.round_index, moment.now_ms, deadline_ms, groups)]


def reveal(state: RoomState, _: Reveal, moment: Moment) -> list[Event]:
    """Reveal the round."""
    assert state.round_index is not None
    return [RoundRevealed(state.round_index, moment.now_ms)]


def next_step(state: RoomState, command: NextStep, _: Moment) -> list[Event]:
    """Show one step more, or all that are left."""
    if state.step >= LAST_STEP:
        raise Refused("nothing_to_show", "The whole breakdown is shown.")
    is_rest = command.all or state.phase is Phase.SAY
    last = LAST_STEP if is_rest else state.step + 1
    return [StepShown(step) for step in range(state.step + 1, last + 1)]


def skip_round(state: RoomState, _: SkipRound, moment: Moment) -> list[Event]:
    """Leave this round and open the next; finish where none is left."""
    assert state.round_index is not None
    events: list[Event] = []
    if not state.round.is_revealed:
        events.append(RoundSkipped(state.round_index, moment.now_ms))
    following = state.next_round(besides=state.round_index)
    if following is None:
        return [*events, GameFinished(moment.now_ms)]
    phase = _left_in(state.rounds[following])
    return [*events, RoundOpened(following, phase, moment.now_ms)]


def back_to_lobby(_: RoomState, __: BackToLobby, moment: Moment) -> list[Event]:
    """Pause in the lobby."""
    return [LobbyEntered(moment.now_ms)]


def finish(_: RoomState, __: Finish, moment: Moment) -> list[Event]:
    """End the game."""
    return [GameFinished(moment.now_ms)]


def pin_reason(state: RoomState, command: PinReason, _: Moment) -> list[Event]:
    """Show a reason that was given in this round."""
    if state.round_index is None:
        raise Refused("wrong_phase", "No round is open.")
    poll = state.round.polls.get(command.ballot)
    vote = poll.votes.get(command.player) if poll else None
    if vote is None or not vote.reason:
        raise Refused("no_reason", "That player gave no reason here.")
    return [ReasonPinned(command.player, state.round_index, command.ballot)]


def unpin_reason(_: RoomState, command: UnpinReason, __: Moment) -> list[Event]:
    """Take a reason down."""
    return [ReasonUnpinned(command.player)]
