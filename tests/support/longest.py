"""The longest texts of the library, as one deck; and every case with a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scenarios.library import Library
from scenarios.model import Case, Deck, DeckRound


def drawn(library: Library) -> Library:
    """Return the library with a picture to every case."""
    picture = library.case("four-hours").picture
    cases = {
        name: case if case.picture else case.model_copy(update={"picture": picture})
        for name, case in library.cases.items()
    }
    return replace(library, cases=cases)


LONG_FIELDS = (
    "intended",
    "written",
    "learned",
    "why",
    "why_not",
    "flip",
    "fix",
    "residual",
    "say",
)


def longest(library: Library, *, two_link: bool) -> Deck:
    """Return a deck of the cases with the longest texts, each text in its phase."""
    cases = [
        case
        for case in library.cases.values()
        if two_link or case.truth.outer != case.truth.inner
    ]
    lengths: list[Callable[[Case], int]] = [
        lambda case: len(case.story),
        lambda case: len(case.title),
        lambda case: len(case.contested or ""),
        lambda case: len(case.fix_question.question),
        lambda case: sum(len(one.text) for one in case.fix_question.options),
        *(
            lambda case, name=name: len(getattr(case.breakdown, name))  # type: ignore[misc]
            for name in LONG_FIELDS
        ),
    ]
    chosen = list(dict.fromkeys(max(cases, key=length).id for length in lengths))
    line = sorted(
        (case for case in cases if case.id not in chosen),
        key=lambda case: max(len(case.breakdown.learned), len(case.breakdown.written)),
    )
    beside = line.pop().id
    story = max(line, key=lambda case: len(case.story)).id
    first, *others = chosen
    rounds = [
        DeckRound(case=first, contrast=beside, transfer=story),
        *(DeckRound(case=case) for case in others),
    ]
    return Deck(
        id="longest",
        version=1,
        title="Everything that is long, one after another",
        audience="Tests.",
        minutes=60,
        teaches="How the pages look.",
        order="fixed",
        two_link=two_link,
        rounds=tuple(rounds),
    )
