"""What each role may be shown, as types.

A view of a phase before the reveal has no field that could hold the verdict, the
breakdown or a tally: it cannot leak, whoever writes the code that fills it. All of
these are frozen and go over the wire as they stand. Clocks are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from scenarios.model import Case, Kind, Reading
from server.game.answers import Answer
from server.game.ids import PlayerId, RoomCode
from server.game.phases import Ballot, Phase
from server.game.scoring import Chip
from server.game.settings import RoomSettings, ScoreMode
from server.game.site_types import Cohort, GroupMean, HeldReveal, SiteCard
from server.game.steps import StepKey


@dataclass(frozen=True, slots=True)
class RoomCard:
    """What everybody may know of the room at any time."""

    code: RoomCode
    title: str
    round: int | None
    """Index of the round (0-based), None before the first."""
    rounds: int
    score_mode: ScoreMode
    chips: tuple[Chip, ...]
    """Confidences on offer with what they win and risk; empty: not asked."""
    two_link: bool
    teams: tuple[str, ...]
    goal: float
    is_locked: bool
    is_rehearsal: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A running timer: the time left when this was encoded, and its end in UTC."""

    remaining_ms: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Story:
    """A case without its verdict."""

    title: str
    text: str
    year: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which links broke."""

    outer: bool
    inner: bool
    is_contested: bool


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """A case with its verdict and its breakdown, not voted on."""

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
    """How many went from one option to another; None where some cell is too small."""

    before: str
    after: str
    n: int | None


@dataclass(frozen=True, slots=True)
class PinnedReason:
    """A reason that the host shows, without its author; the side it argues for."""

    text: str
    side: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the breakdown, as far as shown."""

    key: StepKey
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class LobbyView:
    """Before the first round, or in a pause."""

    room: RoomCard
    joined: int
    names: tuple[str, ...] = ()
    """The latest to join, on the screen only, and only where names are shown."""
    phase: Literal["lobby"] = "lobby"


@dataclass(frozen=True, slots=True)
class ExampleView:
    """One of the two worked examples that open an interleaved deck."""

    room: RoomCard
    index: int
    of: int
    example: WorkedExample
    phase: Literal["example"] = "example"


@dataclass(frozen=True, slots=True)
class StoryView:
    """The story, in every phase before the reveal but the contrast."""

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
    """The story, and beside it another case with its verdict."""

    room: RoomCard
    story: Story
    example: WorkedExample
    pinned: tuple[PinnedReason, ...]
    phase: Literal["contrast"] = "contrast"


@dataclass(frozen=True, slots=True)
class RevealView:
    """Both tallies and the breakdown, as far as it has been shown."""

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
    """Sites side by side, never summed; empty where all play at one."""
    phase: Literal["reveal"] = "reveal"


@dataclass(frozen=True, slots=True)
class SayView:
    """Everybody says it in their own words; the verdict is known."""

    room: RoomCard
    story: Story
    verdict: Verdict
    phase: Literal["say"] = "say"


@dataclass(frozen=True, slots=True)
class FixView:
    """The question which repair fits."""

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
    """The twin's story, voted on alone."""

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
    """One revealed round on the closing page."""

    title: str
    verdict: Verdict
    n: int
    right_before: int
    right_after: int | None
    """With carried votes; None where there was no second vote."""


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
    """A new case to come back to, with its answer."""

    story: Story
    verdict: Verdict
    deciding: str


@dataclass(frozen=True, slots=True)
class FinishedView:
    """The closing page."""

    room: RoomCard
    rounds: tuple[RoundSummary, ...]
    class_mean: float | None
    """Mean round score over all players and rounds."""
    reached_goal: bool
    teams: tuple[GroupMean, ...]
    podium: tuple[Standing, ...]
    """Best three; empty unless the host switched it on."""
    reading: tuple[Reading, ...]
    cohorts: tuple[GroupMean, ...] = ()
    """Means of the sites; empty where all play at one."""
    finished_ms: int | None = None
    take_home: tuple[TakeHome, ...] = ()
    """To come back to in six days."""
    phase: Literal["finished"] = "finished"


StageView = Annotated[
    LobbyView
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


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One round of the plan, as the host's list shows it."""

    index: int
    title: str
    verdict: Verdict
    has_contrast: bool
    has_transfer: bool
    status: Literal["to come", "open", "left", "skipped", "revealed"]


@dataclass(frozen=True, slots=True)
class HostView:
    """The host's picture of a phase: what the class sees, and the whole case."""

    stage: StageView
    case: Case | None
    contrast: Case | None
    transfer: Case | None
    plan: tuple[PlanItem, ...]
    commands: tuple[str, ...]
    """Commands that can be given in this phase."""
    settings: RoomSettings
    standings: tuple[Standing, ...]
    """The final table, once the game is over (at most 50 lines)."""


@dataclass(frozen=True, slots=True)
class AdviceCard:
    """What to do next, and why."""

    action: str
    headline: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReasonCard:
    """A player's reason, for the host's eyes."""

    player: PlayerId
    name: str
    ballot: Ballot
    side: str
    confidence: int | None
    text: str
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """What the votes of the round's latest ballot say."""

    ballot: Ballot
    bars: Bars
    n: int
    right: int
    interval: tuple[float, float]
    """Wilson 95 % interval of the proportion right (0-1)."""
    mean_confidence: float | None
    confident_errors: int
    tell_confident_errors: bool
    """Whether at least max(3, 10 % of the class) were wrong and sure."""


@dataclass(frozen=True, slots=True)
class PersonCard:
    """One player, as the host's roster shows them."""

    player: PlayerId
    name: str
    team: str | None
    is_practice: bool
    is_connected: bool
    is_kicked: bool
    has_answered: bool
    percent: int
    """Own time allowance, per cent of the limit; 0 is no limit."""
    points: float | None
    rounds: int | None
    """None where they are not for whoever asks: they tell who was right."""


@dataclass(frozen=True, slots=True)
class HostPanel:
    """What only the host sees while the class answers."""

    advised: str
    """The command that the big button gives."""
    is_ready: bool
    """Whether that button is lit: all have answered, or time is up."""
    answered: int
    expected: int
    joined: int
    connected: int
    practice: int
    measures: Measures | None
    advice: AdviceCard | None
    reasons: tuple[ReasonCard, ...]
    need_time: tuple[PersonCard, ...]
    """Who holds the close with an allowance of their own."""
    warned_ms: int | None
    """Time until a warned close, None where none was warned."""
    late: int = 0
    """Votes of the whole game that came after their reveal: kept, not scored."""
    sites: tuple[SiteCard, ...] = ()
    """Each site by itself; empty where all play at one and no other is known."""
    held: HeldReveal | None = None
    """The reveal that was asked for and waits for other sites."""


@dataclass(frozen=True, slots=True)
class MyVote:
    """One of the player's own votes in this round."""

    ballot: Ballot
    answer: Answer
    reason: str
    is_late: bool
    is_right: bool | None
    """None until the verdict is shown."""
    points: float | None


@dataclass(frozen=True, slots=True)
class CardItem:
    """One case on the learner's own card."""

    title: str
    story: str
    verdict: Verdict
    votes: tuple[MyVote, ...]
    score: float | None
    deciding: str
    round: int = 0
    said: str = ""
    """The player's own sentence; empty where none was said."""
    say: str = ""
    """The expert's sentence."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Whom to talk to in the discussion: never why."""

    number: int
    """Of the group, for finding one another."""
    others: int
    names: tuple[str, ...]
    """Of the others; empty where names are not shown."""


@dataclass(frozen=True, slots=True)
class PrivateView:
    """What only this player sees."""

    player: PlayerId
    name: str
    team: str | None
    is_practice: bool
    round: int | None
    """The round (0-based) that ``votes`` and ``score`` belong to."""
    points: float
    """Sum of round scores whose verdict has been shown."""
    rounds: int
    percent: int
    """Own time allowance, per cent of the limit; 0 is no limit."""
    clock: Clock | None
    """The player's own time in the open vote; None where none runs."""
    warned_ms: int | None
    """Time until the vote closes although this player asked for more."""
    votes: tuple[MyVote, ...]
    score: float | None
    """This round's score, once its verdict is shown."""
    missed: bool
    """Whether this player's VOTE was missed, once its verdict is shown."""
    card: tuple[CardItem, ...]
    """Every revealed case, once the game is over."""
    said: str = ""
    """The player's own sentence on this round."""
    talk: Talk | None = None
    """Whom to talk to, while the class discusses and phones say so."""
