"""What one player, hosts and co-hosts alone may be shown, as types.

Proportions are 0 to 1, clocks milliseconds.
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
    """None for a vote that earns none: on the twin case, on a repair, in practice."""


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
    """The player's own sentence; empty if there is none."""
    say: str = ""
    """The expert's sentence."""
    challenge: str = ""
    """The player's own sentence against the label; empty if there is none."""


@dataclass(frozen=True, slots=True)
class OwnSureness:
    """One confidence (per cent) that a player gave, and how often they were right."""

    confidence: int
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """What a player's first votes say together, once the game is over."""

    judged: int
    """First votes that were called right or wrong."""
    right: int
    sure_and_wrong: tuple[int, ...]
    """Rounds (0-based) that were missed at 80 % or more."""
    lean: Literal["outer", "inner", "none", "few"]
    """Which gap the missed votes called; ``few``: fewer than two of them."""
    sureness: tuple[OwnSureness, ...]
    said: float | None
    """Mean confidence (0-1); None below four votes with a confidence."""
    share: float | None
    """Share right of the same votes."""
    bias: Literal["over", "under", "none"] | None
    """Whether ``said`` is more than ten points from ``share``, and which way."""


@dataclass(frozen=True, slots=True)
class OwnFit:
    """How well a player's confidence fits, over all votes whose verdict is shown."""

    said: float
    """Mean confidence (0-1)."""
    share: float
    """Share right of the same votes."""
    bias: Literal["over", "under", "none"]
    """Whether ``said`` is more than ten points from ``share``, and which way."""


@dataclass(frozen=True, slots=True)
class Talk:
    """The people to talk to in the discussion: never why."""

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
    """Time allowance, in percent of the limit; 0 means unlimited."""
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
    mean: float | None = None
    """Mean of the round scores whose verdict has been shown; None before the first."""
    figures: OwnFigures | None = None
    """What the card says of all cases together, once the game is over."""
    said: str = ""
    """The player's own sentence on this round."""
    tap: Label | None = None
    """What this player tapped on the case of the opening minute that is on show."""
    talk: Talk | None = None
    """The people to talk to, while the class discusses and phones say so."""
    group_gained: bool = False
    """Whether more of one's group were right after the discussion than before: said
    from the verdict on, of groups of three or more. False says nothing."""
    challenge: str = ""
    """The player's own sentence against the label of this round's case."""
    fit: OwnFit | None = None
    """From the verdict on; None below four votes with a confidence."""


@dataclass(frozen=True, slots=True)
class SiteLink:
    """A home's connection to one site. The room's own node is one of them."""

    name: str
    is_here: bool
    """The room's home itself."""
    is_up: bool
    waiting: int
    """Votes that the site has and the home has not stored, as it said last."""
    is_behind: bool
    """Whether votes of a ballot that has closed may still be on their way."""
    silent_s: int | None
    """How long nothing has come, in seconds; None while it is heard."""
    url: str | None
    """The address of this node; None for others: no link with a key goes to an address
    that another node has named."""


@dataclass(frozen=True, slots=True)
class SiteCard:
    """One site in the host's list. Measures are of the round's latest ballot."""

    name: str
    people: int
    """Joined there, and not removed."""
    connected: int
    answered: int
    """With carried votes from the reveal on."""
    right: int | None
    """Of those answered; None if the right answers are unknown."""
    interval: tuple[float, float]
    """Wilson's 95 % interval of the proportion right (0-1)."""
    late: int
    """Votes of the whole game that came after their reveal: kept, not scored."""
    link: SiteLink | None
    """None for a site that is not heard of any more."""


@dataclass(frozen=True, slots=True)
class CohostPanel:
    """What a co-host sees beside the stage: the own site's people, and no answers."""

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
    """Time left to the site's own people, where they were given more than all."""
    late: int
    challenge: str = ""
    """The co-host's own sentence against the label of the case that is shown."""


@dataclass(frozen=True, slots=True)
class HeldReveal:
    """A reveal that waits: these sites may have votes that are not stored yet."""

    command: str
    """What waits: give it again with ``without`` to go on."""
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
    """``handed in``: answered in a test, and not revealed."""
    can_replay: bool = False
    """Whether it can be played again now, for practice."""
    can_open: bool = False
    """Whether it can be opened now."""
    can_show: bool = False
    """Whether its reveal can be shown again now."""
    is_shown: bool = False
    """Whether it is on show now, for the second time."""
    case: str = ""
    """The id of its case, which stays the same when the plan is reordered."""


@dataclass(frozen=True, slots=True)
class HostView:
    """The host's picture of a phase: what the class sees, and the whole case."""

    stage: StageView
    place: Place
    """What a command that leads on was decided on: to be sent with it, as ``seen``."""
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
    """Where the big button leads: as the room says, else as its deck does."""


@dataclass(frozen=True, slots=True)
class AdviceCard:
    """What to do next, and why."""

    action: str
    headline: Sentence
    reason: Sentence


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
class ChallengeCard:
    """A sentence against the label of a case, for the host's eyes."""

    by: Literal["player", "cohost", "host"]
    name: str
    """Of the player, or of the co-host's site; empty for the host."""
    text: str


@dataclass(frozen=True, slots=True)
class LinkShare:
    """How many are right about one of two links."""

    link: Literal["outer", "inner"]
    right: int


@dataclass(frozen=True, slots=True)
class Measures:
    """What the votes of the round's latest ballot say."""

    ballot: Ballot
    bars: Bars
    n: int
    """Carried votes included, once a second vote has closed."""
    right: int | None
    """About both links, where both are asked about. None where answers cannot be
    called right or wrong."""
    interval: tuple[float, float]
    """Wilson 95 % interval of the proportion right (0-1)."""
    mean_confidence: float | None
    confident_errors: int
    tell_confident_errors: bool
    """Whether at least max(3, 10 % of those who answered) were wrong and sure."""
    carried: int = 0
    """Votes of the first ballot that are counted again in this one."""
    weaker: LinkShare | None = None
    """Of two links, the one that fewer are right about: the advice goes by it."""


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
    """Time allowance, in percent of the limit; 0 means unlimited."""
    points: float | None
    rounds: int | None
    """None where the viewer may not see them: they show who was right."""


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
    """People whose time allowance delays the close."""
    warned_ms: int | None
    """Time until a warned close; None where none was warned, or the clock stands."""
    closes_in_ms: int | None = None
    """Time until a ballot that all have answered closes automatically; None where it
    doesn't."""
    tally_seen: bool = False
    """Whether this ballot was closed before and reopened: its tally had been seen."""
    late: int = 0
    """Votes of the whole game that came after their reveal: kept, not scored."""
    sites: tuple[SiteCard, ...] = ()
    """One card per site; empty if all play at one site and no other is known."""
    held: HeldReveal | None = None
    """The reveal that was asked for and waits for other sites."""
    walls: int = 0
    """Projector pages that show this room."""
    silent_walls: int = 0
    """Of these, those that cannot be heard yet: a press on the page is needed."""
    challenged: int = 0
    """How many people challenge the label of the case that is shown."""
    challenges: tuple[ChallengeCard, ...] = ()
    """Their sentences: the host's own, then the latest, 30 at most."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a phone and the projector show at one moment."""

    name: str
    """The phase, and in the reveal the step: ``reveal.why_not``."""
    player: StageView
    you: PrivateView
    screen: StageView
