"""Who talks to whom in a room now, and what each phone says of it.

A phone is told a number and, where names are shown, names; never why this group.
"""

from __future__ import annotations

from collections.abc import Set

from server.game.groups import Person, settle
from server.game.ids import PlayerId
from server.game.phases import Ballot, Phase
from server.game.scoring import option_of
from server.game.state import RoomState
from server.game.views.role_types import Talk


def talkers(state: RoomState, present: Set[PlayerId]) -> list[Person]:
    """Return who takes part in a discussion: who is here, or has voted.

    Whose phone has gone to sleep since then is still in the room, so presence alone
    never takes anybody out of a group.
    """
    grouped = {player for group in state.round.groups for player in group}
    poll = state.round.polls.get(Ballot.VOTE)
    votes = poll.votes if poll else {}
    return [
        Person(
            player.id,
            player.site,
            player.team,
            option_of(votes[player.id].answer) if player.id in votes else None,
        )
        for player in state.players.values()
        if not player.is_kicked
        and state.counts(player.id)
        and (player.id in present or player.id in votes or player.id in grouped)
    ]


def talks(state: RoomState, present: Set[PlayerId]) -> dict[PlayerId, Talk]:
    """Return what each phone says of whom to talk to; nothing outside a discussion."""
    if state.phase is not Phase.DISCUSS or not state.settings.pairs:
        return {}
    people = talkers(state, present)
    found: dict[PlayerId, Talk] = {}
    for number, group in enumerate(settle(state.round.groups, people), 1):
        if len(group) < 2:
            continue
        names = {player: state.players[player].name for player in group}
        for player in group:
            others = tuple(name for one, name in names.items() if one != player)
            shown = others if state.settings.show_names else ()
            found[player] = Talk(number, len(others), shown)
    return found
