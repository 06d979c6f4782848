"""A word list finds its words however they are written, and no others."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.commands import Join
from server.game.confusables import PROTOTYPES
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.names import (
    MAX_LENGTH,
    SUGGESTED,
    WordList,
    clean_name,
    is_suggested,
    suggestions,
)
from server.game.settings import RoomSettings
from tests.support.game import Game

WORDS = WordList(["# a comment", "", "dumbo", "*fiend*", "ass", "Блин", "ばか"])


@pytest.mark.parametrize(
    "text",
    [
        "dumbo", "DUMBO", "you dumbo!", "Dumbo.", "d u m b o", "d.u.m.b.o",
        "d-u-m-b-o", "duuumbooo", "dümbo", "dum\u200bbo", "ｄｕｍｂｏ", "𝒹𝓊𝓂𝒷ℴ",
        "dumb0",
        "ԁumbo", "dum bo",
        "a fiend", "superfiendish", "f1end", "f!end", "fi3nd",
        "ass", "asss", "a$$", "@ss",
        "блин", "БЛИН", "ばか", "d̷u̷m̷b̷o̷",
    ],
)  # fmt: skip
def test_a_word_is_found_however_it_is_written(text: str) -> None:
    assert WORDS.holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "dumb", "dumbos", "Columbo", "as", "class", "pass it", "grass", "はか",
        "It found the sensor.", "The reward as such", "Assam", "dum", "Friend", "はが",
        "It was paid for the score, and went for the score.",
    ],
)  # fmt: skip
def test_other_words_are_not(text: str) -> None:
    assert not WORDS.holds(text)


def test_no_list_holds_nothing() -> None:
    assert not WordList().holds("dumbo")
    assert not WordList(["", "# dumbo", "***"]).holds("dumbo")


WORD = "gremlin"
SAME = {
    ch: [other for other, seen in PROTOTYPES.items() if seen == ch and other.isalpha()]
    for ch in WORD
}
written = st.tuples(
    *(
        st.sampled_from(
            [ch, ch.upper(), f"{ch}\u0301", f"{ch}\u200b", ch * 3, *SAME[ch]]
        )
        for ch in WORD
    )
).map("".join)
apart = st.sampled_from(["", " ", ".", "-", "_", " - "])


@given(written)
def test_a_word_in_any_look_alikes_accents_and_runs_is_found(word: str) -> None:
    assert WordList([WORD]).holds(word)
    assert WordList([WORD]).holds(f"the {word}, again")


@given(apart)
def test_letters_that_stand_apart_are_read_together(between: str) -> None:
    assert WordList([WORD]).holds(between.join(WORD))


@given(st.text(max_size=60), st.lists(st.text(max_size=12), max_size=4))
def test_any_list_reads_any_text(text: str, entries: list[str]) -> None:
    WordList(entries).holds(text)


@given(st.text(min_size=1, max_size=12))
def test_a_word_that_is_on_the_list_is_found_as_it_is(word: str) -> None:
    found = WordList([word]).holds(word)
    letters = [ch for ch in word if ch.isalpha()]
    if letters and word.isalpha() and unicodedata.is_normalized("NFKC", word):
        assert found


# --- suggested names only ------------------------------------------------------------


def refusal_of(name: str) -> str | None:
    game = Game(RoomSettings(suggested_names=True))
    try:
        game.do(Join(PlayerId("p"), name))
    except Refused as refused:
        return refused.code
    return None


def test_a_room_of_suggested_names_takes_no_other() -> None:
    assert refusal_of("Ada") == "suggested_only"
    assert refusal_of("Quiet Οtter") == "suggested_only"  # a Greek letter in it
    assert refusal_of("Quiet Otter") is None
    assert refusal_of("  Quiet   Otter ") is None


def test_every_suggestion_is_a_name_as_it_is() -> None:
    assert len(suggestions()) == len(set(suggestions())) == 2 * 144
    for name in suggestions():
        assert is_suggested(clean_name(name))
        assert len(name) <= MAX_LENGTH - 4  # a number fits behind it
        assert refusal_of(name) is None


def test_pages_suggest_what_the_server_takes() -> None:
    words = Path(__file__).parents[2] / "client/web/src/i18n"
    for (kinds, animals), language in zip(SUGGESTED, ("en", "de"), strict=True):
        text = (words / f"{language}.ts").read_text()
        assert f'"{kinds}"' in text
        assert f'"{animals}"' in text
