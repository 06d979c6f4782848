"""Changes between two votes by the same people: transitions, gains and tests."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
