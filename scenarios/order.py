"""The order of an interleaved deck: how many of each label, and in what sequence.

Works on bare labels (None stands for a case without a single label). Rule: at most
three of one label in a row, and 40-60 % outer from five clean cases up, so that the
next answer cannot be guessed from the last ones (Brunmair & Richter 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from random import Random

from scenarios.model import Label

LONGEST_RUN = 3
BALANCE_FROM = 5

Kind = Label | None
KINDS: tuple[Kind, ...] = (Label.OUTER, Label.INNER, None)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases of each label there are."""

    outer: int = 0
    inner: int = 0
    unlabelled: int = 0

    @property
    def total(self) -> int:
        """All of them together."""
        return self.outer + self.inner + self.unlabelled

    def of(self, kind: Kind) -> int:
        """Return the count of one label."""
        if kind is None:
            return self.unlabelled
        return self.outer if kind is Label.OUTER else self.inner

    def less(self, kind: Kind) -> Counts:
        """Return the counts with one of that label taken away."""
        if kind is None:
            return replace(self, unlabelled=self.unlabelled - 1)
        if kind is Label.OUTER:
            return replace(self, outer=self.outer - 1)
        return replace(self, inner=self.inner - 1)


def is_balanced(counts: Counts) -> bool:
    """Return whether 40-60 % of the clean cases are outer, or there are under five."""
    clean = counts.outer + counts.inner
    return clean < BALANCE_FROM or 2 * clean <= 5 * counts.outer <= 3 * clean


def can_follow(counts: Counts, last: Kind = None, run: int = 0) -> bool:
    """Return whether these can be laid out after a run of ``last`` already there."""
    for kind in Label:
        others = counts.total - counts.of(kind)
        head = LONGEST_RUN - run if kind is last else LONGEST_RUN
        if counts.of(kind) > head + LONGEST_RUN * others:
            return False
    return True


def choose_counts(have: Counts, length: int) -> Counts:
    """Return the largest playable choice of at most ``length``, most like ``have``."""
    choices = [
        Counts(*numbers)
        for numbers in product(
            range(have.outer + 1), range(have.inner + 1), range(have.unlabelled + 1)
        )
        if sum(numbers) <= length
    ]
    fitting = [each for each in choices if is_balanced(each) and can_follow(each)]
    return max(fitting, key=lambda each: (each.total, -_unlike(each, have)))


def _unlike(some: Counts, whole: Counts) -> int:
    return sum(
        abs(some.of(kind) * whole.total - whole.of(kind) * some.total) for kind in KINDS
    )


def sequence(counts: Counts, random: Random) -> list[Kind]:
    """Return a random layout of these labels without too long a run."""
    laid: list[Kind] = []
    left = counts
    while left.total:
        kind = _draw(left, laid, random)
        laid.append(kind)
        left = left.less(kind)
    return laid


def _draw(left: Counts, laid: list[Kind], random: Random) -> Kind:
    possible = [kind for kind in KINDS if left.of(kind) and _may(left, laid, kind)]
    return random.choices(possible, [left.of(kind) for kind in possible])[0]


def _may(left: Counts, laid: list[Kind], kind: Kind) -> bool:
    run = 1
    for before in reversed(laid):
        if before is not kind:
            break
        run += 1
    if kind is not None and run > LONGEST_RUN:
        return False
    return can_follow(left.less(kind), kind, run)
