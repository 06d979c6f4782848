"""What holds after any sequence of commands, valid or not."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from scenarios.model import Label
from server.game.answers import FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    AskFix,
    AskSay,
    AskTime,
    BackToLobby,
    CastVote,
    ChallengeLabel,
    ChangeSettings,
    ChooseTeam,
    CloseVotes,
    Command,
    Contrast,
    Discuss,
    Finish,
    GiveTime,
    HideSentence,
    Join,
    Kick,
    KickRecent,
    LetBack,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    PinReason,
    PlayAgain,
    Rename,
    ReopenVote,
    Resume,
    Reveal,
    Revote,
    SayIt,
    SetTeam,
    ShowExample,
    ShowOpening,
    ShowSentence,
    SkipRound,
    TapOpening,
    Tick,
    Transfer,
    Unlock,
    UnpinReason,
)
from server.game.engine import TABLE, decide, evolve, replay
from server.game.errors import Refused
from server.game.events import Event, VoteCast
from server.game.ids import Challenger, ClientId, PlayerId
from server.game.phases import OPEN_BALLOT, VERDICT_STEP, Ballot, Phase
from server.game.settings import RoomSettings, SettingsChange
from server.game.state import RoomState
from server.game.views.host import host_panel, host_view
from server.game.views.player import private_view
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import StageView
from server.journal.codec import decode, encode
from tests.support.cases import opened
from tests.support.tiers import scaled

Script = list[tuple[Command, int, frozenset[PlayerId]]]
"""Commands, each with its time in milliseconds and the players who are there."""

STAGE: TypeAdapter[StageView] = TypeAdapter(StageView)

AGAINST = "AGAINST-THE-LABEL"
"""A challenge: hosts read it, and its author."""

PLAYERS = [PlayerId(f"p{i}") for i in range(5)]
players = st.sampled_from(PLAYERS)
confidence = st.sampled_from([None, 50, 60, 75, 80, 100])
gaps = st.builds(GapAnswer, st.sampled_from(Label), confidence)
link = st.builds(LinkAnswer, st.booleans(), confidence)
answers = st.one_of(
    gaps, gaps, gaps, st.builds(LinksAnswer, link, link),
    st.builds(FixAnswer, st.integers(0, 2)),
)  # fmt: skip
ballots = st.sampled_from(Ballot)
votes = st.builds(
    CastVote,
    player=players,
    client=st.sampled_from([ClientId("a"), ClientId("b")]),
    counter=st.integers(0, 6),
    round=st.integers(0, 3),
    ballot=ballots,
    answer=answers,
    reason=st.sampled_from(["", "because", "x" * 400]),
    stamped_ms=st.integers(9_000, 60_000),
)
hosts = st.one_of(
    *(
        st.just(kind())
        for kind in (
            AskFix, AskSay, BackToLobby, CloseVotes, Contrast, Discuss, Finish,
            GiveTime, Lock, OpenRound, OpenVote, PlayAgain, ReopenVote, Reveal, Revote,
            ShowExample, ShowOpening,
            SkipRound, Tick, Resume,
            Transfer, Unlock,
        )
    ),
    st.just(CloseVotes(override=True)),
    st.builds(GiveTime, site=st.sampled_from(["berlin", "lisbon"])),
    st.just(Lock(site="lisbon")),
    st.just(Unlock(site="lisbon")),
    st.builds(NextStep, all=st.booleans()),
    st.just(ShowOpening(automatic=False)),
    st.builds(OpenRound, round=st.integers(0, 4)),
    st.builds(Kick, player=players),
    st.builds(LetBack, player=players),
    st.builds(KickRecent, seconds=st.integers(1, 60), site=st.just("lisbon")),
    st.builds(Rename, player=players, name=st.text(max_size=10)),
    st.builds(SetTeam, player=players, team=st.sampled_from(["red", "blue", "x"])),
    st.builds(PinReason, player=players, ballot=ballots),
    st.builds(UnpinReason, player=players),
    st.builds(ShowSentence, player=players),
    st.just(HideSentence()),
    st.builds(
        ChangeSettings,
        change=st.builds(
            SettingsChange, auto_close=st.booleans(), timers=st.booleans()
        ),
    ),
)  # fmt: skip
people = st.one_of(
    st.builds(
        Join,
        players,
        st.text(max_size=12),
        st.sampled_from([None, "red"]),
        st.booleans(),
        st.sampled_from([None, "berlin", "lisbon"]),
        st.sampled_from([None, "tablet"]),
    ),
    st.builds(AskTime, players, st.sampled_from([0, 100, 150, 200])),
    st.builds(ChooseTeam, players, st.sampled_from(["blue", "none"])),
    st.builds(SayIt, players, st.integers(0, 3), st.sampled_from(["", "it is paid"])),
    st.builds(TapOpening, players, st.integers(0, 1), st.sampled_from(Label)),
    st.builds(
        ChallengeLabel,
        st.builds(Challenger, players)
        | st.sampled_from([Challenger(), Challenger(site="berlin")]),
        st.integers(0, 3) | st.just(900),
        st.sampled_from(["", AGAINST, "x" * 400]),
    ),
)

COURSE = [
    OpenRound(), OpenVote(), "votes", CloseVotes(), Contrast(), Discuss(), Revote(),
    "votes", CloseVotes(), Reveal(), NextStep(), NextStep(), NextStep(),
    NextStep(), AskSay(), NextStep(), AskFix(), "votes", CloseVotes(), Transfer(),
    "votes", CloseVotes(),
]  # fmt: skip
"""One whole round, so that random commands also meet the later phases."""

room_settings = st.builds(
    RoomSettings,
    two_link=st.booleans(),
    auto_close=st.booleans(),
    simulated=st.booleans(),
    teams=st.sampled_from([(), ("red", "blue")]),
    podium=st.booleans(),
    time_factor=st.sampled_from([None, 1, 3]),
)


@st.composite
def scripts(draw: st.DrawFn, courses: st.SearchStrategy[int], longest: int) -> Script:
    """Draw whole rounds with other commands between, then ``longest`` more at most."""
    script: Script = []
    now_ms = 10_000

    def add(command: Command) -> None:
        nonlocal now_ms
        now_ms += draw(st.sampled_from([0, 1, 500, 2_500, 40_000]))
        present = draw(st.frozensets(players))
        script.append((command, now_ms, present))

    for player in PLAYERS[:3]:
        add(Join(player, f"name {player}"))
    for step in COURSE * draw(courses):
        for command in draw(st.lists(st.one_of(votes, hosts, people), max_size=1)):
            add(command)
        if isinstance(step, str):
            for command in draw(st.lists(votes, max_size=4)):
                add(command)
        else:
            add(step)
    for command in draw(st.lists(st.one_of(votes, hosts, people), max_size=longest)):
        add(command)
    return script


@pytest.mark.sampled
@settings(max_examples=scaled(400, 1_000, 20_000))
@given(room_settings, scripts(st.just(0), 30))
def test_short_random_scripts_replay_conserve_votes_and_leak_nothing(
    chosen: RoomSettings, script: Script
) -> None:
    _holds(chosen, script)


@pytest.mark.sampled
@settings(max_examples=scaled(30, 60, 2_000))
@given(room_settings, scripts(st.integers(1, 2), 8))
def test_whole_rounds_replay_conserve_votes_and_leak_nothing(
    chosen: RoomSettings, script: Script
) -> None:
    _holds(chosen, script)


def _holds(chosen: RoomSettings, script: Script) -> None:
    """Carry out a script; assert what holds after each command and at the end."""
    first = opened(chosen, rounds=3, opening=True)
    journal: list[Event] = [first]
    state = replay(journal)
    for command, now_ms, present in script:
        before = state.phase
        counted = _votes(state)
        events = _carry_out(state, command, now_ms, present)
        journal += events
        _follows_the_table(before, command, state.phase)
        _conserves_votes(state, counted, events)
        _shows_no_secret(state, now_ms, present)
    assert replay(journal) == state
    assert replay([decode(encode(event)) for event in journal]) == state
    assert state.version == len(journal)


def _carry_out(
    state: RoomState, command: Command, now_ms: int, present: frozenset[PlayerId]
) -> list[Event]:
    if isinstance(command, Join) and command.player in state.players:
        return []  # a player id is drawn fresh for each join
    try:
        events = decide(state, command, now_ms, present)
    except Refused:
        return []
    for event in events:
        evolve(state, event)
    return events


def _follows_the_table(before: Phase, command: Command, after: Phase) -> None:
    row = TABLE[before].get(command.type)
    allowed = {before, *(row.leads[before] if row else ())}
    assert after in allowed, f"{command.type} led from {before} to {after}"


def _votes(state: RoomState) -> dict[tuple[int, Ballot], set[PlayerId]]:
    return {
        (index, ballot): set(poll.votes)
        for index, round_ in enumerate(state.rounds)
        for ballot, poll in round_.polls.items()
    }


def _conserves_votes(
    state: RoomState,
    counted: dict[tuple[int, Ballot], set[PlayerId]],
    events: list[Event],
) -> None:
    now = _votes(state)
    new = {(e.round, e.ballot, e.player) for e in events if isinstance(e, VoteCast)}
    for key, voters in counted.items():
        assert voters <= now[key], "a vote was lost"
    for (index, ballot), voters in now.items():
        poll = state.rounds[index].polls[ballot]
        fresh = voters - counted.get((index, ballot), set())
        assert all((index, ballot, player) in new for player in fresh)
        assert poll.tally.n == sum(state.counts(player) for player in voters)
    for round_ in state.rounds:
        if round_.is_revealed and Ballot.REVOTE in round_.polls:
            first = round_.polls[Ballot.VOTE].votes
            both = set(first) | set(round_.polls[Ballot.REVOTE].votes)
            assert round_.after.n <= sum(state.counts(player) for player in both)


def _shows_no_secret(
    state: RoomState, now_ms: int, present: frozenset[PlayerId]
) -> None:
    """Before its reveal, no frame to a player or the screen tells about a case."""
    host_view(state, now_ms)
    host_panel(state, now_ms, present)
    shown = [
        STAGE.dump_json(view(state, now_ms)).decode()
        for view in (player_view, screen_view)
    ]
    own = [
        _adapter(type(mine)).dump_json(mine).decode()
        for mine in (private_view(state, p, now_ms, present) for p in state.players)
    ]
    assert not any(AGAINST in text for text in shown)
    for index, round_ in enumerate(state.rounds):
        is_now = index == state.round_index
        if not round_.is_revealed:
            assert not round_.challenges, "a label was challenged before its reveal"
        for player, text in zip(state.players, own, strict=True):
            is_theirs = any(
                AGAINST in one.challenges.get(Challenger(player), "")
                for one in state.rounds
            )
            assert is_theirs or AGAINST not in text, "another's challenge"
        if not round_.is_revealed:
            assert not any(f"SECRET-case-{index}-" in text for text in shown + own)
        elif is_now and state.phase is Phase.REVEAL and state.step < VERDICT_STEP:
            assert not any(f"SECRET-case-{index}-why" in text for text in shown + own)
            assert not any('"is_right":true' in text for text in own)
            assert all(json.loads(text)["verdict"] is None for text in shown)
        again = [one for one in state.practice.values() if one.practice_of == index]
        transfers = [one.polls.get(Ballot.TRANSFER) for one in (round_, *again)]
        is_over = state.phase is Phase.FINISHED  # cards tell, though none was closed
        if not is_over and all(one is None or one.is_open for one in transfers):
            assert not any(f"SECRET-transfer-{index}-" in text for text in shown + own)
    if state.phase in OPEN_BALLOT or state.phase in _BEFORE_REVEAL:
        for text in shown:
            view = json.loads(text)
            assert not view.keys() & {"before", "after", "bars", "moves", "right"}
            if state.phase is not Phase.FIX:
                assert "verdict" not in view


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """Return the codec of a view; building one takes longer than a whole script."""
    return TypeAdapter(kind)


_BEFORE_REVEAL = {
    Phase.LOBBY,
    Phase.READ,
    Phase.VOTE_CLOSED,
    Phase.CONTRAST,
    Phase.DISCUSS,
    Phase.REVOTE_CLOSED,
}
