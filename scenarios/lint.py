"""Checks what the model cannot: wording, leaks, sources, figures, twins, balance.

Pure: works on a library that has been read, and reads no files. An ``error`` has to be
fixed; a ``note`` is for the author to judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from scenarios.build import Counts, build_plan, choose_counts
from scenarios.flow import minutes_of
from scenarios.library import Library, ScenarioError, close_to
from scenarios.model import Case, Deck, Label
from scenarios.prose import grade, moulds_in, numbers_in

Severity = Literal["error", "note"]

SHORTEST, LONGEST = 60, 120
EASIEST_GRADE, HARDEST_GRADE = 6.0, 10.0
"""The goal is 7 to 9, with a tolerance of one grade, so that no story passes or fails
because of a single period. Joining two sentences of a story changes its grade by 0.7 in
the median, and by up to 1.0 in nine out of ten stories (measured in this library).
Grade 10 corresponds to age 15."""
MOST_OF_A_MOULD = 0.15
"""Largest share of the cases whose ``breakdown.say`` may follow the same mould."""
FEWEST_FOR_MOULDS = 20
LONGEST_QUOTE = 25
"""Most words quoted from one original: enough to decide the case, and fair use."""
LEAST_SHARED = 0.5
"""Similarity to the true story, as a ratio of words in order, that a story with one
fact changed must have at least."""

FORBIDDEN = re.compile(
    r"\b(outer|inner|prox(?:y|ies)|misalign\w*|reward[\s-]+hack\w*|specifications?"
    r"|(?:mis|over)?generali[sz]\w*|gaming|gamed|spurious\w*|shortcuts?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to fix: the case or deck, the key, what is wrong, and how to fix it."""

    item: str
    key: str
    message: str
    remedy: str
    severity: Severity = "error"
    file: Path | None = None

    def __str__(self) -> str:
        place = self.file or self.item
        return f"{place}: {self.key}: {self.message} ({self.remedy})"


def lint(library: Library) -> list[Finding]:
    """Return the findings for all cases and then for all decks, each sorted by ID."""
    found: list[Finding] = []
    moulds = moulds_of(library)
    for name, case in sorted(library.cases.items()):
        findings = [each for rule in CASE_RULES for each in rule(case)]
        findings += _twin(case, library)
        findings += _mould(case, moulds)
        found += _in_file(library.case_files.get(name), findings)
    for name, deck in sorted(library.decks.items()):
        findings = [each for rule in DECK_RULES for each in rule(deck, library)]
        found += _in_file(library.deck_files.get(name), findings)
    return found


def _in_file(file: Path | None, findings: list[Finding]) -> list[Finding]:
    return [replace(each, file=file) for each in findings]


def _length(case: Case) -> Iterator[Finding]:
    words = len(case.story.split())
    if not SHORTEST <= words <= LONGEST:
        message = f"has {words} words"
        remedy = f"bring it to {SHORTEST}-{LONGEST} words"
        yield Finding(case.id, "story", message, remedy)


def _leaks(case: Case) -> Iterator[Finding]:
    shown = [("title", case.title), ("story", case.story)]
    if case.picture is not None:
        shown.append(("picture.alt", case.picture.alt))
    for key, text in shown:
        for word in sorted({match[0].lower() for match in FORBIDDEN.finditer(text)}):
            remedy = "tell what happened without technical terms"
            yield Finding(case.id, key, f"gives the verdict away by '{word}'", remedy)


def _sources(case: Case) -> Iterator[Finding]:
    if case.kind == "documented" and not case.sources:
        remedy = "add a [[sources]] table, or set kind to 'thought'"
        yield Finding(case.id, "sources", "a documented case names no source", remedy)


def _evidence(case: Case) -> Iterator[Finding]:
    for place, source in enumerate(case.sources):
        key = f"sources[{place}].words"
        if source.words is None:
            continue
        if len(source.words.split()) > LONGEST_QUOTE:
            remedy = f"quote what decides, in at most {LONGEST_QUOTE} words"
            yield Finding(case.id, key, "quotes too much", remedy)
        if source.place is None or source.checked != "read in source":
            remedy = "quote only what was read in source, and say in 'place' where"
            yield Finding(case.id, key, "quotes words without their place", remedy)
    is_quoted = any(source.words for source in case.sources)
    if case.evidence is not None and not case.is_true:
        remedy = "remove the key: nothing invented is evidence"
        yield Finding(case.id, "evidence", "only a true story has evidence", remedy)
    if case.incidents and not case.is_true:
        remedy = "remove the key, or set kind to 'documented'"
        yield Finding(case.id, "incidents", "only a true story is on record", remedy)
    if case.is_true and case.evidence == "confirmed" and case.sources and not is_quoted:
        remedy = "quote the deciding words in 'words' of a source, or say 'secondary'"
        yield Finding(
            case.id, "evidence", "is confirmed, but no words are quoted", remedy
        )


def _figures(case: Case) -> Iterator[Finding]:
    for key, written in _uncovered(case):
        remedy = "add a [[figures]] table with its origin, or leave it out"
        message = f"'{written}' has no figure that says where it comes from"
        yield Finding(case.id, key, message, remedy)


def uncovered_numbers(case: Case) -> list[str]:
    """Return each number in the case's text that is not in ``figures``, as written."""
    return list(dict.fromkeys(written for _, written in _uncovered(case)))


def _uncovered(case: Case) -> Iterator[tuple[str, str]]:
    known = {str(case.year)}
    for figure in case.figures:
        known |= numbers_in(figure.value).keys()
    for key, text in _told(case):
        for number, written in numbers_in(text).items():
            if number not in known:
                yield key, written


def _told(case: Case) -> Iterator[tuple[str, str]]:
    yield from (("story", case.story), ("tempting", case.tempting))
    if case.contested is not None:
        yield "contested", case.contested
    yield from _texts("breakdown", case.breakdown)
    yield from _texts("reasons", case.reasons)
    yield from _texts("fix_question", case.fix_question)


def _texts(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _texts(f"{key}[{index}]", each)
    elif isinstance(value, BaseModel):
        for name, each in value:
            yield from _texts(f"{key}.{name}", each)


def _imagined(case: Case) -> Iterator[Finding]:
    tagged = "thought-experiment" in case.tags
    if case.kind == "thought" and not tagged:
        remedy = "add 'thought-experiment' to the tags"
        yield Finding(case.id, "tags", "a thought experiment has no such tag", remedy)
    if case.kind == "documented" and tagged:
        remedy = "remove the tag, or set kind to 'thought'"
        yield Finding(case.id, "tags", "a documented case is tagged as one", remedy)
    if case.kind == "thought" and not re.search(r"(?i)\bimagin", case.story):
        remedy = "say so, for example: This story is imagined."
        yield Finding(case.id, "story", "does not say that it is imagined", remedy)


def _reading_level(case: Case) -> Iterator[Finding]:
    level = grade(case.story)
    if level > HARDEST_GRADE:
        message = f"reads like school grade {level:.1f}"
        remedy = f"use shorter sentences and words, for grade {HARDEST_GRADE:.0f}"
        yield Finding(case.id, "story", message, remedy)
    if level < EASIEST_GRADE:
        message = f"reads like school grade {level:.1f}"
        remedy = "let sentences run: join some with because, so, but, which, until"
        yield Finding(case.id, "story", message, remedy, "note")


CASE_RULES: tuple[Callable[[Case], Iterable[Finding]], ...] = (
    _length,
    _leaks,
    _sources,
    _evidence,
    _figures,
    _imagined,
    _reading_level,
)


def moulds_of(library: Library) -> dict[str, int]:
    """Return each mould that too many ``breakdown.say`` share, and how many do."""
    total = len(library.cases)
    if total < FEWEST_FOR_MOULDS:
        return {}
    counts = Counter(
        mould
        for case in library.cases.values()
        for mould in moulds_in(case.breakdown.say)
    )
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {mould: n for mould, n in most_first if n > MOST_OF_A_MOULD * total}


def _mould(case: Case, moulds: Mapping[str, int]) -> Iterator[Finding]:
    shared = [mould for mould in moulds if mould in moulds_in(case.breakdown.say)]
    if shared:
        message = f"follows the pattern '{shared[0]}', like {moulds[shared[0]]} in all"
        remedy = "say it aloud to a friend, and write that down"
        yield Finding(case.id, "breakdown.say", message, remedy, "note")


def _twin(case: Case, library: Library) -> Iterator[Finding]:
    if case.twin is None:
        return
    if case.twin == case.id:
        yield Finding(case.id, "twin", "names the case itself", "name another case")
        return
    twin = library.cases.get(case.twin)
    if twin is None:
        message = f"names '{case.twin}', which is not a case here"
        yield Finding(case.id, "twin", message, _instead(case.twin, library))
    elif twin.twin != case.id:
        message = f"'{case.twin}' does not name this case in return"
        remedy = "make it mutual, if it is meant so"
        yield Finding(case.id, "twin", message, remedy, "note")
    elif case.kind == "one-fact":
        yield from _one_fact(case, twin)


def _one_fact(case: Case, twin: Case) -> Iterator[Finding]:
    """Check a story with one fact changed: the same words, but a different verdict."""
    if not twin.is_true or twin.verdict == case.verdict:
        message = f"'{case.twin}' is not a true story of another verdict"
        remedy = "name the true story that it changes, or set kind to 'variant'"
        yield Finding(case.id, "twin", message, remedy)
        return
    words = SequenceMatcher(None, twin.story.split(), case.story.split(), False)
    if words.ratio() < LEAST_SHARED:
        message = f"shares {words.ratio():.0%} of its words with '{twin.id}'"
        remedy = "tell it in the words of the true story, or set kind to 'variant'"
        yield Finding(case.id, "story", message, remedy, "note")


def _unknown_cases(deck: Deck, library: Library) -> Iterator[Finding]:
    for name in deck.case_ids:
        if name not in library.cases:
            message = f"names '{name}', which is not a case here"
            yield Finding(deck.id, "rounds", message, _instead(name, library))


def _balance(deck: Deck, library: Library) -> Iterator[Finding]:
    if deck.order == "fixed":
        return
    cases = [library.cases.get(item.case) for item in deck.rounds]
    labels = [case.label for case in cases if case is not None]
    have = Counts(
        labels.count(Label.OUTER), labels.count(Label.INNER), labels.count(None)
    )
    dropped = have.total - choose_counts(have, have.total).total
    if dropped:
        message = f"{dropped} of its rounds cannot be balanced"
        remedy = "add cases of the rarer label, up to 40-60% outer"
        yield Finding(deck.id, "rounds", message, remedy)


def _reading(deck: Deck, _: Library) -> Iterator[Finding]:
    starts = sum(item.start_here for item in deck.reading)
    if starts != 1:
        message = f"{starts} items are marked 'start here'"
        remedy = "mark exactly one with start_here = true"
        yield Finding(deck.id, "reading", message, remedy)


def _time(deck: Deck, library: Library) -> Iterator[Finding]:
    """Check whether the deck, in its flow, takes longer than the lesson it is for."""
    try:
        plan = build_plan(deck, library, seed=0, length=None, two_link=deck.two_link)
    except ScenarioError:
        return  # a case is missing, or none can be played: reported elsewhere
    takes = minutes_of(plan, deck.flow)[-1]
    if takes > deck.minutes:
        message = f"takes about {takes} minutes by its flow ({deck.flow})"
        remedy = 'remove a round, choose flow = "quick", or name a longer lesson'
        yield Finding(deck.id, "minutes", message, remedy, "note")


DECK_RULES: tuple[Callable[[Deck, Library], Iterable[Finding]], ...] = (
    _unknown_cases,
    _balance,
    _reading,
    _time,
)


def _instead(name: str, library: Library) -> str:
    close = close_to(name, library.cases)
    return f"did you mean '{close[0]}'?" if close else "add that case, or name another"
