"""The commands that a room accepts, each identified by its ``type``.

Each command is defined in the module of its feature. ``FEATURES`` lists these modules,
and ``asked`` finds the rule for a command; mypy fails if a command belongs to no
feature. Host commands are sent over the wire in this form, with ``ref``, a number that
the sender chooses and the reply repeats. Player commands contain the player, which the
server fills in from the session, so that a client cannot act for another player.
"""

from __future__ import annotations

from typing import assert_never

from scenarios.model import Flow
from server.game.events import Event
from server.game.features import (
    Asked,
    FromPlace,
    FromPlan,
    ballots,
    challenging,
    course,
    discussion,
    opening,
    people,
    removal,
    reveal,
    room,
    saying,
    steering,
    timing,
    voting,
)
from server.game.features.ballots import (
    AskFix,
    CloseVotes,
    OpenVote,
    ReopenVote,
    Revote,
    Tick,
    Transfer,
)
from server.game.features.challenging import ChallengeLabel
from server.game.features.course import (
    BackToLobby,
    Finish,
    OpenRound,
    PlayAgain,
    ShowExample,
    SkipRound,
)
from server.game.features.discussion import Contrast, Discuss
from server.game.features.opening import ShowOpening, TapOpening
from server.game.features.people import ChooseTeam, Join, Rename, SetTeam
from server.game.features.removal import Kick, KickRecent, LetBack
from server.game.features.reveal import NextStep, Reveal
from server.game.features.room import (
    CallBackLink,
    ChangeSettings,
    Lock,
    NameRoom,
    Unlock,
)
from server.game.features.saying import AskSay, HideSentence, SayIt, ShowSentence
from server.game.features.steering import (
    AddCase,
    ReorderPlan,
    ShowAgain,
    StartClock,
    StopClock,
)
from server.game.features.timing import AskTime, GiveTime, Percent, Resume
from server.game.features.voting import CastVote, PinReason, UnpinReason
from server.game.ids import Ref, RoundIndex, Site
from server.game.phases import BEFORE_ROUNDS, Phase

__all__ = [
    "BUTTONS",
    "FEATURES",
    "HOST_COMMANDS",
    "AddCase",
    "AskFix",
    "AskSay",
    "AskTime",
    "BackToLobby",
    "CallBackLink",
    "CastVote",
    "ChallengeLabel",
    "Change",
    "ChangeSettings",
    "ChooseTeam",
    "CloseVotes",
    "Command",
    "Contrast",
    "Discuss",
    "Finish",
    "FromPlace",
    "FromPlan",
    "GiveTime",
    "HideSentence",
    "HostCommand",
    "Join",
    "Kick",
    "KickRecent",
    "LetBack",
    "Lock",
    "NameRoom",
    "NextStep",
    "OpenRound",
    "OpenVote",
    "Percent",
    "PinReason",
    "PlayAgain",
    "PlayerChange",
    "PlayerCommand",
    "Ref",
    "Rename",
    "ReopenVote",
    "ReorderPlan",
    "Resume",
    "Reveal",
    "Revote",
    "RoundIndex",
    "SayIt",
    "SetTeam",
    "ShowAgain",
    "ShowExample",
    "ShowOpening",
    "ShowSentence",
    "Site",
    "SkipRound",
    "StartClock",
    "StopClock",
    "SystemCommand",
    "TapOpening",
    "Tick",
    "Transfer",
    "Unlock",
    "UnpinReason",
    "asked",
    "onward",
]

FEATURES = (
    room,
    people,
    removal,
    timing,
    ballots,
    voting,
    opening,
    course,
    discussion,
    reveal,
    saying,
    challenging,
    steering,
)
"""Every feature of the game."""

PlayerChange = CastVote | AskTime | ChooseTeam | SayIt | TapOpening
Change = PlayerChange | ChallengeLabel
"""What a person may change. These changes are limited, since each of them is stored."""
PlayerCommand = Join | Change
HostCommand = (
    ShowOpening
    | ShowExample
    | OpenRound
    | OpenVote
    | CloseVotes
    | Contrast
    | Discuss
    | Revote
    | ReopenVote
    | Reveal
    | NextStep
    | AskSay
    | AskFix
    | Transfer
    | PlayAgain
    | SkipRound
    | BackToLobby
    | Finish
    | GiveTime
    | StopClock
    | StartClock
    | ShowAgain
    | ReorderPlan
    | NameRoom
    | Lock
    | Unlock
    | Kick
    | LetBack
    | KickRecent
    | Rename
    | SetTeam
    | PinReason
    | UnpinReason
    | ShowSentence
    | HideSentence
    | ChangeSettings
    | CallBackLink
)
SystemCommand = Tick | Resume
Command = PlayerCommand | HostCommand | AddCase | SystemCommand

BUTTONS: tuple[HostCommand, ...] = (
    ShowOpening(),
    ShowExample(),
    OpenRound(),
    OpenVote(),
    CloseVotes(),
    Contrast(),
    Discuss(),
    Revote(),
    ReopenVote(),
    Reveal(),
    NextStep(stop=True),
    AskSay(),
    AskFix(),
    Transfer(),
    PlayAgain(),
    SkipRound(),
    BackToLobby(),
    Finish(),
    GiveTime(),
    StopClock(),
    StartClock(),
    ShowAgain(),
)
"""Commands that move the game, in the order of a round, as the buttons send them."""

_FULL: tuple[HostCommand, ...] = (
    OpenVote(),
    CloseVotes(),
    Revote(),
    Reveal(),
    NextStep(stop=True),
    AskFix(),
    Transfer(),
    OpenRound(),
    ShowExample(),
    Finish(),
)

_ROUNDS: dict[Flow, tuple[HostCommand, ...]] = {
    "quick": tuple(one for one in _FULL if not isinstance(one, AskFix | Transfer)),
    "full": _FULL,
    "test": (OpenVote(), CloseVotes(), OpenRound(), Finish()),
}


def onward(flow: Flow, phase: Phase) -> tuple[HostCommand, ...]:
    """Return the commands that move the game forward in a flow, in order of preference.

    The big button sends the first of these that is allowed.
    """
    before = flow != "test" and phase in BEFORE_ROUNDS
    return (ShowOpening(), ShowExample(), *_ROUNDS[flow]) if before else _ROUNDS[flow]


HOST_COMMANDS = tuple(command.type for command in BUTTONS)


def asked(command: Command) -> Asked[Event]:
    """Return a command together with its feature's rule for it."""
    if isinstance(command, voting.Commands):
        return voting.asked(command)
    if isinstance(command, people.Commands):
        return people.asked(command)
    if isinstance(command, removal.Commands):
        return removal.asked(command)
    if isinstance(command, room.Commands):
        return room.asked(command)
    if isinstance(command, timing.Commands):
        return timing.asked(command)
    if isinstance(command, ballots.Commands):
        return ballots.asked(command)
    if isinstance(command, opening.Commands):
        return opening.asked(command)
    if isinstance(command, course.Commands):
        return course.asked(command)
    if isinstance(command, discussion.Commands):
        return discussion.asked(command)
    if isinstance(command, reveal.Commands):
        return reveal.asked(command)
    if isinstance(command, saying.Commands):
        return saying.asked(command)
    if isinstance(command, challenging.Commands):
        return challenging.asked(command)
    if isinstance(command, steering.Commands):
        return steering.asked(command)
    assert_never(command)
