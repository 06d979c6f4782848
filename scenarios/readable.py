"""How hard a text is to read, as a school grade. Pure arithmetic on words.

Flesch-Kincaid grade level (Kincaid, Fishburne, Rogers & Chissom 1975); add five for
an age. Syllables are counted by groups of vowels, so it is an estimate.
"""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
SENTENCE_END = re.compile(r"[.!?]+(?=[\s\"'”)]|$)")
VOWELS = re.compile(r"[aeiouy]+")


def grade(text: str) -> float:
    """Return the school grade (US years) at which the text is read with ease."""
    words = WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, len(SENTENCE_END.findall(text)))
    syllables = sum(syllables_in(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def syllables_in(word: str) -> int:
    """Return about how many syllables an English word has, at least one."""
    small = word.lower()
    groups = len(VOWELS.findall(small))
    is_silent = small.endswith("e") and not small.endswith(("le", "ee"))
    return max(1, groups - is_silent)
