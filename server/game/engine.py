"""The rules at work: commands become events, events become the state of a room.

``decide`` first looks a command up in the table of its phase, then asks the command's
own rule. ``evolve`` folds an event into the state, ``replay`` a whole journal. Time,
and which players are present, come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from typing import Any

from server.game.commands import (
    AskFix,
    AskSay,
    AskTime,
    BackToLobby,
    CastVote,
    ChangeSettings,
    ChooseTeam,
    CloseVotes,
    Command,
    Contrast,
    Discuss,
    Finish,
    GiveTime,
    Join,
    Kick,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    Rename,
    Resume,
    Reveal,
    Revote,
    SayIt,
    SetTeam,
    ShowExample,
    SkipRound,
    Tick,
    Transfer,
    Unlock,
    UnpinReason,
)
from server.game.errors import Refused
from server.game.events import Event, RoomOpened
from server.game.folds import FOLDS
from server.game.ids import PlayerId
from server.game.phases import TABLE, Ballot, Phase
from server.game.rules import ballots, course, people, saying, voting
from server.game.rules.moment import Moment
from server.game.state import RoomState, Round


def decide(
    state: RoomState, command: Command, now_ms: int, present: Set[PlayerId]
) -> list[Event]:
    """Return the events a command leads to: none where there is nothing to do.

    ``now_ms`` is UTC milliseconds, ``present`` who is connected now or was within the
    last 20 s. Raises :class:`Refused` where the command is not allowed; the state is
    never changed here.
    """
    if command.type not in TABLE[state.phase]:
        raise _not_now(state, command)
    return _RULES[type(command)](state, command, Moment(now_ms, present))


def evolve(state: RoomState, event: Event) -> None:
    """Fold one event into the state, in place.

    Any exception means that the event does not belong after the earlier ones, and
    leaves the state undefined: replay the journal, or close the room. A vote costs the
    same however many players there are; a reveal walks through all of them once.
    """
    FOLDS[type(event)](state, event)
    state.version += 1


class ReplayError(Exception):
    """An event of a journal cannot be folded into the state that its room had then.

    ``version`` is the event's number in the journal, from 1; ``event_type`` its type,
    empty where the journal holds no event at all. ``__cause__`` is what the fold
    raised.
    """

    def __init__(self, version: int, event_type: str, detail: str) -> None:
        """``detail`` says in words why the event does not fit."""
        super().__init__(f"event {version} ({event_type or 'none'}): {detail}")
        self.version = version
        self.event_type = event_type


def open_room(event: RoomOpened) -> RoomState:
    """Return the state of a room that has just been opened."""
    return RoomState(
        code=event.code,
        plan=event.plan,
        settings=event.settings,
        seed=event.seed,
        secret=event.secret,
        opened_ms=event.at_ms,
        rounds=[Round(planned) for planned in event.plan.rounds],
    )


def replay(events: Iterable[Event]) -> RoomState:
    """Return the state after all the events of a journal.

    Raises :class:`ReplayError` where the first is not a RoomOpened, or where one does
    not fit what came before it.
    """
    stream = iter(events)
    first = next(stream, None)
    if not isinstance(first, RoomOpened):
        found = "" if first is None else first.type
        raise ReplayError(1, found, "a journal begins with room_opened")
    state = open_room(first)
    for version, event in enumerate(stream, start=2):
        try:
            evolve(state, event)
        except Exception as exc:
            detail = f"{type(exc).__name__}: {exc}"
            raise ReplayError(version, event.type, detail) from exc
    return state


def _not_now(state: RoomState, command: Command) -> Refused:
    if isinstance(command, CastVote):
        return Refused("phase_closed", "No vote is open now; yours was not counted.")
    if state.phase is Phase.FINISHED:
        return Refused("room_finished", "The game is over.")
    return Refused(
        "wrong_phase", f"'{command.type}' cannot be done in phase '{state.phase}'."
    )


_RULES: dict[type, Callable[[RoomState, Any, Moment], list[Event]]] = {
    Join: people.join,
    CastVote: voting.cast_vote,
    AskTime: people.ask_time,
    ChooseTeam: people.choose_team,
    ShowExample: course.show_example,
    OpenRound: course.open_round,
    OpenVote: ballots.open_ballot(Ballot.VOTE),
    CloseVotes: ballots.close_votes,
    Contrast: course.contrast,
    Discuss: course.discuss,
    Revote: ballots.open_ballot(Ballot.REVOTE),
    Reveal: course.reveal,
    NextStep: course.next_step,
    AskSay: saying.ask_say,
    SayIt: saying.say_it,
    AskFix: ballots.open_ballot(Ballot.FIX),
    Transfer: ballots.open_ballot(Ballot.TRANSFER),
    SkipRound: course.skip_round,
    BackToLobby: course.back_to_lobby,
    Finish: course.finish,
    GiveTime: ballots.give_time,
    Lock: people.lock,
    Unlock: people.unlock,
    Kick: people.kick,
    Rename: people.rename,
    SetTeam: people.choose_team,
    PinReason: course.pin_reason,
    UnpinReason: course.unpin_reason,
    ChangeSettings: people.change_settings,
    Tick: ballots.tick,
    Resume: ballots.resume,
}
