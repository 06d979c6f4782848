"""Turning commands into events, or refusing them. Pure: changes nothing.

``decide`` first looks the command up in the transition table of the phase, then asks
the command's own rule. Time, and who is present, come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Set
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
from server.game.events import Event
from server.game.ids import PlayerId
from server.game.phases import TABLE, Ballot, Phase
from server.game.rules import ballots, course, people, saying, voting
from server.game.rules.moment import Moment
from server.game.state import RoomState


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
