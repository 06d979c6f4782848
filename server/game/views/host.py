"""Views for hosts: the whole case, the plan, live figures, and the people at sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from itertools import islice

from scenarios.model import Case
from server.game.advice import advice_of, advised_command
from server.game.commands import BUTTONS, OpenRound, PlayAgain, ShowAgain
from server.game.engine import can
from server.game.errors import required
from server.game.features.timing import (
    all_answered,
    answered_and_expected,
    holders,
    settles_in_ms,
)
from server.game.ids import Challenger, PlayerId
from server.game.intervals import wilson
from server.game.outcomes import (
    Count,
    count_of,
    is_known,
    standings,
    tells_errors,
    tenth,
)
from server.game.phases import Ballot, Phase
from server.game.scoring import Tally, confidences, option_of
from server.game.state import Player, Poll, RoomState, Round, Vote
from server.game.views.role_types import (
    AdviceCard,
    ChallengeCard,
    CohostPanel,
    HeldReveal,
    HostPanel,
    HostView,
    LinkShare,
    Measures,
    PersonCard,
    PlanItem,
    ReasonCard,
    SentenceCard,
    SiteCard,
    SiteLink,
)
from server.game.views.stage import bars, screen_view, verdict_of

REASONS_A_SIDE = 3
SENTENCES_SHOWN = 30
STANDINGS_SHOWN = 50
CHALLENGES_SHOWN = 30


def host_view(state: RoomState, now_ms: int) -> HostView:
    """Return the host's view of the phase."""
    round_ = state.round if state.round_index is not None else None
    planned = round_.planned if round_ else None
    is_over = state.phase is Phase.FINISHED
    return HostView(
        stage=screen_view(state, now_ms),
        place=state.place,
        case=planned.case if planned else None,
        contrast=planned.contrast if planned else None,
        transfer=planned.transfer if planned else None,
        plan=tuple(_item(state, i, r) for i, r in enumerate(state.rounds)),
        commands=tuple(button.type for button in BUTTONS if can(state, button)),
        settings=state.settings,
        flow=state.flow,
        standings=standings(state)[:STANDINGS_SHOWN] if is_over else (),
    )


def _item(state: RoomState, index: int, round_: Round) -> PlanItem:
    if round_.is_revealed:
        status = "revealed"
    elif round_.is_counted or (state.is_handed_in(round_) and not round_.is_skipped):
        status = "handed in"
    elif round_.is_skipped:
        status = "skipped"
    elif not round_.is_opened:
        status = "to come"
    else:
        is_now = index == state.round_index and state.phase is not Phase.LOBBY
        status = "open" if is_now else "left"
    return PlanItem(
        index=index,
        case=round_.case.id,
        title=round_.case.title,
        verdict=verdict_of(round_.case),
        has_contrast=round_.planned.contrast is not None,
        has_transfer=round_.planned.transfer is not None,
        status=status,  # type: ignore[arg-type] # narrowed to the six above
        can_replay=can(state, PlayAgain(round=index)),
        can_open=can(state, OpenRound(round=index)),
        can_show=can(state, ShowAgain(round=index)),
        is_shown=state.again == index,
    )


def host_panel(
    state: RoomState,
    now_ms: int,
    present: Set[PlayerId],
    links: Sequence[SiteLink] = (),
    held: HeldReveal | None = None,
    walls: tuple[int, int] = (0, 0),
) -> HostPanel:
    """Return the host's live figures.

    ``links`` are the connections to other sites, and ``held`` is a reveal that waits
    for them. ``walls`` is the number of projector pages, and of those without sound.
    """
    answered, expected = answered_and_expected(state, present)
    advice = advice_of(state)
    slow = islice(holders(state, now_ms, present), 20)
    warned = state.warned_until_ms
    is_still = warned is None or state.stopped_ms is not None
    latest = _latest(state)
    return HostPanel(
        advised=advised_command(state),
        is_ready=_is_ready(state, now_ms, present),
        answered=answered,
        expected=expected,
        joined=state.joined,
        connected=len(present),
        practice=sum(p.is_practice for p in state.players.values()),
        measures=_measures(state),
        advice=AdviceCard(advice.action, advice.headline, advice.reason)
        if advice
        else None,
        reasons=_reasons(state),
        need_time=tuple(person_card(state, state.players[p], present) for p in slow),
        warned_ms=None if is_still else max(0, (warned or 0) - now_ms),
        closes_in_ms=settles_in_ms(state, now_ms, present),
        tally_seen=latest is not None and bool(latest[1].past),
        late=state.late.total(),
        sites=site_cards(state, latest, present, links),
        held=held,
        walls=walls[0],
        silent_walls=walls[1],
        sentences=_sentences(state),
        challenged=len(challenges_of(state)),
        challenges=_challenge_cards(state),
    )


def _is_ready(state: RoomState, now_ms: int, present: Set[PlayerId]) -> bool:
    if state.asked is None or state.phase is Phase.SAY:  # a sentence is optional
        return True
    deadline_ms = state.deadline_ms
    is_over = deadline_ms is not None and state.clock_ms(now_ms) >= deadline_ms
    return is_over or all_answered(state, present)


def _latest(state: RoomState) -> tuple[Ballot, Poll, Case] | None:
    """Return the ballot of this round that was opened last."""
    if state.round_index is None or not state.round.polls:
        return None
    ballot, poll = next(reversed(state.round.polls.items()))
    return ballot, poll, state.round.case_of(ballot)


def _measures(state: RoomState) -> Measures | None:
    latest = _latest(state)
    if latest is None:
        return None
    ballot, _, case = latest
    found = required(count_of(state, state.round, ballot), "the latest ballot")
    errors = found.tally.confident_errors(case) if found.right is not None else 0
    return Measures(
        ballot=ballot,
        bars=bars(state, found.tally, ballot),
        n=found.n,
        right=found.right,
        interval=wilson(found.right or 0, found.n),
        mean_confidence=found.tally.mean_confidence(),
        confident_errors=errors,
        tell_confident_errors=tells_errors(errors, found.n),
        carried=found.carried,
        weaker=_weaker(state, found, case) if ballot is not Ballot.FIX else None,
    )


def _weaker(state: RoomState, found: Count, case: Case) -> LinkShare | None:
    if not state.settings.two_link or found.right is None:
        return None
    return LinkShare(*found.tally.weaker_link(case))


def _reasons(state: RoomState) -> tuple[ReasonCard, ...]:
    """Return the latest reasons, a few for each option that was chosen."""
    latest = _latest(state)
    if latest is None or latest[0] is Ballot.FIX:
        return ()
    ballot, poll, _ = latest
    pinned = {pin.player for pin in state.round.pins}
    found: dict[str, list[ReasonCard]] = {}
    for player, vote in reversed(poll.votes.items()):
        side = found.setdefault(option_of(vote.answer), [])
        if vote.reason and (len(side) < REASONS_A_SIDE or player in pinned):
            side.append(_reason(state, player, ballot, vote, player in pinned))
    return tuple(card for side in sorted(found) for card in found[side])


def _reason(
    state: RoomState, player: PlayerId, ballot: Ballot, vote: Vote, is_pinned: bool
) -> ReasonCard:
    return ReasonCard(
        player=player,
        name=state.players[player].name,
        ballot=ballot,
        side=option_of(vote.answer),
        confidence=max(confidences(vote.answer), default=None),
        text=vote.reason,
        is_pinned=is_pinned,
    )


def _sentences(state: RoomState) -> tuple[SentenceCard, ...]:
    """Return the sentences on this round while they are written, in order of coming.

    Sentences of removed players are left out.
    """
    if state.phase is not Phase.SAY:
        return ()
    said, quoted = state.round.said, state.round.quoted
    written = [by for by, text in said.items() if text and by not in state.kicked]
    listed = written[:SENTENCES_SHOWN] + [
        by for by in written[SENTENCES_SHOWN:] if by == quoted
    ]
    return tuple(
        SentenceCard(by, state.players[by].name, said[by], by == quoted)
        for by in listed
    )


def challenges_of(state: RoomState) -> dict[Challenger, str]:
    """Return the challenges to the current case; empty before the first round."""
    index = state.plan_index if state.again is None else state.again
    return {} if index is None else state.rounds[index].challenges


def _challenge_cards(state: RoomState) -> tuple[ChallengeCard, ...]:
    found = challenges_of(state)
    host = Challenger()
    order = [host] if host in found else []
    order += [by for by in reversed(found) if by != host]
    return tuple(_challenge(state, by, found[by]) for by in order[:CHALLENGES_SHOWN])


def _challenge(state: RoomState, by: Challenger, text: str) -> ChallengeCard:
    if by.player is not None:
        return ChallengeCard("player", state.players[by.player].name, text)
    if by.site is not None:
        return ChallengeCard("cohost", by.site, text)
    return ChallengeCard("host", "", text)


def person_card(
    state: RoomState,
    player: Player,
    present: Set[PlayerId],
    *,
    has_points: bool = True,
) -> PersonCard:
    """Return one player as shown in the roster; for co-hosts, without points."""
    return PersonCard(
        player=player.id,
        name=player.name,
        team=player.team,
        is_practice=player.is_practice,
        is_connected=player.id in present,
        is_kicked=player.is_kicked,
        has_answered=player.id in state.answered,
        percent=player.allowance,
        points=tenth(player.points) if has_points else None,
        rounds=player.rounds_scored if has_points else None,
    )


# --- sites -----------------------------------------------------------------------

Latest = tuple[Ballot, Poll, Case]
"""The ballot of the round that was opened last, its poll, and its case."""


def site_cards(
    state: RoomState,
    latest: Latest | None,
    present: Set[PlayerId],
    links: Sequence[SiteLink],
) -> tuple[SiteCard, ...]:
    """Return a card for each site with people or a connection; empty for one site."""
    heard = {
        link.name: link for link in links if link.is_up or link.name in state.people
    }
    names = list(dict.fromkeys([*heard, *state.sites]))
    if len(names) < 2:
        return ()
    players = state.players
    connected = Counter(players[p].site for p in present if p in players)
    return tuple(
        _site_card(state, name, latest, connected[name], heard.get(name))
        for name in names
    )


def cohost_panel(
    state: RoomState, site: str, now_ms: int, present: Set[PlayerId]
) -> CohostPanel:
    """Return what the co-host of a site sees about its people."""
    poll = state.poll
    own = {player.id for player in state.players.values() if player.site == site}
    own -= state.kicked
    here = own & present
    answered = len(own & state.answered)
    until_ms = poll.site_until_ms.get(site) if poll else None
    return CohostPanel(
        site=site,
        people=len(own),
        connected=len(here),
        answered=answered,
        expected=answered + len(here - state.answered),
        is_locked=site in state.locked_sites,
        can_give_time=poll is not None and poll.deadline_ms is not None,
        given_ms=None if until_ms is None else max(0, until_ms - now_ms),
        late=state.late[site],
        challenge=challenges_of(state).get(Challenger(site=site), ""),
    )


def _site_card(
    state: RoomState,
    name: str,
    latest: Latest | None,
    connected: int,
    link: SiteLink | None,
) -> SiteCard:
    tally, right = _site_tally(state, name, latest)
    return SiteCard(
        name=name,
        people=state.people[name],
        connected=connected,
        answered=tally.n,
        right=right,
        interval=wilson(right or 0, tally.n),
        late=state.late[name],
        link=link,
    )


def _site_tally(
    state: RoomState, name: str, latest: Latest | None
) -> tuple[Tally, int | None]:
    """Return a site's answers, and how many of them are right.

    Carried votes are included once the reveal has counted them. The second value is
    None if answers cannot be called right or wrong.
    """
    if latest is None:
        return Tally(), None
    ballot, poll, case = latest
    tally = poll.sites.get(name, Tally())
    if ballot is Ballot.REVOTE and name in state.round.cohorts:
        tally = state.round.cohorts[name].after
    is_judged = is_known(state, state.round, ballot)
    return tally, tally.right(case) if is_judged else None
