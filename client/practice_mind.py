"""Names, knowledge and answers of practice players, all drawn from a seed.

Pure. A decision depends on the settings, the player's index, the story's title, the
ballot and the question; never on time, the order of arrival, or other players.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeVar

from scenarios.model import Case, Label, Truth
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.phases import Ballot

Side = Literal["outer", "inner", "both", "neither"]

_FIRST_WORDS = (
    "Amber Brave Calm Clever Copper Coral Cozy Dapper Eager Early Fern Gentle Golden "
    "Happy Hazel Honest Indigo Ivory Jolly Kind Lemon Lively Lucky Maple Mellow Merry "
    "Misty Nimble Olive Patient Pebble Plucky Polite Quick Quiet Rosy Rusty Sandy "
    "Silver Sleepy Snowy Sunny Swift Tidy Velvet Warm Wise Witty"
)
_SECOND_WORDS = (
    "Badger Bee Beaver Bison Crane Cricket Dolphin Dormouse Falcon Finch Fox Gecko "
    "Goose Hare Hedgehog Heron Ibis Jackdaw Kestrel Lark Lemur Lynx Magpie Marten Mole "
    "Moth Newt Ocelot Osprey Otter Owl Panda Pelican Penguin Plover Puffin Quail "
    "Rabbit Raven Robin Seal Sparrow Squirrel Starling Stork Swallow Tapir Wren"
)
_FIRST = tuple(_FIRST_WORDS.split())
_SECOND = tuple(_SECOND_WORDS.split())
NAMES = len(_FIRST) * len(_SECOND)
"""Number of different names."""

REASONS: dict[Side, tuple[str, ...]] = {
    "outer": (
        "It got exactly the number it was asked to get.",
        "The score never mentioned what they cared about.",
        "It wasn't tricked: the reward really was higher that way.",
        "They measured the easy thing and hoped for the real one.",
        "Do what was written, perfectly, and you get this result.",
        "It would do the same on the training set, and did.",
        "Rewriting the objective would end it; more data would not.",
        "What counted as success was a stand-in from day one.",
        "The rule had a hole and the best strategy went through it.",
        "High reward and an unhappy owner at the same time.",
        "The people who wrote the target left something out.",
        "It is winning the game they set, just not the one they meant.",
    ),
    "inner": (
        "The objective was fine; it picked up something that went along with it.",
        "In training the two always came together, later they did not.",
        "It fails by its own score once the surroundings change.",
        "It kept its skill and went for the wrong thing.",
        "Nothing in the reward asked for that; it learned a habit.",
        "It never had to tell the two apart while it trained.",
        "More varied examples would have cured it, same objective.",
        "It follows a cue that used to be right.",
        "By the written goal it loses here, so the goal was not the trouble.",
        "The trouble shows only outside of what it was trained on.",
        "The score dropped too; a bad target would have been met.",
        "It learned a shortcut that no test had ever broken.",
    ),
    "both": (
        "The target was off, and it did not even learn that target.",
        "Two separate things broke: what they wrote, and what it took from it.",
        "Fixing one of them would leave the other.",
        "The score missed the point, and then it failed by the score as well.",
    ),
    "neither": (
        "It did what was meant; the world was just unkind.",
        "Target right, learned right: this is a plain fault of another sort.",
        "I see a bug here, not a gap.",
        "It simply was not good enough yet at the right thing.",
    ),
}


def names(n: int, seed: int) -> tuple[str, ...]:
    """Return ``n`` different friendly names; numbered beyond the first 2304."""
    order = Random(f"{seed} names").sample(range(NAMES), NAMES)  # noqa: S311 - names
    return tuple(_name(order[i % NAMES], i // NAMES) for i in range(n))


def _name(pick: int, lap: int) -> str:
    first, second = divmod(pick, len(_SECOND))
    name = f"{_FIRST[first]} {_SECOND[second]}"
    return f"{name} {lap + 1}" if lap else name


T = TypeVar("T")

LOSS_SHARE = 0.2
"""How often right answers turn wrong in a revote, as a fraction of ``learning``."""

SURER = 0.06
"""Added to a player's confidence when right, and subtracted when wrong (0-1)."""


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """The settings of a crowd of practice players.

    Raises ValueError if a value is out of range.
    """

    n: int = 30
    """Number of players (0 to 5000)."""
    seed: int = 1
    """Seed of all names and answers; the same seed gives the same ones."""
    skill: float = 0.65
    """Mean probability (0 to 1) of recognizing the gap; 0.5 is guessing."""
    skill_spread: float = 0.1
    """Standard deviation (0 to 0.5) of the skill between players."""
    confidence: float = 0.75
    """Mean confidence (0.5 to 1)."""
    lean: float = 0.0
    """Share of answers (0 to 1) that are outer in any case; below 0, inner."""
    delay_s: tuple[float, float] = (0.0, 0.0)
    """Shortest and longest time to think before an answer, in seconds."""
    reason_rate: float = 0.3
    """Share (0 to 1) of votes that come with a reason."""
    learning: float = 0.25
    """Share (0 to 1) of wrong answers that discussion, or the breakdown, corrects."""

    def __post_init__(self) -> None:
        ranges = {
            "n": (0, 5000),
            "skill": (0, 1),
            "skill_spread": (0, 0.5),
            "confidence": (0.5, 1),
            "lean": (-1, 1),
            "reason_rate": (0, 1),
            "learning": (0, 1),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must lie between {low} and {high}")
        if not 0 <= self.delay_s[0] <= self.delay_s[1]:
            raise ValueError("delay_s must be a shortest and a longest time")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The right answers, on which the skill of practice players depends.

    Never sent over the wire.
    """

    truths: Mapping[str, Truth] = field(default_factory=dict)
    """Which links broke, by the case's title."""
    repairs: Mapping[str, int] = field(default_factory=dict)
    """The index (0-2) of the right repair, by the case's title."""


def knowledge_of(cases: Iterable[Case]) -> Knowledge:
    """Return the right answers to these cases."""
    known = tuple(cases)
    return Knowledge(
        truths={case.title: case.truth for case in known},
        repairs={case.title: case.fix_question.right for case in known},
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one player: the ballot, the case, and the possible answers."""

    player: int
    """Index of the practice player."""
    title: str
    ballot: Ballot
    chips: tuple[int, ...]
    """The confidence levels offered, in percent; empty if none is asked for."""
    two_link: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A practice player's decision: the answer, a reason or none, and the delay (s)."""

    answer: Answer
    reason: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class _Belief:
    """A belief that one link broke or did not, and (if known) whether it is right."""

    broke: bool
    is_right: bool | None


def decide(settings: PracticeSettings, asked: Asked, knowledge: Knowledge) -> Decision:
    """Return a practice player's decision about a question."""
    mind = _Mind(settings, asked, knowledge)
    chance = mind.chance("manner")
    delay_s = chance.uniform(*settings.delay_s)
    if asked.ballot is Ballot.FIX:
        return Decision(FixAnswer(mind.repair()), "", delay_s)
    answer = mind.links() if asked.two_link else mind.gap()
    has_reason = chance.random() < settings.reason_rate
    reason = chance.choice(REASONS[_side(answer)]) if has_reason else ""
    return Decision(answer, reason, delay_s)


class _Mind:
    """One player deciding on one question."""

    def __init__(
        self, settings: PracticeSettings, asked: Asked, knowledge: Knowledge
    ) -> None:
        self._settings = settings
        self._asked = asked
        self._truth = knowledge.truths.get(asked.title)
        self._repair = knowledge.repairs.get(asked.title)

    def chance(self, *about: str) -> Random:
        """Return the player's own random generator for one purpose."""
        who = (str(self._settings.seed), str(self._asked.player))
        what = (self._asked.title, self._asked.ballot.value)
        return Random("|".join((*who, *what, *about)))  # noqa: S311 - a simulation

    def gap(self) -> GapAnswer:
        """Choose a gap."""
        truth = self._truth.outer if self._truth else None
        belief = self._believe("gap", truth, leaned=self._settings.lean)
        label = Label.OUTER if belief.broke else Label.INNER
        return GapAnswer(label, self._confidence("gap", belief))

    def links(self) -> LinksAnswer:
        """Decide for each link whether it broke."""
        lean, truth = self._settings.lean, self._truth
        outer = self._believe("outer", truth.outer if truth else None, leaned=lean)
        inner = self._believe("inner", truth.inner if truth else None, leaned=-lean)
        return LinksAnswer(
            LinkAnswer(outer.broke, self._confidence("outer", outer)),
            LinkAnswer(inner.broke, self._confidence("inner", inner)),
        )

    def repair(self) -> int:
        """Choose a repair: the right one with a probability that depends on skill."""
        chance = self.chance("repair")
        if self._repair is None:
            return chance.randrange(3)
        if chance.random() < self._skill(has_learned=True):
            return self._repair
        return chance.choice([option for option in range(3) if option != self._repair])

    def _skill(self, *, has_learned: bool) -> float:
        """Return the probability of being right, which is higher after a breakdown."""
        settings = self._settings
        own = self._own("skill").gauss(settings.skill, settings.skill_spread)
        skill = min(max(own, 0.0), 1.0)
        return skill + settings.learning * (1 - skill) if has_learned else skill

    def _own(self, about: str) -> Random:
        """Return a random generator that is the same for all questions to a player."""
        return Random(f"{self._settings.seed}|{self._asked.player}|{about}")  # noqa: S311 - a simulation

    def _believe(self, link: str, truth: bool | None, *, leaned: float) -> _Belief:
        """Return the current belief: in a revote, the first one or its opposite."""
        is_revote = self._asked.ballot is Ballot.REVOTE
        ballot = Ballot.VOTE if is_revote else self._asked.ballot
        first = self._first_belief(link, ballot, truth, leaned)
        return self._reconsider(link, first) if is_revote else first

    def _first_belief(
        self, link: str, ballot: Ballot, truth: bool | None, leaned: float
    ) -> _Belief:
        who = f"{self._settings.seed}|{self._asked.player}"
        chance = Random(f"{who}|{self._asked.title}|{ballot}|{link}")  # noqa: S311 - a simulation
        if truth is None:
            return _Belief(chance.random() < (1 + leaned) / 2, None)
        if chance.random() < abs(leaned):
            broke = leaned > 0
        else:
            sees = chance.random() < self._skill(has_learned=ballot is Ballot.TRANSFER)
            broke = truth if sees else not truth
        return _Belief(broke, broke == truth)

    def _reconsider(self, link: str, first: _Belief) -> _Belief:
        """Return a belief after discussion, which reverses some, mostly wrong ones."""
        rate = self._settings.learning
        if first.is_right is not False:
            rate *= LOSS_SHARE
        if self.chance(link, "reconsider").random() >= rate:
            return first
        is_right = None if first.is_right is None else not first.is_right
        return _Belief(not first.broke, is_right)

    def _confidence(self, link: str, belief: _Belief) -> int | None:
        """Return the offered level closest to this player's confidence, or None."""
        if not self._asked.chips:
            return None
        tilt = {True: SURER, False: -SURER, None: 0.0}[belief.is_right]
        habit = self._own("confidence").gauss(0, 0.05)
        noise = self.chance(link, "confidence").gauss(0, 0.08)
        sure = 100 * (self._settings.confidence + tilt + habit + noise)
        return min(self._asked.chips, key=lambda chip: abs(chip - sure))


def _side(answer: GapAnswer | LinksAnswer) -> Side:
    if isinstance(answer, GapAnswer):
        return "outer" if answer.label is Label.OUTER else "inner"
    match answer.outer.broke, answer.inner.broke:
        case True, True:
            return "both"
        case True, False:
            return "outer"
        case False, True:
            return "inner"
        case _:
            return "neither"
