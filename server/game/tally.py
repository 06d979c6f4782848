"""Counting answers: as they come in, and as they are shown.

A :class:`Tally` counts equal answers, so one vote costs one step however large the
class; every figure is read off the few distinct answers there are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from scenarios.model import Case
from server.game.answers import Answer, FixAnswer, GapAnswer, LinksAnswer
from server.game.scoring import is_right

CONFIDENT = 80
"""Per cent: from here on a wrong answer is a confident error (Fazio & Marsh 2009)."""


@dataclass(slots=True)
class Tally:
    """How many people gave each answer."""

    cells: Counter[Answer] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """Count one more answer."""
        self.cells[answer] += 1

    def remove(self, answer: Answer) -> None:
        """Count one answer less (it was changed)."""
        self.cells[answer] -= 1
        if not self.cells[answer]:
            del self.cells[answer]

    @property
    def n(self) -> int:
        """How many answers are counted."""
        return self.cells.total()

    def options(self) -> dict[str, int]:
        """Return the count of each thing that can be answered, zeros included.

        Keys: outer and inner; or, of two links, both, outer, inner and neither; or the
        index of a repair, 0 to 2.
        """
        counts: Counter[str] = Counter()
        for answer, n in self.cells.items():
            counts[option_of(answer)] += n
        keys = _keys_like(next(iter(self.cells), None))
        return {key: counts[key] for key in keys}

    def right(self, case: Case) -> int:
        """Return how many are right about the case (for two links: about both)."""
        return sum(n for a, n in self.cells.items() if is_right(a, case))

    def links_right(self, case: Case) -> tuple[int, int]:
        """Return how many are right about the outer link and about the inner link."""
        outer = inner = 0
        for answer, n in self.cells.items():
            if isinstance(answer, LinksAnswer):
                outer += n * (answer.outer.broke == case.truth.outer)
                inner += n * (answer.inner.broke == case.truth.inner)
        return outer, inner

    def mean_confidence(self) -> float | None:
        """Return the mean confidence (0-1) over the chips that were tapped."""
        total = count = 0
        for answer, n in self.cells.items():
            for confidence in confidences(answer):
                total += confidence * n
                count += n
        return total / count / 100 if count else None

    def confident_errors(self, case: Case) -> int:
        """Return how many are wrong at 80 % or more."""
        return sum(
            n
            for answer, n in self.cells.items()
            if not is_right(answer, case)
            and max(confidences(answer), default=0) >= CONFIDENT
        )


def option_of(answer: Answer) -> str:
    """Return the key under which an answer is counted, its confidence left out."""
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
    """Return the confidences (per cent) that were tapped, none, one or two."""
    return [value for value in _chips(answer) if value is not None]


def _chips(answer: Answer) -> tuple[int | None, ...]:
    match answer:
        case GapAnswer():
            return (answer.confidence,)
        case LinksAnswer():
            return (answer.outer.confidence, answer.inner.confidence)
        case FixAnswer():
            return ()


def _keys_like(answer: Answer | None) -> tuple[str, ...]:
    match answer:
        case LinksAnswer():
            return ("outer", "inner", "both", "neither")
        case FixAnswer():
            return ("0", "1", "2")
        case _:
            return ("outer", "inner")
