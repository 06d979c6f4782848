"""Finds the numbers in a text, so that each can be asked where it comes from.

Digits, and number words above ten. Digits that are part of a name (``GPT-4o``) are
not numbers. "One" to "ten" are too common in plain speech to be figures.
"""

from __future__ import annotations

import re

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
    """Return each number, without separators, with the text where it first stands."""
    found: dict[str, str] = {}
    for match in DIGITS.finditer(text):
        found.setdefault(match[1].replace(",", ""), match[0])
    for match in SPELLED.finditer(text):
        found.setdefault(str(WORDS[match[1].lower()]), match[0])
    return found
