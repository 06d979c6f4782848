"""Which frames a batch of stored events calls for: who has to hear what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from server.game.events import (
    AllowanceGranted,
    AllowancesWarned,
    BallotClosed,
    BallotOpened,
    ContrastShown,
    DeadlineExtended,
    DiscussionOpened,
    Event,
    ExampleShown,
    GameFinished,
    LobbyEntered,
    PlayerJoined,
    PlayerKicked,
    PlayerRenamed,
    ReasonPinned,
    ReasonUnpinned,
    RoomLocked,
    RoomMoved,
    RoomOpened,
    RoomUnlocked,
    RoundOpened,
    RoundRevealed,
    RoundSkipped,
    SayOpened,
    SentenceSaid,
    SettingsChanged,
    SiteGivenTime,
    SiteLocked,
    SiteUnlocked,
    StepShown,
    TeamChosen,
    VoteCast,
    VoteKeptLate,
)
from server.game.ids import PlayerId
from server.game.phases import VERDICT_STEP, Ballot

STAGE = (
    SettingsChanged,
    RoomLocked,
    RoomUnlocked,
    ExampleShown,
    RoundOpened,
    BallotOpened,
    BallotClosed,
    DeadlineExtended,
    ContrastShown,
    DiscussionOpened,
    RoundRevealed,
    StepShown,
    SayOpened,
    ReasonPinned,
    ReasonUnpinned,
    RoundSkipped,
    LobbyEntered,
    GameFinished,
)
"""Events that change what the class sees: sent to all at once."""

PERSONAL = (PlayerRenamed, TeamChosen, AllowanceGranted, SentenceSaid)
"""Events that change one player's private part."""

TIMED = (BallotOpened, DeadlineExtended, SiteGivenTime, AllowancesWarned)
"""Events that matter to those with time of their own."""

QUIET = (
    VoteCast,
    PlayerJoined,
    PlayerKicked,
    RoomOpened,
    RoomMoved,
    SiteLocked,
    SiteUnlocked,
    VoteKeptLate,
)
"""Events that show only in figures, which are coalesced."""


@dataclass(slots=True)
class Effects:
    """What has to be sent after a step."""

    stage: bool = False
    results: bool = False
    """Every player's own result has become visible."""
    timed: bool = False
    persons: set[PlayerId] = field(default_factory=set)
    kicked: list[PlayerId] = field(default_factory=list)


def effects_of(events: Iterable[Event]) -> Effects:
    """Return what the events of one step call for."""
    effects = Effects()
    for event in events:
        if isinstance(event, PlayerKicked):
            effects.kicked.append(event.player)
        if isinstance(event, QUIET):
            continue
        effects.stage |= isinstance(event, STAGE)
        effects.timed |= isinstance(event, TIMED)
        effects.results |= _shows_results(event)
        if isinstance(event, PERSONAL):
            effects.persons.add(event.player)
    return effects


def _shows_results(event: Event) -> bool:
    match event:
        case StepShown(step=step):
            return step == VERDICT_STEP
        case BallotClosed(ballot=ballot):
            return ballot in (Ballot.FIX, Ballot.TRANSFER)
        case GameFinished():
            return True
        case _:
            return False
