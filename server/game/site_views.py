"""What the host sees of each site: people, answers, lateness, and the line there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

from scenarios.model import Case
from server.game.advice import proportion_right, wilson
from server.game.ids import PlayerId
from server.game.phases import Ballot
from server.game.site_types import CohostPanel, SiteCard, SiteLink
from server.game.state import Poll, RoomState
from server.game.tally import Tally

Latest = tuple[Ballot, Poll, Case]
"""The ballot of the round that was opened last, its poll, and what it asks about."""


def site_cards(
    state: RoomState,
    latest: Latest | None,
    present: Set[PlayerId],
    links: Sequence[SiteLink],
) -> tuple[SiteCard, ...]:
    """Return a card for each site with people or a line; none where all are at one."""
    heard = {
        link.name: link for link in links if link.is_up or link.name in state.people
    }
    names = list(dict.fromkeys([*heard, *state.sites]))
    if len(names) < 2:
        return ()
    players = state.players
    connected = Counter(players[p].site for p in present if p in players)
    return tuple(
        _card(state, name, latest, connected[name], heard.get(name)) for name in names
    )


def cohost_panel(
    state: RoomState, site: str, now_ms: int, present: Set[PlayerId]
) -> CohostPanel:
    """Return what the co-host of a site sees of its people."""
    poll = state.poll
    votes = poll.votes if poll else {}
    own = {player.id for player in state.players.values() if player.site == site}
    own -= state.kicked
    here = own & present
    answered = len(own & votes.keys())
    until_ms = poll.site_until_ms.get(site) if poll else None
    return CohostPanel(
        site=site,
        people=len(own),
        connected=len(here),
        answered=answered,
        expected=answered + len(here - votes.keys()),
        is_locked=site in state.locked_sites,
        can_give_time=poll is not None and poll.deadline_ms is not None,
        given_ms=None if until_ms is None else max(0, until_ms - now_ms),
        late=state.late[site],
    )


def _card(
    state: RoomState,
    name: str,
    latest: Latest | None,
    connected: int,
    link: SiteLink | None,
) -> SiteCard:
    right, n = _right(state, name, latest)
    return SiteCard(
        name=name,
        people=state.people[name],
        connected=connected,
        answered=n,
        right=right,
        interval=wilson(right or 0, n),
        late=state.late[name],
        link=link,
    )


def _right(
    state: RoomState, name: str, latest: Latest | None
) -> tuple[int | None, int]:
    """Return (right, n) of a site's answers; right is None where nobody can say."""
    if latest is None:
        return None, 0
    ballot, poll, case = latest
    tally = poll.sites.get(name, Tally())
    if ballot is Ballot.FIX:
        return tally.right(case), tally.n
    if case.contested is not None:
        return None, tally.n
    return proportion_right(tally, case, two_link=state.settings.two_link)
