"""Names: cleaned, made unique, never dangerous."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.commands import Kick, LetBack
from server.game.confusables import PROTOTYPES
from server.game.engine import evolve
from server.game.errors import Refused
from server.game.events import PlayerJoined
from server.game.ids import PlayerId
from server.game.names import (
    MAX_LENGTH,
    MAX_SPACING,
    clean_name,
    looks,
    one_line,
    skeleton,
    unique_name,
)
from tests.support.game import Game


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\u202eevil", "Adaevil"),
        ("A\u200bd\u200ba", "Ada"),
        ("Ａｄａ", "Ada"),
        ("Ada\n\tB", "Ada B"),
        ("x" * 60, "x" * MAX_LENGTH),
        ("é" + "\u0301" * 40, "é\u0301\u0301"),
        ("李雷", "李雷"),
        ("🦊", "🦊"),
    ],
)
def test_clean(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


@pytest.mark.parametrize("raw", ["", "   ", "\u200b\u202e", "...", "---"])
def test_nothing_readable_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code == "bad_name"


@pytest.mark.parametrize("twin", ["ada", "ADA", "Аda", "Àda", "A d a", "@da"])
def test_look_alikes_have_one_skeleton(twin: str) -> None:
    assert skeleton(twin) == skeleton("Ada")


def test_a_class_of_marias_is_numbered_without_gaps() -> None:
    taken: set[str] = set()
    names = []
    for _ in range(120):
        names.append(unique_name("Maria", taken))
        taken |= looks(names[-1])
    assert names == ["Maria", *(f"Maria {i}" for i in range(2, 121))]


@given(st.text(max_size=80))
def test_whatever_comes_the_result_is_short_and_printable(raw: str) -> None:
    try:
        name = clean_name(raw)
    except Refused:
        return
    assert 0 < len(name) <= MAX_LENGTH
    assert name.isprintable()
    assert clean_name(name) == name


# --- kinds: what cannot be seen, marks, joiners, look-alikes --------------------------

INVISIBLE = [
    "\u3164",  # Hangul filler, a letter
    "\uffa0",  # half-width Hangul filler
    "\u115f", "\u1160", "\u17b4", "\u17b5", "\u034f", "\u2800", "\u180b", "\u180f",
    "\ufe00", "\ufe0f", "\U000e0100", "\U000e0041", "\u200b", "\u200c", "\u200d",
    "\u2060", "\u2064", "\u00ad", "\u061c", "\u202e", "\u2066", "\ufeff",
    "\U0001d159", "\U0001d173", "\ufffc", "\ufffd",
]  # fmt: skip
MARKS = [
    "\u0301", "\u0e31", "\u0e48", "\u0483", "\u20dd", "\u0488", "\u0f71", "\u1dfa",
    "\ua66f", "\u0903", "\u3099", "\u05b8", "\u064f", "\u0941", "\U0001e8d0",
]  # fmt: skip
BASES = ["a", "A", "я", "ν", "א", "ب", "क", "ก", "た", "李", "한", "1", "🦊", " "]
pieces = st.lists(
    st.one_of(
        st.sampled_from(INVISIBLE),
        st.sampled_from(MARKS),
        st.sampled_from(BASES),
        st.characters(),
    ),
    max_size=60,
)


def cleaned(raw: str) -> str | None:
    """Return the cleaned name; None if it is refused."""
    try:
        return clean_name(raw)
    except Refused:
        return None


@given(st.lists(st.sampled_from([*INVISIBLE, " ", *MARKS]), max_size=30))
def test_a_name_that_shows_nothing_is_refused(parts: list[str]) -> None:
    assert cleaned("".join(parts)) is None


@given(pieces)
def test_any_text_gives_a_name_without_towers_and_stays_as_it_is(
    parts: list[str],
) -> None:
    name = cleaned("".join(parts))
    if name is None:
        return
    assert 0 < len(name) <= MAX_LENGTH
    assert clean_name(name) == name
    assert "  " not in name
    run = 0
    for ch in name:
        kind = unicodedata.category(ch)
        assert kind[0] not in "CZ" or ch in " \u200c\u200d"
        run = run + 1 if kind in ("Mn", "Me") and ch != "\ufe0f" else run
        run = 0 if kind[0] != "M" and ch not in "\u200c\u200d" else run
        assert run <= 2


@given(pieces, st.integers(1, 40))
def test_a_line_is_cut_where_a_reader_would_cut_it(parts: list[str], most: int) -> None:
    line = one_line("".join(parts), most)
    assert len(line) <= most
    if line:
        assert unicodedata.category(line[0])[0] != "M"


@pytest.mark.parametrize(
    "name",
    [
        "علی\u200cرضا",  # Persian: written apart without a space
        "ශ්\u200dරී",  # Sinhala: a conjunct
        "കിരണ്\u200d",  # Malayalam: a final consonant
        "👩\u200d💻",
        "❤️\u200d🔥",
        "สมชาย น้อย",
        "Nguyễn Thị",
        "राम",
        "だいき",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",  # Wales
        "1\ufe0f\u20e3",  # a keycap
        "ကျွန်ုပ်",
        "김민준",
    ],
)
def test_scripts_keep_their_joiners_and_marks(name: str) -> None:
    written = unicodedata.normalize("NFKC", name)
    assert clean_name(name) == written


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("A\u200dd\u200ca", "Ada"),
        ("ا\u200dب", "اب"),
        ("Ada\u200d", "Ada"),
        ("🦊\u200d", "🦊"),
        ("\u0301Ada", "Ada"),
        ("A \u0301da", "A da"),
        ("🏴\U000e0067\U000e0041", "🏴"),  # tags of no flag
        ("क" + "\u0903" * 20, "क" + "\u0903" * MAX_SPACING),
        ("A\ufffcda\ufffd", "Ada"),  # an object, and a character that was lost
    ],
)
def test_joiners_and_marks_go_where_nothing_needs_them(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


def test_a_name_is_not_cut_inside_of_what_is_read_as_one() -> None:
    family = "👩\u200d👩\u200d👧"
    assert clean_name("x" * 21 + family) == "x" * 21
    assert clean_name("x" * 23 + "\u0439\u0301") == "x" * 23
    assert clean_name("x" * 23 + "🇩🇪") == "x" * 23


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Maria", "Μaria"), ("Maria", "Mɑria"), ("Maria", "Marıa"), ("Nina", "Νina"),
        ("Hanna", "Ηanna"), ("Zoe", "Ζoe"), ("Yara", "Υara"), ("Ute", "Սte"),
        ("Nina", "Niոa"), ("Ian", "lan"), ("Al", "AI"), ("Otto", "0tto"),
        ("MARIA", "ΜΑRΙΑ"), ("Maria", "ΜΑRΙΑ"), ("Amo", "Arno"), ("Kim", "Кim"),
        ("Ada", "Ａｄａ"), ("Ada", "A\u200bda"), ("Ada", "𝒜𝒹𝒶"), ("mark", "маrк"),
        ("Anna", "Anna."), ("Anna", "Anna'"), ("Anna", "Anna·"), ("Anna", "-Anna-"),
        ("Oneil", "O’Neil"), ("O'Neil", "Oʼneil"), ("محمد", "محـمـد"),
        ("محمد", "محمّد"), ("דוד", "דָּוִד"),
    ],
)  # fmt: skip
def test_a_look_alike_is_numbered(name: str, twin: str) -> None:
    shown = clean_name(twin)
    if shown != name:
        assert unique_name(shown, looks(name)) != shown
    assert unique_name(name, looks(shown)) != name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("だいき", "たいき"), ("はな", "ばな"), ("ぱく", "ばく"), ("राम", "रमा"),
        ("कि", "कु"), ("ป่า", "ป้า"), ("김", "감"), ("Kai", "Kal"), ("Ian", "Lan"),
        ("Ali", "All"), ("محمد", "محمود"), ("李雷", "李蕾"), ("Sven", "Seven"),
        ("🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", "🏴"),
        ("👍🏽", "👍🏿"), ("🇦🇹", "🇦🇺"),
    ],
)  # fmt: skip
def test_different_names_stay_different(one: str, other: str) -> None:
    assert unique_name(clean_name(other), looks(clean_name(one))) == clean_name(other)


LATIN = sorted(
    (ch, seen)
    for ch, seen in PROTOTYPES.items()
    if seen.isascii() and seen.isalpha() and cleaned(f"Ab{ch}") == f"Ab{ch}"
)


def test_there_are_hundreds_of_look_alikes_of_latin_letters() -> None:
    assert len(LATIN) > 400


@given(st.lists(st.sampled_from(LATIN), min_size=1, max_size=8))
def test_a_name_in_look_alikes_of_every_letter_is_numbered(
    pairs: list[tuple[str, str]],
) -> None:
    twin = clean_name("A" + "".join(ch for ch, _ in pairs))  # some are signs alone
    name = "A" + "".join(seen for _, seen in pairs)
    assert looks(twin) & looks(name)


@given(st.text("abcdefghjknopqrstuvwxyz", min_size=1, max_size=10))
def test_a_name_looks_like_itself_in_capitals_and_with_accents(name: str) -> None:
    assert looks(name) & looks(name.upper())
    accented = "".join(f"{ch}\u0301" for ch in name)
    assert looks(name) & looks(clean_name(accented))


def test_a_name_of_an_old_journal_is_kept_free_while_one_of_its_twins_is_there() -> (
    None
):
    game = Game()
    for player, name in (
        ("p-1", "Maria"),
        ("p-2", "Μaria"),
    ):
        event = PlayerJoined(PlayerId(player), name, None, False, 1)
        evolve(game.state, event)
    game.do(Kick(player=PlayerId("p-2")))
    game.do(LetBack(player=PlayerId("p-2")))
    assert game.state.players[PlayerId("p-2")].name == "Μaria 2"


# --- kinds: names of every script -----------------------------------------------------

SCRIPTS = {
    "hiragana": ("あ", "ゖ", ""),
    "katakana": ("ア", "ヺ", ""),
    "thai": ("ก", "ฮ", "ัิีึืุู็่้๊๋"),
    "devanagari": ("अ", "ह", "ािीुूेैोौंँ"),
    "bengali": ("ক", "হ", "ািীুূ"),
    "hebrew": ("א", "ת", "ְִֵֶַָ"),
    "arabic": ("ب", "ي", "َُِّ"),
    "hangul": ("가", "힣", ""),
    "han": ("一", "龥", ""),
    "cyrillic": ("а", "я", ""),
    "greek": ("α", "ω", ""),
    "georgian": ("ა", "ჰ", ""),
    "armenian": ("ա", "և", ""),
}
"""Of each script its first and last letter, and marks of its names."""


def letters_of(script: str) -> list[str]:
    first, last, _ = SCRIPTS[script]
    assigned = (chr(code) for code in range(ord(first), ord(last) + 1))
    found = [ch for ch in assigned if unicodedata.category(ch)[0] == "L"]
    return [ch for ch in found if unicodedata.is_normalized("NFKC", ch)]


LETTERS = {script: letters_of(script) for script in SCRIPTS}


@st.composite
def written_names(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a name as people of one script write it: letters, with a mark on some."""
    script = draw(st.sampled_from(sorted(SCRIPTS)))
    marks = ["", *SCRIPTS[script][2]]
    part = st.tuples(st.sampled_from(LETTERS[script]), st.sampled_from(marks))
    parts = draw(st.lists(part.map("".join), min_size=1, max_size=8))
    return script, unicodedata.normalize("NFKC", "".join(parts))


@given(written_names())
def test_a_name_of_any_script_is_kept_as_it_is_written(drawn: tuple[str, str]) -> None:
    _, name = drawn
    assert clean_name(name) == name


JOINERS = "\u200c\u200d"


@given(
    written_names(),
    st.lists(
        st.tuples(
            st.integers(0, 16),
            st.sampled_from([ch for ch in INVISIBLE if ch not in JOINERS]),
        ),
        max_size=6,
    ),
)
def test_what_cannot_be_seen_makes_no_other_name(
    drawn: tuple[str, str], inserted: list[tuple[int, str]]
) -> None:
    _, name = drawn
    hidden = name
    for at, ch in inserted:
        hidden = hidden[:at] + ch + hidden[at:]
    seen = cleaned(hidden)
    assert seen is not None
    assert looks(seen) & looks(name)
    assert unique_name(seen, looks(name)) != seen


def unpointed(name: str) -> str:
    """Return a name without the points of Hebrew and Arabic, which many leave out."""
    plain = unicodedata.normalize("NFD", name)
    return "".join(ch for ch in plain if not "\u0591" <= ch <= "\u065f" or ch.isalpha())


def is_plain(name: str) -> bool:
    """Whether no character of a name, in either case, is read as another one."""
    forms = unicodedata.normalize("NFKD", name + name.lower() + name.upper())
    return not any(ch in PROTOTYPES for ch in forms)


@given(st.data())
def test_names_of_one_script_that_differ_stay_different(data: st.DataObject) -> None:
    script, one = data.draw(written_names())
    part = st.sampled_from(LETTERS[script])
    other = data.draw(st.lists(part, min_size=1, max_size=8).map("".join))
    other = unicodedata.normalize("NFKC", other)
    is_other = unpointed(one).casefold() != unpointed(other).casefold()
    if is_other and is_plain(one) and is_plain(other):
        assert unique_name(clean_name(other), looks(clean_name(one))) == other


EVERY = sorted(
    (ch, seen)
    for ch, seen in PROTOTYPES.items()
    if unicodedata.category(ch)[0] == "L"
    and cleaned(f"Ab{ch}") == f"Ab{ch}"
    and unicodedata.is_normalized("NFD", ch)
)


@given(st.lists(st.sampled_from(EVERY), min_size=1, max_size=6))
def test_a_name_and_what_it_is_read_as_are_one(pairs: list[tuple[str, str]]) -> None:
    twin = "".join(ch for ch, _ in pairs)
    read = "".join(seen for _, seen in pairs)
    if unicodedata.is_normalized("NFC", f"Ab{twin}"):
        assert looks(f"Ab{twin}") & looks(f"Ab{read}")
