"""Clean the names and lines of text that people type, based on Unicode properties.

Compatibility forms are folded, invisible characters are removed (but joiners stay where
a script or an emoji needs them), marks cannot be stacked, and two names that look alike
count as the same name. A list of forbidden words is matched in the same way. Sources:
UAX #31 and RFC 5892 appendix A for joiners, UTS #39 for look-alikes, UAX #29 for where
a text may be cut. These functions have no side effects.
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
"""The maximum length of a name, in code points."""

MAX_MARKS = 2
"""The maximum number of marks above or below a base character."""

MAX_SPACING = 4
"""The maximum number of spacing marks next to a base character."""

_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_REGIONS = range(0x1F1E6, 0x1F200)
_FLAGS = tuple(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(ch)) for ch in code) + "\U000e007f"
    for code in ("gbeng", "gbsct", "gbwls")
)
"""Flags that are encoded with tag characters: all those that UTS #51 recommends."""
_TAGS = range(0xE0020, 0xE0080)
_KEYCAP = "\u20e3"
_VIRAMA = 9
"""The combining class of signs that join consonants in Indic scripts."""

_BLANK = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x1D159),
        *(0xFFFC, 0xFFFD),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)
"""Letters, marks and signs that are invisible: Default_Ignorable_Code_Point outside
category Cf, the blank symbols of Braille and music, and the replacement characters for
objects and for characters that were lost."""

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
"""Latin, Greek and Cyrillic accents, Hebrew and Arabic points, and the stroke that
stretches Arabic words. They are ignored when names are compared. The marks of other
scripts are vowels and tones, which distinguish names."""

_ASCII_PROTOTYPES = str.maketrans(
    {ch: seen for ch, seen in PROTOTYPES.items() if ch.isascii()}
)

_TYPED = str.maketrans("01|!5$@3", "ollissae")
"""Digits and signs that people type instead of letters."""

_SMALL = str.maketrans("вкмнтβεηκτυωχ", "bkmhtbenktuwx")
"""Lowercase letters whose capitals look like Latin ones, and the Latin lowercase."""


def clean_name(raw: str, most: int = MAX_LENGTH) -> str:
    """Return the name cleaned for display, with at most ``most`` characters.

    Raises :class:`Refused` ("bad_name") if nothing readable is left.
    """
    folded = unicodedata.normalize("NFKC", raw[: 8 * most])
    name = _cut(_visible(folded), most)
    if not any(unicodedata.category(ch)[0] in "LNS" for ch in name):
        raise Refused("bad_name", "Please enter a name with at least one letter.")
    return name


def one_line(raw: str, most: int) -> str:
    """Return what a person typed as one readable line of up to ``most`` characters."""
    if raw.isascii() and raw.isprintable():
        return " ".join(raw.split())[:most]
    return _cut(_visible(raw), most)


# --- comparing names ------------------------------------------------------------------


def unique_name(name: str, taken: Container[str]) -> str:
    """Return ``name``, with a number appended if it looks like a name that is taken.

    ``taken`` contains the look-alike forms of the names in use (see :func:`looks`). The
    number is found by binary search, which is fast even for a thousand equal names.
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
    """Decrement the count of each key, and remove the key if its count reaches zero.

    ``counts -= Counter(keys)`` would iterate over the whole counter.
    """
    for key in keys:
        counts[key] -= 1
        if counts[key] <= 0:
            del counts[key]


def looks(name: str) -> frozenset[str]:
    """Return the look-alike forms of a name: names that look alike share at least one.

    The forms are the skeleton, which ignores case and accents; the skeleton of the name
    without punctuation; and the name as it is written (UTS #39, section 4), with every
    capital I replaced with an l.
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
    """Whether a character counts as punctuation in a name."""
    return ch in "|$" or unicodedata.category(ch)[0] == "P"


def skeleton(name: str) -> str:
    """Return a form that is the same for names that look alike, ignoring case."""
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
    """Return what a character is read as; ASCII characters are returned unchanged."""
    if ch.isascii():
        return ch
    seen = PROTOTYPES.get(ch, ch)
    return "I" if seen == "l" and ch.isupper() else seen


# --- suggested names and forbidden words ----------------------------------------------


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
"""The words of suggested names, by language; a name has one word from each list."""


def suggestions() -> tuple[str, ...]:
    """Return every suggested name, in all languages."""
    return tuple(
        f"{first} {second}"
        for kinds, animals in SUGGESTED
        for first in kinds.split()
        for second in animals.split()
    )


_SUGGESTIONS = frozenset(suggestions())


def is_suggested(name: str) -> bool:
    """Whether a cleaned name is a suggested name."""
    return name in _SUGGESTIONS


_APART = re.compile(r"[\s.,;:_/\\\-+*~'\"()\[\]{}<>?#&]+")
_FOR_LETTERS = "!|$@"
"""Signs that are read as letters inside a word, and as punctuation around it."""

_READ_AS = str.maketrans("l4769", "iatgg")
"""More characters that are typed instead of letters, replaced after the skeleton."""


class WordList:
    """Words that names and lines must not contain, however they are spelled.

    Words are compared by their skeletons (UTS #39). Letters may be repeated, and single
    letters with spaces between them are read as one word. An entry matches a whole
    word; with a ``*`` before or after it, it also matches the end or the beginning of
    longer words.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Compile the entries, skipping empty ones and those that begin with ``#``."""
        words = [entry.strip() for entry in entries]
        words = [word for word in words if word and not word.startswith("#")]
        found = (_pattern(word) for one in words for word in (one, one.casefold()))
        patterns = [pattern for pattern in dict.fromkeys(found) if pattern]
        self._any = re.compile("|".join(patterns)) if patterns else None

    def holds(self, text: str) -> bool:
        """Whether a text contains any of the words."""
        if self._any is None:
            return False
        return any(self._any.fullmatch(word) for word in _words(text))


def _pattern(entry: str) -> str:
    """Return the regular expression for an entry; empty if nothing is readable."""
    letters = "".join(
        re.escape(ch) + (f"{{{count},}}" if (count := len(list(run))) > 1 else "+")
        for ch, run in groupby(_read(entry.strip("*")))
    )
    before, after = (".*" if end else "" for end in (entry[0] == "*", entry[-1] == "*"))
    return f"{before}{letters}{after}" if letters else ""


def _read(word: str) -> str:
    return skeleton(word).translate(_READ_AS)


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text as they are read; a short text also as one word."""
    parts = [part for part in _APART.split(text) if part]
    for is_letter, run in groupby(parts, lambda part: len(part) == 1):
        for word in ("".join(run),) if is_letter else run:
            for one in (word, word.strip(_FOR_LETTERS)):
                yield _read(one)
                yield _read(one.casefold())
    if len(text) <= MAX_LENGTH:
        yield _read("".join(parts))


# --- cleaning a text ------------------------------------------------------------------


def _draws(ch: str) -> bool:
    """Whether a character is visible, or is a space."""
    return ch == " " or (
        unicodedata.category(ch)[0] not in "CZ" and ord(ch) not in _BLANK
    )


def _shows(ch: str) -> bool:
    """Whether a character of a cleaned text makes a visible difference."""
    return _draws(ch) or ord(ch) in _TAGS


def _visible(text: str) -> str:
    """Return the visible text, with single spaces between its words."""
    kept: list[str] = []
    marks = MAX_MARKS  # there is no base character for marks yet
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
    """Return as much of the beginning as fits, without splitting a grapheme cluster."""
    if len(text) <= most:
        return text
    kept = ""
    for cluster in _clusters(text):
        if len(kept) + len(cluster) > most:
            break
        kept += cluster
    return (kept or text[:most]).rstrip()


def _clusters(text: str) -> Iterator[str]:
    """Yield the grapheme clusters of a text (characters with marks and joiners)."""
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
