"""What to do next: advice to the host, never an order, and where the big button leads.

With two options half of a guessing class is right, so the classic 35-70% band of peer
instruction (Crouch & Mazur 2001) is corrected for chance: k = (p-g)/(1-g), then read
off for two options as p = .5 + k/2. The thresholds are learning rule A2's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenarios.model import Case
from server.game.commands import Reveal, ShowAgain, ShowOpening, onward
from server.game.engine import can
from server.game.errors import Sentence, sentence
from server.game.features import opening
from server.game.outcomes import percent
from server.game.phases import Ballot, Phase
from server.game.scoring import Tally
from server.game.state import RoomState

Action = Literal["contrast", "discuss", "reveal", "none"]
ENOUGH = 5
"""Below this many votes nothing is advised."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The advised action, and why, in one sentence each."""

    action: Action
    headline: Sentence
    reason: Sentence


_CONTRAST = sentence("advise_contrast", "Show the contrast case, then vote again")
_DISCUSS = sentence("advise_discussion", "Discuss, then vote again")
_EXPLAIN = sentence("advise_reveal", "Explain briefly")
_NOTHING = sentence("advise_nothing", "Too few votes for advice")


def advise(tally: Tally, case: Case, *, two_link: bool, has_contrast: bool) -> Advice:
    """Return what to do after VOTE."""
    if case.contested is not None:
        argued = "Experts disagree here: let both sides argue."
        return Advice("discuss", _DISCUSS, sentence("experts_disagree", argued))
    n = tally.n
    if n < ENOUGH:
        few = "Votes so far: {votes}. At least {needed} are needed."
        reason = sentence("few_votes", few, votes=n, needed=ENOUGH)
        return Advice("none", _NOTHING, reason)
    link, right = tally.weaker_link(case) if two_link else ("", tally.right(case))
    action, headline, key, found = _by_share(right / n, tally.mean_confidence())
    if action == "contrast" and not has_contrast:
        action, headline = "discuss", _DISCUSS
    about = f" about the {link} link" if link else ""
    reason = sentence(
        key,
        f"{{share}}% are right{about}{found}",
        share=percent(right / n),
        link=link,
        confidence=percent(tally.mean_confidence() or 0.5),
    )
    return Advice(action, headline, reason)


def _by_share(p1: float, confidence: float | None) -> tuple[Action, Sentence, str, str]:
    """Return action and headline, and key and end of the reason."""
    if p1 < 0.43:
        return "contrast", _CONTRAST, "other_gap", ": most chose the other gap."
    if p1 <= 0.57:
        if confidence is not None and confidence >= 0.70:
            split = ", and sure of it: split with conviction."
            return "discuss", _DISCUSS, "split", split
        unsure = ", and unsure: close to guessing."
        return "contrast", _CONTRAST, "guessing", unsure
    if p1 <= 0.80:
        enough = ": enough to convince the others."
        return "discuss", _DISCUSS, "enough_right", enough
    if confidence is not None and confidence < 0.65:
        why = ", but at {confidence}% confidence: have them say why."
        return "discuss", _DISCUSS, "right_unsure", why
    return "reveal", _EXPLAIN, "most_right", ": they get it."


# --- the big button -------------------------------------------------------------------


def advice_of(state: RoomState) -> Advice | None:
    """Return the advice after a first vote; None in another phase, and in a test."""
    if state.phase is not Phase.VOTE_CLOSED or state.flow == "test":
        return None
    round_ = state.round
    return advise(
        round_.polls[Ballot.VOTE].tally,
        round_.case,
        two_link=state.settings.two_link,
        has_contrast=round_.planned.contrast is not None,
    )


def advised_command(state: RoomState) -> str:
    """Return the command that the host's big button gives now, or "none".

    It goes by the flow; in the full one, what follows a first vote goes by the advice.
    """
    if state.again is not None:
        return ShowAgain().type
    if state.phase is Phase.VOTE_CLOSED and state.flow != "test":
        advice = advice_of(state) if state.flow == "full" else None
        is_given = advice is not None and advice.action != "none"
        return advice.action if advice is not None and is_given else Reveal().type
    given = (
        button.type
        for button in onward(state.flow, state.phase)
        if can(state, button)
        and (not isinstance(button, ShowOpening) or opening.is_advised(state))
    )
    return next(given, "none")
