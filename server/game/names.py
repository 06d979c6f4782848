"""What people type: names and lines of text, cleaned by Unicode property. Pure.

Compatibility forms are folded, characters that cannot be seen are removed (but joiners
stay where a script or an emoji needs them), marks do not pile up, and two names that
look alike count as one name. A list of words that may not be typed finds them by the
same forms. Sources: UAX #31 and RFC 5892 appendix A for joiners,
UTS #39 for look-alikes, UAX #29 for where a text may be cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from itertools import groupby

from server.game.confusables import PROTOTYPES
from server.game.errors import Refused

MAX_LENGTH = 24
"""Code points of a name, at most."""

MAX_MARKS = 2
"""Marks above or below one base, at most."""

MAX_SPACING = 4
"""Marks beside one base, at most."""

_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_REGIONS = range(0x1F1E6, 0x1F200)
_FLAGS = tuple(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(ch)) for ch in code) + "\U000e007f"
    for code in ("gbeng", "gbsct", "gbwls")
)
"""Flags that are written with tags: all those that UTS #51 recommends."""
_TAGS = range(0xE0020, 0xE0080)
_KEYCAP = "\u20e3"
_VIRAMA = 9
"""The combining class of signs that join consonants in scripts of India."""

_BLANK = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x1D159),
        *(0xFFFC, 0xFFFD),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)
"""Letters, marks and signs that draw nothing: Default_Ignorable_Code_Point beyond
category Cf, the two blank symbols of Braille and music, and what stands for an object
or for a character that was lost."""

_GENERIC_MARKS = frozenset(
    [
        *range(0x0300, 0x0370),
        *range(0x1AB0, 0x1B00),
        *range(0x1DC0, 0x1E00),
        *range(0x0591, 0x05C8),
        *(0x0640, 0x0670),
        *range(0x0610, 0x061B),
        *range(0x064B, 0x0660),
        *range(0x06D6, 0x06EE),
    ]
)
"""Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic, and the stroke
that stretches Arabic words: a name is read without them. The marks of other scripts
are vowels and tones, which make another name."""

_ASCII_PROTOTYPES = str.maketrans(
    {ch: seen for ch, seen in PROTOTYPES.items() if ch.isascii()}
)

_TYPED = str.maketrans("01|!5$@3", "ollissae")
"""Digits and signs that people write for letters."""

_SMALL = str.maketrans("вкмнтβεηκτυωχ", "bkmhtbenktuwx")
"""Small letters that look like another script's capitals, made small."""


def clean_name(raw: str, most: int = MAX_LENGTH) -> str:
    """Return the name as it may be shown, at most ``most`` (24) characters.

    Raises :class:`Refused` ("bad_name") when nothing readable is left.
    """
    folded = unicodedata.normalize("NFKC", raw[: 8 * most])
    name = _cut(_visible(folded), most)
    if not any(unicodedata.category(ch)[0] in "LNS" for ch in name):
        raise Refused("bad_name", "Please enter a name with at least one letter.")
    return name


def one_line(raw: str, most: int) -> str:
    """Return one readable line of what a person typed, at most ``most`` characters."""
    if raw.isascii() and raw.isprintable():
        return " ".join(raw.split())[:most]
    return _cut(_visible(raw), most)


# --- two names ------------------------------------------------------------------------


def unique_name(name: str, taken: Container[str]) -> str:
    """Return ``name``, or with a number behind it if it looks like a taken one.

    ``taken`` holds the looks of the names in use (see :func:`looks`). The number is
    found by doubling and halving, so that a thousand players of one name cost little.
    """
    if not _is_taken(name, taken):
        return name
    high = 2
    while _is_taken(_numbered(name, high), taken):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if _is_taken(_numbered(name, middle), taken):
            low = middle
        else:
            high = middle
    return _numbered(name, high)


def _is_taken(name: str, taken: Container[str]) -> bool:
    return any(look in taken for look in looks(name))


def _numbered(name: str, number: int) -> str:
    tail = f" {number}"
    return _cut(name, MAX_LENGTH - len(tail)) + tail


def forget(counts: Counter[str], *keys: str) -> None:
    """Take one off each count; a count of nothing is removed.

    ``counts -= Counter(keys)`` would walk through all of them.
    """
    for key in keys:
        counts[key] -= 1
        if counts[key] <= 0:
            del counts[key]


def looks(name: str) -> frozenset[str]:
    """Return the forms of a name of which one is shared by any name that looks like it.

    One is the skeleton, which ignores case and accents; one is that of the name without
    its punctuation; and one is the name as it is written (UTS #39, section 4), with
    every capital I as an l.
    """
    if name.isascii():
        seen = name.translate(_ASCII_PROTOTYPES)
    else:
        written = unicodedata.normalize("NFD", name)
        seen = "".join(PROTOTYPES.get(ch, ch) for ch in written if _shows(ch))
    forms = {skeleton(name), f"={''.join(seen.split())}"}
    if bare := skeleton("".join(ch for ch in name if not _is_beside(ch))):
        forms.add(bare)
    return frozenset(forms)


def _is_beside(ch: str) -> bool:
    """Whether a character is a sign beside the letters of a name."""
    return ch in "|$" or unicodedata.category(ch)[0] == "P"


def skeleton(name: str) -> str:
    """Return the form in which two look-alike names are equal, whatever their case."""
    if name.isascii():
        return "".join(name.casefold().translate(_TYPED).split())
    bare = unicodedata.normalize("NFKD", name).translate(_SMALL)
    letters = "".join(_letter(ch) for ch in bare if _is_letter(ch))
    folded = unicodedata.normalize("NFKD", letters.casefold())
    small = "".join(_letter(ch) for ch in folded.translate(_SMALL) if _is_letter(ch))
    return "".join(small.casefold().translate(_TYPED).split())


def _is_letter(ch: str) -> bool:
    return _shows(ch) and ord(ch) not in _GENERIC_MARKS


def _letter(ch: str) -> str:
    """Return what a character is read as; Latin letters and digits are themselves."""
    if ch.isascii():
        return ch
    seen = PROTOTYPES.get(ch, ch)
    return "I" if seen == "l" and ch.isupper() else seen


# --- what a room may take -------------------------------------------------------------


SUGGESTED = (
    (
        "Quiet Bright Curious Steady Gentle Brave "
        "Clever Early Lucky Patient Quick Sunny",
        "Otter Heron Lynx Finch Badger Maple Comet Willow Falcon Hedgehog Marten Tern",
    ),
    (
        "Stiller Heller Wacher Ruhiger Sanfter Mutiger Kluger Froher Zarter Zäher "
        "Flinker Sonniger",
        "Otter Reiher Luchs Fink Dachs Ahorn Komet Specht Falke Igel Marder Hase",
    ),
)
"""The words of suggested names, by language: one of the first, one of the second."""


def suggestions() -> tuple[str, ...]:
    """Return every name that is suggested, in any language."""
    return tuple(
        f"{first} {second}"
        for kinds, animals in SUGGESTED
        for first in kinds.split()
        for second in animals.split()
    )


_SUGGESTIONS = frozenset(suggestions())


def is_suggested(name: str) -> bool:
    """Whether a cleaned name is one of those suggested."""
    return name in _SUGGESTIONS


_APART = re.compile(r"[\s.,;:_/\\\-+*~'\"()\[\]{}<>?#&]+")
_FOR_LETTERS = "!|$@"
"""Signs that are read as letters inside a word, and as signs around it."""

_READ_AS = str.maketrans("l4769", "iatgg")
"""What is typed for one letter or another, after the skeleton."""


class WordList:
    """Words that names and lines may not contain, whatever they are written with.

    Words are compared by their skeletons (UTS #39), with each letter as often as it is
    typed, and letters that stand apart are read together. An entry is a whole word;
    with ``*`` before or after it, it may begin or end inside a longer one.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """``entries``: one word each; empty ones and those after ``#`` are left out."""
        words = [entry.strip() for entry in entries]
        words = [word for word in words if word and not word.startswith("#")]
        found = (_pattern(word) for one in words for word in (one, one.casefold()))
        patterns = [pattern for pattern in dict.fromkeys(found) if pattern]
        self._any = re.compile("|".join(patterns)) if patterns else None

    def holds(self, text: str) -> bool:
        """Whether a text contains one of the words."""
        if self._any is None:
            return False
        return any(self._any.fullmatch(word) for word in _words(text))


def _pattern(entry: str) -> str:
    """Return the expression of an entry; empty if nothing of it can be read."""
    letters = "".join(
        re.escape(ch) + (f"{{{count},}}" if (count := len(list(run))) > 1 else "+")
        for ch, run in groupby(_read(entry.strip("*")))
    )
    before, after = (".*" if end else "" for end in (entry[0] == "*", entry[-1] == "*"))
    return f"{before}{letters}{after}" if letters else ""


def _read(word: str) -> str:
    return skeleton(word).translate(_READ_AS)


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text as they are read, then a short one as one word."""
    parts = [part for part in _APART.split(text) if part]
    for is_letter, run in groupby(parts, lambda part: len(part) == 1):
        for word in ("".join(run),) if is_letter else run:
            for one in (word, word.strip(_FOR_LETTERS)):
                yield _read(one)
                yield _read(one.casefold())
    if len(text) <= MAX_LENGTH:
        yield _read("".join(parts))


# --- one text -------------------------------------------------------------------------


def _draws(ch: str) -> bool:
    """Whether a character shows anything, or is a space."""
    return ch == " " or (
        unicodedata.category(ch)[0] not in "CZ" and ord(ch) not in _BLANK
    )


def _shows(ch: str) -> bool:
    """Whether a character of a cleaned text makes a difference to a reader."""
    return _draws(ch) or ord(ch) in _TAGS


def _visible(text: str) -> str:
    """Return the text as it is seen, with single spaces between its words."""
    kept: list[str] = []
    marks = MAX_MARKS  # at the start there is nothing that could carry a mark
    spacing = 0
    has_base = False
    for at, ch in enumerate(text):
        kind = unicodedata.category(ch)
        if ch.isspace() or kind == "Cc":
            kept.append(" ")
            has_base = False
        elif ch in (_ZWNJ, _ZWJ):
            if has_base and _joins(ch, kept, text[at + 1 : at + 9]):
                kept.append(ch)
        elif ch == _EMOJI_STYLE:
            if kept and (_is_emoji(kept[-1]) or text[at + 1 : at + 2] == _KEYCAP):
                kept.append(ch)
        elif not _draws(ch):
            continue
        elif kind in ("Mn", "Me"):
            if has_base and marks < MAX_MARKS:
                kept.append(ch)
                marks += 1
        elif kind == "Mc":
            if has_base and spacing < MAX_SPACING:
                kept.append(ch)
                spacing += 1
        else:
            kept.extend(next((one for one in _FLAGS if text.startswith(one, at)), ch))
            marks = spacing = 0
            has_base = True
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _is_emoji(ch: str) -> bool:
    return unicodedata.category(ch) == "So"


def _joins(joiner: str, before: list[str], after: str) -> bool:
    """Whether a script or an emoji needs a joiner here."""
    base = next(ch for ch in reversed(before) if unicodedata.category(ch)[0] != "M")
    following = next((ch for ch in after if _draws(ch)), "")
    if unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    if joiner == _ZWNJ:
        letters = (base, following or " ")
        return all(unicodedata.bidirectional(ch) == "AL" for ch in letters)
    is_emoji = _is_emoji(base) or ord(base) in _SKIN_TONES
    return is_emoji and following != "" and _is_emoji(following)


def _cut(text: str, most: int) -> str:
    """Return as much of the beginning as fits, never a part of what is read as one."""
    if len(text) <= most:
        return text
    kept = ""
    for cluster in _clusters(text):
        if len(kept) + len(cluster) > most:
            break
        kept += cluster
    return (kept or text[:most]).rstrip()


def _clusters(text: str) -> Iterator[str]:
    """Yield the characters of a text as people count them: with marks and joiners."""
    cluster = ""
    for ch in text:
        if cluster and not _continues(cluster, ch):
            yield cluster
            cluster = ""
        cluster += ch
    if cluster:
        yield cluster


def _continues(cluster: str, ch: str) -> bool:
    if cluster[-1] == _ZWJ or ch in (_ZWJ, _ZWNJ) or ord(ch) in _SKIN_TONES:
        return True
    if unicodedata.category(ch)[0] == "M" or ord(ch) in _TAGS:
        return True
    is_flag = ord(cluster[-1]) in _REGIONS and ord(ch) in _REGIONS
    return is_flag and len(cluster) % 2 == 1
