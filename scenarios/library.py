"""The library of cases and decks, and the errors for those that are not available.

A library is frozen. ``load`` reads it from files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from scenarios.model import Case, Deck


class ScenarioError(Exception):
    """Base of every error raised by this package; messages are suitable for users."""


class UnknownCase(ScenarioError):  # noqa: N818 - read as sentences
    """The library has no case with that ID; ``close`` contains the most similar IDs."""

    def __init__(self, case_id: str, close: tuple[str, ...] = ()) -> None:
        self.case_id = case_id
        self.close = close
        super().__init__(_unknown("case", case_id, close))


class UnknownDeck(ScenarioError):  # noqa: N818 - read as sentences
    """The library has no deck with that ID; ``close`` contains the most similar IDs."""

    def __init__(self, deck_id: str, close: tuple[str, ...] = ()) -> None:
        self.deck_id = deck_id
        self.close = close
        super().__init__(_unknown("deck", deck_id, close))


class NothingToPlay(ScenarioError):  # noqa: N818 - read as sentences
    """The deck has no round that can be played with the requested settings."""

    def __init__(self, deck_id: str, why: str) -> None:
        self.deck_id = deck_id
        super().__init__(f"deck '{deck_id}' has no rounds to play: {why}")


def _unknown(what: str, name: str, close: tuple[str, ...]) -> str:
    said = f"there is no {what} '{name}'"
    if not close:
        return said
    return f"{said}; did you mean {' or '.join(repr(each) for each in close)}?"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with one file: where it is, what is wrong, and what to do about it.

    ``column`` is the column of a spreadsheet, such as "column D".
    """

    file: Path
    key: str
    message: str
    remedy: str
    column: str = ""

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}"
        if self.column:
            key = f" ({self.key})" if self.key else ""
            place = f"{self.file}, {self.column}{key}"
        return f"{place}: {self.message} ({self.remedy})"


@dataclass(frozen=True, slots=True)
class Library:
    """Every usable case and deck by ID, and the problems with the rest.

    ``notes`` are about harmless files that are not cases.
    """

    cases: Mapping[str, Case]
    decks: Mapping[str, Deck]
    problems: tuple[Problem, ...] = ()
    case_files: Mapping[str, Path] = field(default_factory=dict)
    deck_files: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()

    def case(self, case_id: str) -> Case:
        """Return the case with that ID, or raise ``UnknownCase`` with close matches."""
        found = self.cases.get(case_id)
        if found is None:
            raise UnknownCase(case_id, close_to(case_id, self.cases))
        return found

    def deck(self, deck_id: str) -> Deck:
        """Return the deck with that ID, or raise ``UnknownDeck`` with close matches."""
        found = self.decks.get(deck_id)
        if found is None:
            raise UnknownDeck(deck_id, close_to(deck_id, self.decks))
        return found


def close_to(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three known names that look like this one, best match first."""
    return tuple(get_close_matches(name, list(known), n=3, cutoff=0.6))
