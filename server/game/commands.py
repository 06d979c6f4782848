"""What may be asked of a room: imperatives, each with a ``type`` that names it.

Host commands travel on the wire as they stand here, with ``ref``, the sender's own
number for the command, which the reply repeats. Player commands carry the player, whom
the server fills in from the session: a client cannot speak for somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from server.game.answers import Answer
from server.game.ids import ClientId, PlayerId
from server.game.phases import Ballot
from server.game.settings import SettingsChange

_STRICT = ConfigDict(extra="forbid")

Ref = Annotated[int, Field(ge=0, le=2**53)] | None
Site = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] | None
"""A site's name; where it is given, a command is about its people only."""

RoundIndex = Annotated[int, Field(ge=0, le=999)]
Percent = Literal[100, 150, 200, 0]
"""A player's own time, per cent of the limit; 0 is no limit, 100 the same as all."""


@dataclass(frozen=True, slots=True)
class Join:
    """A new player enters under a name that is cleaned first."""

    player: PlayerId
    name: str
    team: str | None = None
    is_practice: bool = False
    site: str | None = None
    type: Literal["join"] = "join"


@dataclass(frozen=True, slots=True)
class CastVote:
    """One answer to one ballot of one round, stamped where it was received."""

    player: PlayerId
    client: ClientId
    counter: int
    round: int
    ballot: Ballot
    answer: Answer
    reason: str
    stamped_ms: int
    type: Literal["cast_vote"] = "cast_vote"


@dataclass(frozen=True, slots=True)
class AskTime:
    """A player privately asks for more time in every vote from now on."""

    player: PlayerId
    percent: Percent
    ref: Ref = None
    type: Literal["ask_time"] = "ask_time"


@dataclass(frozen=True, slots=True)
class ChooseTeam:
    """A player moves to another team (in rooms that have teams)."""

    player: PlayerId
    team: str
    ref: Ref = None
    type: Literal["choose_team"] = "choose_team"


@dataclass(frozen=True, slots=True)
class SayIt:
    """A player says a case in their own words, as an expert would."""

    player: PlayerId
    round: int
    text: str
    ref: Ref = None
    type: Literal["say_it"] = "say_it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    ref: Ref = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowExample(_Host):
    """Show the next worked example of the deck's opening pair."""

    type: Literal["show_example"] = "show_example"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRound(_Host):
    """Open a round (default: the one left open, else the next) for reading."""

    round: RoundIndex | None = None
    type: Literal["open_round"] = "open_round"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVote(_Host):
    """Let the class vote on the story."""

    type: Literal["open_vote"] = "open_vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseVotes(_Host):
    """Close the open vote; ``override`` warns those with extra time, 20 s before.

    ``without`` goes on without the votes of sites that are behind (FIX, TRANSFER).
    """

    override: bool = False
    without: bool = False
    type: Literal["close_votes"] = "close_votes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast(_Host):
    """Show the contrast case beside the story, with its label."""

    type: Literal["contrast"] = "contrast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discuss(_Host):
    """Send the class to discuss."""

    type: Literal["discuss"] = "discuss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revote(_Host):
    """Let the class vote again on the same story."""

    type: Literal["revote"] = "revote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal(_Host):
    """Show the tallies and begin the breakdown.

    Waits for sites that are behind; ``without`` goes on without them.
    """

    without: bool = False
    type: Literal["reveal"] = "reveal"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep(_Host):
    """Show the next step of the breakdown, or ``all`` that are left."""

    all: bool = False
    type: Literal["next_step"] = "next_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSay(_Host):
    """Let everybody say it in their own words, before the expert's sentence."""

    type: Literal["ask_say"] = "ask_say"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFix(_Host):
    """Ask which repair fits."""

    type: Literal["ask_fix"] = "ask_fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(_Host):
    """Let everybody vote, alone, on the twin case."""

    type: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRound(_Host):
    """Leave this round unfinished and unscored, and go on to the next."""

    type: Literal["skip_round"] = "skip_round"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackToLobby(_Host):
    """Pause in the lobby; an unfinished round can be opened again, votes kept."""

    type: Literal["back_to_lobby"] = "back_to_lobby"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(_Host):
    """End the game here and show the closing page."""

    type: Literal["finish"] = "finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveTime(_Host):
    """Give everybody, or the people of one site, more time (seconds)."""

    seconds: Annotated[int, Field(ge=5, le=600)] = 30
    site: Site = None
    type: Literal["give_time"] = "give_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(_Host):
    """Let nobody new join, or not at one site; those who are in may come back."""

    site: Site = None
    type: Literal["lock"] = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(_Host):
    """Let new players join again, or again at one site."""

    site: Site = None
    type: Literal["unlock"] = "unlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick(_Host):
    """Remove a player for good; votes already cast stay counted."""

    player: PlayerId
    site: Site = None
    """Only if the player belongs to this site."""
    type: Literal["kick"] = "kick"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(_Host):
    """Give a player another name."""

    player: PlayerId
    name: Annotated[str, Field(max_length=200)]
    type: Literal["rename"] = "rename"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTeam(_Host):
    """Move a player to another team."""

    player: PlayerId
    team: str
    type: Literal["set_team"] = "set_team"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinReason(_Host):
    """Show a player's reason to the class, without the name."""

    player: PlayerId
    ballot: Ballot = Ballot.VOTE
    type: Literal["pin_reason"] = "pin_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpinReason(_Host):
    """Take a pinned reason down again."""

    player: PlayerId
    type: Literal["unpin_reason"] = "unpin_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings(_Host):
    """Change what may be changed while the game runs."""

    change: SettingsChange
    type: Literal["change_settings"] = "change_settings"


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: close what is due. Sent by the room's own timer."""

    type: Literal["tick"] = "tick"


@dataclass(frozen=True, slots=True)
class Resume:
    """The room has come back from its journal: leave at least 10 s to a deadline."""

    type: Literal["resume"] = "resume"


PlayerCommand = Join | CastVote | AskTime | ChooseTeam | SayIt
HostCommand = (
    ShowExample
    | OpenRound
    | OpenVote
    | CloseVotes
    | Contrast
    | Discuss
    | Revote
    | Reveal
    | NextStep
    | AskSay
    | AskFix
    | Transfer
    | SkipRound
    | BackToLobby
    | Finish
    | GiveTime
    | Lock
    | Unlock
    | Kick
    | Rename
    | SetTeam
    | PinReason
    | UnpinReason
    | ChangeSettings
)
SystemCommand = Tick | Resume
Command = PlayerCommand | HostCommand | SystemCommand
