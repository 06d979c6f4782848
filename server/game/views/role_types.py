"""Types of the views that only one player, the hosts or a co-host may see.

Proportions are 0 to 1; clocks are in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenarios.model import Case, Flow, Label
from server.game.answers import Answer
from server.game.errors import Sentence
from server.game.ids import PlayerId
from server.game.phases import Ballot, Place
from server.game.settings import RoomSettings
from server.game.views.stage_types import Bars, Clock, StageView, Standing, Verdict


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
    """None for a vote that earns no points: on the twin case, on a repair, or
    in a practice round."""


@dataclass(frozen=True, slots=True)
class CardItem:
    """One case on a player's card."""

    title: str
    story: str
    verdict: Verdict
    votes: tuple[MyVote, ...]
    score: float | None
    deciding: str
    round: int = 0
    said: str = ""
    """The player's own sentence; empty if there is none."""
    say: str = ""
    """The expert's sentence."""
    challenge: str = ""
    """The player's own challenge to the label; empty if there is none."""


@dataclass(frozen=True, slots=True)
class OwnSureness:
    """One confidence (percent) that a player gave, and how often they were right."""

    confidence: int
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """A player's figures over all their first votes, once the game is over."""

    judged: int
    """First votes that were called right or wrong."""
    right: int
    sure_and_wrong: tuple[int, ...]
    """Rounds (0-based) that were missed at 80% or more."""
    lean: Literal["outer", "inner", "none", "few"]
    """Which gap the missed votes named; ``few`` means fewer than two missed votes."""
    sureness: tuple[OwnSureness, ...]
    said: float | None
    """Mean confidence (0-1); None with fewer than four votes that have a confidence."""
    share: float | None
    """Share of these votes that were right."""
    bias: Literal["over", "under", "none"] | None
    """Whether ``said`` is more than ten points from ``share``, and which way."""


@dataclass(frozen=True, slots=True)
class OwnFit:
    """How well a player's confidence matches their results, over all revealed votes."""

    said: float
    """Mean confidence (0-1)."""
    share: float
    """Share of these votes that were right."""
    bias: Literal["over", "under", "none"]
    """Whether ``said`` is more than ten points from ``share``, and which way."""


@dataclass(frozen=True, slots=True)
class Talk:
    """The people to talk to in the discussion, without the reason for the choice."""

    number: int
    """Helps the group's members to find one another."""
    others: int
    names: tuple[str, ...]
    """Names of the others; empty if names are not shown."""


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
    """Sum of the scores of all rounds whose verdict has been shown."""
    rounds: int
    percent: int
    """Time allowance, in percent of the limit; 0 means unlimited."""
    clock: Clock | None
    """The player's own clock in the open vote; None if none is running."""
    warned_ms: int | None
    """Time until the vote closes, if this player asked for more time than that."""
    votes: tuple[MyVote, ...]
    score: float | None
    """This round's score, once its verdict is shown."""
    missed: bool
    """Whether this player's VOTE was missed, once its verdict is shown."""
    card: tuple[CardItem, ...]
    """Every revealed case, once the game is over."""
    mean: float | None = None
    """Mean score of the rounds whose verdict has been shown; None before the first."""
    figures: OwnFigures | None = None
    """The card's figures for all cases together, once the game is over."""
    said: str = ""
    """The player's own sentence on this round."""
    tap: Label | None = None
    """What this player tapped on a case of the opening minute."""
    tap_case: int | None = None
    """The case of ``tap`` (0-based): this view can be older than the step shown."""
    talk: Talk | None = None
    """The people to talk to, during a discussion in which phones show groups."""
    group_gained: bool = False
    """Whether more members of the player's group were right after the discussion than
    before; only from the verdict on, and for groups of three or more. False does not
    mean the opposite."""
    challenge: str = ""
    """The player's own challenge to the label of this round's case."""
    fit: OwnFit | None = None
    """From the verdict on; None with fewer than four votes that have a confidence."""


@dataclass(frozen=True, slots=True)
class SiteLink:
    """A home's connection to one site. The room's own node is one of them."""

    name: str
    is_here: bool
    """The room's home itself."""
    is_up: bool
    waiting: int
    """Votes at the site that the home has not stored yet, as last reported."""
    is_behind: bool
    """Whether votes of a ballot that has closed may still be on their way."""
    silent_s: int | None
    """Time since the last message, in seconds; None while it is connected."""
    url: str | None
    """The address of this node; None for others, because a link with a key must never
    use an address that another node has named."""


@dataclass(frozen=True, slots=True)
class SiteCard:
    """A site in the host's list. Its measures are those of the round's latest
    ballot."""

    name: str
    people: int
    """People who joined there and were not removed."""
    connected: int
    answered: int
    """With carried votes from the reveal on."""
    right: int | None
    """Among those answered; None if the right answers are unknown."""
    interval: tuple[float, float]
    """Wilson's 95% interval of the proportion right (0-1)."""
    late: int
    """Votes in the whole game that came after their reveal; stored but not scored."""
    link: SiteLink | None
    """None for a site that is no longer connected."""


@dataclass(frozen=True, slots=True)
class CohostPanel:
    """What a co-host sees beside the stage: the people of their site, but no
    answers."""

    site: str
    people: int
    connected: int
    answered: int
    expected: int
    """Number of people who answered, or are here and still could."""
    is_locked: bool
    """Whether this site is closed to new players."""
    can_give_time: bool
    given_ms: int | None
    """Time left for the people at this site, if they got more than everyone."""
    late: int
    challenge: str = ""
    """The co-host's own challenge to the current case's label."""


@dataclass(frozen=True, slots=True)
class HeldReveal:
    """A waiting reveal: these sites may have votes that are not stored yet."""

    command: str
    """The waiting command; send it again with ``without`` to continue."""
    sites: tuple[SiteLink, ...]


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One round of the plan, as the host's list shows it."""

    index: int
    title: str
    verdict: Verdict
    has_contrast: bool
    has_transfer: bool
    status: Literal["to come", "open", "left", "skipped", "handed in", "revealed"]
    """``handed in`` means answered in a test and not revealed."""
    can_replay: bool = False
    """Whether it can be played again now, for practice."""
    can_open: bool = False
    """Whether it can be opened now."""
    can_show: bool = False
    """Whether its reveal can be shown again now."""
    is_shown: bool = False
    """Whether its reveal is being shown again now."""
    case: str = ""
    """The ID of its case, which stays the same when the plan is reordered."""


@dataclass(frozen=True, slots=True)
class HostView:
    """The host's view of a phase: what the class sees, and the complete case."""

    stage: StageView
    place: Place
    """The place in the game; commands that move the game forward send it back as
    ``seen``."""
    case: Case | None
    contrast: Case | None
    transfer: Case | None
    plan: tuple[PlanItem, ...]
    commands: tuple[str, ...]
    """Commands that can be given in this phase."""
    settings: RoomSettings
    standings: tuple[Standing, ...]
    """The final table, once the game is over (at most 50 lines)."""
    flow: Flow = "full"
    """The flow that the big button follows: the room's, or else its deck's."""


@dataclass(frozen=True, slots=True)
class AdviceCard:
    """What to do next, and why."""

    action: str
    headline: Sentence
    reason: Sentence


@dataclass(frozen=True, slots=True)
class ReasonCard:
    """A player's reason, as the host sees it."""

    player: PlayerId
    name: str
    ballot: Ballot
    side: str
    confidence: int | None
    text: str
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class SentenceCard:
    """A player's sentence on the case, as the host sees it."""

    player: PlayerId
    name: str
    text: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class ChallengeCard:
    """A challenge to a case's label, as the host sees it."""

    by: Literal["player", "cohost", "host"]
    name: str
    """The player's or the co-host's site; empty for the host."""
    text: str


@dataclass(frozen=True, slots=True)
class LinkShare:
    """How many people are right about one of two links."""

    link: Literal["outer", "inner"]
    right: int


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures of the votes in the round's latest ballot."""

    ballot: Ballot
    bars: Bars
    n: int
    """Includes carried votes once a second vote has closed."""
    right: int | None
    """About both links if the room asks about both. None if answers cannot be called
    right or wrong."""
    interval: tuple[float, float]
    """Wilson 95% interval of the proportion right (0-1)."""
    mean_confidence: float | None
    confident_errors: int
    tell_confident_errors: bool
    """Whether at least max(3, 10% of those who answered) were sure but wrong."""
    carried: int = 0
    """Votes from the first ballot that are counted again in this one."""
    weaker: LinkShare | None = None
    """Of two links, the one that fewer people got right; the advice depends on it."""


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A player in the host's roster."""

    player: PlayerId
    name: str
    team: str | None
    is_practice: bool
    is_connected: bool
    is_kicked: bool
    has_answered: bool
    percent: int
    """Time allowance, in percent of the limit; 0 means unlimited."""
    points: float | None
    rounds: int | None
    """None if the viewer may not see them, because they show who was right."""


@dataclass(frozen=True, slots=True)
class HostPanel:
    """What only the host sees while the class answers."""

    advised: str
    """The command that the big button gives."""
    is_ready: bool
    """Whether that button is highlighted, because all have answered or time is up."""
    answered: int
    expected: int
    joined: int
    connected: int
    practice: int
    measures: Measures | None
    advice: AdviceCard | None
    reasons: tuple[ReasonCard, ...]
    need_time: tuple[PersonCard, ...]
    """People whose time allowance delays the close."""
    warned_ms: int | None
    """Time until a close that was announced by a warning; None without a warning, or
    while the clock is stopped."""
    closes_in_ms: int | None = None
    """Time until a ballot that all have answered closes automatically; None if it
    doesn't."""
    tally_seen: bool = False
    """Whether this ballot was closed and reopened, after its tally had been seen."""
    late: int = 0
    """Votes in the whole game that came after their reveal; stored but not scored."""
    sites: tuple[SiteCard, ...] = ()
    """One card per site; empty if all play at one site and no other is known."""
    held: HeldReveal | None = None
    """The requested reveal, while it waits for other sites."""
    walls: int = 0
    """Projector pages that show this room."""
    silent_walls: int = 0
    """How many of these can't play sounds yet, because the page needs a click first."""
    sentences: tuple[SentenceCard, ...] = ()
    """While players write: the first sentences, at most 30, and the one shown."""
    challenged: int = 0
    """How many people challenge the label of the current case."""
    challenges: tuple[ChallengeCard, ...] = ()
    """The challenges: the host's own, then the latest, at most 30."""
