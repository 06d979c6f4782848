"""What a report says, as one frozen structure. Proportions 0-1; absent means not held.

A figure that its n cannot carry is :class:`Hidden`, with the reason: a page shows the
reason, never an empty number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenarios.model import Evidence, Rule
from server.game.errors import Sentence

Audience = Literal["host", "others"]
"""For others, cells of few people are suppressed and reasons are left out."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval, and the number of answers or people behind
    it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Hidden:
    """A hidden figure, and why it is hidden."""

    why: Sentence
    n: int = 0
    count: int | None = None
    """How many of the n, if a count may be shown instead of a share."""


Figure = Estimate | Hidden


@dataclass(frozen=True, slots=True)
class RoomFigures:
    """The room, and who took part."""

    code: str
    title: str
    deck: str
    deck_version: int
    seed: int
    opened_ms: int
    finished_ms: int | None
    score_mode: str
    is_two_link: bool
    is_rehearsal: bool
    people: int
    """People who answered at least once."""
    practice: int
    """Without practice players."""
    revealed: int
    planned: int
    time_zone: str
    """The time zone of ``opened`` and ``finished``: the class's, or UTC."""
    is_zone_known: bool
    """False if the room has no time zone, as in old journals."""
    opened: str
    """Local time with its offset (ISO 8601)."""
    finished: str | None
    name: str = ""
    """What the host calls the room; empty if it has no name."""


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """Signal detection of the class; in two-link rooms, one for each link."""

    about: Literal["outer against inner", "the outer link", "the inner link"]
    d_prime: Figure
    criterion: Figure
    hit_rate: float | None
    false_alarm_rate: float | None
    signals: int
    """Answers to cases for which it was true."""
    noises: int
    words: Sentence | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One count of a cross-tabulation; None if it is of too few people."""

    answer: str
    n: int | None


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """How people answered the cases with one verdict."""

    verdict: str
    n: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """What the second vote changed."""

    after: Figure
    """Proportion right, including carried votes; this is the tally that the class
    saw."""
    carried: int
    cells: tuple[Cell, ...]
    """Counts of RR, RW, WR and WW among people who voted twice."""
    gain: float | None
    right_turn: float | None
    loss: float | None
    mid_p: float | None
    """McNemar's mid-p."""
    exact_p: float | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge to a case's label, as typed."""

    by: Literal["player", "cohost", "host"]
    text: str
    """Empty if its author's words were erased."""


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """One round: its case, its votes, and how well the case works as a question."""

    number: int
    case: str
    version: int
    title: str
    kind: str
    verdict: str
    is_scored: bool
    options: tuple[Cell, ...]
    n: int
    missed: int
    right: Figure
    rights: int
    """How many were right."""
    above_coin: float | None
    """P(p > .5) under Jeffreys' prior, if one of two buttons was right."""
    mean_confidence: float | None
    confident_errors: int | None
    """How many were wrong at 80% or more; None if there are too few to show."""
    is_told_confident: bool
    """At least max(3, 10% of those who answered) were wrong at 80% or more."""
    moves: Moves | None
    fix: Figure | None
    transfer: Figure | None
    transfer_case: str | None
    first_sight: Figure | None
    """How people elsewhere did on the transfer case when it came first."""
    discrimination: Figure
    asks_to_check: bool
    evidence: Evidence | None = None
    """How sure the facts are; None if the story is invented, or not graded."""
    challenged: int | None = 0
    """How many people challenged its label; None if there are too few to show."""
    challenges: tuple[Challenge, ...] = ()
    """The challenges, by role and text; only for the host, if typed text was
    requested."""


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """The class's results on the cases that a rule in docs/labels.md decides."""

    rule: Rule
    cases: tuple[int, ...]
    """Numbers of these cases."""
    n: int
    rights: int
    right: Figure


@dataclass(frozen=True, slots=True)
class Dot:
    """All answers given at one confidence."""

    confidence: float
    n: int
    share: Figure


@dataclass(frozen=True, slots=True)
class CalibrationFigures:
    """How well the players' confidence matched their results."""

    n: int
    dots: tuple[Dot, ...]
    bias: Figure
    brier: float | None
    reliability: float | None
    resolution: float | None
    uncertainty: float | None
    skill: float | None
    ece: float | None
    words: Sentence | None


@dataclass(frozen=True, slots=True)
class TransferFigures:
    """What people learned: VOTE against TRANSFER, for those who answered both."""

    pairs: int
    before: float | None
    after: float | None
    change: Figure
    gain: float | None
    """Normalized gain."""


@dataclass(frozen=True, slots=True)
class TeamFigures:
    """One team, or the cohort of one site."""

    name: str
    n: int
    """People with a score."""
    accuracy: Figure
    score: Figure


@dataclass(frozen=True, slots=True)
class HerdingFigures:
    """Switching to the majority: P(switch | minority) - P(switch | majority)."""

    all: Figure
    majority_right: float | None
    majority_wrong: float | None
    n_right: int
    n_wrong: int


@dataclass(frozen=True, slots=True)
class WrongReason:
    """The most typical reason for a wrong answer, as typed."""

    text: str
    answer: str
    given: int
    """How many reasons were given for wrong answers."""


@dataclass(frozen=True, slots=True)
class TakeUp:
    """A case to revisit: how its last vote went, and what to talk about."""

    number: int
    right: int
    n: int
    reason: WrongReason | None
    """None if there was none, and in files."""
    sure: tuple[str, ...]
    """Names of people who were wrong at 80% or more; only on the host's page."""


@dataclass(frozen=True, slots=True)
class Report:
    """A room's complete report."""

    audience: Audience
    room: RoomFigures
    sentence: Sentence
    points: tuple[Sentence, ...]
    """Two to five sentences worth saying after the first."""
    caveats: tuple[Sentence, ...]
    accuracy: Figure
    score: Figure
    goal: float
    detections: tuple[DetectionFigures, ...]
    confusion: tuple[MatrixRow, ...]
    cases: tuple[CaseFigures, ...]
    hardest: tuple[int, ...]
    """Numbers of the hardest cases, hardest first."""
    confidently_missed: tuple[int, ...]
    rules: tuple[RuleFigures, ...]
    """The rules that decide the scored cases, the one missed most often first."""
    calibration: CalibrationFigures | None
    kr20: float | Hidden
    transfer: TransferFigures | None
    teams: tuple[TeamFigures, ...]
    cohorts: tuple[TeamFigures, ...]
    """The sites side by side; empty if all played at one."""
    herding: HerdingFigures | None
    take_up: tuple[TakeUp, ...]
    """Up to three cases for the next lesson, hardest first."""
