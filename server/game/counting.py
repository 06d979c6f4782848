"""Counting a round at its reveal: carried votes, who moved, and each site by itself."""

from __future__ import annotations

from server.game.phases import Ballot
from server.game.scoring import Tally, option_of
from server.game.state import Cohort, RoomState, Round


def carry(state: RoomState, round_: Round) -> None:
    """Count REVOTE with the votes of those who voted only in VOTE (rule A5)."""
    vote, revote = round_.polls[Ballot.VOTE], round_.polls[Ballot.REVOTE]
    round_.after = Tally(revote.tally.cells.copy())
    for player, first in vote.votes.items():
        if not state.counts(player):
            continue
        second = revote.votes.get(player)
        if second is None:
            round_.after.add(first.answer)
            round_.carried += 1
        else:
            move = (option_of(first.answer), option_of(second.answer))
            round_.moves[move] += 1


def count_cohorts(state: RoomState, round_: Round) -> None:
    """Count each site by itself; its REVOTE has carried votes in it, too."""
    vote, revote = round_.polls[Ballot.VOTE], round_.polls.get(Ballot.REVOTE)
    for player in state.players.values():
        if player.site is None or not state.counts(player.id):
            continue
        cohort = round_.cohorts.setdefault(player.site, Cohort())
        first = vote.votes.get(player.id)
        second = (revote.votes.get(player.id) if revote else None) or first
        if first is not None:
            cohort.before.add(first.answer)
        if revote is not None and second is not None:
            cohort.after.add(second.answer)
