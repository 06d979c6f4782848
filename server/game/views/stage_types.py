"""What players and the screen may be shown, as types.

A view of a phase before the reveal has no field that could hold the verdict, the
breakdown or a tally: it cannot leak, whichever code fills it. All of these are frozen
and go over the wire as they are. Clocks are milliseconds, proportions 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from scenarios.model import Evidence, Kind, Label, Picture, Reading
from server.game.errors import Sentence
from server.game.ids import RoomCode
from server.game.intervals import Cohort, GroupMean
from server.game.phases import Phase, StepKey
from server.game.scoring import Chip
from server.game.settings import ScoreMode


@dataclass(frozen=True, slots=True)
class RoomCard:
    """What all clients may know about the room at any time."""

    code: RoomCode
    title: str
    round: int | None
    """Index of the round (0-based), None before the first."""
    rounds: int
    score_mode: ScoreMode
    chips: tuple[Chip, ...]
    """Confidences to choose from, and what each can win or lose; empty if not asked."""
    two_link: bool
    teams: tuple[str, ...]
    goal: float
    is_locked: bool
    is_rehearsal: bool
    sound: bool = True
    """Whether projectors may play sounds."""
    name: str = ""
    """What the host calls the room; empty if it has no name."""
    practice_of: int | None = None
    """The round (0-based) whose case is played again, unscored; else None."""
    is_test: bool = False
    """Whether no verdict is shown, not even at the end."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A running timer: the time left when this was encoded, and its end in UTC."""

    remaining_ms: int
    deadline_ms: int
    is_stopped: bool = False
    """Whether the host has stopped it; the time left then does not change."""


@dataclass(frozen=True, slots=True)
class Story:
    """A case without its verdict."""

    title: str
    text: str
    year: int
    kind: Kind
    picture: Picture | None = None
    """A drawing of the story, if the story itself is shown."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which links broke."""

    outer: bool
    inner: bool
    is_contested: bool


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """A case with its verdict and its breakdown, without a vote."""

    story: Story
    verdict: Verdict
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bars:
    """How many chose each option: outer and inner (and both, neither), or 0 to 2."""

    n: int
    options: dict[str, int]


@dataclass(frozen=True, slots=True)
class Move:
    """How many switched from one option to another; None if a cell is too small."""

    before: str
    after: str
    n: int | None


@dataclass(frozen=True, slots=True)
class PinnedReason:
    """A reason that the host shows, without its author, and the side it argues for."""

    text: str
    side: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the breakdown that has been shown."""

    key: StepKey
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class LobbyView:
    """The lobby, before the first round or during a pause."""

    room: RoomCard
    joined: int
    names: tuple[str, ...] = ()
    """The latest people to join; only on a screen, and only if names are shown."""
    phase: Literal["lobby"] = "lobby"


@dataclass(frozen=True, slots=True)
class OpeningView:
    """A step of the opening minute: the line, or one of two cases, tapped or shown.

    Pages have its texts in their own language. Its two cases are public.
    """

    room: RoomCard
    step: int
    last_step: int
    case: int | None
    """Which of the two cases (0-based); None during the line."""
    gap: Label | None
    """The gap that broke in it, once it is shown."""
    bars: Bars | None
    """What was tapped, once it is shown."""
    texts: dict[str, str]
    """Of a case, its ``story`` and (once shown) ``why``; of stations, what they are."""
    phase: Literal["opening"] = "opening"


@dataclass(frozen=True, slots=True)
class Placed:
    """A case of the lesson as an example of its kind; no title if there was none."""

    outer: bool
    inner: bool
    title: str


@dataclass(frozen=True, slots=True)
class ExampleView:
    """A worked example from the beginning or the end of a deck."""

    room: RoomCard
    index: int
    of: int
    example: WorkedExample
    is_closing: bool = False
    square: tuple[Placed, ...] = ()
    """Instead of the example: outer, inner, both and neither side by side."""
    phase: Literal["example"] = "example"


@dataclass(frozen=True, slots=True)
class StoryView:
    """The story, in every phase before the reveal except the contrast."""

    room: RoomCard
    phase: Literal[
        Phase.READ,
        Phase.VOTE,
        Phase.VOTE_CLOSED,
        Phase.DISCUSS,
        Phase.REVOTE,
        Phase.REVOTE_CLOSED,
    ]
    story: Story
    clock: Clock | None
    pinned: tuple[PinnedReason, ...]


@dataclass(frozen=True, slots=True)
class ContrastView:
    """The story, next to another case with its verdict."""

    room: RoomCard
    story: Story
    example: WorkedExample
    pinned: tuple[PinnedReason, ...]
    phase: Literal["contrast"] = "contrast"


@dataclass(frozen=True, slots=True)
class RevealView:
    """Both tallies, and the steps of the breakdown that have been shown."""

    room: RoomCard
    story: Story
    step: int
    last_step: int
    shown: tuple[Step, ...]
    before: Bars
    after: Bars | None
    carried: int
    moves: tuple[Move, ...]
    verdict: Verdict | None
    pinned: tuple[PinnedReason, ...]
    cohorts: tuple[Cohort, ...] = ()
    """Sites side by side, never summed; empty if all play at one site."""
    class_mean: float | None = None
    """Mean of the players' mean round scores so far, from the verdict on; None if fewer
    than ``min_cell`` players have one."""
    is_again: bool = False
    """Whether it is the reveal of an earlier round, shown again."""
    evidence: Evidence | None = None
    """How sure the facts are, from the verdict on; None if it is not graded."""
    phase: Literal["reveal"] = "reveal"


@dataclass(frozen=True, slots=True)
class SayView:
    """Players each write their own sentence; the verdict is known."""

    room: RoomCard
    story: Story
    verdict: Verdict
    sentence: str = ""
    """The sentence that the host shows, without its author; empty if none."""
    phase: Literal["say"] = "say"


@dataclass(frozen=True, slots=True)
class FixView:
    """The question of which repair fits."""

    room: RoomCard
    story: Story
    verdict: Verdict
    question: str
    options: tuple[str, ...]
    clock: Clock | None
    phase: Literal["fix"] = "fix"


@dataclass(frozen=True, slots=True)
class FixRevealView:
    """Which repair fits, and what the others would do."""

    room: RoomCard
    story: Story
    verdict: Verdict
    question: str
    options: tuple[str, ...]
    right: int
    repairs: tuple[str, ...]
    comments: tuple[str, ...]
    bars: Bars
    phase: Literal["fix_reveal"] = "fix_reveal"


@dataclass(frozen=True, slots=True)
class TransferView:
    """The twin's story, on which players vote without discussion."""

    room: RoomCard
    story: Story
    clock: Clock | None
    phase: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class TransferRevealView:
    """The twin's verdict and breakdown."""

    room: RoomCard
    example: WorkedExample
    bars: Bars
    phase: Literal["transfer_reveal"] = "transfer_reveal"


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """A revealed round on the closing page, with the figures of its reveal."""

    title: str
    verdict: Verdict
    n: int
    """How many answered the first vote."""
    right_before: int | None
    """None if answers cannot be called right or wrong, like ``right_after``."""
    right_after: int | None
    """Includes carried votes; also None if there was no second vote."""
    n_after: int | None = None
    """Number of votes in the second vote, including carried ones; None without one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the final table."""

    rank: int
    name: str
    points: float
    mean: float
    rounds: int


@dataclass(frozen=True, slots=True)
class TakeHome:
    """A new case to revisit at home, with its answer."""

    story: Story
    verdict: Verdict
    deciding: str


@dataclass(frozen=True, slots=True)
class Twin:
    """The twin case on which the class voted after a round."""

    story: Story
    verdict: Verdict
    deciding: str


@dataclass(frozen=True, slots=True)
class PlayedCase:
    """The part of a revealed case that is the same on every player's card."""

    round: int
    """Index of the round (0-based)."""
    texts: dict[str, str]
    """What was meant, written and learned: the words of the line."""
    evidence: Evidence | None
    """How sure the facts are; none if the story is invented, or not graded."""
    sources: tuple[Reading, ...]
    twin: Twin | None
    picture: Picture | None = None
    incidents: tuple[str, ...] = ()
    """Its entries in public records of incidents, each with its address."""


@dataclass(frozen=True, slots=True)
class FinishedView:
    """The closing page."""

    room: RoomCard
    rounds: tuple[RoundSummary, ...]
    class_mean: float | None
    """Mean of the players' mean round scores: each player counts once."""
    reached_goal: bool
    teams: tuple[GroupMean, ...]
    podium: tuple[Standing, ...]
    """The top three places, each with all who share it; empty unless switched on."""
    reading: tuple[Reading, ...]
    cohorts: tuple[GroupMean, ...] = ()
    """Means of the sites; empty if all play at one site."""
    last_words: tuple[Sentence, ...] = ()
    """What these figures tell the class, and what to take up next."""
    finished_ms: int | None = None
    time_zone: str | None = None
    """The class's time zone, for the day to come back; None if it is unknown."""
    take_home: tuple[TakeHome, ...] = ()
    """To come back to in six days."""
    cases: tuple[PlayedCase, ...] = ()
    """For the card; sent only to players."""
    phase: Literal["finished"] = "finished"


StageView = Annotated[
    LobbyView
    | OpeningView
    | ExampleView
    | StoryView
    | ContrastView
    | RevealView
    | SayView
    | FixView
    | FixRevealView
    | TransferView
    | TransferRevealView
    | FinishedView,
    Field(discriminator="phase"),
]
"""What the class sees: the same kinds for players and for the screen."""
