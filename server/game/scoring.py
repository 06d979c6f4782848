"""Score and count answers.

The default is the quadratic score (Brier 1950), which is strictly proper: players do
best by reporting what they believe. ``certainty`` is Gardner-Medwin's (1995) marking
scheme. A :class:`Tally` counts equal answers, so that counting a vote takes constant
time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from scenarios.model import Case, Truth
from server.game.answers import COIN_FLIP, Answer, FixAnswer, GapAnswer, LinksAnswer
from server.game.phases import Ballot
from server.game.settings import ScoreMode

BRIER_LEVELS = (50, 60, 70, 80, 90, 100)
CERTAINTY_LEVELS = (60, 75, 90)
CERTAINTY_MARKS = {60: (1, 0), 75: (2, -2), 90: (3, -6)}
"""For each confidence in percent: the marks if right and the marks if wrong."""

MISSED: dict[ScoreMode, float] = {
    "brier": 50,
    "accuracy": 50,
    "certainty": 0,
    "speed": 25,
}
"""The points for a vote that a player missed although they were present."""


def levels(mode: ScoreMode) -> tuple[int, ...]:
    """Return the confidences (percent) that can be chosen in a score mode."""
    return CERTAINTY_LEVELS if mode == "certainty" else BRIER_LEVELS


@dataclass(frozen=True, slots=True)
class Chip:
    """A confidence that players can choose (percent), and what it can win or lose."""

    confidence: int
    right: float
    wrong: float


def chips(mode: ScoreMode) -> tuple[Chip, ...]:
    """Return the confidence chips of a score mode, lowest first."""
    return tuple(
        Chip(
            level,
            gap_points(mode, is_right=True, confidence=level),
            gap_points(mode, is_right=False, confidence=level),
        )
        for level in levels(mode)
    )


def brier_points(is_right: bool, confidence: int) -> int:
    """Return 100·(1-(o-p)²), for a confidence p in percent: 0 to 100, whole."""
    miss = 100 - confidence if is_right else confidence
    return round(100 - miss * miss / 100)


def gap_points(
    mode: ScoreMode, *, is_right: bool, confidence: int | None, elapsed: float = 0
) -> float:
    """Return the points of one two-button answer.

    ``confidence`` is in percent, or None if no chip was tapped. ``elapsed`` is the
    share (0-1) of the time limit that had passed, and used only by ``speed``. Points
    range from 0 to 100, except in ``certainty``, where they range from -6 to 3.
    """
    if mode == "accuracy":
        return 100 if is_right else 0
    if mode == "speed":
        return round(100 * (1 - min(max(elapsed, 0), 1) / 2), 1) if is_right else 0
    if mode == "certainty":
        right, wrong = CERTAINTY_MARKS[confidence or CERTAINTY_LEVELS[0]]
        return right if is_right else wrong
    return brier_points(is_right, confidence or COIN_FLIP)


def links_points(mode: ScoreMode, answer: LinksAnswer, truth: Truth) -> float:
    """Return 100·(1-½[(o₁-p₁)²+(o₂-p₂)²]), from 0 to 100.

    Here, p is the probability that the player gives for a break in a link, and o is 1
    if it broke. In ``accuracy``, each link that is judged correctly earns 50.
    """
    if mode == "accuracy":
        hits = (answer.outer.broke == truth.outer) + (answer.inner.broke == truth.inner)
        return 50 * hits
    outer = (truth.outer - answer.outer.probability) ** 2
    inner = (truth.inner - answer.inner.probability) ** 2
    return round(100 * (1 - (outer + inner) / 2), 1)


def is_right(answer: GapAnswer | LinksAnswer | FixAnswer, case: Case) -> bool:
    """Return whether the answer is right: for two links, whether both are."""
    match answer:
        case GapAnswer(label=label):
            return label is case.label
        case LinksAnswer(outer=outer, inner=inner):
            return (outer.broke, inner.broke) == (case.truth.outer, case.truth.inner)
        case FixAnswer(option=option):
            return option == case.fix_question.right


def points(
    mode: ScoreMode,
    answer: GapAnswer | LinksAnswer | FixAnswer,
    case: Case,
    elapsed: float = 0,
) -> float | None:
    """Return the points of an answer to a case; None if it is not scored."""
    if not case.is_scored or isinstance(answer, FixAnswer):
        return None
    if isinstance(answer, LinksAnswer):
        return links_points(mode, answer, case.truth)
    return gap_points(
        mode,
        is_right=is_right(answer, case),
        confidence=answer.confidence,
        elapsed=elapsed,
    )


def round_score(
    vote: float | None, revote: float | None, *, missed: float | None, revoted: bool
) -> float | None:
    """Return the mean of VOTE and REVOTE, or None for a round that was not seen.

    ``missed`` is the points for a VOTE that the player missed although they were
    present, or None if they were not. If there was a REVOTE, a carried VOTE counts
    twice.
    """
    first = vote if vote is not None else missed
    if not revoted:
        return first
    second = revote if revote is not None else vote
    seen = [value for value in (first, second) if value is not None]
    return sum(seen) / len(seen) if seen else None


# --- what a class showed before -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """The first votes of a class on one question."""

    chance: float
    """How likely each was to be right (0-1), as far as was known."""
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a class showed in its earlier lessons, latest last."""

    people: int = 0
    """Those of the lesson that had most of them: across lessons, they have no names."""
    votes: int = 0
    seen: tuple[Seen, ...] = ()


NEW_CLASS = Earlier()
"""Nothing is known of a class in its first lesson."""


# --- counting -----------------------------------------------------------------------

CONFIDENT = 80
"""From this confidence (percent) on, wrong answers are confident errors (Fazio & Marsh
2009)."""


@dataclass(slots=True)
class Tally:
    """How many people gave each answer."""

    cells: Counter[Answer] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """Count one more answer."""
        self.cells[answer] += 1

    def remove(self, answer: Answer) -> None:
        """Count one answer fewer, after it was changed."""
        self.cells[answer] -= 1
        if not self.cells[answer]:
            del self.cells[answer]

    @property
    def n(self) -> int:
        """The number of answers counted."""
        return self.cells.total()

    def options(self, ballot: Ballot, *, two_link: bool) -> dict[str, int]:
        """Return the count of each option of the ballot, including zeros."""
        counts: Counter[str] = Counter()
        for answer, n in self.cells.items():
            counts[option_of(answer)] += n
        return {key: counts[key] for key in options_of(ballot, two_link=two_link)}

    def right(self, case: Case) -> int:
        """Return how many are right about the case; with two links, about both."""
        return sum(n for a, n in self.cells.items() if is_right(a, case))

    def links_right(self, case: Case) -> tuple[int, int]:
        """Return how many are right about the outer link and about the inner link."""
        outer = inner = 0
        for answer, n in self.cells.items():
            if isinstance(answer, LinksAnswer):
                outer += n * (answer.outer.broke == case.truth.outer)
                inner += n * (answer.inner.broke == case.truth.inner)
        return outer, inner

    def weaker_link(self, case: Case) -> tuple[Literal["outer", "inner"], int]:
        """Return the link that fewer are right about, and how many those are."""
        outer, inner = self.links_right(case)
        return ("outer", outer) if outer < inner else ("inner", inner)

    def mean_confidence(self) -> float | None:
        """Return the mean confidence (0-1) over the chips that were tapped."""
        total = count = 0
        for answer, n in self.cells.items():
            for confidence in confidences(answer):
                total += confidence * n
                count += n
        return total / count / 100 if count else None

    def confident_errors(self, case: Case) -> int:
        """Return how many are wrong with a confidence of 80% or more."""
        return sum(
            n
            for answer, n in self.cells.items()
            if not is_right(answer, case) and is_sure(answer)
        )


def options_of(ballot: Ballot, *, two_link: bool) -> tuple[str, ...]:
    """Return the options of a ballot, as the keys under which answers are counted.

    These are outer and inner, with two links also both and neither; or the index of a
    repair.
    """
    if ballot is Ballot.FIX:
        return ("0", "1", "2")
    return ("outer", "inner", "both", "neither") if two_link else ("outer", "inner")


def option_of(answer: Answer) -> str:
    """Return the key under which an answer is counted, ignoring its confidence."""
    match answer:
        case GapAnswer(label=label):
            return label.value
        case LinksAnswer(outer=outer, inner=inner):
            if outer.broke and inner.broke:
                return "both"
            return "outer" if outer.broke else "inner" if inner.broke else "neither"
        case FixAnswer(option=option):
            return str(option)


def confidences(answer: Answer) -> list[int]:
    """Return the confidences (percent) that were tapped: none, one or two."""
    return [value for value in _chips(answer) if value is not None]


def is_sure(answer: Answer) -> bool:
    """Return whether an answer, right or not, has a confidence of 80% or more."""
    return max(confidences(answer), default=0) >= CONFIDENT


def marks(answer: Answer, case: Case) -> list[tuple[int, bool]]:
    """Return (confidence in percent, right) of each confidence that was tapped."""
    found: list[tuple[int | None, bool]] = []
    if isinstance(answer, GapAnswer):
        found.append((answer.confidence, is_right(answer, case)))
    elif isinstance(answer, LinksAnswer):
        for link, broke in (
            (answer.outer, case.truth.outer),
            (answer.inner, case.truth.inner),
        ):
            found.append((link.confidence, link.broke == broke))
    return [(level, right) for level, right in found if level is not None]


def is_unsure(answer: Answer) -> bool:
    """Return whether an answer still lacks a confidence that it could have."""
    return None in _chips(answer)


def _chips(answer: Answer) -> tuple[int | None, ...]:
    match answer:
        case GapAnswer():
            return (answer.confidence,)
        case LinksAnswer():
            return (answer.outer.confidence, answer.inner.confidence)
        case FixAnswer():
            return ()


@dataclass(slots=True)
class Cohort:
    """How one site voted in VOTE, and in REVOTE including carried votes."""

    before: Tally = field(default_factory=Tally)
    after: Tally = field(default_factory=Tally)
