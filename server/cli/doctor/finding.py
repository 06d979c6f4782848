"""What the doctor finds: one line each, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "note", "bad"]
"""good; note: works, but know this; bad: a class would notice."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part that was looked at."""

    part: str
    verdict: Verdict
    says: str
    remedy: str = ""
    """What to do, in plain words; empty if there is nothing to do."""


def good(part: str, says: str) -> Finding:
    """Return a finding: this part works."""
    return Finding(part, "good", says)


def note(part: str, says: str, remedy: str) -> Finding:
    """Return a finding: this part works, with something to know."""
    return Finding(part, "note", says, remedy)


def bad(part: str, says: str, remedy: str) -> Finding:
    """Return a finding: this part will fail in class."""
    return Finding(part, "bad", says, remedy)
