"""What only one player sees: own votes, points and time, and the card at the end."""

from __future__ import annotations

from collections.abc import Set

from scenarios.model import Label
from server.game.features.timing import has_own_time, holders, own_deadline_ms
from server.game.ids import PlayerId
from server.game.outcomes import is_known, own_figures, tenth
from server.game.phases import VERDICT_STEP, Ballot, Phase
from server.game.scoring import is_right
from server.game.state import Player, Poll, RoomState, Round, Vote
from server.game.views.role_types import CardItem, MyVote, PrivateView, Talk
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
    round_ = state.round if state.round_index is not None else None
    is_shown = round_ is not None and verdict_is_shown(state, round_)
    score = round_.scores.get(player_id) if round_ else None
    hidden = score if score is not None and not is_shown else None
    points = player.points - (hidden or 0)
    rounds = player.rounds_scored - (hidden is not None)
    is_over = state.phase is Phase.FINISHED
    return PrivateView(
        player=player.id,
        name=player.name,
        team=player.team,
        is_practice=player.is_practice,
        round=state.round_index,
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
        tap=_tap(state, player_id),
        talk=talk,
    )


def _tap(state: RoomState, player: PlayerId) -> Label | None:
    case = state.opening.case if state.phase is Phase.OPENING else None
    return None if case is None else state.opening.taps[case].get(player)


def verdict_is_shown(state: RoomState, round_: Round) -> bool:
    """Whether the class has seen which gap it was."""
    if not round_.is_revealed:
        return False
    is_now = state.phase is Phase.REVEAL and round_ is state.round
    return not is_now or state.step >= VERDICT_STEP


def _own_clock(state: RoomState, player: Player, now_ms: int) -> Clock | None:
    poll = state.poll
    return clock(own_deadline_ms(player, poll), now_ms) if poll else None


def _warned(
    state: RoomState, player: Player, now_ms: int, present: Set[PlayerId]
) -> int | None:
    if state.warned_until_ms is None or not has_own_time(state, player):
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
    """Return what a vote earned: that on the twin case, or in practice, earns none."""
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
        )
        for index, round_ in enumerate(state.rounds)
        for score in (round_.scores.get(player),)
        if round_.is_revealed
    )
