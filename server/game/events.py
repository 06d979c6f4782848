"""Events, which record what happened in a room and are never edited once stored.

Each event is defined in the module of its feature, and ``fold`` finds the feature that
an event belongs to; mypy fails if there is none. A class whose shape changes gets a new
version and an upcaster (see server/journal/codec.py). Times are UTC milliseconds.
``RoomOpened`` contains the seed, the order and the full text of the cases, so that a
journal can still be replayed after the library has changed.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, assert_never

from pydantic import Field

from server.game.features import (
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
from server.game.features.ballots import BallotClosed, BallotOpened, BallotReopened
from server.game.features.challenging import ChallengeWithdrawn, LabelChallenged
from server.game.features.course import (
    ExampleShown,
    GameFinished,
    LobbyEntered,
    PracticeOpened,
    RoundOpened,
    RoundSkipped,
)
from server.game.features.discussion import ContrastShown, DiscussionOpened
from server.game.features.opening import OpeningShown, OpeningTapped
from server.game.features.people import (
    PlayerJoined,
    PlayerRenamed,
    TeamChosen,
)
from server.game.features.removal import PlayerKicked, PlayerLetBack
from server.game.features.reveal import (
    MissesForgiven,
    RoundCounted,
    RoundRevealed,
    StepShown,
)
from server.game.features.room import (
    HostLinkCalledBack,
    RoomLocked,
    RoomMoved,
    RoomNamed,
    RoomOpened,
    RoomUnlocked,
    SettingsChanged,
    SiteLocked,
    SiteUnlocked,
)
from server.game.features.saying import (
    SayOpened,
    SentenceHidden,
    SentenceSaid,
    SentenceShown,
)
from server.game.features.steering import (
    CaseAdded,
    ClockStarted,
    ClockStopped,
    PlanReordered,
    RevealShownAgain,
)
from server.game.features.timing import (
    AllowanceGranted,
    AllowancesWarned,
    DeadlineExtended,
    SiteGivenTime,
)
from server.game.features.voting import (
    ReasonPinned,
    ReasonUnpinned,
    VoteCast,
    VoteKeptLate,
)
from server.game.ids import PlayerId
from server.game.state import RoomState

__all__ = [
    "AllowanceGranted",
    "AllowancesWarned",
    "BallotClosed",
    "BallotOpened",
    "BallotReopened",
    "CaseAdded",
    "ChallengeWithdrawn",
    "ClockStarted",
    "ClockStopped",
    "ContrastShown",
    "DeadlineExtended",
    "DiscussionOpened",
    "Event",
    "ExampleShown",
    "GameFinished",
    "HostLinkCalledBack",
    "LabelChallenged",
    "LobbyEntered",
    "MissesForgiven",
    "OpeningShown",
    "OpeningTapped",
    "PlanReordered",
    "PlayerJoined",
    "PlayerKicked",
    "PlayerLetBack",
    "PlayerRenamed",
    "PracticeOpened",
    "ReasonPinned",
    "ReasonUnpinned",
    "RevealShownAgain",
    "RoomLocked",
    "RoomMoved",
    "RoomNamed",
    "RoomOpened",
    "RoomUnlocked",
    "RoundCounted",
    "RoundOpened",
    "RoundRevealed",
    "RoundSkipped",
    "SayOpened",
    "SentenceHidden",
    "SentenceSaid",
    "SentenceShown",
    "SettingsChanged",
    "SiteGivenTime",
    "SiteLocked",
    "SiteUnlocked",
    "StepShown",
    "TeamChosen",
    "VoteCast",
    "VoteKeptLate",
    "erased",
    "fold",
]

Event = Annotated[
    RoomOpened
    | RoomMoved
    | HostLinkCalledBack
    | SettingsChanged
    | PlayerJoined
    | PlayerRenamed
    | TeamChosen
    | PlayerKicked
    | PlayerLetBack
    | RoomLocked
    | RoomUnlocked
    | SiteLocked
    | SiteUnlocked
    | OpeningShown
    | OpeningTapped
    | ExampleShown
    | RoundOpened
    | PracticeOpened
    | BallotOpened
    | BallotReopened
    | VoteCast
    | VoteKeptLate
    | BallotClosed
    | DeadlineExtended
    | SiteGivenTime
    | AllowanceGranted
    | AllowancesWarned
    | ContrastShown
    | DiscussionOpened
    | MissesForgiven
    | RoundRevealed
    | RoundCounted
    | StepShown
    | SayOpened
    | SentenceSaid
    | SentenceShown
    | SentenceHidden
    | LabelChallenged
    | ChallengeWithdrawn
    | ReasonPinned
    | ReasonUnpinned
    | CaseAdded
    | PlanReordered
    | RevealShownAgain
    | ClockStopped
    | ClockStarted
    | RoomNamed
    | RoundSkipped
    | LobbyEntered
    | GameFinished,
    Field(discriminator="type"),
]


def fold(state: RoomState, event: Event) -> None:
    """Fold an event into the state, using the feature it belongs to."""
    if isinstance(event, voting.Events):
        voting.fold(state, event)
    elif isinstance(event, people.Events):
        people.fold(state, event)
    elif isinstance(event, removal.Events):
        removal.fold(state, event)
    elif isinstance(event, RoomOpened):
        raise ValueError("a room opens only once")
    elif isinstance(event, room.Events):
        room.fold(state, event)
    elif isinstance(event, timing.Events):
        timing.fold(state, event)
    elif isinstance(event, ballots.Events):
        ballots.fold(state, event)
    elif isinstance(event, opening.Events):
        opening.fold(state, event)
    elif isinstance(event, course.Events):
        course.fold(state, event)
    elif isinstance(event, discussion.Events):
        discussion.fold(state, event)
    elif isinstance(event, reveal.Events):
        reveal.fold(state, event)
    elif isinstance(event, saying.Events):
        saying.fold(state, event)
    elif isinstance(event, challenging.Events):
        challenging.fold(state, event)
    elif isinstance(event, steering.Events):
        steering.fold(state, event)
    else:
        assert_never(event)


def erased(
    event: Event, player: PlayerId, name: str, names: Set[str] = frozenset()
) -> Event:
    """Return the event without one player's words; the same event if it has none.

    ``name`` replaces the player's name. A room name that contains one of ``names``, the
    names that the player has had, is removed.
    """
    match event:
        case PlayerJoined() | PlayerRenamed() if event.player == player:
            return people.erased(event, name)
        case PlayerLetBack() if event.player == player:
            return removal.erased(event, name)
        case VoteCast() | VoteKeptLate() if event.player == player:
            return voting.erased(event)
        case SentenceSaid() if event.player == player:
            return saying.erased(event)
        case LabelChallenged() if event.by.player == player:
            return challenging.erased(event)
        case RoomNamed():
            return room.erased(event, names)
        case _:
            return event
