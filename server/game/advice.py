"""What a class's figures lead to: advice to the host, and a lesson's last words.

Advice is never an order. This module also chooses the command of the big button.

With two options, half of a guessing class is right, so the classic 35-70% band of peer
instruction (Crouch & Mazur 2001) is corrected for chance: k = (p-g)/(1-g), which is
p = .5 + k/2 for two options. The thresholds are those of learning rule A2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from scenarios.model import Case
from server.game.commands import Reveal, ShowAgain, ShowOpening, onward
from server.game.engine import can
from server.game.errors import Sentence, sentence
from server.game.features import opening
from server.game.goal import goal_of
from server.game.ids import PlayerId
from server.game.intervals import jackknife_interval, totals
from server.game.outcomes import (
    is_judged,
    last_count,
    mean_score,
    percent,
    scored,
    taken_up,
    tenth,
)
from server.game.phases import Ballot, Phase
from server.game.scoring import (
    BRIER_LEVELS,
    Tally,
    brier_points,
    is_right,
    marks,
)
from server.game.state import RoomState, Round

Action = Literal["contrast", "discuss", "reveal", "none"]
ENOUGH = 5
"""The fewest votes for which there is advice."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The advised action and the reason for it, in one sentence each."""

    action: Action
    headline: Sentence
    reason: Sentence


_CONTRAST = sentence("advise_contrast", "Show the contrast case, then vote again")
_DISCUSS = sentence("advise_discussion", "Discuss, then vote again")
_EXPLAIN = sentence("advise_reveal", "Explain briefly")
_NOTHING = sentence("advise_nothing", "Too few votes for advice")


def advise(tally: Tally, case: Case, *, two_link: bool, has_contrast: bool) -> Advice:
    """Return the advice on what to do after VOTE."""
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
    """Return the action, its headline, and the key and the end of the reason."""
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

    The command depends on the flow. In the full flow, the command after a first vote is
    the advised one.
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


# --- the last words -------------------------------------------------------------------

FEWEST_PAIRS = 10
"""Answers to a case and to its twin, by one person each, from which both are shown."""

TAKEN_UP = 2
"""Cases to take up next on the closing page; the report has one more."""


def last_words(state: RoomState) -> tuple[Sentence, ...]:
    """Return what a class reads at the end beside its mean and its goal (rule I53).

    Below the goal, what its confidence was worth, from ``min_cell`` people. Whichever
    way it went, how the twins went, and what to take up next.
    """
    people = scored(state)
    mean = mean_score(people) if len(people) >= state.settings.min_cell else None
    is_below = mean is not None and tenth(mean) < goal_of(state)
    return (
        *(_below(state, mean) if mean is not None and is_below else ()),
        *_twins(state),
        *_next(state),
    )


def _below(state: RoomState, mean: float) -> Iterator[Sentence]:
    """Yield how confidence fits: above the share right, around it, or below it."""
    rows = list(_sureness(state).values())
    interval = jackknife_interval(rows, _bias)
    if interval is None:
        yield from _dearest(state)
    elif interval[0] > 0:
        yield from _surer(state, totals(rows), mean)
    elif interval[1] < 0:
        yield sentence("last_knew", "You knew more than you said.")
    else:
        yield sentence("last_even", "You were about as sure as you were right.")
        yield from _dearest(state)


def _sureness(state: RoomState) -> dict[PlayerId, list[float]]:
    """Return of each person's first votes with a confidence: the sum of confidences
    (0-1), how many were right, their points, and how many they are."""
    found: dict[PlayerId, list[float]] = {}
    for round_ in _judged(state, Ballot.VOTE):
        for player, vote in round_.polls[Ballot.VOTE].votes.items():
            if not state.counts(player):
                continue
            for confidence, right in marks(vote.answer, round_.case):
                row = found.setdefault(player, [0.0, 0.0, 0.0, 0.0])
                row[0] += confidence / 100
                row[1] += right
                row[2] += brier_points(right, confidence)
                row[3] += 1
    return found


def _judged(state: RoomState, ballot: Ballot) -> list[Round]:
    """Return the rounds that count, and whose answers to a ballot can be right."""
    return [
        round_
        for round_ in state.rounds
        if round_.is_counted
        and ballot in round_.polls
        and is_judged(state, round_.case_of(ballot))
    ]


def _bias(sums: Sequence[float]) -> float | None:
    said, right, _, n = sums
    return (said - right) / n if n else None


def _surer(state: RoomState, sums: Sequence[float], mean: float) -> Iterator[Sentence]:
    """Yield by how much, and what one confidence for all would have been worth."""
    said, right, points, n = sums
    yield sentence(
        "last_surer",
        "You were right {right}% of the time and said {said}%.",
        right=percent(right / n),
        said=percent(said / n),
    )
    chip, worth = best_chip(right / n)
    if state.settings.score_mode == "brier" and tenth(worth) > tenth(
        max(points / n, mean)
    ):
        yield sentence(
            "last_flat",
            "Saying {chip}% throughout would have scored {points}.",
            chip=chip,
            points=f"{tenth(worth):g}",
        )


def best_chip(share: float) -> tuple[int, float]:
    """Return the confidence (percent) that suits a share right (0-1), and its points.

    The points are those of a class that says the same throughout:
    100·(1-a(1-q)²-(1-a)q²).
    """
    chip = min(BRIER_LEVELS, key=lambda level: abs(level / 100 - share))
    q = chip / 100
    return chip, 100 * (1 - share * (1 - q) ** 2 - (1 - share) * q * q)


def _dearest(state: RoomState) -> Iterator[Sentence]:
    """Yield the case with the lowest mean round score, if any was scored."""
    means = {
        round_.case.title: math.fsum(given) / len(given)
        for round_ in state.rounds
        if round_.is_counted
        for given in ([n for who, n in round_.scores.items() if state.counts(who)],)
        if given
    }
    if means:
        title = min(means, key=lambda one: means[one])
        dearest = "The case that cost most: “{title}”."
        yield sentence("last_dearest", dearest, title=title)


def _twins(state: RoomState) -> Iterator[Sentence]:
    """Yield how those who answered both did on the cases, and on their twins."""
    first = twin = pairs = 0
    for round_ in _judged(state, Ballot.TRANSFER):
        if not is_judged(state, round_.case):
            continue
        before = round_.polls[Ballot.VOTE].votes
        after = round_.polls[Ballot.TRANSFER].votes
        for player in filter(state.counts, before.keys() & after.keys()):
            first += is_right(before[player].answer, round_.case)
            twin += is_right(after[player].answer, round_.case_of(Ballot.TRANSFER))
            pairs += 1
    if pairs >= FEWEST_PAIRS:
        both = "First vote: {first} of {pairs} right. Twin: {twin} of {pairs}."
        yield sentence("last_twins", both, first=first, twin=twin, pairs=pairs)


def _next(state: RoomState) -> Iterator[Sentence]:
    """Yield the hardest cases, unless everyone was right about them in the end."""
    hardest = [state.rounds[index] for index in taken_up(state)[:TAKEN_UP]]
    titles = [
        f"“{round_.case.title}”"
        for round_ in hardest
        for last in (last_count(state, round_),)
        if last is not None and last.right != last.n
    ]
    if titles:
        again = "To take up next: {titles}."
        yield sentence("last_next", again, titles=", ".join(titles))
