"""The settings of one room, chosen when it is opened."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from scenarios.flow import DISCUSS_MS, VOTE_MS, reading_ms
from scenarios.model import Case, Flow
from server.game.errors import Refused
from server.game.phases import Ballot

ScoreMode = Literal["brier", "accuracy", "certainty", "speed"]

TeamName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=24)
]

CLASS_GOALS: dict[ScoreMode, float] = {
    "brier": 84,
    "accuracy": 80,
    "certainty": 1.5,
    "speed": 60,
}
"""Default class goal: a mean round score, in the units of each score mode."""


ZoneName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")]
"""The name of a time zone in the IANA database, such as Europe/Berlin."""


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the time zone with this name; None if this system doesn't know it."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def require_zone(name: str | None) -> None:
    """Raise :class:`Refused` for a time zone that this system doesn't know."""
    if name is not None and zone_of(name) is None:
        raise Refused(
            "bad_settings",
            f"{name!r} is not a known time zone. Use a name such as Europe/Berlin.",
        )


class RoomSettings(BaseModel):
    """The settings of a room. Every field has a default that suits a class of 30."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    score_mode: ScoreMode = "brier"
    """brier (proper, default), accuracy, certainty, or speed (not advised)."""
    confidence: bool = True
    """Ask how sure. Off means score mode accuracy."""
    two_link: bool = False
    """Ask about each link separately; also play cases where both or neither broke."""
    time_factor: Annotated[float, Field(ge=1, le=10)] | None = 1
    """Stretches every timer (1 to 10); null switches timers off."""
    minute: bool | None = None
    """Begin with the opening minute; null follows the deck."""
    flow: Flow | None = None
    """The flow that the big button follows: quick, full or test; null: the deck's."""
    auto_close: bool | None = False
    """Close a vote automatically 2 s after its time is up, or once all have answered
    (5 s after the last change, or 10 s if that answer has no confidence yet). Null
    follows the flow: votes close once all have answered, and also when time is up in
    quick (every vote) and in full (the repair and the twin)."""
    show_names: bool = True
    """Show players' names in the lobby and on the screen."""
    podium: bool = False
    """Show the top three at the end. Off: class goal and own progress only."""
    sound: bool = True
    """Play sounds on projectors: at a new phase, after the last answer, and when the
    gap cracks."""
    pairs: bool = True
    """In a discussion, show each player's group on their phone."""
    teams: tuple[TeamName, ...] = Field(default=(), max_length=12)
    """Names of teams; empty for none."""
    class_goal: float | None = None
    """Mean round score the class aims for; null uses the score mode's default."""
    min_cell: Annotated[int, Field(ge=1, le=20)] = 5
    """Cells of cross-tabulations with fewer people are hidden from the class."""
    max_players: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Joins beyond this are refused."""
    suggested_names: bool = False
    """Players may choose only from the suggested names."""
    simulated: bool = False
    """A rehearsal: practice players count in every tally and statistic."""
    time_zone: ZoneName | None = None
    """The class's time zone, such as Europe/Berlin, from the first host's browser. Null
    until it is known; until then, dates are in UTC and marked as such."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.confidence and self.score_mode != "accuracy":
            raise ValueError("without confidence the score mode must be 'accuracy'")
        if self.two_link and self.score_mode in ("certainty", "speed"):
            raise ValueError("two-link rooms score with 'brier' or 'accuracy'")
        if len({name.casefold() for name in self.teams}) != len(self.teams):
            raise ValueError("team names must differ")
        return self

    @property
    def goal(self) -> float:
        """The class goal in the units of the score mode."""
        if self.class_goal is not None:
            return self.class_goal
        return CLASS_GOALS[self.score_mode]


class SettingsChange(BaseModel):
    """Settings that a host can change during the game; absent fields do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_factor: Annotated[float, Field(ge=1, le=10)] | None = None
    timers: bool | None = None
    flow: Flow | None = None
    auto_close: bool | Literal["flow"] | None = None
    """``flow``: as the flow says."""
    show_names: bool | None = None
    pairs: bool | None = None
    podium: bool | None = None
    sound: bool | None = None
    suggested_names: bool | None = None
    time_zone: ZoneName | None = None


def ballot_ms(settings: RoomSettings, ballot: Ballot, case: Case) -> int | None:
    """Return how long a ballot runs, in milliseconds; None if timers are off.

    Every ballot lasts 30 s; VOTE, FIX and TRANSFER also include the time to read their
    new text. The time factor applies to both.
    """
    if settings.time_factor is None:
        return None
    new_ms = reading_ms(_new_text(ballot, case))
    return int((VOTE_MS + new_ms) * settings.time_factor)


def _new_text(ballot: Ballot, case: Case) -> str:
    match ballot:
        case Ballot.REVOTE:
            return ""
        case Ballot.FIX:
            return case.fix_question.text
        case Ballot.VOTE | Ballot.TRANSFER:
            return case.story


def discuss_ms(settings: RoomSettings) -> int | None:
    """Return how long a discussion runs, in milliseconds; None if timers are off."""
    if settings.time_factor is None:
        return None
    return int(DISCUSS_MS * settings.time_factor)
