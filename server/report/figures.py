"""Figures with their intervals, or the reason why n is too small to show them.

Intervals are Wilson's, or based on clusters or a bootstrap. The answers of one learner
resemble each other, so whole learners are resampled or left out, never single answers.
A learner is a row of counts; a figure is a function of the column sums.

The last part is about changes between two votes by the same people.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.game.errors import Sentence, sentence
from server.game.intervals import (
    Combine,
    Row,
    beta_cdf,
    jackknife_interval,
    t_quantile,
    totals,
    wilson,
)
from server.game.outcomes import NOISE_DIGITS
from server.protocol.report_types import Estimate, Figure, Hidden

Interval = tuple[float, float]

FEWEST_FOR_SHARE = 5
"""With fewer answers, a proportion is shown as a count."""

FEWEST_TO_POOL = 10
"""With fewer learners, figures that are pooled over learners are hidden."""

FEWEST_ANSWERS = 30
"""With fewer answers, shares that are pooled over learners are hidden."""

UNSCORED = Hidden(sentence("not_scored", "not scored"))


def needs_people(people: int, found: int) -> Sentence:
    """Return why a figure that is based on too few people is hidden."""
    needs = "needs {people} people, has {found}"
    return sentence("needs_people_has", needs, people=people, found=found)


def needs_answers(answers: int) -> Sentence:
    """Return why a figure that is based on too few answers is hidden."""
    return sentence("needs_answers", "needs {answers} answers", answers=answers)


def _fewer(key: str, what: str) -> Sentence:
    fewer = "fewer than {least} " + what
    return sentence(key, fewer, least=FEWEST_FOR_SHARE)


def proportion(right: int, n: int) -> Figure:
    """Return the share of right answers, if each person answered once (Wilson)."""
    if n < FEWEST_FOR_SHARE:
        return few(right, n)
    return Estimate(right / n, *wilson(right, n), n)


def few(right: int, n: int) -> Hidden:
    """Return a share that is shown as a count."""
    if not n:
        return Hidden(sentence("no_answers", "no answers"))
    return Hidden(_fewer("fewer_answers", "answers"), n, right)


def clustered(counts: Sequence[tuple[int, int]]) -> Figure:
    """Return the share of right answers, if a person may answer more than once.

    ``counts`` contains (right, n) for each learner. The share is hidden for fewer than
    10 learners or 30 answers, since its interval would be too wide to be useful (see
    docs/report.md).
    """
    answered = [(right, n) for right, n in counts if n]
    right, n = sum(right for right, _ in answered), sum(n for _, n in answered)
    if n == len(answered):
        return proportion(right, n)
    if len(answered) < FEWEST_TO_POOL or n < FEWEST_ANSWERS:
        needs = "needs {people} people and {answers} answers"
        why = sentence(
            "needs_people_answers",
            needs,
            people=FEWEST_TO_POOL,
            answers=FEWEST_ANSWERS,
        )
        return Hidden(why, n, right)
    return Estimate(right / n, *clustered_proportion(answered), n)


def pooled(
    rows: Sequence[Row], figure: Callable[[Sequence[float]], float | None], n: int
) -> Figure:
    """Return a figure of the learners' column sums, with its jackknife interval."""
    if len(rows) < FEWEST_TO_POOL:
        return Hidden(needs_people(FEWEST_TO_POOL, len(rows)), n)
    value, interval = figure(totals(rows)), jackknife_interval(rows, figure)
    if value is None or interval is None:
        why = sentence("rests_on_few", "rests on too few people")
        return Hidden(why, n)
    return Estimate(value, *interval, n)


def mean_of(values: Sequence[float]) -> Figure:
    """Return the mean of one value per person, with Student's interval."""
    n = len(values)
    if n < FEWEST_FOR_SHARE:
        return Hidden(_fewer("fewer_people", "people"), n)
    mean = round(math.fsum(values) / n, NOISE_DIGITS)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = t_quantile(0.975, n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)


# --- intervals ------------------------------------------------------------------------


def above_half(right: int, n: int) -> float:
    """Return P(p > .5), the probability (0-1) that people do better than a coin flip.

    It is based on the posterior Beta(right+.5, n-right+.5) under Jeffreys' prior
    (Brown, Cai & DasGupta 2001).
    """
    return 1 - beta_cdf(0.5, right + 0.5, n - right + 0.5)


def clustered_proportion(counts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the 95% interval of a pooled proportion whose answers come in clusters.

    ``counts`` contains (right, n) for each learner. This is Wilson's interval at the
    effective sample size, which is n divided by the design effect. The design effect is
    estimated by linearization between learners, with Student's t with (learners - 1)
    degrees of freedom (Korn & Graubard 1998, who use the exact interval). It is at
    least one half, since learners who happen to score alike are not evidence of
    precision.
    """
    answered = [(right, n) for right, n in counts if n]
    n = sum(n for _, n in answered)
    learners = len(answered)
    if learners < 2:
        return 0.0, 1.0
    p = sum(right for right, _ in answered) / n
    spread = sum((right - p * n_i) ** 2 for right, n_i in answered)
    variance = spread * learners / (learners - 1) / (n * n)
    effective = min(p * (1 - p) / variance, 2 * n) if variance else float(n)
    return _wilson_of(p, effective, t_quantile(0.975, learners - 1))


def _wilson_of(p: float, n: float, z: float) -> tuple[float, float]:
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_interval(
    p1: float, around_1: Interval, p2: float, around_2: Interval
) -> Interval:
    """Return the 95% interval of p1 - p2 (-1 to 1), given those of p1 and p2.

    This is Newcombe's (1998) hybrid method for two independent proportions.
    """
    down = math.hypot(p1 - around_1[0], around_2[1] - p2)
    up = math.hypot(around_1[1] - p1, p2 - around_2[0])
    return p1 - p2 - down, p1 - p2 + up


RESAMPLES = 1000
_MOST_DRAWS = 400_000


def bootstrap_errors(
    rows: Sequence[Row], figures: Sequence[Combine], seed: int
) -> list[float | None]:
    """Return the standard error of each figure, by a cluster bootstrap over learners.

    Draws learners with replacement, up to 1,000 times (less often for more than 400
    learners), and corrects the deviation for n - 1 (Efron & Tibshirani 1993). The same
    seed gives the same errors. The error is None if a figure is undefined in any
    resample.
    """
    n = len(rows)
    times = max(200, min(RESAMPLES, _MOST_DRAWS // n))
    rng = random.Random(seed)  # noqa: S311 - a bootstrap, not a secret
    drawn = [totals(rng.choices(rows, k=n)) for _ in range(times)]
    return [_deviation([figure(sums) for sums in drawn], n) for figure in figures]


def _deviation(values: Sequence[float | None], n: int) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or n < 2:
        return None
    mean = math.fsum(known) / len(known)
    variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
    return math.sqrt(variance * n / (n - 1))


# --- changes between two votes --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transitions:
    """How many people were right (r) or wrong (w) in a first and in a second vote."""

    rr: int = 0
    rw: int = 0
    wr: int = 0
    ww: int = 0

    @property
    def n(self) -> int:
        """The number of people who are in both votes."""
        return self.rr + self.rw + self.wr + self.ww

    @property
    def before(self) -> float | None:
        """p1: proportion right (0-1) in the first vote."""
        return (self.rr + self.rw) / self.n if self.n else None

    @property
    def after(self) -> float | None:
        """p2: proportion right (0-1) in the second vote."""
        return (self.rr + self.wr) / self.n if self.n else None

    @property
    def gain(self) -> float | None:
        """g = (p2-p1)/(1-p1), at most 1; None if p1 is 1 (Hake 1998)."""
        before, after = self.before, self.after
        if before is None or after is None or before == 1:
            return None
        return (after - before) / (1 - before)

    @property
    def right_turn(self) -> float | None:
        """G = WR/(WR+WW): proportion of those wrong at first who became right (0-1)."""
        wrong = self.wr + self.ww
        return self.wr / wrong if wrong else None

    @property
    def loss(self) -> float | None:
        """L = RW/(RR+RW): proportion of those right at first who became wrong (0-1).

        See Miller et al. (2010).
        """
        right = self.rr + self.rw
        return self.rw / right if right else None

    def plus(self, was_right: bool, is_right: bool) -> Transitions:
        """Return these transitions with one more person added."""
        return Transitions(
            self.rr + (was_right and is_right),
            self.rw + (was_right and not is_right),
            self.wr + (not was_right and is_right),
            self.ww + (not was_right and not is_right),
        )


def normalized_gain(before: float, after: float) -> float | None:
    """Return ⟨g⟩ = (post-pre)/(1-pre) for proportions of matched learners (Hake 1998).

    If post is less than pre, it is (post-pre)/pre (Marx & Cummings 2007), so that it is
    always between -1 and 1. Returns None if pre is 1.
    """
    if before == 1:
        return None
    if after < before:
        return (after - before) / before
    return (after - before) / (1 - before)


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two-sided p-values (0-1) for a paired change."""

    exact: float
    mid_p: float


def mcnemar(b: int, c: int) -> McNemar:
    """Return McNemar's test on the discordant pairs b and c.

    The mid-p version counts only half of the observed outcome, and keeps the nominal
    level when the exact test is conservative (Fagerland, Lydersen & Laake 2013).
    """
    n = b + c
    observed = math.comb(n, b) / 2**n
    if b == c:
        return McNemar(1.0, 1 - observed / 2)
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1)) / 2**n
    exact = min(1.0, 2 * tail)
    return McNemar(exact, exact - observed)


@dataclass(frozen=True, slots=True)
class Switching:
    """How many people switched between VOTE and REVOTE, by their side in VOTE."""

    minority_switched: int = 0
    minority: int = 0
    majority_switched: int = 0
    majority: int = 0

    @property
    def herding(self) -> float | None:
        """P(switch | minority) - P(switch | majority), -1 to 1; None without both.

        This is the part of switching that follows the crowd (Perez et al. 2010).
        """
        if not self.minority or not self.majority:
            return None
        return (
            self.minority_switched / self.minority
            - self.majority_switched / self.majority
        )

    def plus(self, in_minority: bool, switched: bool) -> Switching:
        """Return these counts with one more person added."""
        return Switching(
            self.minority_switched + (in_minority and switched),
            self.minority + in_minority,
            self.majority_switched + (not in_minority and switched),
            self.majority + (not in_minority),
        )

    def and_also(self, other: Switching) -> Switching:
        """Return the sum of these counts and others."""
        return Switching(
            self.minority_switched + other.minority_switched,
            self.minority + other.minority,
            self.majority_switched + other.majority_switched,
            self.majority + other.majority,
        )
