"""What may be done for the people of one site, without touching others."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.commands import (
    CloseVotes,
    GiveTime,
    HostCommand,
    Join,
    Kick,
    KickRecent,
    Lock,
    OpenRound,
    OpenVote,
    Unlock,
)
from server.game.engine import replay
from server.game.errors import Refused
from server.game.ids import PlayerId
from server.game.phases import Ballot
from server.game.settings import RoomSettings
from server.game.state import RoomState
from server.game.views.host import cohost_panel
from server.game.views.player import private_view
from tests.support.game import Game

SITES = ("berlin", "lisbon")


def playing() -> Game:
    """Return a game with two people at each of two sites, in the first vote."""
    game = Game(RoomSettings(auto_close=True), rounds=1)
    for site in SITES:
        for i in range(2):
            _join(game, f"{site}{i}", site)
    game.do(OpenRound(), OpenVote())
    return game


def _join(game: Game, name: str, site: str) -> None:
    game.do(Join(PlayerId(f"p-{name}"), name, site=site))
    game.present.add(PlayerId(f"p-{name}"))


def test_a_site_is_locked_alone() -> None:
    game = playing()
    game.do(Lock(site="lisbon"))
    with pytest.raises(Refused) as refused:
        _join(game, "Late", "lisbon")
    assert refused.value.code == "room_locked"
    _join(game, "Cleo", "berlin")
    assert not game.state.is_locked
    assert game.do(Lock(site="lisbon")) == []
    game.do(Unlock(site="lisbon"))
    _join(game, "Late", "lisbon")


def test_only_people_of_a_site_are_removed_for_it() -> None:
    game = playing()
    with pytest.raises(Refused) as refused:
        game.do(Kick(player=PlayerId("p-berlin0"), site="lisbon"))
    assert refused.value.code == "unknown_player"
    game.do(Kick(player=PlayerId("p-lisbon0"), site="lisbon"))
    assert game.state.players[PlayerId("p-lisbon0")].is_kicked


def test_newcomers_of_a_site_are_removed_for_it_and_no_others() -> None:
    game = playing()
    game.now_ms += 600_000
    for name, site in (("Cleo", "lisbon"), ("Dan", "lisbon"), ("Eve", "berlin")):
        _join(game, name, site)
    game.now_ms += 30_000
    game.do(KickRecent(site="lisbon"))
    gone = {player.name for player in game.state.players.values() if player.is_kicked}
    assert gone == {"Cleo", "Dan"}
    with pytest.raises(Refused) as refused:
        game.do(KickRecent(site="lisbon"))
    assert refused.value.code == "unknown_player"
    with pytest.raises(Refused):
        game.do(KickRecent(seconds=29))
    game.do(KickRecent(seconds=30))
    assert game.state.people["lisbon"] == game.state.people["berlin"] == 2


def clock_of(game: Game, name: str) -> int:
    """Return a player's own deadline."""
    you = private_view(game.state, PlayerId(f"p-{name}"), game.now_ms, game.present)
    assert you.clock is not None
    return you.clock.deadline_ms


def test_time_for_a_site_is_time_for_its_people_only() -> None:
    game = playing()
    usual = clock_of(game, "berlin0")
    game.do(GiveTime(seconds=30, site="lisbon"))
    assert clock_of(game, "berlin0") == usual
    assert clock_of(game, "lisbon0") == usual + 30_000
    game.do(GiveTime(seconds=10, site="lisbon"))
    assert clock_of(game, "lisbon1") == usual + 40_000


def test_time_for_a_site_holds_the_close_until_its_people_have_answered() -> None:
    game = playing()
    game.do(GiveTime(seconds=30, site="lisbon"))
    game.now_ms = game.state.deadline_ms or 0
    with pytest.raises(Refused) as refused:
        game.do(CloseVotes())
    assert refused.value.code == "time_needed"
    for name in ("lisbon0", "lisbon1"):
        game.vote(name, "outer", 80)
    game.do(CloseVotes())


def test_time_for_a_site_runs_out() -> None:
    game = playing()
    game.do(GiveTime(seconds=30, site="lisbon"))
    game.now_ms = clock_of(game, "lisbon0")
    game.do(CloseVotes())


def test_a_site_is_given_time_in_a_vote_with_a_timer_only() -> None:
    game = Game(RoomSettings(time_factor=None), rounds=1)
    game.do(OpenRound(), OpenVote())
    with pytest.raises(Refused) as refused:
        game.do(GiveTime(site="lisbon"))
    assert refused.value.code == "no_timer"


def test_the_panel_is_of_the_own_people() -> None:
    game = playing()
    game.vote("lisbon0", "outer", 80)
    game.vote("berlin0", "outer", 80)
    game.present.discard(PlayerId("p-lisbon1"))
    game.do(GiveTime(seconds=30, site="lisbon"))
    panel = cohost_panel(game.state, "lisbon", game.now_ms, game.present)
    assert (panel.people, panel.connected) == (2, 1)
    assert (panel.answered, panel.expected) == (1, 1)
    assert panel.can_give_time
    assert panel.given_ms == clock_of(game, "lisbon0") - game.now_ms


def others(state: RoomState) -> list[object]:
    """Return all that the people of another site may notice."""
    berlin = [p for p in state.players.values() if p.site == "berlin"]
    poll = state.poll
    assert poll is not None
    return [
        [(p.id, p.name, p.is_kicked, p.allowance, p.points) for p in berlin],
        state.is_locked,
        "berlin" in state.locked_sites,
        state.phase,
        state.deadline_ms,
        poll.deadline_ms,
        poll.tally.options(Ballot.VOTE, two_link=False),
        [private_view(state, p.id, 20_000, frozenset()) for p in berlin],
    ]


players = st.sampled_from([f"p-{site}{i}" for site in SITES for i in range(2)])
commands = st.one_of(
    st.just(Lock(site="lisbon")),
    st.just(Unlock(site="lisbon")),
    st.builds(GiveTime, seconds=st.integers(5, 600), site=st.just("lisbon")),
    st.builds(Kick, player=players.map(PlayerId), site=st.just("lisbon")),
    st.builds(KickRecent, seconds=st.integers(1, 3_600), site=st.just("lisbon")),
)


@given(st.lists(commands, max_size=8))
def test_nothing_that_is_done_for_a_site_touches_another(
    given_: list[HostCommand],
) -> None:
    game = playing()
    before = others(game.state)
    for command in given_:
        with contextlib.suppress(Refused):
            game.do(command)
    assert others(game.state) == before
    assert replay(game.journal) == game.state
