"""Turning commands into events, or refusing them. Pure: changes nothing.

``decide`` first looks the command up in the transition table of the phase, then asks
the command's own rule. Time, and who is present, come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

from server.game.answers import FixAnswer, GapAnswer, LinksAnswer
from server.game.commands import (
    AskFix,
    AskTime,
    BackToLobby,
    CastVote,
    ChangeSettings,
    ChooseTeam,
    CloseVotes,
    Command,
    Contrast,
    Discuss,
    Finish,
    GiveTime,
    Join,
    Kick,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    Rename,
    Resume,
    Reveal,
    Revote,
    SetTeam,
    ShowExample,
    SkipRound,
    Tick,
    Transfer,
    Unlock,
    UnpinReason,
)
from server.game.errors import Refused
from server.game.events import (
    AllowanceGranted,
    AllowancesWarned,
    BallotClosed,
    BallotOpened,
    ContrastShown,
    DeadlineExtended,
    DiscussionOpened,
    Event,
    ExampleShown,
    GameFinished,
    LobbyEntered,
    PlayerJoined,
    PlayerKicked,
    PlayerRenamed,
    ReasonPinned,
    ReasonUnpinned,
    RoomLocked,
    RoomUnlocked,
    RoundOpened,
    RoundRevealed,
    RoundSkipped,
    SettingsChanged,
    StepShown,
    TeamChosen,
    VoteCast,
    VoteKeptLate,
)
from server.game.ids import PlayerId
from server.game.names import clean_name, skeleton, unique_name
from server.game.phases import TABLE, Ballot, Phase
from server.game.scoring import levels
from server.game.state import GRACE_MS, Poll, RoomState, Round
from server.game.steps import LAST_STEP
from server.game.tally import confidences
from server.game.timing import (
    RESUME_MS,
    WARNING_MS,
    ballot_ms,
    discuss_ms,
    holders,
    is_due,
)

REASON_LENGTH = 280
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a command is decided (UTC ms), and who is present then."""

    now_ms: int
    present: Set[PlayerId] = frozenset()


def decide(
    state: RoomState, command: Command, now_ms: int, present: Set[PlayerId]
) -> list[Event]:
    """Return the events a command leads to: none where there is nothing to do.

    ``now_ms`` is UTC milliseconds, ``present`` who is connected now or was within the
    last 20 s. Raises :class:`Refused` where the command is not allowed; the state is
    never changed here.
    """
    if command.type not in TABLE[state.phase]:
        raise _not_now(state, command)
    return _RULES[type(command)](state, command, Moment(now_ms, present))


def _not_now(state: RoomState, command: Command) -> Refused:
    if isinstance(command, CastVote):
        return Refused("phase_closed", "No vote is open now; yours was not counted.")
    if state.phase is Phase.FINISHED:
        return Refused("room_finished", "The game is over.")
    return Refused(
        "wrong_phase", f"'{command.type}' cannot be done in phase '{state.phase}'."
    )


# --- players -------------------------------------------------------------------------


def _join(state: RoomState, command: Join, moment: Moment) -> list[Event]:
    if command.player in state.players:  # the same hello, sent again
        _active(state, command.player)
        return []
    if state.is_locked:
        raise Refused("room_locked", "The host has locked this room.")
    if state.joined >= state.settings.max_players:
        raise Refused("room_full", f"This room holds {state.settings.max_players}.")
    name = unique_name(clean_name(command.name), state.skeletons)
    team = _team(state, command.team) if command.team else _smallest_team(state)
    return [
        PlayerJoined(
            command.player,
            name,
            team,
            command.is_practice,
            moment.now_ms,
            command.site,
        )
    ]


def _team(state: RoomState, wanted: str) -> str:
    for team in state.settings.teams:
        if team.casefold() == wanted.strip().casefold():
            return team
    known = ", ".join(state.settings.teams) or "none"
    raise Refused("bad_team", f"No team '{wanted}' here; teams are: {known}.")


def _smallest_team(state: RoomState) -> str | None:
    if not state.settings.teams:
        return None
    sizes = dict.fromkeys(state.settings.teams, 0)
    for player in state.players.values():
        if player.team in sizes and not player.is_kicked:
            sizes[player.team] += 1
    return min(sizes, key=lambda team: sizes[team])


def _choose_team(
    state: RoomState, command: ChooseTeam | SetTeam, _: Moment
) -> list[Event]:
    _active(state, command.player)
    return [TeamChosen(command.player, _team(state, command.team))]


def _ask_time(state: RoomState, command: AskTime, _: Moment) -> list[Event]:
    _active(state, command.player)
    return [AllowanceGranted(command.player, command.percent)]


def _active(state: RoomState, player: PlayerId) -> None:
    found = state.players.get(player)
    if found is None:
        raise Refused("unknown_player", "No such player in this room.")
    if found.is_kicked:
        raise Refused("kicked", "The host has removed this player from the room.")


def _cast_vote(state: RoomState, command: CastVote, _: Moment) -> list[Event]:
    _active(state, command.player)
    poll = _poll_of(state, command)
    if repeats(poll, command):
        return []
    if not _is_in_time(poll, command.stamped_ms):
        raise Refused(
            "phase_closed",
            f"Round {command.round + 1}, {command.ballot}, had closed before this "
            "vote came; it was not counted.",
        )
    _fits(state, command)
    kind = VoteKeptLate if _is_revealed(state, command) else VoteCast
    return [
        kind(
            player=command.player,
            client=command.client,
            counter=command.counter,
            round=command.round,
            ballot=command.ballot,
            answer=command.answer,
            reason=_reason(command.reason),
            at_ms=command.stamped_ms,
        )
    ]


def _poll_of(state: RoomState, command: CastVote) -> Poll:
    if command.round < len(state.rounds):
        poll = state.rounds[command.round].polls.get(command.ballot)
        if poll is not None:
            return poll
    raise Refused(
        "phase_closed",
        f"Round {command.round + 1}, {command.ballot}, is not open; nothing counted.",
    )


def repeats(poll: Poll, command: CastVote) -> bool:
    """Whether the vote adds nothing to what the poll holds of this player."""
    stamp = (command.client, command.counter, command.stamped_ms)
    late = poll.late.get(command.player)
    if late is not None and late.repeats(*stamp):
        return True
    vote = poll.votes.get(command.player)
    return vote is not None and vote.repeats(*stamp)


def _is_in_time(poll: Poll, stamped_ms: int) -> bool:
    return poll.closed_ms is None or stamped_ms <= poll.closed_ms + GRACE_MS


def _is_revealed(state: RoomState, command: CastVote) -> bool:
    """Whether the ballot's answer has been shown: FIX and TRANSFER at their close."""
    round_ = state.rounds[command.round]
    if command.ballot in (Ballot.VOTE, Ballot.REVOTE):
        return round_.is_revealed
    return round_.polls[command.ballot].closed_ms is not None


def _fits(state: RoomState, command: CastVote) -> None:
    """Refuse an answer of the wrong kind, or with a confidence that is not on offer."""
    answer, settings = command.answer, state.settings
    if command.ballot is Ballot.FIX:
        expected: type = FixAnswer
    else:
        expected = LinksAnswer if settings.two_link else GapAnswer
    if not isinstance(answer, expected):
        raise Refused("bad_answer", f"This asks for a {expected.__name__}.")
    allowed = levels(settings.score_mode) if settings.confidence else ()
    for confidence in confidences(answer):
        if confidence not in allowed:
            on_offer = ", ".join(map(str, allowed)) or "none"
            raise Refused(
                "bad_answer", f"Confidence {confidence} is not on offer: {on_offer}."
            )


def _reason(raw: str) -> str:
    """Keep one printable line of a reason."""
    line = "".join(ch if ch.isprintable() else " " for ch in raw)
    return " ".join(line.split())[:REASON_LENGTH]


# --- the host: the course of the game ------------------------------------------------


def _show_example(state: RoomState, _: ShowExample, moment: Moment) -> list[Event]:
    index = 0 if state.example_index is None else state.example_index + 1
    if index >= len(state.plan.opening):
        raise Refused("nothing_to_show", "There is no further worked example.")
    return [ExampleShown(index, moment.now_ms)]


def _open_round(state: RoomState, command: OpenRound, moment: Moment) -> list[Event]:
    index = command.round if command.round is not None else state.next_round()
    if index is None:
        raise Refused("bad_round", "Every round has been played; finish the game.")
    if index >= len(state.rounds):
        raise Refused("bad_round", f"There are {len(state.rounds)} rounds.")
    if state.rounds[index].is_revealed:
        raise Refused("bad_round", f"Round {index + 1} has been played.")
    return [RoundOpened(index, _left_in(state.rounds[index]), moment.now_ms)]


def _left_in(round_: Round) -> Phase:
    """Where a round goes on that was left for the lobby: never before what closed."""
    revote = round_.polls.get(Ballot.REVOTE)
    if revote and not revote.is_open:
        return Phase.REVOTE_CLOSED
    vote = round_.polls.get(Ballot.VOTE)
    return Phase.VOTE_CLOSED if vote and not vote.is_open else Phase.READ


def _open_ballot(ballot: Ballot) -> Callable[[RoomState, Any, Moment], list[Event]]:
    def rule(state: RoomState, _: Any, moment: Moment) -> list[Event]:
        round_ = state.round
        if ballot is Ballot.TRANSFER and round_.planned.transfer is None:
            raise Refused("nothing_to_show", "This round has no transfer case.")
        if ballot in round_.polls and ballot in (Ballot.FIX, Ballot.TRANSFER):
            raise Refused("nothing_to_show", f"The {ballot} question has been asked.")
        lasts_ms = ballot_ms(state.settings, ballot, round_.case_of(ballot))
        deadline_ms = None if lasts_ms is None else moment.now_ms + lasts_ms
        assert state.round_index is not None
        return [BallotOpened(state.round_index, ballot, moment.now_ms, deadline_ms)]

    return rule


def _close_votes(state: RoomState, command: CloseVotes, moment: Moment) -> list[Event]:
    held = holders(state, moment.now_ms, moment.present)
    if not held:
        return [_closed(state, moment)]
    if not command.override:
        raise Refused(
            "time_needed",
            f"{len(held)} with extra time have not answered. "
            "Wait, or close anyway: they are warned and have 20 s.",
        )
    if state.warned_until_ms is not None:
        raise Refused("time_needed", "They have been warned; it closes by itself.")
    return [AllowancesWarned(moment.now_ms + WARNING_MS)]


def _closed(state: RoomState, moment: Moment) -> Event:
    ballot, poll = state.ballot, state.poll
    assert ballot is not None
    assert poll is not None
    assert state.round_index is not None
    missed = tuple(
        sorted(
            player
            for player in moment.present
            if player in state.players
            and player not in poll.votes
            and not state.players[player].is_kicked
            and state.players[player].joined_ms <= poll.opened_ms
        )
    )
    return BallotClosed(state.round_index, ballot, moment.now_ms, missed)


def _contrast(state: RoomState, _: Contrast, moment: Moment) -> list[Event]:
    if state.round.planned.contrast is None:
        raise Refused("nothing_to_show", "This round has no contrast case.")
    assert state.round_index is not None
    return [ContrastShown(state.round_index, moment.now_ms)]


def _discuss(state: RoomState, _: Discuss, moment: Moment) -> list[Event]:
    lasts_ms = discuss_ms(state.settings)
    deadline_ms = None if lasts_ms is None else moment.now_ms + lasts_ms
    assert state.round_index is not None
    return [DiscussionOpened(state.round_index, moment.now_ms, deadline_ms)]


def _reveal(state: RoomState, _: Reveal, moment: Moment) -> list[Event]:
    assert state.round_index is not None
    return [RoundRevealed(state.round_index, moment.now_ms)]


def _next_step(state: RoomState, command: NextStep, _: Moment) -> list[Event]:
    if state.step >= LAST_STEP:
        raise Refused("nothing_to_show", "The whole breakdown is shown.")
    last = LAST_STEP if command.all else state.step + 1
    return [StepShown(step) for step in range(state.step + 1, last + 1)]


def _skip_round(state: RoomState, _: SkipRound, moment: Moment) -> list[Event]:
    assert state.round_index is not None
    events: list[Event] = []
    if not state.round.is_revealed:
        events.append(RoundSkipped(state.round_index, moment.now_ms))
    following = state.next_round(besides=state.round_index)
    if following is None:
        return [*events, GameFinished(moment.now_ms)]
    phase = _left_in(state.rounds[following])
    return [*events, RoundOpened(following, phase, moment.now_ms)]


def _back_to_lobby(_: RoomState, __: BackToLobby, moment: Moment) -> list[Event]:
    return [LobbyEntered(moment.now_ms)]


def _finish(_: RoomState, __: Finish, moment: Moment) -> list[Event]:
    return [GameFinished(moment.now_ms)]


# --- the host: time, people, settings ------------------------------------------------


def _give_time(state: RoomState, command: GiveTime, moment: Moment) -> list[Event]:
    if state.deadline_ms is None:
        raise Refused("no_timer", "No timer runs; there is nothing to extend.")
    base_ms = max(state.deadline_ms, moment.now_ms)
    return [DeadlineExtended(base_ms + command.seconds * 1000)]


def _lock(state: RoomState, _: Lock, __: Moment) -> list[Event]:
    return [] if state.is_locked else [RoomLocked()]


def _unlock(state: RoomState, _: Unlock, __: Moment) -> list[Event]:
    return [RoomUnlocked()] if state.is_locked else []


def _kick(state: RoomState, command: Kick, _: Moment) -> list[Event]:
    _active(state, command.player)
    return [PlayerKicked(command.player)]


def _rename(state: RoomState, command: Rename, _: Moment) -> list[Event]:
    _active(state, command.player)
    name = clean_name(command.name)
    others = state.skeletons - {skeleton(state.players[command.player].name)}
    return [PlayerRenamed(command.player, unique_name(name, others))]


def _pin_reason(state: RoomState, command: PinReason, _: Moment) -> list[Event]:
    if state.round_index is None:
        raise Refused("wrong_phase", "No round is open.")
    poll = state.round.polls.get(command.ballot)
    vote = poll.votes.get(command.player) if poll else None
    if vote is None or not vote.reason:
        raise Refused("no_reason", "That player gave no reason here.")
    return [ReasonPinned(command.player, state.round_index, command.ballot)]


def _unpin_reason(_: RoomState, command: UnpinReason, __: Moment) -> list[Event]:
    return [ReasonUnpinned(command.player)]


def _change_settings(
    state: RoomState, command: ChangeSettings, _: Moment
) -> list[Event]:
    change = command.change.model_dump(exclude_none=True, exclude={"timers"})
    if command.change.timers is False:
        change["time_factor"] = None
    elif command.change.timers and state.settings.time_factor is None:
        change.setdefault("time_factor", 1)
    changed = state.settings.model_copy(update=change)
    return [] if changed == state.settings else [SettingsChanged(changed)]


# --- time itself ---------------------------------------------------------------------


def _tick(state: RoomState, _: Tick, moment: Moment) -> list[Event]:
    is_now = is_due(state, moment.now_ms, moment.present)
    return [_closed(state, moment)] if is_now else []


def _resume(state: RoomState, _: Resume, moment: Moment) -> list[Event]:
    """After a restart: the same deadline, or 10 s where less is left."""
    events: list[Event] = []
    at_least_ms = moment.now_ms + RESUME_MS
    if state.deadline_ms is not None and state.deadline_ms < at_least_ms:
        events.append(DeadlineExtended(at_least_ms))
    if state.warned_until_ms is not None and state.warned_until_ms < at_least_ms:
        events.append(AllowancesWarned(at_least_ms))
    return events


_RULES: dict[type, Callable[[RoomState, Any, Moment], list[Event]]] = {
    Join: _join,
    CastVote: _cast_vote,
    AskTime: _ask_time,
    ChooseTeam: _choose_team,
    ShowExample: _show_example,
    OpenRound: _open_round,
    OpenVote: _open_ballot(Ballot.VOTE),
    CloseVotes: _close_votes,
    Contrast: _contrast,
    Discuss: _discuss,
    Revote: _open_ballot(Ballot.REVOTE),
    Reveal: _reveal,
    NextStep: _next_step,
    AskFix: _open_ballot(Ballot.FIX),
    Transfer: _open_ballot(Ballot.TRANSFER),
    SkipRound: _skip_round,
    BackToLobby: _back_to_lobby,
    Finish: _finish,
    GiveTime: _give_time,
    Lock: _lock,
    Unlock: _unlock,
    Kick: _kick,
    Rename: _rename,
    SetTeam: _choose_team,
    PinReason: _pin_reason,
    UnpinReason: _unpin_reason,
    ChangeSettings: _change_settings,
    Tick: _tick,
    Resume: _resume,
}
