"""The fold of every event into the state of a room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from server.game.counting import carry, count_cohorts
from server.game.events import (
    AllowanceGranted,
    AllowancesWarned,
    BallotClosed,
    BallotOpened,
    ContrastShown,
    DeadlineExtended,
    DiscussionOpened,
    ExampleShown,
    GameFinished,
    LobbyEntered,
    PlayerJoined,
    PlayerKicked,
    PlayerRenamed,
    ReasonPinned,
    ReasonUnpinned,
    RoomLocked,
    RoomMoved,
    RoomUnlocked,
    RoundOpened,
    RoundRevealed,
    RoundSkipped,
    SayOpened,
    SentenceSaid,
    SettingsChanged,
    SiteGivenTime,
    SiteLocked,
    SiteUnlocked,
    StepShown,
    TeamChosen,
    VoteCast,
    VoteKeptLate,
)
from server.game.ids import PlayerId
from server.game.names import skeleton
from server.game.phases import CLOSES_TO, Ballot, Phase
from server.game.scoring import MISSED, Tally, round_score
from server.game.state import (
    USUAL_ALLOWANCE,
    Pin,
    Player,
    Poll,
    RoomState,
    Round,
    Vote,
)


def _vote_cast(state: RoomState, event: VoteCast) -> None:
    poll = state.rounds[event.round].polls[event.ballot]
    old = poll.votes.get(event.player)
    tallies = _tallies(state, poll, event.player)
    if old is None:
        poll.votes[event.player] = _vote(event)
    else:
        for tally in tallies:
            tally.remove(old.answer)
        old.answer, old.reason, old.at_ms = event.answer, event.reason, event.at_ms
        old.stamps[event.client] = event.counter
    for tally in tallies:
        tally.add(event.answer)


def _tallies(state: RoomState, poll: Poll, player: PlayerId) -> tuple[Tally, ...]:
    """Return where a player's vote counts: in the poll, and in that of the site."""
    if not state.counts(player):
        return ()
    site = state.players[player].site
    if site is None:
        return (poll.tally,)
    return poll.tally, poll.sites.setdefault(site, Tally())


def _vote(event: VoteCast | VoteKeptLate) -> Vote:
    return Vote(
        event.answer,
        event.reason,
        at_ms=event.at_ms,
        first_ms=event.at_ms,
        stamps={event.client: event.counter},
        is_late=isinstance(event, VoteKeptLate),
    )


def _vote_kept_late(state: RoomState, event: VoteKeptLate) -> None:
    late = state.rounds[event.round].polls[event.ballot].late
    if event.player not in late:
        state.late[state.players[event.player].site] += 1
    late[event.player] = _vote(event)


def _player_joined(state: RoomState, event: PlayerJoined) -> None:
    state.players[event.player] = Player(
        event.player,
        event.name,
        event.team,
        event.is_practice,
        event.at_ms,
        event.site,
    )
    state.skeletons.add(skeleton(event.name))
    state.joined += 1
    if event.site is not None:
        state.people[event.site] += 1


def _player_renamed(state: RoomState, event: PlayerRenamed) -> None:
    player = state.players[event.player]
    state.skeletons.discard(skeleton(player.name))
    player.name = event.name
    state.skeletons.add(skeleton(event.name))


def _team_chosen(state: RoomState, event: TeamChosen) -> None:
    state.players[event.player].team = event.team


def _player_kicked(state: RoomState, event: PlayerKicked) -> None:
    player = state.players[event.player]
    player.is_kicked = True
    state.skeletons.discard(skeleton(player.name))
    state.kicked.add(event.player)
    state.joined -= 1
    if player.site is not None:
        state.people[player.site] -= 1


def _room_locked(state: RoomState, _: RoomLocked) -> None:
    state.is_locked = True


def _room_unlocked(state: RoomState, _: RoomUnlocked) -> None:
    state.is_locked = False


def _room_moved(state: RoomState, event: RoomMoved) -> None:
    state.home, state.epoch = event.to, event.epoch


def _settings_changed(state: RoomState, event: SettingsChanged) -> None:
    state.settings = event.settings


def _enter(state: RoomState, phase: Phase, deadline_ms: int | None = None) -> None:
    state.phase = phase
    state.deadline_ms = deadline_ms
    state.warned_until_ms = None


def _example_shown(state: RoomState, event: ExampleShown) -> None:
    _enter(state, Phase.EXAMPLE)
    state.example_index = event.index


def _round_opened(state: RoomState, event: RoundOpened) -> None:
    _enter(state, event.phase)
    state.round_index = event.round
    state.step = 0
    state.round.is_opened = True
    state.round.is_skipped = False


def _ballot_opened(state: RoomState, event: BallotOpened) -> None:
    _enter(state, event.ballot.phase, event.deadline_ms)
    poll = state.round.polls.setdefault(
        event.ballot, Poll(event.at_ms, event.deadline_ms)
    )
    poll.opened_ms, poll.deadline_ms, poll.closed_ms = (
        event.at_ms,
        event.deadline_ms,
        None,
    )
    poll.site_until_ms = {}


def _ballot_closed(state: RoomState, event: BallotClosed) -> None:
    _enter(state, CLOSES_TO[event.ballot])
    poll = state.round.polls[event.ballot]
    poll.closed_ms = event.at_ms
    poll.missed = frozenset(event.missed)


def _deadline_extended(state: RoomState, event: DeadlineExtended) -> None:
    state.deadline_ms = event.deadline_ms
    if state.poll:
        state.poll.deadline_ms = event.deadline_ms


def _site_locked(state: RoomState, event: SiteLocked) -> None:
    state.locked_sites.add(event.site)


def _site_unlocked(state: RoomState, event: SiteUnlocked) -> None:
    state.locked_sites.discard(event.site)


def _site_given_time(state: RoomState, event: SiteGivenTime) -> None:
    if state.poll:
        state.poll.site_until_ms[event.site] = event.deadline_ms


def _allowance_granted(state: RoomState, event: AllowanceGranted) -> None:
    state.players[event.player].allowance = event.percent
    if event.percent == USUAL_ALLOWANCE:
        state.own_time.pop(event.player, None)
    else:
        state.own_time[event.player] = None


def _allowances_warned(state: RoomState, event: AllowancesWarned) -> None:
    state.warned_until_ms = event.until_ms


def _contrast_shown(state: RoomState, _: ContrastShown) -> None:
    _enter(state, Phase.CONTRAST)
    state.round.was_contrasted = True


def _discussion_opened(state: RoomState, event: DiscussionOpened) -> None:
    _enter(state, Phase.DISCUSS, event.deadline_ms)
    state.round.groups = event.groups


def _round_revealed(state: RoomState, _: RoundRevealed) -> None:
    _enter(state, Phase.REVEAL)
    state.step = 0
    round_ = state.round
    round_.is_revealed = True
    if Ballot.REVOTE in round_.polls:
        carry(state, round_)
    if Ballot.VOTE in round_.polls and len(state.sites) > 1:
        count_cohorts(state, round_)
    for player, score in _scores(state, round_):
        round_.scores[player] = score
        state.players[player].points += score
        state.players[player].rounds_scored += 1


def _scores(state: RoomState, round_: Round) -> Iterable[tuple[PlayerId, float]]:
    """Give each player who saw the round its score (rule B9)."""
    vote = round_.polls.get(Ballot.VOTE)
    if not round_.case.is_scored or vote is None:
        return
    for player in state.players:
        missed = MISSED[state.settings.score_mode] if player in vote.missed else None
        score = round_score(
            state.vote_points(round_, Ballot.VOTE, player),
            state.vote_points(round_, Ballot.REVOTE, player),
            missed=missed,
            revoted=Ballot.REVOTE in round_.polls,
        )
        if score is not None:
            yield player, score


def _step_shown(state: RoomState, event: StepShown) -> None:
    state.step = event.step
    if state.phase is Phase.SAY:
        _enter(state, Phase.REVEAL)


def _say_opened(state: RoomState, _: SayOpened) -> None:
    _enter(state, Phase.SAY)


def _sentence_said(state: RoomState, event: SentenceSaid) -> None:
    state.rounds[event.round].said[event.player] = event.text


def _reason_pinned(state: RoomState, event: ReasonPinned) -> None:
    pins = state.rounds[event.round].pins
    pins[:] = [pin for pin in pins if pin.player != event.player]
    pins.append(Pin(event.player, event.ballot))


def _reason_unpinned(state: RoomState, event: ReasonUnpinned) -> None:
    for round_ in state.rounds:
        round_.pins[:] = [pin for pin in round_.pins if pin.player != event.player]


def _round_skipped(state: RoomState, event: RoundSkipped) -> None:
    state.rounds[event.round].is_skipped = True


def _lobby_entered(state: RoomState, _: LobbyEntered) -> None:
    _enter(state, Phase.LOBBY)


def _game_finished(state: RoomState, event: GameFinished) -> None:
    _enter(state, Phase.FINISHED)
    state.finished_ms = event.at_ms


FOLDS: dict[type, Callable[[RoomState, Any], None]] = {
    VoteCast: _vote_cast,
    VoteKeptLate: _vote_kept_late,
    PlayerJoined: _player_joined,
    PlayerRenamed: _player_renamed,
    TeamChosen: _team_chosen,
    PlayerKicked: _player_kicked,
    RoomLocked: _room_locked,
    RoomUnlocked: _room_unlocked,
    RoomMoved: _room_moved,
    SettingsChanged: _settings_changed,
    SiteLocked: _site_locked,
    SiteUnlocked: _site_unlocked,
    SiteGivenTime: _site_given_time,
    ExampleShown: _example_shown,
    RoundOpened: _round_opened,
    BallotOpened: _ballot_opened,
    BallotClosed: _ballot_closed,
    DeadlineExtended: _deadline_extended,
    AllowanceGranted: _allowance_granted,
    AllowancesWarned: _allowances_warned,
    ContrastShown: _contrast_shown,
    DiscussionOpened: _discussion_opened,
    RoundRevealed: _round_revealed,
    StepShown: _step_shown,
    SayOpened: _say_opened,
    SentenceSaid: _sentence_said,
    ReasonPinned: _reason_pinned,
    ReasonUnpinned: _reason_unpinned,
    RoundSkipped: _round_skipped,
    LobbyEntered: _lobby_entered,
    GameFinished: _game_finished,
}
