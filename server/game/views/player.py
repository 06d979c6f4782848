"""Views for one player: their own votes, points and time, and the card at the end.

Figures about all first votes of one player are computed only here.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Literal

from scenarios.model import Label
from server.game.answers import Answer, GapAnswer
from server.game.features.reveal import verdict_is_shown
from server.game.features.timing import has_own_time, holders, own_deadline_ms
from server.game.ids import Challenger, PlayerId
from server.game.outcomes import is_judged, is_known, tenth
from server.game.phases import Ballot, Phase
from server.game.scoring import is_right, is_sure
from server.game.state import Player, Poll, RoomState, Round, Vote
from server.game.views.role_types import (
    CardItem,
    MyVote,
    OwnFigures,
    OwnFit,
    OwnSureness,
    PrivateView,
    Talk,
)
from server.game.views.stage import clock, verdict_of
from server.game.views.stage_types import Clock


def private_view(
    state: RoomState,
    player_id: PlayerId,
    now_ms: int,
    present: Set[PlayerId],
    talk: Talk | None = None,
) -> PrivateView:
    """Return what only this player sees; ``talk`` is computed for all together."""
    player = state.players[player_id]
    hidden = _hidden(state, player_id)
    points = player.points - sum(hidden)
    rounds = player.rounds_scored - len(hidden)
    index = state.round_index if state.again is None else state.again
    round_ = None if index is None else state.round_at(index)
    is_shown = round_ is not None and verdict_is_shown(state, round_)
    score = round_.scores.get(player_id) if round_ else None
    is_over = state.phase is Phase.FINISHED
    is_judged_now = is_shown and state.phase is Phase.REVEAL
    return PrivateView(
        player=player.id,
        name=player.name,
        team=player.team,
        is_practice=player.is_practice,
        round=index,
        points=tenth(points),
        rounds=rounds,
        percent=player.allowance,
        clock=_own_clock(state, player, now_ms),
        warned_ms=_warned(state, player, now_ms, present),
        votes=_my_votes(state, round_, player_id) if round_ else (),
        score=tenth(score) if is_shown and score is not None else None,
        missed=is_shown and round_ is not None and _has_missed(round_, player_id),
        card=_card(state, player_id) if is_over else (),
        mean=tenth(points / rounds) if rounds else None,
        figures=own_figures(state, player_id) if is_over else None,
        said=round_.said.get(player_id, "") if round_ else "",
        challenge=_challenge(round_, player_id) if round_ else "",
        tap=_tap(state, player_id),
        tap_case=state.opening.case if state.phase is Phase.OPENING else None,
        talk=talk,
        group_gained=is_judged_now
        and round_ is not None
        and group_gained(state, player_id),
        fit=own_fit(state, player_id) if is_judged_now else None,
    )


def _challenge(round_: Round, player: PlayerId) -> str:
    return round_.challenges.get(Challenger(player), "")


def _tap(state: RoomState, player: PlayerId) -> Label | None:
    case = state.opening.case if state.phase is Phase.OPENING else None
    return None if case is None else state.opening.taps[case].get(player)


def _hidden(state: RoomState, player: PlayerId) -> list[float]:
    """Return the scores of rounds whose verdict the class has not seen."""
    return [
        round_.scores[player]
        for round_ in state.rounds
        if player in round_.scores and not verdict_is_shown(state, round_)
    ]


def _own_clock(state: RoomState, player: Player, now_ms: int) -> Clock | None:
    poll = state.poll
    return clock(state, own_deadline_ms(player, poll), now_ms) if poll else None


def _warned(
    state: RoomState, player: Player, now_ms: int, present: Set[PlayerId]
) -> int | None:
    if state.warned_until_ms is None or state.stopped_ms is not None:
        return None
    if not has_own_time(state, player):
        return None
    if player.id not in holders(state, now_ms, present | {player.id}):
        return None
    return max(0, state.warned_until_ms - now_ms)


def _has_missed(round_: Round, player: PlayerId) -> bool:
    vote = round_.polls.get(Ballot.VOTE)
    return vote is not None and player in vote.missed and player not in vote.votes


def _my_votes(state: RoomState, round_: Round, player: PlayerId) -> tuple[MyVote, ...]:
    mine = []
    for ballot, poll in round_.polls.items():
        vote = poll.votes.get(player) or poll.late.get(player)
        if vote is not None:
            mine.append(_my_vote(state, round_, ballot, poll, vote, player))
    return tuple(mine)


def _my_vote(
    state: RoomState,
    round_: Round,
    ballot: Ballot,
    poll: Poll,
    vote: Vote,
    player: PlayerId,
) -> MyVote:
    if ballot in (Ballot.VOTE, Ballot.REVOTE):
        is_shown = verdict_is_shown(state, round_)
    else:
        is_shown = not poll.is_open
    case = round_.case_of(ballot)
    is_judged = is_shown and is_known(state, round_, ballot)
    return MyVote(
        ballot=ballot,
        answer=vote.answer,
        reason=vote.reason,
        is_late=vote.is_late,
        is_right=is_right(vote.answer, case) if is_judged else None,
        points=_points(state, round_, ballot, player) if is_judged else None,
    )


def _points(
    state: RoomState, round_: Round, ballot: Ballot, player: PlayerId
) -> float | None:
    """Return the points of a vote; votes on the twin or in practice earn none."""
    if ballot is Ballot.TRANSFER or round_.practice_of is not None:
        return None
    return state.vote_points(round_, ballot, player)


def _card(state: RoomState, player: PlayerId) -> tuple[CardItem, ...]:
    return tuple(
        CardItem(
            round=index,
            title=round_.case.title,
            story=round_.case.story,
            verdict=verdict_of(round_.case),
            votes=_my_votes(state, round_, player),
            score=None if score is None else tenth(score),
            deciding=round_.case.breakdown.why,
            said=round_.said.get(player, ""),
            say=round_.case.breakdown.say,
            challenge=_challenge(round_, player),
        )
        for index, round_ in enumerate(state.rounds)
        for score in (round_.scores.get(player),)
        if round_.is_revealed
    )


# --- one player ----------------------------------------------------------------------

ENOUGH_MISSES = 2
"""The fewest misses for which a card says which way they lean."""

ENOUGH_CHIPS = 4
"""The fewest votes with a confidence for which a card says how well it fits."""

FAR = 0.1
"""How much mean confidence and share right must differ for a card to mention it."""


def own_figures(state: RoomState, player: PlayerId) -> OwnFigures:
    """Return the figures about all first votes of one player."""
    votes = [
        (index, round_.case, vote.answer)
        for index, round_ in enumerate(state.rounds)
        if round_.is_revealed and is_judged(state, round_.case)
        for vote in (_first_vote(round_, player),)
        if vote is not None
    ]
    missed = [(i, answer) for i, case, answer in votes if not is_right(answer, case)]
    given: dict[int, list[bool]] = {}
    for _, case, answer in votes:
        if isinstance(answer, GapAnswer) and answer.confidence is not None:
            given.setdefault(answer.confidence, []).append(is_right(answer, case))
    sureness = tuple(
        OwnSureness(confidence, sum(rights), len(rights))
        for confidence, rights in sorted(given.items())
    )
    said, share = _own_shares(sureness)
    return OwnFigures(
        judged=len(votes),
        right=len(votes) - len(missed),
        sure_and_wrong=tuple(i for i, answer in missed if is_sure(answer)),
        lean=_own_lean([answer for _, answer in missed]),
        sureness=sureness,
        said=said,
        share=share,
        bias=None if said is None or share is None else _own_bias(said, share),
    )


def own_fit(state: RoomState, player: PlayerId) -> OwnFit | None:
    """Return how well a player's confidence fits; None for fewer than four votes."""
    own = own_figures(state, player)
    if own.said is None or own.share is None or own.bias is None:
        return None
    return OwnFit(own.said, own.share, own.bias)


LEAST_OF_A_GROUP = 3
"""The smallest discussion group whose phones may say that it gained. In a group of two,
each would know how the other voted."""


def group_gained(state: RoomState, player: PlayerId) -> bool:
    """Return whether more people in a player's group were right in the second vote.

    The group is the one formed when the discussion was opened, without members who did
    not answer the first vote. A member who did not vote again keeps their first vote,
    as in every tally.
    """
    round_ = state.round
    first, second = round_.polls.get(Ballot.VOTE), round_.polls.get(Ballot.REVOTE)
    if first is None or second is None or not is_judged(state, round_.case):
        return False
    pairs = [
        (first.votes[one].answer, second.votes.get(one, first.votes[one]).answer)
        for one in round_.group_of.get(player, ())
        if one in first.votes and state.counts(one) and one not in state.kicked
    ]
    if player not in first.votes or len(pairs) < LEAST_OF_A_GROUP:
        return False
    before = sum(is_right(answer, round_.case) for answer, _ in pairs)
    return sum(is_right(answer, round_.case) for _, answer in pairs) > before


def _first_vote(round_: Round, player: PlayerId) -> Vote | None:
    poll = round_.polls.get(Ballot.VOTE)
    return poll.votes.get(player) if poll else None


def _own_lean(missed: Sequence[Answer]) -> Literal["outer", "inner", "none", "few"]:
    calls = [answer.label for answer in missed if isinstance(answer, GapAnswer)]
    if len(calls) < ENOUGH_MISSES:
        return "few"
    outer = sum(label is Label.OUTER for label in calls)
    if outer >= 0.75 * len(calls):
        return "outer"
    return "inner" if outer <= 0.25 * len(calls) else "none"


def _own_shares(sureness: Sequence[OwnSureness]) -> tuple[float | None, float | None]:
    n = sum(one.n for one in sureness)
    if n < ENOUGH_CHIPS:
        return None, None
    said = sum(one.confidence * one.n for one in sureness) / n / 100
    return said, sum(one.right for one in sureness) / n


def _own_bias(said: float, share: float) -> Literal["over", "under", "none"]:
    if abs(said - share) <= FAR:
        return "none"
    return "over" if said > share else "under"
