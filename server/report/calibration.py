"""Whether confidence means what it says: pooled over a class, never for one learner."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

ENOUGH_FOR_ECE = 300
"""Below so many answers the expected calibration error is mostly noise."""

COIN = 0.25
"""The Brier score of a coin flip reported as one."""


@dataclass(frozen=True, slots=True)
class Bin:
    """All answers given at one confidence (0-1)."""

    confidence: float
    right: int
    n: int

    @property
    def share(self) -> float:
        """Proportion right (0-1)."""
        return self.right / self.n


@dataclass(frozen=True, slots=True)
class Calibration:
    """The pooled calibration of some answers. All proportions; Brier score 0 to 1."""

    bins: tuple[Bin, ...]
    """By rising confidence, none empty."""

    @property
    def n(self) -> int:
        """Answers with a confidence."""
        return sum(b.n for b in self.bins)

    @property
    def accuracy(self) -> float:
        """Proportion right (0-1)."""
        return sum(b.right for b in self.bins) / self.n

    @property
    def mean_confidence(self) -> float:
        """Mean confidence (0-1)."""
        return math.fsum(b.confidence * b.n for b in self.bins) / self.n

    @property
    def bias(self) -> float:
        """Mean confidence - accuracy: above 0 is overconfidence (Lichtenstein 1982)."""
        return self.mean_confidence - self.accuracy

    @property
    def brier(self) -> float:
        """Mean squared distance of confidence from outcome, 0 to 1 (Brier 1950)."""
        total = math.fsum(
            b.right * (1 - b.confidence) ** 2 + (b.n - b.right) * b.confidence**2
            for b in self.bins
        )
        return total / self.n

    @property
    def reliability(self) -> float:
        """REL: how far the bins lie from the diagonal; 0 is perfect (Murphy 1973)."""
        return self._mean(lambda b: (b.confidence - b.share) ** 2)

    @property
    def resolution(self) -> float:
        """RES: how far the bins lie from the overall share; more is better."""
        return self._mean(lambda b: (b.share - self.accuracy) ** 2)

    @property
    def uncertainty(self) -> float:
        """UNC = p(1-p) of the outcomes. Brier = REL - RES + UNC."""
        return self.accuracy * (1 - self.accuracy)

    @property
    def skill(self) -> float:
        """1 - Brier/.25: 0 is a coin flip, 1 is perfect."""
        return 1 - self.brier / COIN

    @property
    def ece(self) -> float:
        """Expected calibration error, 0 to 1; only to be shown from 300 answers on."""
        return self._mean(lambda b: abs(b.confidence - b.share))

    def _mean(self, of: Callable[[Bin], float]) -> float:
        return math.fsum(b.n * of(b) for b in self.bins) / self.n


def calibration(answers: Sequence[tuple[int, bool]]) -> Calibration | None:
    """Return the calibration of (confidence in per cent, right) pairs; None if none."""
    counts: dict[int, tuple[int, int]] = {}
    for confidence, is_right in answers:
        right, n = counts.get(confidence, (0, 0))
        counts[confidence] = (right + is_right, n + 1)
    return of_counts(counts) if counts else None


def of_counts(counts: Mapping[int, tuple[int, int]]) -> Calibration:
    """Return the calibration of (right, n) by confidence in per cent."""
    return Calibration(
        tuple(
            Bin(confidence / 100, right, n)
            for confidence, (right, n) in sorted(counts.items())
        )
    )
