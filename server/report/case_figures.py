"""The figures of one round: its votes, the effect of a second vote, and more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from server.game.errors import sentence
from server.game.ids import Challenger, PlayerId
from server.game.outcomes import (
    Count,
    count_of,
    is_judged,
    is_known,
    last_count,
    taken_up,
    tells_errors,
)
from server.game.phases import Ballot
from server.game.scoring import Tally, confidences, is_right, is_sure, option_of
from server.game.state import RoomState, Round, Vote
from server.protocol.report_types import (
    CaseFigures,
    Cell,
    Challenge,
    Estimate,
    Figure,
    Hidden,
    Moves,
    TakeUp,
    WrongReason,
)
from server.report.detection import option_keys
from server.report.figures import (
    FEWEST_FOR_SHARE,
    FEWEST_TO_POOL,
    UNSCORED,
    Transitions,
    above_half,
    mcnemar,
    needs_people,
    proportion,
)
from server.report.items import (
    FEWEST_ITEMS,
    FEWEST_LEARNERS,
    Matrix,
    discrimination,
    kr20,
)
from server.report.sample import Sample, rights, verdict_of, votes

Role = Literal["player", "cohost", "host"]
"""The role of a person who challenges a label."""

FirstSight = Mapping[str, tuple[int, int]]
"""(right, n) by case ID, for cases that were played first in other stored rooms."""


def cases_of(
    sample: Sample, first_sight: FirstSight, *, sentences: bool = False
) -> tuple[CaseFigures, ...]:
    """Return the figures of every revealed round, in playing order.

    With ``sentences``, they include the text of challenges to the label.
    """
    columns, matrix = item_matrix(sample)
    return tuple(
        _case(
            sample.state,
            index,
            round_,
            _discrimination(matrix, columns.index(index))
            if index in columns
            else UNSCORED,
            first_sight,
            sentences,
        )
        for index, round_ in sample.rounds
    )


def item_matrix(sample: Sample) -> tuple[list[int], Matrix]:
    """Return the scored rounds, and whether each learner was right in their VOTE."""
    columns = [i for i, r in sample.rounds if is_judged(sample.state, r.case)]
    place = {index: i for i, index in enumerate(columns)}
    matrix: list[list[bool | None]] = []
    for answers in sample.learners:
        row: list[bool | None] = [None] * len(columns)
        for answer in answers:
            row[place[answer.round]] = answer.is_right
        matrix.append(row)
    return columns, matrix


def consistency(sample: Sample) -> float | Hidden:
    """Return KR-20 of the room's cases, or why it is not shown."""
    columns, matrix = item_matrix(sample)
    complete = sum(None not in row for row in matrix)
    if complete < FEWEST_LEARNERS or len(columns) < FEWEST_ITEMS:
        needed = sentence(
            "needs_people_cases",
            "needs {people} people with {cases} or more scored cases",
            people=FEWEST_LEARNERS,
            cases=FEWEST_ITEMS,
        )
        return Hidden(needed, complete)
    found = kr20(matrix)
    alike = sentence("all_alike", "everyone scored the same")
    return Hidden(alike, complete) if found is None else found


def _discrimination(matrix: Matrix, item: int) -> Figure:
    n = sum(row[item] is not None for row in matrix)
    found = discrimination(matrix, item)
    if n < FEWEST_LEARNERS or (found and found.n < FEWEST_LEARNERS):
        return Hidden(needs_people(FEWEST_LEARNERS, n), n)
    if found is None:
        return Hidden(sentence("nothing_varies", "nothing varies"), n)
    return Estimate(found.r, found.low, found.high, found.n)


def _case(
    state: RoomState,
    index: int,
    round_: Round,
    r: Figure,
    first_sight: FirstSight,
    sentences: bool,
) -> CaseFigures:
    case = round_.case
    is_scored = is_judged(state, case)
    poll = round_.polls.get(Ballot.VOTE)
    found = count_of(state, round_, Ballot.VOTE) or Count(Tally(), 0)
    tally, right = found.tally, found.right or 0
    errors = tally.confident_errors(case) if is_scored else 0
    twin = round_.planned.transfer
    was_transferred = Ballot.TRANSFER in round_.polls
    challenges = challenges_to(state, round_)
    return CaseFigures(
        number=index + 1,
        case=case.id,
        version=case.version,
        title=case.title,
        kind=case.kind,
        verdict=verdict_of(case),
        is_scored=is_scored,
        options=_options(state, tally),
        n=tally.n,
        missed=sum(map(state.counts, poll.missed)) if poll else 0,
        right=proportion(right, tally.n) if is_scored else UNSCORED,
        rights=right,
        above_coin=_above_coin(state, right, tally.n) if is_scored else None,
        mean_confidence=tally.mean_confidence(),
        confident_errors=errors,
        is_told_confident=tells_errors(errors, tally.n),
        moves=_moves(state, round_),
        fix=_held(state, round_, Ballot.FIX),
        transfer=_held(state, round_, Ballot.TRANSFER),
        transfer_case=twin.title if twin and was_transferred else None,
        first_sight=proportion(*first_sight[twin.id])
        if twin and was_transferred and twin.id in first_sight
        else None,
        discrimination=r,
        asks_to_check=isinstance(r, Estimate) and r.high < 0,
        evidence=case.evidence,
        challenged=len(challenges),
        challenges=challenges if sentences else (),
    )


_ROLES: tuple[Role, ...] = ("host", "cohost", "player")


def challenges_to(state: RoomState, round_: Round) -> tuple[Challenge, ...]:
    """Return the challenges to a label, sorted by role and text, never by time.

    Challenges by practice players are left out, unless the room is a rehearsal.
    """
    found = [
        Challenge(_role_of(by), text)
        for by, text in round_.challenges.items()
        if by.player is None or state.counts(by.player)
    ]
    return tuple(sorted(found, key=lambda one: (_ROLES.index(one.by), one.text)))


def _role_of(by: Challenger) -> Role:
    if by.player is not None:
        return "player"
    return "host" if by.site is None else "cohost"


def _above_coin(state: RoomState, right: int, n: int) -> float | None:
    """Return the probability that the class did better than a coin flip."""
    if state.settings.two_link or n < FEWEST_FOR_SHARE:
        return None
    return above_half(right, n)


def _options(state: RoomState, tally: Tally) -> tuple[Cell, ...]:
    counts = tally.options(Ballot.VOTE, two_link=state.settings.two_link)
    return tuple(Cell(key, counts[key]) for key in option_keys(state))


def _held(state: RoomState, round_: Round, ballot: Ballot) -> Figure | None:
    if ballot not in round_.polls:
        return None
    if not is_known(state, round_, ballot):
        return UNSCORED
    answers = rights(state, round_, ballot)
    return proportion(sum(answers.values()), len(answers))


def _moves(state: RoomState, round_: Round) -> Moves | None:
    found = count_of(state, round_, Ballot.REVOTE)
    if found is None:
        return None
    if found.right is None:
        return Moves(UNSCORED, found.carried, (), None, None, None, None, None)
    moved = transitions(
        rights(state, round_, Ballot.VOTE), rights(state, round_, Ballot.REVOTE)
    )
    is_enough = moved.n >= FEWEST_TO_POOL
    test = mcnemar(moved.rw, moved.wr) if is_enough else None
    return Moves(
        after=proportion(found.right, found.n),
        carried=found.carried,
        cells=(
            Cell("RR", moved.rr),
            Cell("RW", moved.rw),
            Cell("WR", moved.wr),
            Cell("WW", moved.ww),
        ),
        gain=moved.gain if is_enough else None,
        right_turn=moved.right_turn if is_enough else None,
        loss=moved.loss if is_enough else None,
        mid_p=test.mid_p if test else None,
        exact_p=test.exact if test else None,
    )


# --- what to take up again -----------------------------------------------------------

TAKEN_UP = 3
"""The number of cases that a report proposes for the next lesson."""


def take_up(state: RoomState, *, is_private: bool) -> tuple[TakeUp, ...]:
    """Return the cases to take up again; names and reasons only for the host's page."""
    return tuple(
        _taken(state, index, is_private=is_private)
        for index in taken_up(state)[:TAKEN_UP]
        if not _is_whole(state, index)
    )


def _is_whole(state: RoomState, index: int) -> bool:
    last = last_count(state, state.rounds[index])
    return last is None or last.right == last.n


def _taken(state: RoomState, index: int, *, is_private: bool) -> TakeUp:
    round_ = state.rounds[index]
    last = last_count(state, round_) or Count(Tally(), 0)
    wrong = [
        (player, vote)
        for player, vote in _last_votes(state, round_).items()
        if not is_right(vote.answer, round_.case)
    ]
    sure = [state.players[p].name for p, vote in wrong if is_sure(vote.answer)]
    reasons = [vote for _, vote in wrong if vote.reason]
    return TakeUp(
        number=index + 1,
        right=last.right or 0,
        n=last.n,
        reason=_typical(reasons) if is_private and reasons else None,
        sure=tuple(sorted(sure)) if is_private else (),
    )


def _last_votes(state: RoomState, round_: Round) -> dict[PlayerId, Vote]:
    """Return each player's last answer, with an earlier reason if it still applies."""
    first = votes(state, round_, Ballot.VOTE)
    second = votes(state, round_, Ballot.REVOTE)
    for player, vote in second.items():
        before = first.get(player)
        if before and not vote.reason and before.answer.kind == vote.answer.kind:
            is_same = option_of(before.answer) == option_of(vote.answer)
            reason = before.reason if is_same else ""
            first[player] = replace(vote, reason=reason)
        else:
            first[player] = vote
    return first


def _typical(wrong: Sequence[Vote]) -> WrongReason:
    """Return the reason with the most words in common, or the most confident one."""
    words = [frozenset(re.findall(r"\w{3,}", vote.reason.casefold())) for vote in wrong]

    def likeness(place: int) -> tuple[float, int]:
        mine = words[place]
        shared = sum(
            len(mine & other) / len(mine | other) if mine | other else 0
            for at, other in enumerate(words)
            if at != place
        )
        return shared, max(confidences(wrong[place].answer), default=0)

    best = wrong[max(range(len(wrong)), key=likeness)]
    return WrongReason(best.reason, option_of(best.answer), len(wrong))


# --- transitions ---------------------------------------------------------------------


def transitions(
    before: Mapping[PlayerId, bool], after: Mapping[PlayerId, bool]
) -> Transitions:
    """Return the transitions of the players who are in both."""
    moved = Transitions()
    for player in before.keys() & after.keys():
        moved = moved.plus(before[player], after[player])
    return moved
