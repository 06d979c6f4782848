"""Each rule of the lint fires on its fault, and the built-in cases are clean."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from pydantic import ValidationError

from scenarios.library import Library
from scenarios.lint import LONGEST_QUOTE, Finding, lint
from scenarios.load import load_library
from scenarios.model import Case, Deck, Label
from scenarios.prose import grade, moulds_in, numbers_in, syllables_in
from server.game.phases import records_of

BUILT_IN = load_library()
BOAT = BUILT_IN.case("coastrunners-lagoon")
ROBOT = BUILT_IN.case("cleaning-robot")
DECK = BUILT_IN.deck("first-class")


def findings(*cases: Case, decks: tuple[Deck, ...] = ()) -> list[Finding]:
    by_id = MappingProxyType({each.id: each for each in cases})
    return lint(Library(by_id, MappingProxyType({each.id: each for each in decks})))


def alone(case: Case, **changes: object) -> list[Finding]:
    return findings(case.model_copy(update={"twin": None, **changes}))


def keys(found: list[Finding]) -> list[str]:
    return [each.key for each in found]


def test_built_in_library_is_clean() -> None:
    errors = [str(each) for each in lint(BUILT_IN) if each.severity == "error"]
    assert errors == []


@pytest.mark.parametrize("words", [59, 121])
def test_story_of_the_wrong_length(words: int) -> None:
    found = alone(BOAT, story="So it is. " * (words // 3) + "Ha. " * (words % 3))
    (error,) = [each for each in found if each.severity == "error"]
    assert (error.key, error.message) == ("story", f"has {words} words")


@pytest.mark.parametrize("words", [60, 120])
def test_story_of_the_right_length(words: int) -> None:
    found = alone(BOAT, story="So it is. " * (words // 3))
    assert [each for each in found if each.severity == "error"] == []


@pytest.mark.parametrize(
    "word",
    [
        "outer",
        "Inner",
        "proxy",
        "misaligned",
        "reward hacking",
        "specification",
        "generalise",
        "generalization",
        "misgeneralized",
        "gaming",
        "spurious",
        "shortcut",
        "SHORTCUTS",
    ],
)
def test_verdict_words_leak_in_story_and_title(word: str) -> None:
    found = alone(BOAT, story=f"{BOAT.story} A {word}.", title=f"The {word}")
    assert keys(found) == ["title", "story"]
    assert f"'{word.lower()}'" in found[0].message


@pytest.mark.parametrize("word", ["router", "dinner", "special", "general", "game"])
def test_words_that_only_look_like_a_leak_pass(word: str) -> None:
    found = alone(BOAT, story=f"{BOAT.story[:-1]}, a {word}.")
    assert [each for each in found if each.severity == "error"] == []


def test_what_is_confirmed_is_quoted_from_the_original_and_in_its_place() -> None:
    source = BOAT.sources[0]
    assert source.words is not None
    assert source.place is not None
    assert BOAT.evidence == "confirmed"

    def found(**changes: object) -> list[str]:
        return keys(alone(BOAT, sources=(source.model_copy(update=changes),)))

    assert found() == []
    assert found(words=None) == ["evidence"]
    assert found(place=None) == ["sources[0].words"]
    assert found(checked="read in secondary source") == ["sources[0].words"]
    assert found(words="word " * LONGEST_QUOTE) == []
    assert found(words="word " * (LONGEST_QUOTE + 1)) == ["sources[0].words"]


def test_nothing_invented_is_evidence() -> None:
    changed = alone(BOAT, kind="variant", evidence="secondary")
    assert "evidence" in keys(changed)


@pytest.mark.parametrize(
    "entry",
    ["AIID 0", "AIID 06", "aiid 6", "AIID-6", "AIID", "6", "OECD 2024-2-15-7d63",
     "OECD 2024-02-15-7D63", "OECD 2024-02-15", "https://incidentdatabase.ai/cite/6"],
)  # fmt: skip
def test_an_incident_is_named_as_its_record_numbers_it(entry: str) -> None:
    with pytest.raises(ValidationError, match="incidents"):
        Case.model_validate({**BOAT.model_dump(), "incidents": (entry,)})


def test_incidents_have_their_address_and_only_true_stories_have_them() -> None:
    entries = ("AIID 639", "OECD 2024-02-15-7d63")
    case = Case.model_validate({**BOAT.model_dump(), "incidents": entries})
    assert records_of(case) == (
        "AI Incident Database 639, https://incidentdatabase.ai/cite/639",
        "OECD AI Incidents Monitor 2024-02-15-7d63, "
        "https://oecd.ai/en/incidents/2024-02-15-7d63",
    )
    assert alone(BOAT, incidents=entries) == []
    assert keys(alone(BOAT, kind="variant", evidence=None, incidents=entries)) == [
        "incidents"
    ]


def test_documented_case_needs_a_source() -> None:
    assert keys(alone(BOAT, sources=())) == ["sources"]
    assert alone(ROBOT, sources=()) == []


def test_number_without_a_figure() -> None:
    (found,) = alone(BOAT, story=f"{BOAT.story} It took 4,711 hours.")
    assert (found.key, "'4,711'" in found.message) == ("story", True)


def test_number_in_the_breakdown_and_in_a_list() -> None:
    breakdown = BOAT.breakdown.model_copy(update={"fix": "Wait seventeen days."})
    reasons = BOAT.reasons.model_copy(update={"inner": ("It took 99 days.", "No.")})
    found = alone(BOAT, breakdown=breakdown, reasons=reasons)
    assert keys(found) == ["breakdown.fix", "reasons.inner[0]"]


def test_year_of_the_case_is_not_a_figure() -> None:
    assert alone(BOAT, story=f"{BOAT.story[:-1]} in {BOAT.year}.") == []


def test_thought_experiment_must_be_tagged_and_told_as_imagined() -> None:
    assert keys(alone(ROBOT, tags=())) == ["tags"]
    told = ROBOT.story.replace("imagined", "told")
    assert keys(alone(ROBOT, story=told)) == ["story"]
    assert keys(alone(BOAT, tags=("thought-experiment",))) == ["tags"]


def test_hard_words_and_long_sentences() -> None:
    hard = "Organisational considerations notwithstanding, " * 20
    (found,) = alone(BOAT, story=f"{hard} {'so it went on and on ' * 5}.")
    assert "reads like school grade" in found.message


def test_story_in_short_words_and_sentences_is_a_note() -> None:
    (found,) = alone(BOAT, story="So it is. " * 20)
    assert (found.severity, "grade" in found.message) == ("note", True)


def many(say: str, of: int) -> list[Case]:
    """Return cases of which some share a mould, and the others say little."""
    told = [BOAT.breakdown.model_copy(update={"say": say}) for _ in range(of)]
    told += [BOAT.breakdown.model_copy(update={"say": "Ha."})] * (40 - of)
    return [
        BOAT.model_copy(update={"id": f"c{n}", "twin": None, "breakdown": each})
        for n, each in enumerate(told)
    ]


def test_sentences_of_one_mould_are_found_however_they_are_filled() -> None:
    say = "Speed was meant and points were paid, so it circled."
    found = [each for each in findings(*many(say, 7)) if each.key == "breakdown.say"]
    assert len(found) == 7
    assert "'and · be · , so'" in found[0].message
    assert ", like 7 in all" in found[0].message
    assert found[0].severity == "note"
    assert "breakdown.say" not in keys(findings(*many(say, 6)))
    other = "Fewer rats were wanted and tails were bought, so they bred."
    assert moulds_in(say) & moulds_in(other)
    assert not moulds_in(say) & moulds_in("They paid for tails. What did they expect?")


def test_one_fact_keeps_the_words_of_a_true_story_of_another_verdict() -> None:
    pair = [
        BUILT_IN.case(name) for name in ("keys-and-chests", "keys-and-chests-bonus")
    ]
    assert [each.key for each in findings(*pair) if each.key != "breakdown.say"] == []
    true_story, changed = pair
    retold = changed.model_copy(update={"story": BOAT.story, "figures": BOAT.figures})
    notes = [f for f in findings(true_story, retold) if f.severity == "note"]
    assert [(f.item, f.key) for f in notes] == [(changed.id, "story")]
    same = changed.model_copy(update={"truth": true_story.truth})
    (found,) = [f for f in findings(true_story, same) if f.item == changed.id]
    assert (found.key, found.severity) == ("twin", "error")


def test_twin_that_dangles_is_itself_or_is_not_mutual() -> None:
    (dangling,) = findings(BOAT.model_copy(update={"twin": "cleaning-robott"}))
    assert (dangling.key, dangling.severity) == ("twin", "error")
    (itself,) = findings(BOAT.model_copy(update={"twin": BOAT.id}))
    assert itself.message == "names the case itself"
    other = ROBOT.model_copy(update={"twin": None})
    (one_sided,) = findings(BOAT.model_copy(update={"twin": ROBOT.id}), other)
    assert (one_sided.item, one_sided.severity) == (BOAT.id, "note")


def test_dangling_twin_comes_with_a_close_match() -> None:
    lost = BOAT.model_copy(update={"twin": "cleaning-robo"})
    (found,) = findings(lost, ROBOT.model_copy(update={"twin": None}))
    assert found.remedy == "did you mean 'cleaning-robot'?"


def test_deck_with_unknown_cases_or_no_start() -> None:
    deck = DECK.model_copy(update={"reading": ()})
    assert set(keys(findings(decks=(deck,)))) == {"rounds", "reading"}


def test_interleaved_deck_out_of_balance() -> None:
    outer = [
        BOAT.model_copy(update={"id": f"c{n}", "twin": None, "title": f"Tale {n}"})
        for n in range(7)
    ]
    rounds = [{"case": each.id} for each in outer]
    reading = DECK.model_dump()["reading"]
    deck = Deck.model_validate(
        {**DECK.model_dump(), "order": "interleaved", "rounds": rounds}
        | {"reading": reading, "closing": ()}
    )
    (found,) = findings(*outer, decks=(deck,))
    assert found.message.startswith("4 of its rounds")
    assert all(each.label is Label.OUTER for each in outer)


def test_finding_reads_as_one_line() -> None:
    (found,) = alone(BOAT, sources=())
    assert str(found).startswith("coastrunners-lagoon: sources: ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("120,000 photos, 17.7 percent, 5.", ["120000", "17.7", "5"]),
        ("GPT-4o and v2 and figure1 and 3D", []),
        ("eleven, Forty and a million", ["11", "40", "1000000"]),
        ("one to ten", []),
        ("twenty-five and ninety", ["25", "90"]),
        ("a 20-percent rise, pages 447-453", ["20", "447", "453"]),
        ("10x faster, 30% more, $5", ["10", "30", "5"]),
        ("of 2012. Then", ["2012"]),
        ("the 1990s and '68", ["1990", "68"]),
    ],
)
def test_numbers_in(text: str, found: list[str]) -> None:
    assert list(numbers_in(text)) == found


def test_grade_rises_with_long_words_and_sentences() -> None:
    assert grade("The cat sat. The dog ran.") < 2
    assert grade("Institutional considerations necessitate deliberation.") > 20
    assert grade("") == 0


@pytest.mark.parametrize(
    ("word", "count"), [("boat", 1), ("score", 1), ("table", 2), ("imagined", 4)]
)
def test_syllables_are_estimated(word: str, count: int) -> None:
    assert syllables_in(word) == count


@pytest.mark.parametrize(
    ("minutes", "flow", "is_noted"),
    [(5, "full", True), (240, "full", False), (30, "quick", False), (30, "full", True)],
)
def test_a_deck_takes_no_longer_by_its_flow_than_its_lesson(
    minutes: int, flow: str, is_noted: bool
) -> None:
    library = load_library()
    deck = library.deck("first-class").model_copy(
        update={"minutes": minutes, "flow": flow}
    )
    found = lint(replace(library, decks={deck.id: deck}))
    noted = [each.key for each in found if each.item == deck.id]
    assert noted == (["minutes"] if is_noted else [])
