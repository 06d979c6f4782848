"""What has happened in a room: frozen, past tense, never edited once stored.

Each event is defined in the module of its feature. A class whose shape changes gets a
version and an upcaster of its own (how: server/journal/codec.py). Times are UTC
milliseconds. ``RoomOpened`` holds the seed, the order and the full text of its cases: a
journal replays by itself after the library has changed.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from server.game.features.ballots import BallotClosed, BallotOpened, BallotReopened
from server.game.features.course import (
    ExampleShown,
    GameFinished,
    LobbyEntered,
    PracticeOpened,
    RoundOpened,
    RoundSkipped,
)
from server.game.features.discussion import ContrastShown, DiscussionOpened
from server.game.features.people import (
    PlayerJoined,
    PlayerKicked,
    PlayerRenamed,
    TeamChosen,
)
from server.game.features.reveal import MissesForgiven, RoundRevealed, StepShown
from server.game.features.room import (
    RoomLocked,
    RoomMoved,
    RoomOpened,
    RoomUnlocked,
    SettingsChanged,
    SiteLocked,
    SiteUnlocked,
)
from server.game.features.saying import SayOpened, SentenceSaid
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

__all__ = [
    "AllowanceGranted",
    "AllowancesWarned",
    "BallotClosed",
    "BallotOpened",
    "BallotReopened",
    "ContrastShown",
    "DeadlineExtended",
    "DiscussionOpened",
    "Event",
    "ExampleShown",
    "GameFinished",
    "LobbyEntered",
    "MissesForgiven",
    "PlayerJoined",
    "PlayerKicked",
    "PlayerRenamed",
    "PracticeOpened",
    "ReasonPinned",
    "ReasonUnpinned",
    "RoomLocked",
    "RoomMoved",
    "RoomOpened",
    "RoomUnlocked",
    "RoundOpened",
    "RoundRevealed",
    "RoundSkipped",
    "SayOpened",
    "SentenceSaid",
    "SettingsChanged",
    "SiteGivenTime",
    "SiteLocked",
    "SiteUnlocked",
    "StepShown",
    "TeamChosen",
    "VoteCast",
    "VoteKeptLate",
]

Event = Annotated[
    RoomOpened
    | RoomMoved
    | SettingsChanged
    | PlayerJoined
    | PlayerRenamed
    | TeamChosen
    | PlayerKicked
    | RoomLocked
    | RoomUnlocked
    | SiteLocked
    | SiteUnlocked
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
    | StepShown
    | SayOpened
    | SentenceSaid
    | ReasonPinned
    | ReasonUnpinned
    | RoundSkipped
    | LobbyEntered
    | GameFinished,
    Field(discriminator="type"),
]
