"""The cases and decks at hand, and what was wrong with the files that are not.

Reading lives in ``load``; this is only the finished, frozen result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from scenarios.errors import UnknownCase, UnknownDeck
from scenarios.model import Case, Deck


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one file: where, what, and what to do about it."""

    file: Path
    key: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message} ({self.remedy})"


@dataclass(frozen=True, slots=True)
class Library:
    """Every usable case and deck by id, with the problems of the rest."""

    cases: Mapping[str, Case]
    decks: Mapping[str, Deck]
    problems: tuple[Problem, ...] = ()
    case_files: Mapping[str, Path] = field(default_factory=dict)
    deck_files: Mapping[str, Path] = field(default_factory=dict)

    def case(self, case_id: str) -> Case:
        """Return the case of that id, or raise ``UnknownCase`` with close matches."""
        found = self.cases.get(case_id)
        if found is None:
            raise UnknownCase(case_id, close_to(case_id, self.cases))
        return found

    def deck(self, deck_id: str) -> Deck:
        """Return the deck of that id, or raise ``UnknownDeck`` with close matches."""
        found = self.decks.get(deck_id)
        if found is None:
            raise UnknownDeck(deck_id, close_to(deck_id, self.decks))
        return found


def close_to(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return at most three known names that look like this one, best first."""
    return tuple(get_close_matches(name, list(known), n=3, cutoff=0.6))
