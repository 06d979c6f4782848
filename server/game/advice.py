"""What to do next with a vote: advice to the host, never an order.

With two options half of a guessing class is right, so the classic 35-70 % band of peer
instruction (Crouch & Mazur 2001) is corrected for chance: k = (p-g)/(1-g), then read
off for two options as p = .5 + k/2. The thresholds are learning rule A2's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenarios.model import Case
from server.game.outcomes import percent
from server.game.scoring import Tally

Action = Literal["contrast", "discuss", "reveal", "none"]
ENOUGH = 5
"""Below this many votes nothing is advised."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The advised action, and why, in one sentence each."""

    action: Action
    headline: str
    reason: str


def advise(tally: Tally, case: Case, *, two_link: bool, has_contrast: bool) -> Advice:
    """Return what to do after VOTE."""
    if case.contested is not None:
        return Advice(
            "discuss", "Discuss", "Experts disagree here: let both sides argue."
        )
    n, about, right = tally.n, "", tally.right(case)
    if two_link:
        link, right = tally.weaker_link(case)
        about = f" about the {link} link"
    if n < ENOUGH:
        return Advice(
            "none", "Too few votes to advise", f"Only {n} of at least {ENOUGH} votes."
        )
    advice = _by_share(right / n, about, tally.mean_confidence())
    if advice.action == "contrast" and not has_contrast:
        return Advice("discuss", "Discuss, then vote again", advice.reason)
    return advice


def _by_share(p1: float, about: str, confidence: float | None) -> Advice:
    share = f"{percent(p1)} % are right{about}"
    sure = confidence if confidence is not None else 0.5
    if p1 < 0.43:
        return Advice(
            "contrast",
            "Show the contrast case, then vote again",
            f"{share}: most chose the other gap.",
        )
    if p1 <= 0.57:
        if sure >= 0.70:
            return Advice(
                "discuss", "Discuss", f"{share}, and sure of it: split with conviction."
            )
        return Advice(
            "contrast",
            "Show the contrast case, then vote again",
            f"{share}, and unsure: close to guessing.",
        )
    if p1 <= 0.80:
        return Advice("discuss", "Discuss", f"{share}: enough to convince the others.")
    if confidence is not None and confidence < 0.65:
        return Advice(
            "discuss",
            "Discuss",
            f"{share}, but at {percent(confidence)} % confidence: let them say why.",
        )
    return Advice("reveal", "Explain briefly", f"{share}: they have it.")
