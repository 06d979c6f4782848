"""Formats counts with their nouns, and analyzes texts.

Finds the numbers in a text, to ask for the source of each; its reading level; and its
moulds.

Numbers are digits, and number words above ten. Digits that are part of a name
(``GPT-4o``) are not numbers. The words "one" to "ten" are too common in plain speech to
count as figures.

The reading level is the Flesch-Kincaid grade (Kincaid, Fishburne, Rogers & Chissom
1975); add five to get an age. It is an estimate, since syllables are counted as groups
of vowels.

A mould is the frame of a sentence without its content: conjunctions, pronouns, forms of
"be" and "have", modal verbs and punctuation are kept, and everything else is replaced
by a dot. "Speed was meant and points were paid, so" is ``· be · and · be ·``.
"""

from __future__ import annotations

import re


def plural(n: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 room", "2 rooms".

    ``many`` is the plural; by default, it is ``one`` with an "s".
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


DIGITS = re.compile(
    r"(?<![\w.,])(?<![^\W\d]-)"  # not inside a word, not the 4 of GPT-4
    r"(\d+(?:[.,]\d+)*+)"
    r"(?:(?=[xks]\b)|(?!\w))"  # 10x, 10k and 1990s are numbers, 4o is a name
)
TEENS = (
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
WORDS = {word: number for number, word in enumerate(TEENS, start=11)}
WORDS |= {word: 10 * number for number, word in enumerate(TENS, start=2)}
WORDS |= {
    f"{tens}-{unit}": 10 * ten + one
    for ten, tens in enumerate(TENS, start=2)
    for one, unit in enumerate(UNITS, start=1)
}
WORDS |= {"dozen": 12, "hundred": 100, "thousand": 1_000}
WORDS |= {"million": 1_000_000, "billion": 1_000_000_000}
LONGEST_FIRST = "|".join(sorted(WORDS, key=len, reverse=True))
SPELLED = re.compile(rf"\b({LONGEST_FIRST})s?\b", re.IGNORECASE)


def numbers_in(text: str) -> dict[str, str]:
    """Map each number, without separators, to its first spelling in the text."""
    found: dict[str, str] = {}
    for match in DIGITS.finditer(text):
        found.setdefault(match[1].replace(",", ""), match[0])
    for match in SPELLED.finditer(text):
        found.setdefault(str(WORDS[match[1].lower()]), match[0])
    return found


WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
SENTENCE_END = re.compile(r"[.!?]+(?=[\s\"'”)]|$)")
VOWELS = re.compile(r"[aeiouy]+")


def grade(text: str) -> float:
    """Return the US school grade in which most students can read the text easily."""
    words = WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, len(SENTENCE_END.findall(text)))
    syllables = sum(syllables_in(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def syllables_in(word: str) -> int:
    """Return the approximate number of syllables in an English word, at least 1."""
    small = word.lower()
    groups = len(VOWELS.findall(small))
    is_silent = small.endswith("e") and not small.endswith(("le", "ee"))
    return max(1, groups - is_silent)


MOULD_LENGTH = 6
"""Number of pieces in a mould: about two short clauses."""
BE = frozenset({"is", "are", "was", "were", "be", "been", "being"})
FRAME = frozenset(
    (
        *("and", "or", "but", "so", "because", "if", "when", "while", "until", "than"),
        *("that", "which", "who", "whoever", "what", "not", "no", "never", "only"),
        *("has", "have", "had", "must", "should", "can", "could", "would", "will"),
        *("may", "might", "i", "you", "he", "she", "it", "we", "they", "them"),
        "nobody",
    )
)
PIECE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[.;:,!?]")


def frame_of(text: str) -> list[str]:
    """Return the pieces of a text without its content; see the module's docstring."""
    pieces: list[str] = []
    for word in PIECE.findall(text.lower()):
        piece = "be" if word in BE else word
        if word not in BE and word not in FRAME and not _is_sign(word):
            piece = "·"
        if piece != "·" or pieces[-1:] != ["·"]:
            pieces.append(piece)
    return pieces


def moulds_in(text: str) -> set[str]:
    """Return each run of ``MOULD_LENGTH`` pieces that keeps at least two words."""
    pieces = frame_of(text)
    runs = (
        pieces[start : start + MOULD_LENGTH]
        for start in range(len(pieces) - MOULD_LENGTH + 1)
    )
    return {" ".join(run) for run in runs if sum(map(_is_kept, run)) >= 2}


def _is_sign(piece: str) -> bool:
    return piece in ".;:,!?" or "'" in piece or "’" in piece


def _is_kept(piece: str) -> bool:
    return piece != "·" and piece not in ".;:,!?"
