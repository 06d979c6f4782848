"""The breakdown, step by step: what is shown, and in which order.

The order follows the diagram: both tallies, then the three stations from left to right,
then the gap that broke, then what to make of it.
"""

from __future__ import annotations

from typing import Literal

from scenarios.model import Case

StepKey = Literal[
    "tallies",
    "intended",
    "written",
    "learned",
    "verdict",
    "why_not",
    "flip",
    "fix",
    "beyond",
    "say",
]
STEPS: tuple[StepKey, ...] = (
    "tallies",
    "intended",
    "written",
    "learned",
    "verdict",
    "why_not",
    "flip",
    "fix",
    "beyond",
    "say",
)
LAST_STEP = len(STEPS) - 1
VERDICT_STEP = STEPS.index("verdict")
"""From this step on players are told whether they were right."""


def step_texts(case: Case, key: StepKey) -> dict[str, str]:
    """Return the texts of one step, by the name of their field in the breakdown."""
    told = case.breakdown
    match key:
        case "tallies":
            return {}
        case "intended":
            return {"intended": told.intended}
        case "written":
            return {"written": told.written}
        case "learned":
            return {"learned": told.learned}
        case "verdict":
            contested = {"contested": case.contested} if case.contested else {}
            return {"broke": told.broke, "why": told.why, **contested}
        case "why_not":
            return {"why_not": told.why_not, "tempting": case.tempting}
        case "flip":
            return {"flip": told.flip}
        case "fix":
            return {"fix": told.fix, "owner": told.owner}
        case "beyond":
            return {"more_capable": told.more_capable, "residual": told.residual}
        case "say":
            return {"say": told.say}
