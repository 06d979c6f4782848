"""Finds the numbers in a text, so that each can be asked where it comes from.

Digits, and number words above ten. Digits that are part of a name (``GPT-4o``) are
not numbers. "One" to "ten" are too common in plain speech to be figures.
"""

from __future__ import annotations

import re

DIGITS = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?!\w)(?!-[^\W\d])")
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
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
WORDS = {word: number for number, word in enumerate(TEENS, start=11)}
WORDS |= {word: 10 * number for number, word in enumerate(TENS, start=2)}
WORDS |= {"dozen": 12, "hundred": 100, "thousand": 1_000}
WORDS |= {"million": 1_000_000, "billion": 1_000_000_000}
SPELLED = re.compile(rf"\b({'|'.join(WORDS)})s?\b", re.IGNORECASE)


def numbers_in(text: str) -> dict[str, str]:
    """Return each number, without separators, with the text where it first stands."""
    found: dict[str, str] = {}
    for match in DIGITS.finditer(text):
        found.setdefault(match[0].replace(",", ""), match[0])
    for match in SPELLED.finditer(text):
        found.setdefault(str(WORDS[match[1].lower()]), match[0])
    return found
