"""Kinds of phrase that give a label away: how often stories of each label have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scenarios.library import Library
from scenarios.model import Label

PHRASES = {
    "reassurance": re.compile(
        r"\b(truthful\w*|true (?:name|label)s?|faithful\w*|honest\w*|nothing else"
        r"|right(?:ly)? (?:name|answer|label|thing|finding|mark)\w*|correct\w*"
        r"|with care|careful\w*|with(?:out| no) (?:a )?(?:slip|mistake)s?|fair(?:ly)?"
        r"|in good order|sound|reliabl\w*|accurate\w*|checked"
        r"|had (?:named|noted|marked|written))\b",
        re.IGNORECASE,
    ),
    "measurement": re.compile(
        r"\b(measur\w*|count(?:ed|s|ing)?|scor(?:e|es|ed|ing)|points?|paid|pays?"
        r"|reward\w*|targets?|judged|graded?|rated|ratings?|bonus\w*|fined?|percent)\b",
        re.IGNORECASE,
    ),
}
"""What a class may learn to read instead of the case: "the labels were right" for
inner, "it was paid by the point" for outer."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """How often the stories of each label have a kind of phrase, as shares."""

    outer: float
    inner: float

    @property
    def accuracy(self) -> float:
        """Balanced accuracy of a guess by the phrase alone."""
        return 0.5 + abs(self.outer - self.inner) / 2


def by_phrase(library: Library) -> dict[str, Phrase]:
    """Return for each kind of phrase how often the stories of each label have it."""
    return {
        name: Phrase(*(_share(library, label, pattern) for label in Label))
        for name, pattern in PHRASES.items()
    }


def _share(library: Library, label: Label, pattern: re.Pattern[str]) -> float:
    stories = [case.story for case in library.cases.values() if case.label is label]
    return sum(bool(pattern.search(story)) for story in stories) / len(stories)
