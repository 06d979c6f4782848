"""The class goal: what honest players are expected to score, and a little more.

Their chance of a right first vote comes from the first votes of all classes on the same
question, and from what this class showed in earlier lessons.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from scenarios.model import Plan
from server.game.intervals import bisect
from server.game.outcomes import count_of
from server.game.phases import Ballot
from server.game.scoring import Earlier, Seen
from server.game.settings import CLASS_GOALS, RoomSettings, ScoreMode
from server.game.state import RoomState

USUAL_CHANCE = 0.7
"""How likely a first vote is to be right, as long as nothing is known of a class."""

MOST_SHIFT = 1.0
"""How far earlier lessons move that chance at most, in log odds."""

FEWEST_KNOWN = 30
"""First votes of all classes from which a question has a chance of its own."""

FEWEST_PEOPLE, FEWEST_VOTES = 10, 30
"""People and first votes of a class from which its next goal depends on them."""

FirstVotes = Mapping[str, tuple[int, int]]
"""How many first votes on each question were right, and how many there were. A question
is the ID of a case; of two links, ``ID/outer`` and ``ID/inner``."""


def together(rooms: Iterable[FirstVotes]) -> dict[str, tuple[int, int]]:
    """Return the first votes of several rooms as one sum for each question."""
    right, n = Counter[str](), Counter[str]()
    for votes in rooms:
        for question, found in votes.items():
            right[question] += found[0]
            n[question] += found[1]
    return {question: (right[question], n[question]) for question in n}


def questions(case: str, *, two_link: bool) -> tuple[str, ...]:
    """Return what a first vote on a case (its ID) answers."""
    return (f"{case}/outer", f"{case}/inner") if two_link else (case,)


def chance_of(question: str, known: FirstVotes) -> float:
    """Return how likely a first vote on a question is to be right (0-1).

    The mean (k+½)/(n+1) of the Jeffreys posterior over the votes of all classes, from
    30 votes; otherwise the usual chance.
    """
    right, n = known.get(question, (0, 0))
    return (right + 0.5) / (n + 1) if n >= FEWEST_KNOWN else USUAL_CHANCE


def par(chance: float) -> float:
    """Return what people score on average who are right with a chance and say so.

    100·(1-q(1-q)), with q = max(chance, .5): the expected Brier points of an honest
    player. Below .5 the other answer would be the better one.
    """
    q = max(chance, 0.5)
    return 100 * (1 - q * (1 - q))


def goal_points(
    mode: ScoreMode, chances: Sequence[float], *, has_revote: bool
) -> float:
    """Return the mean round score that a class sets out for, in the mode's units.

    ``chances`` are those of a right first vote (0-1) on each scored case. The goal is
    what honest players would score with them, plus 2 points where the class votes a
    second time, else 1. ``certainty`` and ``speed`` have a fixed goal.
    """
    if not chances or mode not in ("brier", "accuracy"):
        return CLASS_GOALS[mode]
    expected = [par(p) if mode == "brier" else 100 * p for p in chances]
    mean = math.fsum(expected) / len(expected)
    return float(math.floor(mean + (2 if has_revote else 1) + 0.5))


def shift_of(earlier: Earlier) -> float:
    """Return how much better than its chances a class was (log odds); 0 if unknown."""
    is_known = earlier.people >= FEWEST_PEOPLE and earlier.votes >= FEWEST_VOTES
    return shift(earlier.seen) if is_known else 0.0


def shift(seen: Iterable[Seen]) -> float:
    """Return how much better than its chances a class was, in log odds (-1 to 1).

    The maximum a posteriori of a shift that is the same for all questions, under a
    standard normal prior.
    """
    found = [(_logit(one.chance), one.right, one.n) for one in seen]

    def slope(by: float) -> float:
        return by - math.fsum(k - n * _logistic(odds + by) for odds, k, n in found)

    return bisect(slope, -MOST_SHIFT, MOST_SHIFT)


def shifted(chance: float, by: float) -> float:
    """Return a chance (0-1) whose log odds are moved by a shift."""
    return _logistic(_logit(chance) + by)


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _logistic(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


# --- of a room -----------------------------------------------------------------------


def goal_of(state: RoomState) -> float:
    """Return the class goal: the host's, or the one set when the room was opened."""
    if state.settings.class_goal is None and state.set_goal is not None:
        return state.set_goal
    return state.settings.goal


def goal_set(
    plan: Plan, settings: RoomSettings, earlier: Earlier, known: FirstVotes
) -> float:
    """Return the goal of a class with these ``earlier`` lessons.

    ``known`` are the first votes of all classes.
    """
    two_link, by = settings.two_link, shift_of(earlier)
    chances = [
        shifted(chance_of(question, known), by)
        for planned in plan.rounds
        if planned.case.is_scored and (two_link or planned.case.is_clean)
        for question in questions(planned.case.id, two_link=two_link)
    ]
    has_revote = (settings.flow or plan.flow) == "full"
    return goal_points(settings.score_mode, chances, has_revote=has_revote)


MOST_SEEN = 200
"""The most questions of earlier lessons that a new room remembers."""


def first_votes(state: RoomState) -> dict[str, tuple[int, int]]:
    """Return the first votes on each question: how many were right, and of how many.

    Only rounds that were played to the end, and whose answers can be called right.
    """
    found: dict[str, tuple[int, int]] = {}
    two_link = state.settings.two_link
    for round_ in state.rounds:
        count = count_of(state, round_, Ballot.VOTE)
        if not round_.is_counted or count is None or count.right is None:
            continue
        links = count.tally.links_right(round_.case)
        rights = links if two_link else (count.right,)
        asked = questions(round_.case.id, two_link=two_link)
        found.update(
            (question, (right, count.n))
            for question, right in zip(asked, rights, strict=True)
        )
    return found


def learned(state: RoomState, known: FirstVotes) -> Earlier:
    """Return what a class showed in this lesson and in those before it.

    ``known`` are the first votes of all classes.
    """
    votes = first_votes(state)
    polls = (r.polls[Ballot.VOTE] for r in state.rounds if Ballot.VOTE in r.polls)
    people = {who for poll in polls for who in poll.votes if state.counts(who)}
    seen = [Seen(chance_of(asked, known), *found) for asked, found in votes.items()]
    before = state.earlier
    return Earlier(
        max(before.people, len(people)),
        before.votes + sum(one.n for one in seen),
        (*before.seen, *seen)[-MOST_SEEN:],
    )
