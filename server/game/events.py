"""What has happened in a room: frozen, past tense, never edited once stored.

A changed shape is a new type plus an upcaster (server/journal/codec.py). Times are UTC
milliseconds. ``RoomOpened`` holds the seed, the order and the full text of its cases:
a journal replays by itself after the library has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from scenarios.model import Plan
from server.game.answers import Answer
from server.game.ids import ClientId, PlayerId, RoomCode
from server.game.phases import Ballot, Phase
from server.game.settings import RoomSettings


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """A room came into being. Every key of the room derives from ``secret`` (hex)."""

    code: RoomCode
    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str
    at_ms: int
    type: Literal["room_opened"] = "room_opened"


@dataclass(frozen=True, slots=True)
class RoomMoved:
    """Another node is the room's home from here on; ``epoch`` counts its homes."""

    to: str
    epoch: int
    at_ms: int
    type: Literal["room_moved"] = "room_moved"


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The host changed settings; the whole of them is stored."""

    settings: RoomSettings
    type: Literal["settings_changed"] = "settings_changed"


@dataclass(frozen=True, slots=True)
class PlayerJoined:
    """A player entered under a cleaned name that is unique in the room."""

    player: PlayerId
    name: str
    team: str | None
    is_practice: bool
    at_ms: int
    site: str | None = None
    """The site whose cohort the player belongs to; None at the room's own node."""
    type: Literal["player_joined"] = "player_joined"


@dataclass(frozen=True, slots=True)
class PlayerRenamed:
    """A player has another name."""

    player: PlayerId
    name: str
    type: Literal["player_renamed"] = "player_renamed"


@dataclass(frozen=True, slots=True)
class TeamChosen:
    """A player is in another team."""

    player: PlayerId
    team: str
    type: Literal["team_chosen"] = "team_chosen"


@dataclass(frozen=True, slots=True)
class PlayerKicked:
    """A player was removed for good."""

    player: PlayerId
    type: Literal["player_kicked"] = "player_kicked"


@dataclass(frozen=True, slots=True)
class RoomLocked:
    """Nobody new may join."""

    type: Literal["room_locked"] = "room_locked"


@dataclass(frozen=True, slots=True)
class RoomUnlocked:
    """New players may join again."""

    type: Literal["room_unlocked"] = "room_unlocked"


@dataclass(frozen=True, slots=True)
class SiteLocked:
    """Nobody new may join at one site."""

    site: str
    type: Literal["site_locked"] = "site_locked"


@dataclass(frozen=True, slots=True)
class SiteUnlocked:
    """New players may join again at one site."""

    site: str
    type: Literal["site_unlocked"] = "site_unlocked"


@dataclass(frozen=True, slots=True)
class ExampleShown:
    """A worked example of the opening pair (index 0 or 1) is on show."""

    index: int
    at_ms: int
    type: Literal["example_shown"] = "example_shown"


@dataclass(frozen=True, slots=True)
class RoundOpened:
    """A round was opened, or opened again in the phase where it was left."""

    round: int
    phase: Phase
    at_ms: int
    type: Literal["round_opened"] = "round_opened"


@dataclass(frozen=True, slots=True)
class BallotOpened:
    """The class may answer; ``deadline_ms`` is None where no timer runs."""

    round: int
    ballot: Ballot
    at_ms: int
    deadline_ms: int | None
    type: Literal["ballot_opened"] = "ballot_opened"


@dataclass(frozen=True, slots=True)
class VoteCast:
    """A vote that counts, first or changed."""

    player: PlayerId
    client: ClientId
    counter: int
    round: int
    ballot: Ballot
    answer: Answer
    reason: str
    at_ms: int
    type: Literal["vote_cast"] = "vote_cast"


@dataclass(frozen=True, slots=True)
class VoteKeptLate:
    """A vote stamped in time that came after the reveal: kept, never scored."""

    player: PlayerId
    client: ClientId
    counter: int
    round: int
    ballot: Ballot
    answer: Answer
    reason: str
    at_ms: int
    type: Literal["vote_kept_late"] = "vote_kept_late"


@dataclass(frozen=True, slots=True)
class BallotClosed:
    """A ballot closed; ``missed`` were there from its start and did not answer."""

    round: int
    ballot: Ballot
    at_ms: int
    missed: tuple[PlayerId, ...]
    type: Literal["ballot_closed"] = "ballot_closed"


@dataclass(frozen=True, slots=True)
class DeadlineExtended:
    """The running phase ends later."""

    deadline_ms: int
    type: Literal["deadline_extended"] = "deadline_extended"


@dataclass(frozen=True, slots=True)
class SiteGivenTime:
    """The people of one site may answer the open ballot until ``deadline_ms``."""

    site: str
    deadline_ms: int
    type: Literal["site_given_time"] = "site_given_time"


@dataclass(frozen=True, slots=True)
class AllowanceGranted:
    """A player has own time in every vote: per cent of the limit, 0 for no limit."""

    player: PlayerId
    percent: int
    type: Literal["allowance_granted"] = "allowance_granted"


@dataclass(frozen=True, slots=True)
class AllowancesWarned:
    """Those with extra time were told that the vote closes at ``until_ms``."""

    until_ms: int
    type: Literal["allowances_warned"] = "allowances_warned"


@dataclass(frozen=True, slots=True)
class ContrastShown:
    """The contrast case is on show."""

    round: int
    at_ms: int
    type: Literal["contrast_shown"] = "contrast_shown"


@dataclass(frozen=True, slots=True)
class DiscussionOpened:
    """The class discusses; ``deadline_ms`` is None where no timer runs."""

    round: int
    at_ms: int
    deadline_ms: int | None
    groups: tuple[tuple[PlayerId, ...], ...] = ()
    """Who is to talk to whom; empty where phones do not say."""
    type: Literal["discussion_opened"] = "discussion_opened"


@dataclass(frozen=True, slots=True)
class RoundRevealed:
    """Tallies are shown, points are earned, the breakdown begins."""

    round: int
    at_ms: int
    type: Literal["round_revealed"] = "round_revealed"


@dataclass(frozen=True, slots=True)
class StepShown:
    """The breakdown is shown up to and including this step."""

    step: int
    type: Literal["step_shown"] = "step_shown"


@dataclass(frozen=True, slots=True)
class SayOpened:
    """The class says it in its own words."""

    round: int
    at_ms: int
    type: Literal["say_opened"] = "say_opened"


@dataclass(frozen=True, slots=True)
class SentenceSaid:
    """A player's own sentence on a case, first or changed."""

    player: PlayerId
    round: int
    text: str
    at_ms: int
    type: Literal["sentence_said"] = "sentence_said"


@dataclass(frozen=True, slots=True)
class ReasonPinned:
    """A player's reason is shown to the class."""

    player: PlayerId
    round: int
    ballot: Ballot
    type: Literal["reason_pinned"] = "reason_pinned"


@dataclass(frozen=True, slots=True)
class ReasonUnpinned:
    """A reason is no longer shown."""

    player: PlayerId
    type: Literal["reason_unpinned"] = "reason_unpinned"


@dataclass(frozen=True, slots=True)
class RoundSkipped:
    """A round was left unfinished; it is not scored."""

    round: int
    at_ms: int
    type: Literal["round_skipped"] = "round_skipped"


@dataclass(frozen=True, slots=True)
class LobbyEntered:
    """The room paused in its lobby."""

    at_ms: int
    type: Literal["lobby_entered"] = "lobby_entered"


@dataclass(frozen=True, slots=True)
class GameFinished:
    """The game is over."""

    at_ms: int
    type: Literal["game_finished"] = "game_finished"


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
    | BallotOpened
    | VoteCast
    | VoteKeptLate
    | BallotClosed
    | DeadlineExtended
    | SiteGivenTime
    | AllowanceGranted
    | AllowancesWarned
    | ContrastShown
    | DiscussionOpened
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
